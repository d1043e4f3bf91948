"""Transcripts: records each stream in a file, and replays streams from such files.

    Client(base_url, observe=Recorder("run.jsonl"))

    ReplayClient(base_url, "run.jsonl")  # instead of Client, with the same options and requests

A file holds the transcript of one stream, as `sse_core.Transcript` writes it. The first stream of a client
has the file that was asked for, here `run.jsonl`, the second `run-2.jsonl`, and so on, in the order in which
the client made them. A stream that is never entered or read has no file.

Credentials are redacted; prompts and answers are not, and so only the owner of a file can read it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from math import inf
from pathlib import Path
from typing import Any, TextIO, TypeAlias, Unpack

import msgspec

from sse_core import (
    Acquire,
    Action,
    Authorize,
    Deadlines,
    Deliver,
    Event,
    Failed,
    Fetch,
    Outcome,
    PoolLimits,
    Proxies,
    Proxy,
    Reason,
    Receive,
    Received,
    Reconnects,
    Replay,
    Request,
    Response,
    Retries,
    Send,
    Session,
    Sleep,
    State,
    Stop,
    Transcript,
    read_transcript,
)
from sse_core.dialects import events

from . import anyio as tasks
from . import async_loop, sync_loop, threads
from .base import StreamBase, T
from .connections import ConnectionPool, ScheduleSweep, X
from .options import AsyncAuth, Auth, Observer, Options

__all__ = ["AsyncReplayClient", "Recorder", "ReplayClient", "replay_of"]

FilePath: TypeAlias = str | os.PathLike[str]


class Recorder:
    """Writes the transcript of each stream to a file: for a client's option `observe`.

    A file that exists already is replaced. Each step is in the file when the next one begins.
    With `redact=False`, credentials are written as well.

    If a file cannot be written, the OSError ends the stream.
    """

    def __init__(self, path: FilePath, *, redact: bool = True) -> None:
        self._paths = numbered_paths(path)
        self._redact = redact

    def __call__(self, session: Session[Any]) -> Observer:
        """Return the observer that records the next stream."""
        return Recording(next(self._paths), Transcript(redact=self._redact))


class Recording:
    """Records one stream. The file is created when its first request is about to be sent."""

    def __init__(self, path: Path, transcript: Transcript) -> None:
        self._path = path
        self._transcript = transcript
        self._file: TextIO | None = None
        self._now = -inf

    def action(self, action: Action, now: float) -> None:
        if self._file is None and isinstance(action, Acquire | Authorize | Fetch):
            self._file = open_private(self._path)
        if self._file is not None:
            self._file.write(self._transcript.action(action, self._not_before(now)))
            if isinstance(action, Stop):
                self._file.close()

    def outcome(self, outcome: Outcome, now: float) -> None:
        if self._file is not None:
            self._file.write(self._transcript.outcome(outcome, self._not_before(now)))

    def _not_before(self, now: float) -> float:
        """Return `now`, or the last time if that is later: a stream that is closed early reads no clock."""
        self._now = max(now, self._now)
        return self._now


def open_private(path: Path) -> TextIO:
    """Create or replace a text file that only its owner can read: prompts and answers are in it."""
    if path.is_file():  # and no terminal, for example
        path.chmod(PRIVATE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="\n", buffering=1)


class ReplayClient(sync_loop.Client):
    """Replays the streams that a Recorder has recorded, in the same order, without a network.

    Requests and options have to be the recorded ones, except for credentials: a stream that asks for
    anything else raises Divergence. If the recording client had `auth`, this one needs one too, which is
    never called; `fetched` says that it was a FetchClient. A stream may be left early. All times, those in
    `stream.stats` too, are those of the transcript; with `in_real_time` everything also takes as long as
    it took.

    Entering or reading a stream raises OSError if its file cannot be read, and ValueError if that is
    no transcript.
    """

    def __init__(
        self,
        base_url: str,
        path: FilePath,
        *,
        in_real_time: bool = False,
        fetched: bool = False,
        **options: Unpack[Options[Auth]],
    ) -> None:
        self.fetches = fetched
        super().__init__(base_url, threads.Transport, **options)
        self._paths = numbered_paths(path)
        self._in_real_time = in_real_time

    def _new_stream(self, session: Session[T]) -> sync_loop.Stream[T]:
        """Return the next recorded stream, which has to be the answer to the session's request."""
        source = ReplaySource(next(self._paths), self._in_real_time)
        pool = ReplayPool(threads.Transport, sync_loop.schedule_sweep, source)
        return ReplayStream(session, pool)


class AsyncReplayClient(async_loop.Client):
    """The same as `ReplayClient`, for asyncio and trio."""

    def __init__(
        self,
        base_url: str,
        path: FilePath,
        *,
        in_real_time: bool = False,
        fetched: bool = False,
        **options: Unpack[Options[AsyncAuth]],
    ) -> None:
        self.fetches = fetched
        super().__init__(base_url, tasks.Transport, **options)
        self._paths = numbered_paths(path)
        self._in_real_time = in_real_time

    def _new_stream(self, session: Session[T]) -> async_loop.Stream[T]:
        """Return the next recorded stream, which has to be the answer to the session's request."""
        source = ReplaySource(next(self._paths), self._in_real_time)
        pool = ReplayPool(tasks.Transport, async_loop.schedule_sweep, source)
        return AsyncReplayStream(session, pool)


class ReplaySource:
    """Answers actions from one transcript, whose file is read when the stream begins."""

    def __init__(self, path: Path, in_real_time: bool) -> None:
        self.now: float = 0.0
        """The time in the transcript."""
        self._path = path
        self._in_real_time = in_real_time
        self._replay: Replay

    def start(self) -> None:
        with self._path.open(encoding="utf-8") as lines:
            self._replay = Replay(read_transcript(lines))
        self.now = self._replay.start

    def answer(self, action: Action) -> tuple[Outcome, float]:
        """Return the recorded outcome of an action, and how many seconds to wait before it."""
        outcome, at = self._replay.answer(action)
        seconds, self.now = at - self.now, at
        return outcome, seconds if self._in_real_time else 0.0


class ReplayPool(ConnectionPool[X]):
    """Has the clock of a transcript, and no connections: its transports only sleep."""

    def __init__(self, make: Callable[[], X], schedule_sweep: ScheduleSweep[X], source: ReplaySource) -> None:
        super().__init__(make, PoolLimits(), schedule_sweep)
        self.source = source
        self.now: Callable[[], float] = lambda: source.now

    def use_current_clock(self) -> None:
        """Keep the clock of the transcript."""


class ReplayBase(StreamBase[T, X]):
    """The part of a replay that is the same on every runtime."""

    def __init__(self, session: Session[T], pool: ReplayPool[X]) -> None:
        super().__init__(session, pool)
        self._source = pool.source

    def _first_action(self) -> Action:
        if self._session.state is State.DELIVERING:
            outcome, _ = self._source.answer(Deliver([]))
            return self._session.step(outcome, self._pool.now())
        if self._session.state is State.IDLE:
            self._source.start()
        return super()._first_action()


class ReplayStream(ReplayBase[T, sync_loop.Transport], sync_loop.Stream[T]):
    """A stream that takes the outcomes of its actions from a transcript."""

    def _perform(self, action: Action) -> Outcome:
        outcome, seconds = self._source.answer(action)
        try:
            waiting = self._set_transport(self._pool.make())
            waiting.sleep(waiting.now() + seconds)
        except OSError as exc:
            return self._failure(exc)
        return outcome

    def _receive(self, deadline: float | None) -> bytes:
        return data_or_raise(self._perform(Receive(deadline)))


class AsyncReplayStream(ReplayBase[T, async_loop.Transport], async_loop.Stream[T]):
    """The same, with `await`."""

    async def _perform(self, action: Action) -> Outcome:
        outcome, seconds = self._source.answer(action)
        try:
            waiting = self._set_transport(self._pool.make())
            await waiting.sleep(waiting.now() + seconds)
        except OSError as exc:
            return self._failure(exc)
        return outcome

    async def _receive(self, deadline: float | None) -> bytes:
        return data_or_raise(await self._perform(Receive(deadline)))


def data_or_raise(outcome: Outcome) -> bytes:
    """Return the data of an outcome of Receive. Raises OSError if that failed, as a transport does."""
    match outcome:
        case Received(data):
            return data
        case Failed(Reason.DEADLINE, message):
            raise TimeoutError(message)
        case _:
            raise ConnectionError(getattr(outcome, "message", ""))


def replay_of(path: FilePath, *, in_real_time: bool = False) -> tuple[ReplayClient, Request[Any]]:
    """Return a client and a request that replay a transcript without the program that recorded it.

    The request has the dialect `events`, which may be replaced by another. The client has no deadlines,
    since those that passed are in the transcript.

    Raises OSError if the file cannot be read, and ValueError if it is no transcript.
    """
    with Path(path).open(encoding="utf-8") as lines:
        steps = [step for _, step in read_transcript(lines)]
    waits = sum(isinstance(step, Sleep) for step in steps)
    retries = Retries(attempts=waits, max_retry_after=inf)
    options: Options[Auth] = {"deadlines": NO_DEADLINES, "retries": retries}
    if any(isinstance(step, Authorize) for step in steps):
        options["auth"] = no_credentials
    fetches = [step for step in steps if isinstance(step, Fetch)]
    sent = [step.data for step in steps if isinstance(step, Send)]
    match next((step for step in steps if isinstance(step, Acquire | Fetch)), None):
        case Acquire(origin) as first:
            url, requests = origin, [sent_request(data) for data in sent if is_request(data)]
            options["proxies"] = proxies_of(first, sent)
        case Fetch(_, url):
            requests = [fetched_request(step) for step in fetches]
        case None:
            raise ValueError("the transcript has no beginning")
    fetched = bool(fetches)
    # pyright takes what is unpacked from a generic TypedDict for objects.
    client = ReplayClient(url, path, in_real_time=in_real_time, fetched=fetched, **options)  # pyright: ignore[reportArgumentType]
    return client, request_in(requests, waits)


def proxies_of(acquire: Acquire, sent: Sequence[bytes]) -> Proxies:
    """Return what leads through the proxy of a connection, if it had one."""
    if acquire.proxy is None:
        return Proxies()
    proxy = Proxy.parse(acquire.proxy)
    if any(b"\nproxy-authorization:" in data.lower() for data in sent):
        proxy = msgspec.structs.replace(proxy, username="")  # whatever it was, it is redacted
    return Proxies(http=proxy, https=proxy)


def no_credentials(attempt: int, refused: Response | None) -> dict[str, str]:
    """What a replay is told instead is in the transcript."""
    return {}


def fetched_request(fetch: Fetch) -> Request[Event]:
    return events.request(method=fetch.method, headers=fetch.headers, body=fetch.body)


def is_request(data: bytes) -> bool:
    """Whether this was sent to a server, and not to a proxy to ask for a tunnel."""
    return REQUEST.fullmatch(data) is not None


def sent_request(data: bytes) -> Request[Event]:
    match = REQUEST.fullmatch(data)
    assert match is not None  # or it is no request
    fields = [line.partition(": ") for line in match["fields"].decode("latin-1").split("\r\n")]
    return events.request(
        match["target"].decode("latin-1"),
        method=match["method"].decode("latin-1"),
        headers=tuple((name, value) for name, _, value in fields if name.lower() not in FRAMING),
        body=match["body"],
    )


def request_in(requests: Sequence[Request[Event]], waits: int) -> Request[Event]:
    """Return the first request, with its `reconnects` if a later one resumes the stream."""
    if not requests:
        return events.request()  # there never was a connection
    for later in requests[1:]:
        if any(name.lower() == "last-event-id" for name, _ in later.headers):
            reconnects = Reconnects(attempts=waits, method=later.method)
            return msgspec.structs.replace(requests[0], reconnects=reconnects)
    return requests[0]


def numbered_paths(path: FilePath) -> Iterator[Path]:
    """Yield the path of each stream's file in turn."""
    return map(partial(file_of, Path(path)), count(1))


def file_of(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


REQUEST = re.compile(
    rb"(?P<method>(?!CONNECT )\S+) (?:https?://[^/\s]+)?(?P<target>/\S*) HTTP/1\.1\r\n"
    rb"(?P<fields>.*?)\r\n\r\n(?P<body>.*)",
    re.DOTALL,
)
"""A request as it is sent (RFC 9112, 3), except a proxy's CONNECT."""
FRAMING = ("host", "content-length", "proxy-authorization")
"""The header fields that are not part of a request, but of how it is sent."""
PRIVATE = 0o600
"""Its owner can read and write a file, and nobody else."""
NO_DEADLINES = Deadlines(**dict.fromkeys(Deadlines.__struct_fields__))

"""Transcripts: what happens to each stream, written to a file; and streams that are played from such files.

    Client(base_url, observe=Recorder("run.jsonl"))

    ReplayClient(base_url, "run.jsonl")  # instead of Client, with the same options and requests

A file is the transcript of one stream, as `sse_core.Transcript` writes it. The first stream has the file
that was asked for, here `run.jsonl`, the second `run-2.jsonl`, and so on, in the order in which
the client made them. One that is never entered or read has none.

Credentials are redacted; prompts and answers are not.
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
    Deadlines,
    Deliver,
    Event,
    Failed,
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
from .connections import Connections, SweepAt, X
from .options import Observer, Options

__all__ = ["AsyncReplayClient", "Recorder", "ReplayClient", "replay_of"]

FilePath: TypeAlias = str | os.PathLike[str]


class Recorder:
    """What a client's `observe` can be: it writes the transcript of each stream to a file.

    A file that is there already is replaced. Each step is in the file when the next one begins.
    With `redact=False`, credentials are written as well.

    What goes wrong with a file is an OSError, which ends the stream.
    """

    def __init__(self, path: FilePath, *, redact: bool = True) -> None:
        self._paths = numbered(path)
        self._redact = redact

    def __call__(self, session: Session[Any]) -> Observer:
        """Return who writes down the next stream."""
        return Recording(next(self._paths), Transcript(redact=self._redact))


class Recording:
    """Writes down one stream."""

    def __init__(self, path: Path, transcript: Transcript) -> None:
        self._path = path
        self._transcript = transcript
        self._file: TextIO | None = None
        self._now = -inf

    def action(self, action: Action, now: float) -> None:
        if self._file is None and isinstance(action, Acquire):
            self._file = self._path.open("w", encoding="utf-8", newline="\n", buffering=1)
        if self._file is not None:
            self._file.write(self._transcript.action(action, self._latest(now)))
            if isinstance(action, Stop):
                self._file.close()

    def outcome(self, outcome: Outcome, now: float) -> None:
        if self._file is not None:
            self._file.write(self._transcript.outcome(outcome, self._latest(now)))

    def _latest(self, now: float) -> float:
        """Return the time, which is not known when a stream is closed before its end."""
        self._now = max(now, self._now)
        return self._now


class ReplayClient(sync_loop.Client):
    """Plays the streams that a Recorder has written, in the same order, without a network.

    Requests and options have to be those that were recorded, but for credentials: a stream that goes
    another way is a Divergence. Leaving one early is none. All times, those in `stream.stats` too, are
    those of the transcript; with `in_real_time` everything also takes as long as it took.

    A file that cannot be read is an OSError, one that is no transcript a ValueError. Both come
    when the stream is entered or read.
    """

    def __init__(
        self, base_url: str, path: FilePath, *, in_real_time: bool = False, **options: Unpack[Options]
    ) -> None:
        super().__init__(base_url, threads.Transport, **options)
        self._paths = numbered(path)
        self._in_real_time = in_real_time

    def stream(self, request: Request[T]) -> sync_loop.Stream[T]:
        """Return the next stream, which has to be the answer to `request`."""
        player = Player(next(self._paths), self._in_real_time)
        recorded = Recorded(threads.Transport, sync_loop.sweep_at, player)
        stream = ReplayStream(self._session(request), recorded)
        self._keep(stream)
        return stream


class AsyncReplayClient(async_loop.Client):
    """As `ReplayClient`, for asyncio and trio."""

    def __init__(
        self, base_url: str, path: FilePath, *, in_real_time: bool = False, **options: Unpack[Options]
    ) -> None:
        super().__init__(base_url, tasks.Transport, **options)
        self._paths = numbered(path)
        self._in_real_time = in_real_time

    def stream(self, request: Request[T]) -> async_loop.Stream[T]:
        """Return the next stream, which has to be the answer to `request`."""
        player = Player(next(self._paths), self._in_real_time)
        recorded = Recorded(tasks.Transport, async_loop.sweep_at, player)
        stream = AsyncReplayStream(self._session(request), recorded)
        self._keep(stream)
        return stream


class Player:
    """Plays one transcript, from a file that is read when the stream begins."""

    def __init__(self, path: Path, in_real_time: bool) -> None:
        self.now = 0.0
        """The time in the transcript."""
        self._path = path
        self._in_real_time = in_real_time
        self._replay: Replay

    def start(self) -> None:
        with self._path.open(encoding="utf-8") as lines:
            self._replay = Replay(read_transcript(lines))
        self.now = self._replay.start

    def answer(self, action: Action) -> tuple[Outcome, float]:
        """Return what came of an action, and how many seconds to wait before that is told."""
        outcome, at = self._replay.answer(action)
        seconds, self.now = at - self.now, at
        return outcome, seconds if self._in_real_time else 0.0


class Recorded(Connections[X]):
    """Connections that there were once: `make` is for what can wait, and the time is the transcript's."""

    def __init__(self, make: Callable[[], X], sweep_at: SweepAt[X], player: Player) -> None:
        super().__init__(make, PoolLimits(), sweep_at)
        self.player = player
        self.now = lambda: player.now

    def set_clock(self) -> None:
        """There is only one."""


class ReplayBase(StreamBase[T, X]):
    """The part of a replay that is the same on every runtime."""

    def __init__(self, session: Session[T], recorded: Recorded[X]) -> None:
        super().__init__(session, recorded)
        self._player = recorded.player

    def _first(self) -> Action:
        if self._session.state is State.DELIVERING:
            outcome, _ = self._player.answer(Deliver([]))
            return self._session.step(outcome, self._connections.now())
        if self._session.state is State.IDLE:
            self._player.start()
        return super()._first()


class ReplayStream(ReplayBase[T, sync_loop.Transport], sync_loop.Stream[T]):
    """A stream whose actions were performed once before."""

    def _perform(self, action: Action) -> Outcome:
        outcome, seconds = self._player.answer(action)
        try:
            waiting = self._adopt(self._connections.make())
            waiting.sleep(waiting.now() + seconds)
        except OSError as exc:
            return self._failure(exc)
        return outcome

    def _connected(self) -> Any:
        return self

    def receive(self, deadline: float | None) -> bytes:
        """Take the part of the transport, of which no other verb is called outside `_perform`."""
        return brought(self._perform(Receive(deadline)))


class AsyncReplayStream(ReplayBase[T, async_loop.Transport], async_loop.Stream[T]):
    """The same, with `await`."""

    async def _perform(self, action: Action) -> Outcome:
        outcome, seconds = self._player.answer(action)
        try:
            waiting = self._adopt(self._connections.make())
            await waiting.sleep(waiting.now() + seconds)
        except OSError as exc:
            return self._failure(exc)
        return outcome

    def _connected(self) -> Any:
        return self

    async def receive(self, deadline: float | None) -> bytes:
        """Take the part of the transport, of which no other verb is called outside `_perform`."""
        return brought(await self._perform(Receive(deadline)))


def brought(outcome: Outcome) -> bytes:
    """Return what an outcome of Receive has brought. Raises OSError for a failure, as a transport does."""
    match outcome:
        case Received(data):
            return data
        case Failed(Reason.DEADLINE, message):
            raise TimeoutError(message)
        case _:
            raise ConnectionError(getattr(outcome, "message", ""))


def replay_of(path: FilePath, *, in_real_time: bool = False) -> tuple[ReplayClient, Request[Any]]:
    """Return a client and a request that lead through a transcript, for those who lack the program.

    The request has the dialect of plain events, which may be replaced by another. There are no deadlines,
    since those that passed are in the transcript.

    Raises OSError for a file that cannot be read, and ValueError for one that is no transcript.
    """
    with Path(path).open(encoding="utf-8") as lines:
        steps = [step for _, step in read_transcript(lines)]
    origins = [step.origin for step in steps if isinstance(step, Acquire)]
    if not origins:
        raise ValueError("the transcript has no beginning")
    sent = [step.data for step in steps if isinstance(step, Send)]
    waits = sum(isinstance(step, Sleep) for step in steps)
    base_url, _, through = origins[0].partition(" through ")
    proxy = Proxy.parse(through) if through else None
    if proxy is not None and any(b"\nproxy-authorization:" in data.lower() for data in sent):
        proxy = msgspec.structs.replace(proxy, username="")  # whatever it was, it is redacted
    client = ReplayClient(
        base_url,
        path,
        in_real_time=in_real_time,
        deadlines=NO_DEADLINES,
        retries=Retries(attempts=waits, max_retry_after=inf),
        proxies=Proxies(http=proxy, https=proxy),
    )
    return client, request_in(sent, waits)


def request_in(sent: Sequence[bytes], waits: int) -> Request[Event]:
    """Find what was asked for, and whether it was to be taken up again, in what was sent."""
    asked = [match for data in sent if (match := ASKED.fullmatch(data))]
    if not asked:
        return events.request()  # there never was a connection
    first, *later = asked
    fields = [line.partition(": ") for line in first["fields"].decode("latin-1").split("\r\n")]
    request = events.request(
        first["target"].decode("latin-1"),
        method=first["method"].decode("latin-1"),
        headers=tuple((name, value) for name, _, value in fields if name.lower() not in FRAMING),
        body=first["body"],
    )
    for match in later:
        if b"\nlast-event-id:" in match["fields"].lower():
            method = match["method"].decode("latin-1")
            return msgspec.structs.replace(request, reconnects=Reconnects(attempts=waits, method=method))
    return request


def numbered(path: FilePath) -> Iterator[Path]:
    """Give the file of each stream in turn."""
    return map(partial(file_of, Path(path)), count(1))


def file_of(path: Path, number: int) -> Path:
    return path if number == 1 else path.with_stem(f"{path.stem}-{number}")


ASKED = re.compile(
    rb"(?P<method>(?!CONNECT )\S+) (?:https?://[^/\s]+)?(?P<target>/\S*) HTTP/1\.1\r\n"
    rb"(?P<fields>.*?)\r\n\r\n(?P<body>.*)",
    re.DOTALL,
)
"""A request as it is sent (RFC 9112, 3), but for the one to a proxy that opens a tunnel."""
FRAMING = ("host", "content-length", "proxy-authorization")
"""The fields that belong to how a request is sent."""
NO_DEADLINES = Deadlines(**dict.fromkeys(Deadlines.__struct_fields__))

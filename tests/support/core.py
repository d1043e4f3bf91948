"""What the tests of the core speak in: pieces of wire, ways to cut them, and the life of a session."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any, Self, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from sse_core import (
    URL,
    Acquire,
    Acquired,
    Action,
    Authorize,
    Authorized,
    Deadlines,
    Deliver,
    Done,
    Exchange,
    Fetch,
    Fetched,
    Limits,
    Open,
    Outcome,
    Proxies,
    Receive,
    Received,
    Release,
    Request,
    Response,
    Retries,
    Send,
    Session,
    Sleep,
    StartTLS,
    State,
    Stop,
    StreamError,
    Verdict,
    Yield,
)
from sse_core.dialects import openai

E = TypeVar("E", bound=StreamError)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For every property: a busy machine is no failure."""


class PlainExchange(Exchange):
    """An exchange without the short way through chunks."""

    def _fast_framing(self, response: Response) -> None:
        return None


# Pieces of wire.

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM = Response(200, "OK", (("content-type", "text/event-stream"),))
LAST = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
ROLE = b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n'
FINISH = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
ERROR = b'data: {"error":{"message":"overloaded","type":"server_error","code":"busy"}}\n\n'


def say(text: str) -> bytes:
    """The event that brings `text`."""
    return b"data: %b\n\n" % json.dumps({"choices": [{"delta": {"content": text}}]}).encode()


def framed(*data: bytes) -> bytes:
    """Each of `data` as a chunk of a chunked body (RFC 9112, 7.1)."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in data)


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole response whose Content-Length is that of `body`, or `length`."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


# Ways to cut.


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """`data` whole, byte by byte, and in two at every place."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    for at in range(1, len(data)):
        yield [data[:at], data[at:]]


def cut_at(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` cut at `places`, counted modulo its length; places that repeat give empty pieces."""
    inside = sorted(place % (len(data) + 1) for place in places)
    return [data[start:stop] for start, stop in pairwise([0, *inside, len(data)])]


places = st.lists(st.integers(min_value=0, max_value=2**16), max_size=12)


def pieces_of(data: bytes, size: int) -> list[bytes]:
    """`data` in pieces of a size, or whole if that is 0."""
    return [data[at : at + size] for at in range(0, len(data), size)] if size else [data]


SIZES = (0, 1, 7, 61)
"""Of the pieces in which every fixture is read; 0 stands for the whole."""


def told(error: StreamError | None) -> object:
    """All that an error tells, to be compared; but for what only a request knows."""
    if error is None:
        return None
    known = {name: value for name, value in vars(error).items() if name not in ("request", "proxy")}
    return type(error), error.args, known | {"retry_after": error.retry_after}


# The life of a session.


class Life:
    """A session, stepped by hand on a clock that stands still unless it is told otherwise.

    `action` is the last one there was, `actions` all of them, `chunks` what they delivered. What
    must hold for every action of every life is checked as it comes.
    """

    def __init__(
        self,
        url: str = "http://api.test/v1",
        *,
        request: Request[Any] | None = None,
        headers: Iterable[tuple[str, str]] = (),
        deadlines: Deadlines = Deadlines(),
        limits: Limits = Limits(),
        proxies: Proxies = Proxies(),
        retries: Retries | None = None,
        random: Callable[[], float] = lambda: 0.5,
        authorize: bool = False,
        fetch: bool = False,
    ) -> None:
        self.session: Session[Any] = Session(
            request or openai.chat(model="m", messages=[]),
            URL.parse(url),
            headers=headers,
            deadlines=deadlines,
            limits=limits,
            proxies=proxies,
            retries=retries,
            random=random,
            authorize=authorize,
            fetch=fetch,
        )
        self.now: float = 1000.0
        self.actions: list[Action] = []
        self.received: list[bytes] = []
        """What came over the last connection, from the server."""
        self.resumed_from = ""
        """The last event ID before that."""

    @property
    def action(self) -> Action:
        return self.actions[-1]

    @property
    def chunks(self) -> list[Any]:
        return [chunk for action in self.actions if isinstance(action, Deliver) for chunk in action.chunks]

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def state(self) -> State:
        return self.session.state

    def begin(self) -> Action:
        return self._came(self.session.start(self.now))

    def count(self, kind: type[Action]) -> int:
        """How many actions of a kind there were."""
        return sum(isinstance(action, kind) for action in self.actions)

    def start(self) -> Action:
        """Begin, with no connection there to be used again."""
        self.begin()
        return self.then(Acquired(reused=False))

    def then(self, outcome: Outcome, *, after: float = 0.0) -> Action:
        """Answer the last action with `outcome`, `after` seconds later."""
        self.now += after
        state = self.state
        action = self.session.step(outcome, self.now)
        if isinstance(action, Acquire | Fetch):
            self.received, self.resumed_from = [], self.session.last_event_id
        elif isinstance(outcome, Received) and state is not State.AWAITING_PROXY:
            self.received.append(outcome.data)
        return self._came(action)

    def _came(self, action: Action) -> Action:
        self.actions.append(action)
        if isinstance(action, Acquire | Authorize | Fetch | Open | StartTLS | Send | Receive | Sleep):
            assert action.deadline is None or action.deadline >= self.now, action
        taken = self.count(Acquire) + self.count(Fetch) - self.count(Release)
        without = isinstance(action, Authorize | Release | Sleep | Stop)
        assert taken == (0 if without else 1), self.actions
        assert (self.state is State.STOPPED) == isinstance(action, Stop)
        return action

    @property
    def sent(self) -> list[bytes]:
        """The data of every Send."""
        return [action.data for action in self.actions if isinstance(action, Send)]

    def wake(self) -> Self:
        """Sleep as long as asked."""
        assert isinstance(self.action, Sleep), self.action
        self.now = self.action.deadline
        self.then(Done())
        return self

    def pass_by(self, data: bytes) -> None:
        """Answer whatever was asked for with success; if that is to receive something, with `data`."""
        match self.action:
            case Acquire():
                self.then(Acquired(reused=False))
            case Authorize():
                self.then(Authorized((("Authorization", "Bearer secret"),)))
            case Fetch():
                self.then(Fetched(STREAM))
            case Receive():
                self.then(Received(data))
            case Sleep():
                self.wake()
            case Stop():
                pass
            case _:
                self.then(Done())

    def again(self) -> Self:
        """Give the connection back, sleep if need be, and go on until the response is awaited."""
        assert isinstance(self.action, Release), self.action
        if isinstance(self.then(Done()), Sleep):
            self.wake()
        return self.reach()

    def ask(self) -> Self:
        """Begin, and go on until the response is awaited, with all going well."""
        self.begin()
        return self.reach()

    def reach(self) -> Self:
        """Go on until something is to be received, with all going well."""
        while not isinstance(self.action, Receive):
            self.pass_by(b"")
        return self

    def receive(self, *pieces: bytes) -> Self:
        """Have `pieces` come in, as long as they are wanted, with every chunk taken at once."""
        for piece in pieces:
            if isinstance(self.action, Receive):
                self.then(Received(piece))
            while isinstance(self.action, Deliver | Yield):
                self.then(Done())
        return self

    def end(self) -> Self:
        """Have the peer end, unless the life is over, and then go on to Stop."""
        if isinstance(self.action, Receive | Deliver):
            self.receive(b"")
        assert isinstance(self.action, Release), self.action
        assert self.then(Done()) == Stop()
        return self

    def ended(self, verdict: Verdict, error: type[E]) -> E:
        """Check how the life ended, and that its connection was released; return the error."""
        if self.state is State.RELEASING:
            self.end()
        assert self.state is State.STOPPED
        assert self.count(Release) == self.count(Acquire) + self.count(Fetch)
        assert self.session.verdict is verdict
        assert type(self.session.error) is error, self.session.error
        assert isinstance(self.session.error, error)
        return self.session.error

    def ended_well(self, verdict: Verdict) -> Self:
        """Check that the life ended without an error."""
        if self.state is State.RELEASING:
            self.end()
        assert (self.state, self.session.verdict, self.session.error) == (State.STOPPED, verdict, None)
        return self

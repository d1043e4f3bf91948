"""Other HTTP clients, in memory: fetchers that play what an origin answers, piece by piece.

An `Origin` has a reply for each request, a list of steps: the head of the response, the pieces of its body,
seconds that pass, an error, or `STUCK`. Its clock stands still but for those seconds and for deadlines.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from math import inf
from threading import Event
from typing import Any, TypeAlias

import anyio

from sse_adapters import async_loop, sync_loop
from sse_core import Fetch, Request, Response
from support.runners import Result, read, read_async


class Waiting(Enum):
    STUCK = "until it is aborted or cancelled, in real time and whatever the deadline"


STUCK = Waiting.STUCK
SILENCE = inf
"""Seconds, of which some deadline is the end."""
Step: TypeAlias = Response | bytes | float | OSError | Waiting
Reply: TypeAlias = Iterable[Step]


URL = "http://api.test/v1"


class Origin:
    """Answers each request with the next reply; those after the last find nobody there."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = [list(reply) for reply in replies]
        self.requests: list[Fetch] = []
        self.deadlines: list[float | None] = []
        """Those of the requests."""
        self.time = 1000.0
        self.open = 0
        """Responses that nobody has given back."""
        self.stuck = Event()
        """Set once somebody waits in vain."""

    def client(self, base_url: str = URL, **options: Any) -> sync_loop.FetchClient:
        return sync_loop.FetchClient(base_url, lambda: Fetcher(self), **options)

    def async_client(self, base_url: str = URL, **options: Any) -> async_loop.FetchClient:
        return async_loop.FetchClient(base_url, lambda: AsyncFetcher(self), **options)


class Playing:
    """What both kinds of fetchers are, apart from how they wait."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._steps: list[Step] | None = None
        self._aborted = False

    def now(self) -> float:
        return self.origin.time

    def abort(self) -> None:
        self._aborted = True

    def close(self) -> None:
        self.origin.open -= self._steps is not None
        self._steps = None

    def begin(self, request: Fetch, deadline: float | None) -> None:
        assert self._steps is None, "fetch comes once"
        origin = self.origin
        origin.requests.append(request)
        origin.deadlines.append(deadline)
        origin.open += 1
        self._steps = origin.replies.pop(0) if origin.replies else [ConnectionRefusedError("nobody is there")]

    def play(self, deadline: float | None) -> Response | bytes | None:
        """Return what comes next; None where that is waited for in vain. Raises OSError."""
        if self._steps is None:
            raise ConnectionError("there is no response")
        while not self._aborted:
            step = self._steps.pop(0) if self._steps else b""
            match step:
                case OSError():
                    raise step
                case float() | int():
                    self._steps[:0] = self.pass_time(step, deadline)
                case Waiting():
                    self.origin.stuck.set()
                    return None
                case _:
                    return step
        raise ConnectionAbortedError("aborted")

    def pass_time(self, seconds: float, deadline: float | None) -> list[Step]:
        """Let seconds pass, up to the deadline, and raise TimeoutError if that is sooner."""
        origin, end = self.origin, self.origin.time + seconds
        if deadline is None or end < deadline:
            assert end < inf, "this would take for ever"
            origin.time = end
            return []
        self._steps = [end - deadline, *(self._steps or ())]
        origin.time = max(origin.time, deadline)
        raise TimeoutError("timed out")


class Fetcher(Playing):
    """A `sync_loop.Fetcher`."""

    def __init__(self, origin: Origin) -> None:
        super().__init__(origin)
        self._wake = Event()

    def abort(self) -> None:
        super().abort()
        self._wake.set()

    def fetch(self, request: Fetch, deadline: float | None) -> Response:
        self.begin(request, deadline)
        head = self._next(deadline)
        assert isinstance(head, Response), "a reply begins with a head"
        return head

    def receive(self, deadline: float | None) -> bytes:
        data = self._next(deadline)
        assert isinstance(data, bytes), "a reply has one head"
        return data

    def sleep(self, deadline: float) -> None:
        if self._aborted:
            raise ConnectionAbortedError("aborted")
        self.origin.time = max(self.origin.time, deadline)

    def _next(self, deadline: float | None) -> Response | bytes:
        came = self.play(deadline)
        if came is None:
            self._wake.wait()
            raise ConnectionAbortedError("aborted")
        return came


class AsyncFetcher(Playing):
    """An `async_loop.Fetcher`, for any event loop, or for none where nothing is stuck."""

    _wake: anyio.Event | None = None

    def abort(self) -> None:
        super().abort()
        if self._wake is not None:
            self._wake.set()

    async def fetch(self, request: Fetch, deadline: float | None) -> Response:
        self.begin(request, deadline)
        head = await self._next(deadline)
        assert isinstance(head, Response), "a reply begins with a head"
        return head

    async def receive(self, deadline: float | None) -> bytes:
        data = await self._next(deadline)
        assert isinstance(data, bytes), "a reply has one head"
        return data

    async def sleep(self, deadline: float) -> None:
        if self._aborted:
            raise ConnectionAbortedError("aborted")
        self.origin.time = max(self.origin.time, deadline)

    async def _next(self, deadline: float | None) -> Response | bytes:
        came = self.play(deadline)
        if came is None:
            self._wake = anyio.Event()
            await self._wake.wait()
            raise ConnectionAbortedError("aborted")
        return came


def read_fetched(origin: Origin, request: Request[Any], kind: str, **options: Any) -> Result:
    """Read what an origin answers, on "threads" or on "asyncio"."""

    async def main() -> Result:
        async with origin.async_client(**options) as client:
            return await read_async(client.stream(request))

    if kind == "asyncio":
        return anyio.run(main)
    with origin.client(**options) as client:
        return read(client.stream(request))

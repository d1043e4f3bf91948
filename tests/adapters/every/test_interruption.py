"""B2: an exception at any point where CPython looks for signals, and where memory may run out.

One life of a client is lived again and again, and each time broken at another point. Afterwards no lock is
held, no slot is taken, the pool serves, and `close` returns. A seeded sample of the points is tried, of about
700 without and 1,000 with coroutines; all of them if EVERY_POINT is set.
"""

from __future__ import annotations

import dis
import gc
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from types import CodeType, FrameType
from typing import Any

import pytest

import sse_adapters
import sse_core
from sse_adapters import async_loop, sync_loop
from sse_core import PoolLimits
from support.runners import EVENTS, AsyncMemory, SyncMemory, run_without_loop
from support.servers import CHUNKED, LAST_CHUNK, chunked, event, head, says

ANSWER = [head("200 OK", CHUNKED), *chunked(event("one"), event("two")), LAST_CHUNK]
WATCHED = (str(Path(sse_adapters.__file__).parent), str(Path(sse_core.__file__).parent / "http" / "pool.py"))
SAMPLE = 150


class Served(SyncMemory):
    """Answers each request, over one connection as over another."""

    def send(self, data: bytes, deadline: float | None) -> int:
        self._pieces = iter(ANSWER)
        return len(data)


class AsyncServed(AsyncMemory):
    async def send(self, data: bytes, deadline: float | None) -> int:
        self._pieces = iter(ANSWER)
        return len(data)


@cache
def points_of(code: CodeType) -> frozenset[int]:
    """The instructions before which CPython looks for signals: the first, those after calls, and in loops."""
    found: set[int] = set()
    after_call = False
    for instruction in dis.get_instructions(code):
        if after_call or instruction.opname in ("RESUME", "JUMP_BACKWARD"):
            found.add(instruction.offset)
        after_call = instruction.opname.startswith("CALL")
    return frozenset(found)


class Breaker:
    """Raises an error at the n-th point; counts them if there is no error."""

    def __init__(self, number: int, error: type[BaseException] | None) -> None:
        self.passed = 0
        self._number = number
        self._error = error

    def __call__(self, frame: FrameType, kind: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(WATCHED):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._look

    def _look(self, frame: FrameType, kind: str, argument: object) -> Any:
        if kind == "opcode" and frame.f_lasti in points_of(frame.f_code):
            self.passed += 1
            if self._error is not None and self.passed == self._number:
                raise self._error
        return self._look


def live(client: Any) -> None:
    """A new connection, a kept one, one that is left in mid-stream, and one that is dropped."""
    for _ in range(2):
        list(client.stream(EVENTS))
    with client.stream(EVENTS) as stream:
        next(stream)
    dropped = client.stream(EVENTS)
    next(dropped)
    del dropped
    client.stream(EVENTS).close()


def live_async(client: Any) -> None:
    async def main() -> None:
        for _ in range(2):
            assert [event.data async for event in client.stream(EVENTS)]
        async with client.stream(EVENTS) as stream:
            await anext(stream)
        dropped = client.stream(EVENTS)
        await anext(dropped)
        del dropped
        client.stream(EVENTS).close()

    run_without_loop(main())


def serves(client: Any) -> bool:
    if isinstance(client, sync_loop.Client):
        return [event.data for event in client.stream(EVENTS)] == ["one", "two"]

    async def main() -> bool:
        return [event.data async for event in client.stream(EVENTS)] == ["one", "two"]

    return run_without_loop(main())


def new_sync() -> Any:
    return sync_loop.Client("http://memory", lambda: Served(says()), pool=PoolLimits(max_connections=1))


def new_async() -> Any:
    return async_loop.Client("http://memory", lambda: AsyncServed(says()), pool=PoolLimits(max_connections=1))


def broken(
    function: Callable[[Any], None], client: Any, number: int, error: type[BaseException] | None
) -> Breaker:
    breaker = Breaker(number, error)
    before = sys.gettrace()
    gc.disable()
    sys.settrace(breaker)
    try:
        function(client)
    except (KeyboardInterrupt, MemoryError):
        pass
    finally:
        sys.settrace(before)
        gc.enable()
    return breaker


def numbers(function: Callable[[Any], None], client: Any) -> list[int]:
    broken(function, client, 0, None)  # fills caches
    count = broken(function, client, 0, None).passed
    assert count > 50
    every = list(range(1, count + 1))
    if os.environ.get("EVERY_POINT") or count <= SAMPLE:
        return every
    return sorted(Random(16).sample(every, SAMPLE))


lives = pytest.mark.parametrize(
    ("new", "function"), [(new_sync, live), (new_async, live_async)], ids=["sync", "async"]
)


def broken_warnings(function: Any) -> Any:
    """Finalisers are broken, too, and coroutines before they are awaited."""
    for kind in ("pytest.PytestUnraisableExceptionWarning", "RuntimeWarning"):
        function = pytest.mark.filterwarnings(f"ignore::{kind}")(function)
    return function


@lives
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@broken_warnings
def test_a_client_serves_whatever_has_interrupted_it(
    new: Callable[[], Any], function: Callable[[Any], None], error: type[BaseException]
) -> None:
    failures: list[str] = []
    for number in numbers(function, new()):
        client = new()
        broken(function, client, number, error)
        pool = client._pool
        if pool._lock.locked() or client._lock.locked():
            failures.append(f"{number}: a lock is held")
            continue
        for stream in list(client._streams):  # whose `close` was interrupted, and that somebody still has
            stream.close()
        if pool.books._used_in_all or pool.books._used or pool.books._waiting:
            failures.append(f"{number}: a slot is taken")
            continue
        if not serves(client):
            failures.append(f"{number}: does not serve")
        client.close()
    assert failures == []


@lives
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@broken_warnings
def test_a_client_is_closed_the_second_time_whatever_has_interrupted_the_first(
    new: Callable[[], Any], function: Callable[[Any], None], error: type[BaseException]
) -> None:
    def close(client: Any) -> None:
        client.close()

    def lived() -> tuple[Any, Any]:
        client = new()
        function(client)
        return client, client.stream(EVENTS)

    client, kept = lived()
    counted = broken(close, client, 0, None).passed
    for number in range(1, counted + 1):
        client, kept = lived()
        broken(close, client, number, error)
        assert not client._pool._lock.locked() and not client._lock.locked()
        client.close()
        assert not client._pool.books._idle
        assert kept.verdict is not None

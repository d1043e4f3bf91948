"""The event loop that runs here, for whoever wants something of it from another thread.

asyncio, uvloop included, and trio are known; nothing is imported that does not run. For any other event loop
functions are called where they are posted, and a wait goes on to its own end.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import get_ident
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")
CallSoon: TypeAlias = Callable[[Callable[[], object]], object]


class Post:
    """Calls functions on an event loop, from any thread: at once where that runs, and else soon.

    If the loop has been closed, a function is called here, since nothing runs there that it could disturb;
    then what it finds closed is no error.
    """

    __slots__ = ("_call_soon", "_loop", "_thread")

    def __init__(self, loop: object, call_soon: CallSoon | None) -> None:
        self._loop = loop
        self._call_soon = call_soon
        self._thread = get_ident()

    def __call__(self, function: Callable[[], object]) -> None:
        if self._call_soon is None:
            function()
            return
        with suppress(RuntimeError):  # the loop is closed
            if self._thread != get_ident():
                self._call_soon(function)
                return
        with suppress(RuntimeError):
            function()

    def is_to(self, loop: object) -> bool:
        return self._loop is loop and self._thread == get_ident()


HERE = Post(None, None)
"""Calls functions where they are posted."""


def current_post(last: Post = HERE) -> Post:
    """Return the `Post` of the event loop that runs here: `last`, if that is it."""
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        token = trio.lowlevel.current_trio_token()
        return last if last.is_to(token) else Post(token, token.run_sync_soon)
    if asyncio is not None:
        with suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            return last if last.is_to(loop) else Post(loop, loop.call_soon_threadsafe)
    return HERE


class Wait:
    """A wait for anything, which `abort` ends with ConnectionAbortedError. It stands in for a transport."""

    def __init__(self) -> None:
        self._aborted = False
        self._wake: Callable[[], object] | None = None

    def abort(self) -> None:
        """End the wait. Called on the event loop."""
        self._aborted = True
        if self._wake is not None:
            self._wake()

    def close(self) -> None:
        """Nothing is open."""

    async def wait(self, awaitable: Awaitable[R]) -> R:
        asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
        try:
            if trio is not None and trio.lowlevel.in_trio_task():
                with trio.CancelScope() as scope:
                    self._wake = scope.cancel
                    return await awaitable
            elif asyncio is not None and is_on_asyncio(asyncio):
                async with asyncio.timeout(None) as timeout:
                    self._wake = lambda: timeout.expired() or timeout.reschedule(-1.0)
                    return await awaitable
            else:
                return await awaitable
        except TimeoutError:
            if not self._aborted:
                raise
        finally:
            self._wake = None
        raise ConnectionAbortedError("aborted")


def is_on_asyncio(asyncio: Any) -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False

"""The event loop that runs here, for whoever wants something of it from another thread.

asyncio, uvloop included, and trio are known; nothing is imported that does not run. On any other event loop
functions are called where they are posted, and a wait goes on to its own end.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import get_ident
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")
Post: TypeAlias = Callable[[Callable[[], object]], None]
"""Calls a function on an event loop: at once where that runs, and else as soon as possible.

If the loop has been closed, the function is called here, since nothing runs there that could be disturbed.
Whatever it finds closed is no error.
"""


def current_post() -> Post:
    """Return the `Post` of the event loop that runs here."""
    call_soon = current_call_soon()
    if call_soon is None:
        return call_here
    thread, post_there = get_ident(), call_soon

    def post(function: Callable[[], object]) -> None:
        if thread != get_ident():
            try:
                post_there(function)
                return
            except RuntimeError:  # the loop is closed
                pass
        with suppress(RuntimeError):
            function()

    return post


def current_call_soon() -> Callable[[Callable[[], object]], object] | None:
    """Return what calls a function on the loop that runs here, from any thread; None if none is known.

    It raises RuntimeError if the loop is closed.
    """
    asyncio, trio = sys.modules.get("asyncio"), sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        call_soon: Callable[[Callable[[], object]], object] = trio.lowlevel.current_trio_token().run_sync_soon
        return call_soon
    if asyncio is not None:
        with suppress(RuntimeError):
            call_soon = asyncio.get_running_loop().call_soon_threadsafe
            return call_soon
    return None


def call_here(function: Callable[[], object]) -> None:
    function()


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

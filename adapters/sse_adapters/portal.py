"""Blocking streams for any number of threads, over one event loop in a thread of its own.

    with Client(base_url, headers=..., backend="trio") as client:
        with client.stream(request) as stream:
            for chunk in stream:
                ...

For programs that have an event loop's transport to offer, and readers that block. Every
verb is a call to the loop's thread and back: where plain sockets will do,
`sse_adapters.threads` costs less.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import CancelledError, Future, wait
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any, TypeVar, Unpack

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from . import anyio as tasks
from . import async_loop, sync_loop
from .options import Auth, NetworkOptions, split_options
from .sockets import thread_failure_as_oserror
from .sync_loop import Stream

__all__ = ["Client", "EventLoop", "Stream", "Transport"]

R = TypeVar("R")


class Client(sync_loop.Client):
    """Makes streams over TCP connections, one for each, on an event loop that all of them share.

    The loop is anyio's: `backend` is "asyncio" or "trio", and `backend_options` are those of
    `anyio.run`, such as `{"use_uvloop": True}`. It runs from the first request until the
    client is closed. Everything else is as in `sse_adapters.threads`.

    Raises ValueError for a backend that anyio does not have, too.
    """

    def __init__(
        self,
        base_url: str,
        *,
        backend: str = "asyncio",
        backend_options: Mapping[str, Any] | None = None,
        **options: Unpack[NetworkOptions[Auth]],
    ) -> None:
        transport, rest = split_options(base_url, options)
        inner = partial(tasks.Transport, **transport)
        self._event_loop = EventLoop(backend, backend_options)
        super().__init__(base_url, lambda: Transport(self._event_loop, inner()), **rest)

    def close(self) -> None:
        """Close every stream that is still open, make no more, and end the event loop's thread."""
        super().close()
        self._event_loop.stop()


class EventLoop:
    """An event loop in a thread of its own, which starts when it is first needed."""

    def __init__(self, backend: str, backend_options: Mapping[str, Any] | None = None) -> None:
        if backend not in anyio.get_all_backends():
            raise ValueError(f"no such backend: {backend!r}")
        self._new = partial(start_blocking_portal, backend, dict(backend_options or {}))
        self._portal: BlockingPortal | None = None
        self._stopped = False
        self._lock = Lock()  # between a loop that starts, and one that stops

    def run(self, function: Callable[[], Awaitable[R]]) -> Future[R]:
        """Start a task. Raises OSError if the loop cannot start, or has been stopped."""
        with self._lock:
            if self._portal is None and not self._stopped:
                self._running = self._new()
                with thread_failure_as_oserror():
                    self._portal = self._running.__enter__()
            portal = self._portal
        try:
            if portal is not None:
                return portal.start_task_soon(function)
        except RuntimeError:  # it has been stopped this moment
            pass
        raise ConnectionAbortedError("the event loop has been stopped")

    def call(self, function: Callable[[], None]) -> None:
        """Call a function that does not wait: on the loop if there is one, else here."""
        with self._lock:
            portal = self._portal
        try:
            if portal is not None:
                return portal.call(function)
        except RuntimeError:
            pass
        return function()

    def stop(self) -> None:
        """End the loop, and with it whatever runs on it. May be called again."""
        with self._lock:
            self._stopped = True
            portal, self._portal = self._portal, None
        if portal is not None:
            portal.call(portal.stop, True)
            self._running.__exit__(None, None, None)


class Transport:
    """An asynchronous transport on an event loop, as a `sync_loop.Transport`.

    `transport` is one whose `close` needs no event loop, such as `sse_adapters.anyio`'s.
    """

    def __init__(self, event_loop: EventLoop, transport: async_loop.Transport) -> None:
        self._event_loop = event_loop
        self._transport = transport

    def now(self) -> float:
        return monotonic()

    def open(self, host: str, port: int, deadline: float | None) -> None:
        self._run(partial(self._transport.open, host, port), deadline)

    def start_tls(self, server_name: str, deadline: float | None) -> None:
        self._run(partial(self._transport.start_tls, server_name), deadline)

    def send(self, data: bytes, deadline: float | None) -> int:
        return self._run(partial(self._transport.send, data), deadline)

    def receive(self, deadline: float | None) -> bytes:
        return self._run(self._transport.receive, deadline)

    def sleep(self, deadline: float) -> None:
        self._run(self._transport.sleep, deadline)

    def abort(self) -> None:
        self._event_loop.call(self._transport.abort)

    def close(self) -> None:
        self._transport.close()

    def _run(self, verb: Callable[[Any], Awaitable[R]], deadline: float | None) -> R:
        async def perform() -> R:
            if deadline is None:
                return await verb(None)
            return await verb(deadline - monotonic() + anyio.current_time())  # trio's clock starts anywhere

        future = self._event_loop.run(perform)
        try:
            return future.result()
        except CancelledError:
            raise ConnectionAbortedError("the event loop has been stopped") from None
        except BaseException:
            if not future.done():  # a key was pressed: the verb has to end before anyone may close
                self.abort()
                wait([future])
            raise

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
from contextlib import suppress
from functools import partial
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeVar, Unpack

import anyio
from anyio.from_thread import BlockingPortal

from . import anyio as tasks
from . import async_loop, sync_loop
from .event_loops import Post, current_post
from .forking import FORKED
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
    """An event loop in a thread of its own, which starts when it is first needed.

    The thread is a daemon: it does not keep a program from ending whose client nobody has closed.
    """

    def __init__(self, backend: str, backend_options: Mapping[str, Any] | None = None) -> None:
        if backend not in anyio.get_all_backends():
            raise ValueError(f"no such backend: {backend!r}")
        self._backend = backend
        self._backend_options = dict(backend_options or {})
        self._stopped = False
        self._begin()
        FORKED.add(self)

    def _begin(self) -> None:
        self._running: Running | None = None
        self._lock = Lock()  # between a loop that starts, and one that stops

    def after_fork(self) -> None:
        """Start another loop when it is needed: a child has not the thread of this one."""
        self._begin()

    def run(self, function: Callable[[], Awaitable[R]]) -> Future[R]:
        """Start a task. Raises OSError if the loop cannot start, or has been stopped."""
        with self._lock:
            if self._running is None and not self._stopped:
                self._running = Running(self._backend, self._backend_options)
            running = self._running
        try:
            if running is not None:
                return running.portal.start_task_soon(function)
        except RuntimeError:  # it has been stopped this moment
            pass
        raise ConnectionAbortedError("the event loop has been stopped")

    def post(self, function: Callable[[], None]) -> None:
        """Call a function that does not wait: on the loop, soon, if there is one, else here and now."""
        running = self._running
        if running is None:
            function()
        else:
            running.post(function)

    def stop(self) -> None:
        """End the loop, and with it whatever runs on it. May be called again."""
        with self._lock:
            self._stopped = True
            running = self._running
            if running is not None:
                running.stop()
            self._running = None


class Running:
    """A loop that runs. Raises OSError if it cannot start."""

    portal: BlockingPortal
    post: Post

    def __init__(self, backend: str, backend_options: dict[str, Any]) -> None:
        started: Future[None] = Future()

        def serve() -> None:
            try:
                anyio.run(self._serve, started, backend=backend, backend_options=backend_options)
            except BaseException as exc:
                if started.done():
                    raise
                started.set_exception(exc)

        self._thread = Thread(target=serve, name="sse event loop", daemon=True)
        with thread_failure_as_oserror():
            self._thread.start()
            started.result()

    async def _serve(self, started: Future[None]) -> None:
        self.post = current_post()
        async with BlockingPortal() as self.portal:
            started.set_result(None)
            await self.portal.sleep_until_stopped()

    def stop(self) -> None:
        with suppress(RuntimeError):  # it has been stopped already
            self.portal.call(self.portal.stop, True)
        self._thread.join()


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
        self._event_loop.post(self._transport.abort)

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

"""The event loop on which transports are checked: any that can run, sleep and spawn."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol, TypeAlias

import anyio
from anyio.abc import TaskGroup

Main: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class EventLoop(Protocol):
    """What the checks need of an event loop."""

    def run(self, main: Main) -> object:
        """Run a coroutine function to its end, and everything that it spawns. Raises what it raises."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let other tasks run for so many seconds."""
        ...

    def spawn(self, main: Main) -> Callable[[], object]:
        """Run a coroutine function in a task of its own, and return a function that cancels it.

        That may be called from the task itself, and then cancels it at its next wait. `main` handles its own
        errors.
        """
        ...


class AnyioLoop:
    """Any event loop that anyio supports, as `run` runs it: `anyio.run`, `trio.run`, `uvloop.run`."""

    def __init__(self, run: Callable[[Main], object]) -> None:
        self._run = run
        self._tasks: TaskGroup

    def run(self, main: Main) -> None:
        self._run(partial(self._run_all, main))

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    def spawn(self, main: Main) -> Callable[[], None]:
        scope = anyio.CancelScope()

        async def run() -> None:
            with scope:
                await main()

        self._tasks.start_soon(run)
        return scope.cancel

    def count_tasks(self) -> int:
        return len(anyio.get_running_tasks())

    async def _run_all(self, main: Main) -> None:
        async with anyio.create_task_group() as self._tasks:
            await main()
            self._tasks.cancel_scope.cancel()


class Task:
    """A coroutine function that runs in a task of its own."""

    def __init__(self, loop: EventLoop, function: Callable[..., Awaitable[Any]], *args: Any) -> None:
        self.ended: bool = False
        self.result: Any = None
        self.error: BaseException | None = None
        self._loop = loop
        self._function = partial(function, *args)
        self.cancel: Callable[[], object] = loop.spawn(self._run)

    async def wait(self, seconds: float = float("inf")) -> bool:
        """Wait for its end, at most so many seconds; return whether it has ended."""
        deadline = time.monotonic() + seconds
        while not self.ended and time.monotonic() < deadline:
            await self._loop.sleep(TICK)
        return self.ended

    def outcome(self) -> Any:
        """Return its result, or raise its error."""
        if self.error is not None:
            raise self.error
        return self.result

    async def _run(self) -> None:
        try:
            await self._loop.sleep(0)  # until `spawn` has returned, wherever that runs tasks at once
            self.result = await self._function()
        except Exception as exc:
            self.error = exc
        except BaseException as exc:  # cancelled
            self.error = exc
            raise
        finally:
            self.ended = True


class Tasks:
    """Tasks on an event loop, and functions that block, in threads."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop

    def start(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Task:
        return Task(self.loop, function, *args)

    async def sleep(self, seconds: float) -> None:
        await self.loop.sleep(seconds)

    @asynccontextmanager
    async def meanwhile(self, function: Callable[..., Awaitable[Any]], *args: Any) -> AsyncGenerator[Task]:
        """Run a task beside the block, and wait for its end at the end of that."""
        task = self.start(function, *args)
        try:
            yield task
        except BaseException:
            task.cancel()
            raise
        await task.wait()
        task.outcome()

    async def in_thread(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call a function that blocks. If it never returns, its thread is left to itself."""
        results: list[Any] = []
        errors: list[BaseException] = []

        def call() -> None:
            try:
                results.append(function(*args))
            except BaseException as exc:
                errors.append(exc)

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        while not results and not errors:
            await self.loop.sleep(TICK)
        thread.join()
        if errors:
            raise errors[0]
        return results[0]


TICK = 0.001
"""Seconds between two looks at what may have happened: no more is needed of an event loop than to sleep."""

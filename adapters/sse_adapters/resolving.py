"""Looks up host names in threads that can be left to themselves, since the system interrupts no look-up.

The threads are daemons, so that none of them keeps the program from ending. At most `limit` look-ups run at
a time; the others wait for one of them to end, and are forgotten if nobody waits for them any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock, Thread

from .forking import FORKED
from .sockets import Address, look_up, thread_failure_as_oserror


class LookUp:
    """The look-up of one name. `notify` is called from another thread when it has ended."""

    def __init__(self, host: str, port: int, notify: Callable[[], None]) -> None:
        self.abandoned = False
        self._host = host
        self._port = port
        self._notify = notify
        self._addresses: Sequence[Address] = ()
        self._error: Exception | None = None

    def run(self) -> None:
        try:
            self._addresses = look_up(self._host, self._port)
        except Exception as exc:  # for whoever waits, be it an OSError or a bug
            self._error = exc
        if not self.abandoned:
            self._notify()

    def result(self) -> Sequence[Address]:
        """Return the addresses that were found. Raises OSError if the look-up failed."""
        if self._error is not None:
            raise self._error
        return self._addresses


class Resolver:
    """Runs look-ups, at most `limit` at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.after_fork()
        FORKED.add(self)

    def after_fork(self) -> None:
        """Begin with no look-up: a child has none of the threads."""
        self._running = 0
        self._waiting: deque[LookUp] = deque()
        self._lock = Lock()

    def start(self, look_up: LookUp) -> None:
        """Start a look-up, or let it wait for its turn. Raises OSError if the system has no more threads."""
        with self._lock:
            self._waiting.append(look_up)
            if self._running == self._limit:
                return
            self._running += 1
        try:
            with thread_failure_as_oserror():
                Thread(target=self._run, name="sse look-up", daemon=True).start()
        except OSError:
            with self._lock:
                self._running -= 1
            raise

    def _run(self) -> None:
        while (look_up := self._next()) is not None:
            look_up.run()

    def _next(self) -> LookUp | None:
        with self._lock:
            while self._waiting:
                look_up = self._waiting.popleft()
                if not look_up.abandoned:
                    return look_up
            self._running -= 1
            return None


RESOLVER = Resolver(limit=16)
"""The resolver of this process."""

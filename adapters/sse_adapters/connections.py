"""A client's connections: the core's pool, made safe between threads, with what closes and wakes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from math import inf
from threading import Lock
from time import monotonic
from typing import Generic, Protocol, TypeAlias, TypeVar

from sse_core import Exchange, IdleConnection, Pool, PoolLimits, Waiter


class Closable(Protocol):
    """The verbs of a transport that never wait."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock that deadlines are told by, in seconds. A method will do."""
        ...

    def abort(self) -> None:
        """Shut the connection down and wake whoever waits for it, who then gets any result or OSError.

        Comes while another thread or task is inside a verb, and from that other one.
        Whatever comes later, but for `close`, may fail with OSError.
        """
        ...

    def close(self) -> None:
        """Close the connection if there is one. Nobody is inside another verb; may come twice."""
        ...


X = TypeVar("X", bound=Closable)


class Connections(Generic[X]):
    """Makes connections with `make`, and keeps those that can be used again.

    `sweep_at` is called with a moment, and has what is then `overdue` drained and put back, unless
    what it returns is called before. Nobody else runs in the background.

    `give_back` never waits for a lock if it closes the connection: finalisers call it so, and
    one may run inside another method of this object.
    """

    def __init__(self, make: Callable[[], X], limits: PoolLimits, sweep_at: SweepAt[X]) -> None:
        self.make = make
        self._sweep_at = sweep_at
        self.now: Callable[[], float] = monotonic
        """The clock that `set_clock` has found, in seconds."""
        self._limits = limits
        self._pool: Pool[X] = Pool(limits)
        self._closed = False
        self._lock = Lock()  # held by whoever is at the pool
        self._returned: deque[tuple[str, IdleConnection[X] | None]] = deque()  # what is still to be put in
        self._wake: dict[Waiter, Callable[[], None]] = {}
        self._next_sweep = -inf
        self._call_off: Callable[[], None] = do_nothing  # that sweep

    def set_clock(self) -> None:
        """Tell the time by the transports that are made here: another event loop may have another clock."""
        self.now = self.make().now

    def claim(self, origin: str, wake: Callable[[], None]) -> Waiter:
        """Ask for a place; `wake` is called if it is granted later, or when the client is closed.

        Raises ConnectionAbortedError if the client is closed.
        """
        with self._at_pool() as pool:
            if self._closed:
                raise ConnectionAbortedError("the client is closed")
            waiter = pool.claim(origin)
            if not waiter.granted:
                self._wake[waiter] = wake
        return waiter

    def withdraw(self, waiter: Waiter) -> None:
        """Give up a place, or waiting for one."""
        with self._at_pool() as pool:
            self._wake.pop(waiter, None)
            pool.withdraw(waiter)

    def candidates(self, origin: str, deadline: float | None) -> Iterator[tuple[IdleConnection[X], float]]:
        """Take out one idle connection after the other, and say until when to wait for it to be ready.

        First come those that can be had at once, and then those that may be ready in a moment.
        The caller puts each one back before the next, or uses it.
        """
        while (idle := self._take(origin)) is not None:
            yield idle, AT_ONCE
        for patience in (AT_ONCE, inf if deadline is None else deadline):
            for idle in self._draining(origin):
                if self._take_draining(idle):
                    yield idle, min(patience, self._pool.worth_waiting_until(idle))

    def is_worth_draining(self, idle: IdleConnection[X]) -> bool:
        """Whether a connection that is not ready may become so by what comes next."""
        return self._pool.is_worth_draining(idle)

    def put_back(self, idle: IdleConnection[X]) -> None:
        """Keep a connection that is ready or may still become so; close any other."""
        if self._pool.is_worth_keeping(idle, self.now()):
            with self._at_pool() as pool:
                pool.keep(idle)
            if idle.draining:
                self.watch()
        else:
            close(idle.connection)

    def make_room(self, origin: str) -> None:
        """Close what is idle where a new connection would otherwise be too many."""
        with self._at_pool() as pool:
            pool.make_room(origin)

    def give_back(self, origin: str, connection: X | None, exchange: Exchange | None) -> None:
        """Give a place back; keep its connection if there is an `exchange`, and close it otherwise."""
        idle = None
        if connection is not None and exchange is not None:
            idle = IdleConnection(connection, origin, exchange, self.now())
        elif connection is not None:
            close(connection)
        self._returned.append((origin, idle))
        self._settle()
        if idle is not None and idle.draining:
            self.watch()

    def watch(self) -> None:
        """Have what is draining swept when its time is over."""
        with self._at_pool() as pool:
            now = self.now()
            # A sweep that is due much later was that of another event loop, whose clock is another.
            is_due = now < self._next_sweep <= now + self._limits.drain_time
            when = None if is_due or self._closed else pool.next_overdue(now)
            if when is not None:
                self._next_sweep = when
                self._call_off = self._sweep_at(self, when)

    def overdue(self) -> list[IdleConnection[X]]:
        """Take out what has had its time to be drained; each is to be returned by `put_back_overdue`."""
        with self._at_pool() as pool:
            self._next_sweep = -inf
            return pool.overdue(self.now())

    def put_back_overdue(self, idle: IdleConnection[X]) -> None:
        """Keep a connection if it is ready, or close it, and give back the place that went with it."""
        self.put_back(idle)
        self.give_back(idle.pool_key, None, None)

    def close(self) -> None:
        """Close what is idle, wake whoever waits, and leave nothing in the background."""
        self._end()
        self._call_off()

    def _take(self, origin: str) -> IdleConnection[X] | None:
        with self._at_pool() as pool:
            return pool.take(origin, self.now())

    def _draining(self, origin: str) -> list[IdleConnection[X]]:
        with self._at_pool() as pool:
            return pool.draining(origin)

    def _take_draining(self, idle: IdleConnection[X]) -> bool:
        with self._at_pool() as pool:
            return pool.take_draining(idle, self.now())

    def _end(self) -> None:
        with self._at_pool():
            self._closed = True
            wake, self._wake = self._wake, {}
        for each in wake.values():
            each()

    def __del__(self) -> None:
        self._end()

    @contextmanager
    def _at_pool(self) -> Generator[Pool[X]]:
        """Be at the pool alone, and do what is left to do after that."""
        try:
            with self._lock:
                yield self._pool
                self._close_doomed()
        finally:
            self._settle()  # for whoever came in the meantime has left it to us

    def _settle(self) -> None:
        """Do what is left to do, unless somebody is at the pool, who will do it."""
        while self._lock.acquire(blocking=False):
            try:
                while self._returned:
                    origin, idle = self._returned.popleft()
                    if idle is not None:
                        self._pool.keep(idle)
                    self._pool.give_back(origin)
                if self._closed:
                    self._pool.clear()
                self._close_doomed()
                wake = [self._wake.pop(waiter) for waiter in self._pool.to_wake if waiter in self._wake]
                self._pool.to_wake = []
            finally:
                self._lock.release()
            for each in wake:
                each()
            if not self._returned:
                return

    def _close_doomed(self) -> None:
        """Close what had to make room, before anyone takes that room."""
        doomed, self._pool.to_close = self._pool.to_close, []
        for connection in doomed:
            close(connection)


def close(connection: Closable) -> None:
    """Close a connection that nobody will use again, whatever it has to say about that."""
    with suppress(OSError):
        connection.close()


def do_nothing() -> None:
    """Do nothing."""


AT_ONCE = -inf
"""A deadline for what can be done without waiting."""
SweepAt: TypeAlias = Callable[[Connections[X], float], Callable[[], None]]

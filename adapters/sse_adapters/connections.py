"""A client's connections: the core's pool, made safe between threads, and whatever it wants closed or woken.

`ConnectionPool` holds one lock, for as long as it is inside the core's `Pool`. Two rules keep it from
deadlocks, since a finaliser may call `give_back` at any moment, even inside another method here:

- `give_back` waits for no lock. It leaves what is returned in a queue; whoever holds the lock empties it.
- Whoever waits for a slot is woken, and a sweep cancelled, only after the lock is released.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from math import inf
from threading import Lock
from time import monotonic
from typing import Generic, NoReturn, Protocol, TypeAlias, TypeVar

from sse_core import Exchange, IdleConnection, Pool, PoolLimits, Waiter


class BaseTransport(Protocol):
    """The verbs that blocking and asynchronous transports share. None of them waits."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock of all deadlines, in seconds. An ordinary method will do."""
        ...

    def abort(self) -> None:
        """Shut the connection down and wake whoever waits for it: that verb returns, or raises OSError.

        Called while another thread or task is inside a verb, or has just left the last one. Afterwards every
        verb but `close` may raise OSError.
        """
        ...

    def close(self) -> None:
        """Close the connection, if there is one. Called when no other verb is running, perhaps twice."""
        ...


X = TypeVar("X", bound=BaseTransport)


class ConnectionPool(Generic[X]):
    """Makes connections with `make`, and keeps those that can be used again.

    `schedule_sweep(pool, when)` schedules one sweep at `when`: what is then `overdue` is drained and put
    back. Calling what it returns cancels the sweep. Nothing else runs in the background.
    """

    def __init__(self, make: Callable[[], X], limits: PoolLimits, schedule_sweep: ScheduleSweep[X]) -> None:
        self.make = make
        self._schedule_sweep = schedule_sweep
        self.now: Callable[[], float] = monotonic
        """The clock that `use_current_clock` has found, in seconds."""
        self._limits = limits
        self._pool: Pool[X] = Pool(limits)
        self._closed = False
        self._lock = Lock()  # held by whoever is inside the core's pool
        self._returned: deque[tuple[str, IdleConnection[X] | None]] = deque()  # slots, connections
        self._wake: dict[Waiter, Callable[[], None]] = {}
        self._next_sweep = -inf
        self._cancel_sweep: Callable[[], None] = do_nothing

    def use_current_clock(self) -> None:
        """Use the clock of transports that are made here and now: each event loop may have its own."""
        self.now = self.make().now

    def claim(self, origin: str, wake: Callable[[], None]) -> Waiter:
        """Ask for a slot; `wake` is called if it is granted later, or when the client is closed.

        Raises ConnectionAbortedError if the client is closed.
        """
        with self._locked() as pool:
            if self._closed:
                raise ConnectionAbortedError("the client is closed")
            waiter = pool.claim(origin)
            if not waiter.granted:
                self._wake[waiter] = wake
        return waiter

    def withdraw(self, waiter: Waiter) -> None:
        """Give up a slot, or stop waiting for one."""
        with self._locked() as pool:
            self._wake.pop(waiter, None)
            pool.withdraw(waiter)

    def idle_candidates(
        self, origin: str, deadline: float | None
    ) -> Iterator[tuple[IdleConnection[X], float]]:
        """Yield idle connections, each with the deadline until which to wait for it to be ready.

        First come those that can be ready at once, then those whose last response is still arriving. The
        caller puts each one back before asking for the next, or uses it.
        """
        while (idle := self._take(origin)) is not None:
            yield idle, NO_WAIT
        for limit in (NO_WAIT, inf if deadline is None else deadline):
            for idle in self._draining(origin):
                if self._take_draining(idle):
                    yield idle, min(limit, self._pool.worth_waiting_until(idle))

    def is_worth_draining(self, idle: IdleConnection[X]) -> bool:
        """Whether a connection that is not ready may still become so."""
        return self._pool.is_worth_draining(idle)

    def put_back(self, idle: IdleConnection[X]) -> None:
        """Keep a connection that is ready, or may still become so; close any other."""
        if self._pool.is_worth_keeping(idle, self.now()):
            with self._locked() as pool:
                pool.keep(idle)
            if idle.draining:
                self.schedule_next_sweep()
        else:
            close_quietly(idle.connection)

    def make_room(self, origin: str) -> None:
        """Close an idle connection if one more would be too many."""
        with self._locked() as pool:
            pool.make_room(origin)

    def give_back(self, origin: str, connection: X | None, exchange: Exchange | None) -> None:
        """Give back a slot. Its connection is kept if there is an `exchange`, and otherwise closed."""
        idle = None
        if connection is not None and exchange is not None:
            idle = IdleConnection(connection, origin, exchange, self.now())
        elif connection is not None:
            close_quietly(connection)
        self._returned.append((origin, idle))
        self._apply_returns()
        if idle is not None and idle.draining:
            self.schedule_next_sweep()

    def schedule_next_sweep(self) -> None:
        """Schedule a sweep for when the next draining connection is overdue, unless there is one already."""
        with self._locked() as pool:
            now = self.now()
            # A sweep that is due much later was scheduled on another event loop, which has another clock.
            is_due = now < self._next_sweep <= now + self._limits.drain_time
            when = None if is_due or self._closed else pool.next_overdue(now)
            if when is not None:
                self._next_sweep = when
                self._cancel_sweep = self._schedule_sweep(self, when)

    def overdue(self) -> list[IdleConnection[X]]:
        """Take out the connections whose time to drain is over. `put_back_overdue` takes each of them."""
        with self._locked() as pool:
            self._next_sweep = -inf
            return pool.overdue(self.now())

    def put_back_overdue(self, idle: IdleConnection[X]) -> None:
        """Keep a connection if it is ready, close it otherwise, and give back the slot it was taken with."""
        self.put_back(idle)
        self.give_back(idle.pool_key, None, None)

    def close(self) -> None:
        """Close the idle connections, wake whoever waits for a slot, and cancel the sweep."""
        self._end()
        self._cancel_sweep()

    def _take(self, origin: str) -> IdleConnection[X] | None:
        with self._locked() as pool:
            return pool.take(origin, self.now())

    def _draining(self, origin: str) -> list[IdleConnection[X]]:
        with self._locked() as pool:
            return pool.draining(origin)

    def _take_draining(self, idle: IdleConnection[X]) -> bool:
        with self._locked() as pool:
            return pool.take_draining(idle, self.now())

    def _end(self) -> None:
        with self._locked():
            self._closed = True
            wake, self._wake = self._wake, {}
        for each in wake.values():
            each()

    def __del__(self) -> None:
        if hasattr(self, "_cancel_sweep"):  # or the constructor has failed
            self._end()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pool has connections, and cannot be copied or pickled")

    @contextmanager
    def _locked(self) -> Generator[Pool[X]]:
        """Hold the lock, and apply afterwards what was returned meanwhile."""
        try:
            with self._lock:
                yield self._pool
                self._close_discarded()
        finally:
            self._apply_returns()

    def _apply_returns(self) -> None:
        """Put what was returned into the pool, unless somebody holds the lock, who will do it."""
        while self._lock.acquire(blocking=False):
            try:
                while self._returned:
                    origin, idle = self._returned.popleft()
                    if idle is not None:
                        self._pool.keep(idle)
                    self._pool.give_back(origin)
                if self._closed:
                    self._pool.clear()
                self._close_discarded()
                wake = [self._wake.pop(waiter) for waiter in self._pool.to_wake if waiter in self._wake]
                self._pool.to_wake = []
            finally:
                self._lock.release()
            for each in wake:
                each()
            if not self._returned:
                return

    def _close_discarded(self) -> None:
        """Close what the pool has discarded, before anyone opens a connection in its room."""
        discarded, self._pool.to_close = self._pool.to_close, []
        for connection in discarded:
            close_quietly(connection)


def close_quietly(connection: BaseTransport) -> None:
    """Close a connection that nobody will use again. An OSError has nobody to concern."""
    with suppress(OSError):
        connection.close()


def do_nothing() -> None:
    """Do nothing."""


NO_WAIT = -inf
"""A deadline that has always passed: only what can be done without waiting is done."""
ScheduleSweep: TypeAlias = Callable[[ConnectionPool[X], float], Callable[[], None]]

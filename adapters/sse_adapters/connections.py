"""A client's connections: the core's pool, made safe between threads, and whatever it wants closed or woken.

`ConnectionPool` holds one lock, for as long as it is inside the core's `Pool`. A finaliser may call
`give_back` at any moment, even inside another method here, and a signal handler may raise an exception at
any point. So there are three rules:

- `give_back` leaves what is returned in a queue, which whoever has the lock empties. If somebody has it, that
  is not waited for. (Two who look first, and find it free, may wait for each other's lock only if each looked
  before the other had its own, which cannot be.)
- Whoever waits for a slot is woken, and a sweep cancelled, only after the lock is released.
- The lock is taken by `with`, the one way that no signal handler can come between. Whoever has it first
  finishes what another has left unfinished, and leaves a queue only when what was in it is done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from threading import Lock
from time import monotonic
from typing import Any, Generic, NoReturn, Protocol, TypeAlias, TypeVar

from sse_core import Exchange, IdleConnection, Pool, PoolLimits, Waiter

from .event_loops import HERE

R = TypeVar("R")


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


class Slot(Waiter):
    """A slot in a pool, or a claim to one. It is free again when nobody has it any more."""

    __slots__ = ("_books", "_pool", "returned")

    def __init__(self, pool: ConnectionPool[Any], pool_key: str) -> None:
        super().__init__(pool_key)
        self.returned: bool = False
        """Whether it has been given back."""
        self._pool = pool
        self._books = pool.books

    def __del__(self) -> None:
        if not self.returned and self._books is self._pool.books:
            self._pool.give_back(self)


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
        self.post = HERE
        """The `Post` of the event loop on which a stream was begun last."""
        self._limits = limits
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self.books: Pool[X] = Pool(self._limits)
        """The core's pool."""
        self._lock = Lock()  # held by whoever is inside that
        self._returned: deque[tuple[Slot, IdleConnection[X] | None]] = deque()  # with their connections
        self._wake: dict[Waiter, Callable[[], None]] = {}
        self._to_call: deque[Callable[[], None]] = deque()  # to wake those who have got their slot
        self._next_sweep = -inf
        self._cancel_sweep: Callable[[], None] = do_nothing

    def after_fork(self) -> None:
        """Begin with no connection, in a child whose parent has them."""
        self._begin()

    def use_current_clock(self) -> None:
        """Use the clock of transports that are made here and now: each event loop may have its own."""
        self.now = self.make().now

    def claim(self, slot: Slot, wake: Callable[[], None]) -> None:
        """Ask for a slot; `wake` is called if it is granted later, or when the client is closed.

        Raises ConnectionAbortedError if the client is closed.
        """
        self._inside(self._claim, slot, wake)

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
                    yield idle, min(limit, self.books.worth_waiting_until(idle))

    def is_worth_draining(self, idle: IdleConnection[X]) -> bool:
        """Whether a connection that is not ready may still become so."""
        return self.books.is_worth_draining(idle)

    def put_back(self, idle: IdleConnection[X]) -> None:
        """Keep a connection that is ready, or may still become so; close any other."""
        if self.books.is_worth_keeping(idle, self.now()):
            self._inside(self.books.keep, idle)
            if idle.draining:
                self.schedule_next_sweep()
        else:
            close_quietly(idle.connection)

    def make_room(self, origin: str) -> None:
        """Close an idle connection if one more would be too many."""
        self._inside(self.books.make_room, origin)

    def give_back(self, slot: Slot, connection: X | None = None, exchange: Exchange | None = None) -> None:
        """Give back a slot, or stop waiting for one. May be called again.

        Its connection is kept if there is an `exchange`, and otherwise closed.
        """
        idle = None
        if connection is not None and exchange is not None:
            idle = IdleConnection(connection, slot.pool_key, exchange, self.now())
        elif connection is not None:
            close_quietly(connection)
        self._returned.append((slot, idle))
        slot.returned = True
        self._apply_returns()
        if idle is not None and idle.draining:
            self.schedule_next_sweep()

    def schedule_next_sweep(self) -> None:
        """Schedule a sweep for when the next draining connection is overdue, unless there is one already."""
        self._inside(self._schedule)

    def overdue(self) -> list[IdleConnection[X]]:
        """Take out the connections whose time to drain is over. `put_back_overdue` takes each of them."""
        return self._inside(self._take_overdue)

    def put_back_overdue(self, idle: IdleConnection[X]) -> None:
        """Keep a connection if it is ready, close it otherwise, and give back the slot it was taken with."""
        self.put_back(idle)
        assert isinstance(idle.slot, Slot)
        self.give_back(idle.slot)

    def close(self) -> None:
        """Close the idle connections, wake whoever waits for a slot, and cancel the sweep."""
        self._inside(self._end)
        self._cancel_sweep()

    def _take(self, origin: str) -> IdleConnection[X] | None:
        return self._inside(self.books.take, origin, self.now())

    def _draining(self, origin: str) -> list[IdleConnection[X]]:
        return self._inside(self.books.draining, origin)

    def _take_draining(self, idle: IdleConnection[X]) -> bool:
        return self._inside(self.books.take_draining, idle, self.now())

    def __del__(self) -> None:
        if hasattr(self, "_cancel_sweep"):  # or the constructor has failed
            self._inside(self._end)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pool has connections, and cannot be copied or pickled")

    def _inside(self, function: Callable[..., R], *args: Any) -> R:
        """Call a function that uses the core's pool, and apply afterwards what was returned meanwhile."""
        try:
            with self._lock:
                self._update()
                result = function(*args)
                self._close_discarded()
                return result
        finally:
            self._apply_returns()

    # Called with the lock.

    def _claim(self, slot: Slot, wake: Callable[[], None]) -> None:
        if self._closed:
            raise ConnectionAbortedError("the client is closed")
        self.books.claim(slot)
        if not slot.granted:
            self._wake[slot] = wake

    def _schedule(self) -> None:
        now = self.now()
        # A sweep that is due much later was scheduled on another event loop, which has another clock.
        is_due = now < self._next_sweep <= now + self._limits.drain_time
        when = None if is_due or self._closed else self.books.next_overdue(now)
        if when is not None:
            self._cancel_sweep = self._schedule_sweep(self, when)
            self._next_sweep = when

    def _take_overdue(self) -> list[IdleConnection[X]]:
        self._next_sweep = -inf
        return self.books.overdue(self.now(), partial(Slot, self))

    def _end(self) -> None:
        self._closed = True
        self._to_call.extend(self._wake.values())
        self._wake.clear()

    def _update(self) -> None:
        """Put what was returned into the pool."""
        while self._returned:
            slot, idle = self._returned[0]
            if idle is not None:
                self.books.keep(idle)
            self.books.give_back(slot)
            self._wake.pop(slot, None)
            self._returned.popleft()
        if self._closed:
            self.books.clear()

    def _close_discarded(self) -> None:
        """Close what the pool has discarded, before anyone opens a connection in its room."""
        discarded = self.books.to_close
        while discarded:
            close_quietly(discarded[-1])
            discarded.pop()

    # Called without.

    def _apply_returns(self) -> None:
        """Put what was returned into the pool, unless somebody holds the lock, who will do it."""
        while not self._lock.locked():
            with self._lock:
                self._update()
                self._close_discarded()
                while self.books.to_wake:
                    if (wake := self._wake.get(self.books.to_wake[0])) is not None:
                        self._to_call.append(wake)
                    self._wake.pop(self.books.to_wake.pop(0), None)
            if self._to_call:
                self._call_those_to_wake()
            if not self._returned:
                return

    def _call_those_to_wake(self) -> None:
        while True:
            try:
                wake = self._to_call.popleft()
            except IndexError:
                return
            wake()


def close_quietly(connection: BaseTransport) -> None:
    """Close a connection that nobody will use again. An OSError has nobody to concern."""
    try:  # noqa: SIM105 - which is three calls more
        connection.close()
    except OSError:
        pass


def do_nothing() -> None:
    """Do nothing."""


NO_WAIT = -inf
"""A deadline that has always passed: only what can be done without waiting is done."""
ScheduleSweep: TypeAlias = Callable[[ConnectionPool[X], float], Callable[[], None]]

"""The books of a connection pool: which connections are idle, and who may use one more. It does no I/O.

A pool key stands for where a connection leads: scheme, host and port, and the proxy on the way.

Three rules hold.

1. A caller first takes a slot, which allows one connection in use. Slots are limited by
   `max_connections` and `max_connections_per_origin`, and given in order of arrival. An idle
   connection takes no slot: it is closed when a new one needs the room.
2. The cost of a call does not grow with the number of connections or waiters, and only as the
   logarithm of the number of pool keys that are waited for. The exception are draining connections,
   which are examined one by one: those of one pool key if none of it is ready, and all for `overdue`.

3. An exception may end any call at any point, since signal handlers raise them. What is counted is
   therefore a set, to which the same is added once; an entry is made where it goes before it is removed
   where it comes from; and to give a slot back a second time does what the first has left undone.

The pool closes nothing and wakes nobody itself: its caller does, by `to_close` and `to_wake`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Generic, TypeVar

from msgspec import Struct

from ..checks import check_count, check_seconds, check_type
from .exchange import Exchange

C = TypeVar("C")


class PoolLimits(Struct, frozen=True, kw_only=True):
    """How many connections there may be, and how long an idle one is kept.

    None means no limit. Times are in seconds.
    """

    max_connections: int | None = None
    """Connections in use at one time; whoever wants one more waits."""
    max_connections_per_origin: int | None = None
    """The same, for one scheme, host and port, reached through the same proxy."""
    max_idle: int = 100
    """Idle connections; if there are more, the least recently used is closed."""
    idle_expiry: float = 60.0
    """How long an idle connection is kept. It is closed when the pool is used after that."""
    drain_time: float = 5.0
    """How long the rest of a response may take after the end of its stream; then the connection is closed."""
    drain_wait: float = 0.01
    """How long after that end a new request waits for the rest, to save opening a connection."""
    max_drain: int = 64 * 2**10
    """Bytes that the rest may have."""

    def __post_init__(self) -> None:
        for name in ("max_connections", "max_connections_per_origin"):
            check_count(f"PoolLimits.{name}", getattr(self, name), least=1, optional=True)
        for name in ("max_idle", "max_drain"):
            check_count(f"PoolLimits.{name}", getattr(self, name))
        for name in ("idle_expiry", "drain_time", "drain_wait"):
            check_seconds(f"PoolLimits.{name}", getattr(self, name))


class Waiter:
    """A caller that wants a slot, and may have to wait for it."""

    __slots__ = ("granted", "number", "pool_key")

    def __init__(self, pool_key: str) -> None:
        self.pool_key: str = pool_key
        self.number: int = -1
        """Given by `claim`; numbers rise in order of arrival."""
        self.granted: bool = False


class IdleConnection(Generic[C]):
    """A connection that nobody uses. `exchange` receives what is left of the last response."""

    def __init__(self, connection: C, pool_key: str, exchange: Exchange, since: float) -> None:
        self.connection = connection
        self.pool_key = pool_key
        self.since = since
        """When it was used last, on the clock that gives `now`."""
        self.drained: int = 0
        """Bytes of the rest of the response that have come so far."""
        self.lost: bool = False
        """Whether the connection has ended."""
        self.slot: Waiter | None = None
        """The slot that `overdue` has taken for it."""
        self._exchange = exchange

    def receive(self, data: bytes) -> None:
        """Take what was received while nobody used it; `b""` says that the connection has ended."""
        self._exchange.receive(data)
        self.drained += len(data)
        self.lost = not data

    @property
    def ready(self) -> bool:
        """Whether it can carry the next request."""
        return self._exchange.ended and not self._exchange.excess_data and not self.lost

    @property
    def draining(self) -> bool:
        """Whether the rest of the response may still come."""
        return not (self._exchange.ended or self._exchange.error is not None or self.lost)


class Pool(Generic[C]):
    """The idle connections, slots and waiters of one client."""

    def __init__(self, limits: PoolLimits = PoolLimits()) -> None:
        check_type("limits", limits, PoolLimits, "PoolLimits")
        self.to_close: list[C] = []
        """Connections that the caller has to close."""
        self.to_wake: list[Waiter] = []
        """Waiters that have got their slot, and that the caller has to wake."""
        self._limits = limits
        self._used: dict[str, set[int]] = {}  # the numbers of those who have a slot, by pool key
        self._used_in_all: set[int] = set()
        self._idle: OrderedDict[IdleConnection[C], None] = OrderedDict()  # least recently used first
        # The same by pool key: those that may be ready, and those that are draining.
        self._not_draining: dict[str, OrderedDict[IdleConnection[C], None]] = {}
        self._draining: dict[str, OrderedDict[IdleConnection[C], None]] = {}
        self._numbers = count()
        self._waiting: dict[str, dict[Waiter, None]] = {}  # by pool key, in order of arrival
        # A heap of the pool keys that may have a free slot, each with a number up to its first waiter's.
        self._queue: list[tuple[int, str]] = []
        self._queued: set[str] = set()

    def claim(self, waiter: Waiter) -> None:
        """Ask for a slot. It is granted at once, or later; then the waiter is in `to_wake`."""
        waiter.number = next(self._numbers)
        if self._has_slot(waiter.pool_key):
            self._grant(waiter)
        else:
            self._waiting.setdefault(waiter.pool_key, {})[waiter] = None
            self._enqueue(waiter.pool_key)

    def take(self, pool_key: str, now: float) -> IdleConnection[C] | None:
        """Take out the most recently used connection of a pool key that is not draining.

        The caller has a slot, and checks whether the connection is ready.
        """
        self._expire(now)
        idle = next(reversed(self._not_draining.get(pool_key, ())), None)
        if idle is not None:
            self._forget(idle)
        return idle

    def draining(self, pool_key: str) -> list[IdleConnection[C]]:
        """Return the draining connections of a pool key, the least recently used first."""
        return list(self._draining.get(pool_key, ()))

    def take_draining(self, idle: IdleConnection[C], now: float) -> bool:
        """Take out a draining connection; return whether it was still there. The caller has a slot."""
        if idle not in self._idle:
            return False
        self._clamp_clock(idle, now)
        self._forget(idle)
        return True

    def keep(self, idle: IdleConnection[C]) -> None:
        """Put in a connection that may be used again, or that may still become ready."""
        for kept in (self._idle, self._siblings(idle).setdefault(idle.pool_key, OrderedDict())):
            older = bool(kept) and idle.since < next(reversed(kept)).since
            kept[idle] = None
            kept.move_to_end(idle, last=not older)
        if len(self._idle) > self._limits.max_idle:
            self._discard(next(iter(self._idle)))

    def is_worth_draining(self, idle: IdleConnection[C]) -> bool:
        """Whether a connection may become ready by what is received next."""
        return idle.draining and idle.drained <= self._limits.max_drain

    def is_worth_keeping(self, idle: IdleConnection[C], now: float) -> bool:
        """Whether a connection is ready, or may still become so in time."""
        return idle.ready or (self.is_worth_draining(idle) and now < self._drained_by(idle))

    def worth_waiting_until(self, idle: IdleConnection[C]) -> float:
        """Return until when a new request may wait for a connection to become ready."""
        return idle.since + self._limits.drain_wait

    def overdue(self, now: float, make: Callable[[str], Waiter] = Waiter) -> list[IdleConnection[C]]:
        """Take out the connections that are still draining after `drain_time`.

        Each of them takes a `slot`, which `make` makes for a pool key, and which the caller gives back.
        Without a free slot it is discarded.
        """
        found: list[IdleConnection[C]] = []
        for idle in self._all_draining(now):
            if now < self._drained_by(idle):
                continue
            if self._has_slot(idle.pool_key):
                idle.slot = make(idle.pool_key)
                idle.slot.number = next(self._numbers)
                self._grant(idle.slot)
                found.append(idle)
                self._forget(idle)
            else:
                self._discard(idle)
        return found

    def next_overdue(self, now: float) -> float | None:
        """Return when the next draining connection will be overdue, or None."""
        return min(map(self._drained_by, self._all_draining(now)), default=None)

    def make_room(self, pool_key: str) -> None:
        """Discard idle connections, so that one more may be opened, for which the caller has a slot."""
        limits = self._limits
        for kind in (self._draining, self._not_draining):
            while kind.get(pool_key) and is_over(self._opened(pool_key), limits.max_connections_per_origin):
                self._discard(next(iter(kind[pool_key])))
        while self._idle and is_over(len(self._used_in_all) + len(self._idle), limits.max_connections):
            self._discard(next(iter(self._idle)))

    def give_back(self, waiter: Waiter) -> None:
        """Give a slot back, which another waiter may get, or stop waiting for one. May be called again."""
        self._stop_waiting(waiter)
        self._used_in_all.discard(waiter.number)
        if (used := self._used.get(waiter.pool_key)) is not None:
            used.discard(waiter.number)
            if not used:
                self._used.pop(waiter.pool_key, None)
        self._enqueue(waiter.pool_key)
        self._grant_next()

    def clear(self) -> None:
        """Discard every idle connection."""
        while self._idle:
            self._discard(next(iter(self._idle)))

    def _has_slot(self, pool_key: str) -> bool:
        limits = self._limits
        return not (
            is_over(len(self._used.get(pool_key, ())) + 1, limits.max_connections_per_origin)
            or is_over(len(self._used_in_all) + 1, limits.max_connections)
        )

    def _enqueue(self, pool_key: str) -> None:
        """Consider the waiters of a pool key when the next slot is granted."""
        if self._waiting.get(pool_key) and pool_key not in self._queued:
            heappush(self._queue, (next(iter(self._waiting[pool_key])).number, pool_key))
            self._queued.add(pool_key)

    def _grant_next(self) -> None:
        """Grant the free slots, in order of arrival."""
        while self._queue and not is_over(len(self._used_in_all) + 1, self._limits.max_connections):
            number, pool_key = self._queue[0]
            first = next(iter(self._waiting.get(pool_key, ())), None)
            if first is None or not self._has_slot(pool_key):
                self._queued.discard(pool_key)
                heappop(self._queue)
            elif first.number > number:
                heapreplace(self._queue, (first.number, pool_key))
            else:
                self._grant(first)
                self.to_wake.append(first)
                self._stop_waiting(first)

    def _grant(self, waiter: Waiter) -> None:
        self._used.setdefault(waiter.pool_key, set()).add(waiter.number)
        self._used_in_all.add(waiter.number)
        waiter.granted = True

    def _stop_waiting(self, waiter: Waiter) -> None:
        in_order = self._waiting.get(waiter.pool_key)
        if in_order is not None:
            in_order.pop(waiter, None)
            if not in_order:
                self._waiting.pop(waiter.pool_key, None)

    def _all_draining(self, now: float) -> list[IdleConnection[C]]:
        found = [idle for in_order in self._draining.values() for idle in in_order]
        for idle in found:
            self._clamp_clock(idle, now)
        return found

    def _clamp_clock(self, idle: IdleConnection[C], now: float) -> None:
        """Move `since` back if it is in the future: it was set by another event loop's clock."""
        idle.since = min(idle.since, now)

    def _drained_by(self, idle: IdleConnection[C]) -> float:
        return idle.since + self._limits.drain_time

    def _expire(self, now: float) -> None:
        while self._idle:
            oldest = next(iter(self._idle))
            if now - oldest.since < self._limits.idle_expiry:
                return
            self._discard(oldest)

    def _discard(self, idle: IdleConnection[C]) -> None:
        self.to_close.append(idle.connection)
        self._forget(idle)

    def _forget(self, idle: IdleConnection[C]) -> None:
        self._idle.pop(idle, None)
        siblings = self._siblings(idle)
        in_order = siblings.get(idle.pool_key)
        if in_order is not None:
            in_order.pop(idle, None)
            if not in_order:
                siblings.pop(idle.pool_key, None)

    def _siblings(self, idle: IdleConnection[C]) -> dict[str, OrderedDict[IdleConnection[C], None]]:
        """The connections that are in the same state, by pool key.

        This is stable while a connection is pooled: only `receive` changes its state, and nothing is
        received on a pooled connection.
        """
        return self._draining if idle.draining else self._not_draining

    def _opened(self, pool_key: str) -> int:
        """The number of connections of a pool key, if there is one for each slot taken."""
        idle = len(self._not_draining.get(pool_key, ())) + len(self._draining.get(pool_key, ()))
        return len(self._used.get(pool_key, ())) + idle


def is_over(number: int, limit: int | None) -> bool:
    return limit is not None and number > limit

"""Which connections are open, and who may have one more: bookkeeping, without any I/O.

Two rules hold.

1. Whoever wants a connection gets a place first, for one connection at a time. There are no more
   places than connections are allowed, and who comes first gets one first. A connection that
   nobody uses takes no place: it is closed when a new one needs the room.
2. What a call costs does not grow with the number of connections or of those who wait, and with
   the number of origins that are waited for as its logarithm. Only the draining connections are
   looked at one by one: those to an origin where none is ready, and all of them for what is overdue.

The pool closes nothing and wakes nobody; it leaves both to its caller, in `doomed` and `granted`.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import Generic, TypeVar

from msgspec import Struct

from .exchange import Exchange

C = TypeVar("C")


class PoolLimits(Struct, frozen=True, kw_only=True):
    """How many connections there may be, and how long one is kept without being used.

    None means no limit. Times are in seconds.
    """

    max_connections: int | None = None
    """At one time; whoever wants one more waits."""
    max_connections_per_origin: int | None = None
    """The same, for one scheme, host and port, reached through the same proxy."""
    max_idle: int = 100
    """Kept without being used; of more, the one that was used longest ago is closed."""
    idle_expiry: float = 60.0
    """How long one is kept. It is closed when the pool is used after that."""
    drain_time: float = 5.0
    """How long the rest of a response may take, after the end of the stream in it; then it is closed."""
    drain_wait: float = 0.01
    """How long after that end a new request waits for the rest, to save itself a new connection."""
    max_drain: int = 64 * 2**10
    """How many bytes that rest may have."""


class Waiter:
    """Someone who wants a place, and may have to wait for it; who came first has the lower number."""

    def __init__(self, origin: str, number: int) -> None:
        self.origin = origin
        self.number = number
        self.granted = False


class Idle(Generic[C]):
    """A connection that nobody uses, with what is left of the response to `exchange`."""

    def __init__(self, connection: C, origin: str, exchange: Exchange, since: float) -> None:
        self.connection = connection
        self.origin = origin
        self.since = since
        """When it was used last, on the clock of whoever says `now`."""
        self.drained = 0
        """Bytes of the rest of the response so far."""
        self.lost = False
        """Whether the connection has ended."""
        self._exchange = exchange

    def receive(self, data: bytes) -> None:
        """Take what has come in the meantime; `b""` says that the connection has ended."""
        self._exchange.receive(data)
        self.drained += len(data)
        self.lost = not data

    @property
    def ready(self) -> bool:
        """Whether it can carry the next request."""
        return self._exchange.ended and not self._exchange.overrun and not self.lost

    @property
    def draining(self) -> bool:
        """Whether the rest of the response may still come."""
        return not (self._exchange.ended or self._exchange.error is not None or self.lost)


class Pool(Generic[C]):
    """The connections of one client."""

    def __init__(self, limits: PoolLimits = PoolLimits()) -> None:
        self.doomed: list[C] = []
        """Connections that are to be closed."""
        self.granted: list[Waiter] = []
        """Those who have been waiting and now have a place."""
        self._limits = limits
        self._used: Counter[str] = Counter()  # places that are taken, by origin
        self._used_in_all = 0
        self._idle: OrderedDict[Idle[C], None] = OrderedDict()  # the one used longest ago first
        # The same by origin: those that may be ready, and those that are draining.
        self._settled: dict[str, OrderedDict[Idle[C], None]] = {}
        self._draining: dict[str, OrderedDict[Idle[C], None]] = {}
        self._numbers = count()
        self._waiting: dict[str, dict[Waiter, None]] = {}  # by origin; who came first is first
        # The origins that may have room, each with a number that is not above its first waiter's.
        self._next: list[tuple[int, str]] = []
        self._in_next: set[str] = set()

    def claim(self, origin: str) -> Waiter:
        """Ask for a place: it is granted at once, or later, and then it is in `granted`."""
        waiter = Waiter(origin, next(self._numbers))
        if self._has_place(origin):
            self._grant(waiter)
        else:
            self._waiting.setdefault(origin, {})[waiter] = None
            self._put_in_next(origin)
        return waiter

    def withdraw(self, waiter: Waiter) -> None:
        """Want no place any more."""
        if waiter.granted:
            self.give_back(waiter.origin)
        else:
            self._stop_waiting(waiter)

    def take(self, origin: str, now: float) -> Idle[C] | None:
        """Take out the connection to an origin that was used last, of those that are not draining.

        The caller has a place, and looks whether the connection is ready.
        """
        self._expire(now)
        idle = next(reversed(self._settled.get(origin, ())), None)
        if idle is not None:
            self._forget(idle)
        return idle

    def draining(self, origin: str) -> list[Idle[C]]:
        """Return the connections to an origin that are draining, the one used longest ago first."""
        return list(self._draining.get(origin, ()))

    def take_draining(self, idle: Idle[C], now: float) -> bool:
        """Take out one of these, if it is still there. The caller has a place."""
        if idle not in self._idle:
            return False
        self._see(idle, now)
        self._forget(idle)
        return True

    def keep(self, idle: Idle[C]) -> None:
        """Put in a connection that may be used again, or put one back that is not ready."""
        for kept in (self._idle, self._alike(idle).setdefault(idle.origin, OrderedDict())):
            older = bool(kept) and idle.since < next(reversed(kept)).since
            kept[idle] = None
            kept.move_to_end(idle, last=not older)
        if len(self._idle) > self._limits.max_idle:
            self._doom(next(iter(self._idle)))

    def is_worth_draining(self, idle: Idle[C]) -> bool:
        """Whether a connection that is not ready may become so by what comes next."""
        return idle.draining and idle.drained <= self._limits.max_drain

    def is_worth_keeping(self, idle: Idle[C], now: float) -> bool:
        """Whether a connection is ready, or may still become so."""
        return idle.ready or (self.is_worth_draining(idle) and now < self._drained_by(idle))

    def worth_waiting_until(self, idle: Idle[C]) -> float:
        """Until when a new request may wait for a connection to be ready."""
        return idle.since + self._limits.drain_wait

    def overdue(self, now: float) -> list[Idle[C]]:
        """Take out the connections that are still draining, and have had their time for that.

        With each goes a place, which is to be given back. Where there is none the connection is doomed.
        """
        found: list[Idle[C]] = []
        for idle in self._all_draining(now):
            if now < self._drained_by(idle):
                continue
            if self._has_place(idle.origin):
                self._forget(idle)
                self._occupy(idle.origin)
                found.append(idle)
            else:
                self._doom(idle)
        return found

    def next_overdue(self, now: float) -> float | None:
        """When the next connection will be overdue, if any is draining."""
        return min(map(self._drained_by, self._all_draining(now)), default=None)

    def make_room(self, origin: str) -> None:
        """Doom what is idle where one connection more, for which there is a place, would be too many."""
        limits = self._limits
        for kind in (self._draining, self._settled):
            while kind.get(origin) and is_over(self._opened(origin), limits.max_connections_per_origin):
                self._doom(next(iter(kind[origin])))
        while self._idle and is_over(self._used_in_all + len(self._idle), limits.max_connections):
            self._doom(next(iter(self._idle)))

    def give_back(self, origin: str) -> None:
        """Give a place back, which may be another's turn."""
        self._used_in_all -= 1
        self._used[origin] -= 1
        if not self._used[origin]:
            del self._used[origin]
        self._put_in_next(origin)
        self._grant_next()

    def clear(self) -> None:
        """Doom every idle connection."""
        while self._idle:
            self._doom(next(iter(self._idle)))

    def _has_place(self, origin: str) -> bool:
        limits = self._limits
        return not (
            is_over(self._used[origin] + 1, limits.max_connections_per_origin)
            or is_over(self._used_in_all + 1, limits.max_connections)
        )

    def _put_in_next(self, origin: str) -> None:
        """Have those who wait for an origin be looked at when a place becomes free."""
        if origin in self._waiting and origin not in self._in_next:
            self._in_next.add(origin)
            heappush(self._next, (next(iter(self._waiting[origin])).number, origin))

    def _grant_next(self) -> None:
        """Grant what there is to those who came first."""
        while self._next and not is_over(self._used_in_all + 1, self._limits.max_connections):
            number, origin = self._next[0]
            first = next(iter(self._waiting.get(origin, ())), None)
            if first is None or not self._has_place(origin):
                heappop(self._next)
                self._in_next.remove(origin)
            elif first.number > number:
                heapreplace(self._next, (first.number, origin))
            else:
                self._stop_waiting(first)
                self._grant(first)
                self.granted.append(first)

    def _grant(self, waiter: Waiter) -> None:
        waiter.granted = True
        self._occupy(waiter.origin)

    def _occupy(self, origin: str) -> None:
        self._used_in_all += 1
        self._used[origin] += 1

    def _stop_waiting(self, waiter: Waiter) -> None:
        of_origin = self._waiting[waiter.origin]
        del of_origin[waiter]
        if not of_origin:
            del self._waiting[waiter.origin]

    def _all_draining(self, now: float) -> list[Idle[C]]:
        found = [idle for of_origin in self._draining.values() for idle in of_origin]
        for idle in found:
            self._see(idle, now)
        return found

    def _see(self, idle: Idle[C], now: float) -> None:
        """Take the time: event loops differ in their clocks."""
        idle.since = min(idle.since, now)

    def _drained_by(self, idle: Idle[C]) -> float:
        return idle.since + self._limits.drain_time

    def _expire(self, now: float) -> None:
        while self._idle:
            oldest = next(iter(self._idle))
            if now - oldest.since < self._limits.idle_expiry:
                return
            self._doom(oldest)

    def _doom(self, idle: Idle[C]) -> None:
        self._forget(idle)
        self.doomed.append(idle.connection)

    def _forget(self, idle: Idle[C]) -> None:
        del self._idle[idle]
        alike = self._alike(idle)
        of_origin = alike[idle.origin]
        del of_origin[idle]
        if not of_origin:
            del alike[idle.origin]

    def _alike(self, idle: Idle[C]) -> dict[str, OrderedDict[Idle[C], None]]:
        """Which does not change while the connection is here, since nothing is received on it."""
        return self._draining if idle.draining else self._settled

    def _opened(self, origin: str) -> int:
        """How many connections to an origin there may be, each place counted as one."""
        idle = len(self._settled.get(origin, ())) + len(self._draining.get(origin, ()))
        return self._used[origin] + idle


def is_over(number: int, limit: int | None) -> bool:
    return limit is not None and number > limit

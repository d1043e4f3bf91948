"""The pool's bookkeeping, against a model that is slow and obvious."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sse_core import Exchange, IdleConnection, Pool, PoolLimits, Waiter
from support.core import answer, unhurried

A, B, C = ORIGINS = ("http://a.test", "http://b.test", "http://c.test")
HALF = answer(b"half", length=8)


def exchange(*pieces: bytes) -> Exchange:
    begun = Exchange("GET", "/", [("Host", "a.test")])
    for piece in pieces:
        begun.receive(piece)
    return begun


def idle(connection: int, origin: str = A, since: float = 0.0) -> IdleConnection[int]:
    return IdleConnection(connection, origin, exchange(answer(b"")), since)


def half_idle(connection: int, origin: str = A, since: float = 0.0) -> IdleConnection[int]:
    """With as much of the response still to come as has come."""
    return IdleConnection(connection, origin, exchange(HALF), since)


def taken(pool: Pool[int], origin: str = A, now: float = 0.0) -> int | None:
    found = pool.take(origin, now)
    return None if found is None else found.connection


def claimed(pool: Pool[int], origin: str) -> Waiter:
    waiter = Waiter(origin)
    pool.claim(waiter)
    return waiter


# Places.


def test_without_limits_there_is_always_a_place() -> None:
    pool: Pool[int] = Pool()
    waiters = [claimed(pool, A) for _ in range(1000)]
    assert all(waiter.granted for waiter in waiters)
    pool.give_back(waiters[0])
    assert pool.to_wake == []


def test_what_is_put_back_is_as_old_as_it_was() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=3))
    for number in range(3):
        pool.keep(idle(number, since=number))
    newest, middle = pool.take(A, 3.0), pool.take(A, 3.0)
    assert newest is not None and middle is not None
    pool.keep(newest)
    pool.keep(middle)
    claimed(pool, A)
    pool.make_room(A)
    assert pool.to_close == [1]


def test_more_than_are_allowed_are_closed_when_they_are_back() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=2))
    for number in range(4):
        pool.keep(idle(number))
    claimed(pool, A)
    pool.make_room(A)
    assert pool.to_close == [0, 1, 2]


def test_who_waits_gets_the_place_of_who_leaves() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=1))
    user = claimed(pool, A)
    first, second = claimed(pool, B), claimed(pool, A)
    assert not first.granted and not second.granted
    pool.give_back(user)
    assert pool.to_wake == [first] and first.granted and not second.granted
    pool.give_back(first)
    assert pool.to_wake == [first, second]


def test_who_comes_first_is_first_wherever_it_goes() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=1))
    last = claimed(pool, C)
    waiters = [claimed(pool, origin) for origin in (A, B, A, B, A)]
    for waiter in waiters:
        pool.give_back(last)
        last = waiter
    assert pool.to_wake == waiters


def test_who_waits_for_a_crowded_origin_lets_others_pass() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=2, max_connections_per_origin=1))
    one, another = claimed(pool, A), claimed(pool, B)
    again, other = claimed(pool, A), claimed(pool, C)
    pool.give_back(another)
    assert pool.to_wake == [other]
    pool.give_back(one)
    assert pool.to_wake == [other, again]


def test_who_wants_no_place_any_more_is_passed_over_or_leaves_it_to_the_next() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=1))
    user = claimed(pool, A)
    first, second, third = claimed(pool, A), claimed(pool, B), claimed(pool, B)
    pool.give_back(first)
    pool.give_back(second)
    pool.give_back(user)
    assert pool.to_wake == [third]
    fourth = claimed(pool, A)
    pool.give_back(third)
    assert pool.to_wake == [third, fourth]


def test_a_slot_that_is_given_back_twice_is_free_once() -> None:
    """B2."""
    pool: Pool[int] = Pool(PoolLimits(max_connections=1))
    user = claimed(pool, A)
    waiters = [claimed(pool, A) for _ in range(2)]
    pool.give_back(user)
    pool.give_back(user)
    assert [waiter.granted for waiter in waiters] == [True, False]


# Connections.


def test_the_connection_that_was_used_last_is_taken_first() -> None:
    pool: Pool[int] = Pool()
    pool.keep(idle(1))
    pool.keep(idle(2))
    pool.keep(idle(3, B))
    assert [taken(pool), taken(pool), taken(pool), taken(pool, B)] == [2, 1, None, 3]


def test_connections_expire_when_the_pool_is_used() -> None:
    pool: Pool[int] = Pool(PoolLimits(idle_expiry=10))
    pool.keep(idle(1, A, since=0))
    pool.keep(idle(2, B, since=1))
    pool.keep(idle(3, A, since=5))
    assert taken(pool, C, now=11) is None
    assert pool.to_close == [1, 2]
    assert taken(pool, A, now=14) == 3
    assert taken(pool, A, now=100) is None


def test_there_are_not_too_many_idle_ones() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_idle=2))
    for number in range(4):
        pool.keep(idle(number))
    assert pool.to_close == [0, 1]
    pool = Pool(PoolLimits(max_idle=0))
    pool.keep(idle(7))
    assert (pool.to_close, taken(pool)) == ([7], None)


def test_what_is_idle_makes_room() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=2))
    pool.keep(idle(1, A))
    pool.keep(idle(2, B))
    claimed(pool, C)
    pool.make_room(C)
    assert pool.to_close == [1]
    pool.make_room(C)
    assert pool.to_close == [1]


def test_of_a_crowded_origin_its_own_make_room() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections_per_origin=1))
    pool.keep(idle(1, B))
    pool.keep(idle(2, A))
    claimed(pool, A)
    pool.make_room(A)
    assert pool.to_close == [2]
    claimed(pool, B)
    assert taken(pool, B) == 1
    pool.make_room(B)
    assert pool.to_close == [2]


def test_clearing_dooms_what_is_idle() -> None:
    pool: Pool[int] = Pool()
    pool.keep(idle(1))
    pool.keep(idle(2))
    pool.clear()
    assert (pool.to_close, taken(pool)) == ([1, 2], None)


# What is left of a response.


@pytest.mark.parametrize(
    ("pieces", "ready", "draining"),
    [
        ([], True, False),
        ([b"rest"], False, False),  # nothing was to come
        ([b""], False, False),
    ],
)
def test_a_connection_is_ready_while_nothing_comes(pieces: list[bytes], ready: bool, draining: bool) -> None:
    connection: IdleConnection[int] = IdleConnection(1, A, exchange(answer(b"whole")), 0.0)
    for piece in pieces:
        connection.receive(piece)
    assert (connection.ready, connection.draining) == (ready, draining)


@pytest.mark.parametrize(
    ("pieces", "ready", "draining"),
    [
        ([], False, True),
        ([b"re"], False, True),
        ([b"rest"], True, False),
        ([b"re", b"st"], True, False),
        ([b"rest and more"], False, False),
        ([b""], False, False),
        ([b"rest", b""], False, False),
    ],
)
def test_the_rest_of_a_response_may_still_come(pieces: list[bytes], ready: bool, draining: bool) -> None:
    connection: IdleConnection[int] = IdleConnection(1, A, exchange(HALF), 0.0)
    for piece in pieces:
        connection.receive(piece)
    assert (connection.ready, connection.draining) == (ready, draining)
    assert connection.drained == sum(map(len, pieces))


def test_the_rest_of_a_response_has_a_bound_in_bytes_and_one_in_time() -> None:
    pool: Pool[int] = Pool(PoolLimits(drain_time=5, max_drain=100))
    connection: IdleConnection[int] = IdleConnection(1, A, exchange(answer(b"", length=1000)), 10.0)
    connection.receive(b"x" * 100)
    assert pool.is_worth_keeping(connection, 14.9)
    assert not pool.is_worth_keeping(connection, 15.0)
    connection.receive(b"x")
    assert not pool.is_worth_keeping(connection, 11.0)


def test_what_has_come_to_its_end_without_being_ready_is_not_worth_keeping() -> None:
    connection: IdleConnection[int] = IdleConnection(1, A, exchange(answer(b"whole")), 0.0)
    connection.receive(b"more")
    assert not Pool[int]().is_worth_keeping(connection, 0.0)


def test_what_is_draining_is_not_among_what_may_be_ready() -> None:
    pool: Pool[int] = Pool()
    pool.keep(idle(1))
    for number in (2, 3):
        pool.keep(half_idle(number))
    assert [taken(pool), taken(pool)] == [1, None]
    two, three = pool.draining(A)
    assert (two.connection, three.connection, pool.draining(B)) == (2, 3, [])
    assert pool.take_draining(two, 0.0)
    assert not pool.take_draining(two, 0.0)
    two.receive(b"rest")
    pool.keep(two)
    assert (pool.draining(A), taken(pool)) == ([three], 2)


def test_what_is_taken_while_it_drains_is_on_the_clock_of_whoever_takes_it() -> None:
    """Event loops have clocks of their own."""
    pool: Pool[int] = Pool(PoolLimits(drain_wait=1))
    for since in (100.0, 3.0):
        connection = half_idle(1, since=since)
        pool.keep(connection)
        assert pool.take_draining(connection, 5.0)
        assert connection.since == min(since, 5.0)


def test_what_is_draining_makes_room_first() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections_per_origin=2))
    pool.keep(idle(1))
    pool.keep(half_idle(2))
    claimed(pool, A)
    pool.make_room(A)
    assert pool.to_close == [2]


def test_what_is_overdue_takes_a_place_or_is_closed() -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=2, drain_time=5))
    for number in range(4):
        pool.keep(half_idle(number, since=number))
    assert pool.next_overdue(3.0) == 5.0
    overdue = pool.overdue(7.0)
    assert [each.connection for each in overdue] == [0, 1]
    assert pool.to_close == [2]
    assert not claimed(pool, B).granted
    assert overdue[0].slot is not None
    pool.give_back(overdue[0].slot)
    assert [waiter.pool_key for waiter in pool.to_wake] == [B]
    assert pool.next_overdue(7.0) == 8.0


# Everything at once.


class PoolMachine(RuleBasedStateMachine):
    """Callers as the adapters are: they claim, take or open, give back or keep, or withdraw.

    They may look at a draining connection first, and meanwhile a sweep takes out what is overdue.
    """

    def __init__(self) -> None:
        super().__init__()
        self.limits = PoolLimits()
        self.pool: Pool[int] = Pool()
        self.now = 0.0
        self.waiting: list[Waiter] = []
        self.placed: list[Waiter] = []  # have a place, and no connection yet
        self.used: list[tuple[Waiter, int]] = []
        self.seen: list[
            tuple[Waiter, IdleConnection[int]]
        ] = []  # have a place, and look at a draining connection
        self.swept: list[IdleConnection[int]] = []  # are looked at by the sweep
        self.idle: dict[int, str] = {}
        self.since: dict[int, float] = {}  # when each was used last
        self.draining: set[int] = set()  # of the idle ones
        self.closed: set[int] = set()
        self.opened = 0

    @initialize(
        in_all=st.none() | st.integers(1, 4),
        of_origin=st.none() | st.integers(1, 2),
        idle=st.integers(0, 3),
    )
    def begin(self, in_all: int | None, of_origin: int | None, idle: int) -> None:
        self.limits = PoolLimits(
            max_connections=in_all, max_connections_per_origin=of_origin, max_idle=idle, idle_expiry=10
        )  # and drain_time=5
        self.pool = Pool(self.limits)

    @rule(origin=st.sampled_from(ORIGINS))
    def claim(self, origin: str) -> None:
        waiter = claimed(self.pool, origin)
        (self.placed if waiter.granted else self.waiting).append(waiter)

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def connect(self, data: Any) -> None:
        waiter = self.placed.pop(data.draw(st.integers(0, len(self.placed) - 1)))
        found = self.pool.take(waiter.pool_key, self.now)
        mine = [
            number
            for number, origin in self.idle.items()
            if origin == waiter.pool_key and number not in self.draining
        ]
        self.close()
        if found is None:
            assert set(mine) <= self.closed
            self.pool.make_room(waiter.pool_key)
            self.close()
            self.opened += 1
            self.used.append((waiter, self.opened))
        else:
            assert found.connection in mine
            assert found.since == max(self.since[number] for number in mine)
            del self.idle[found.connection]
            self.used.append((waiter, found.connection))

    @precondition(lambda self: self.placed)
    @rule(data=st.data())
    def look_at_what_is_draining(self, data: Any) -> None:
        waiter = data.draw(st.sampled_from(self.placed))
        found = self.pool.draining(waiter.pool_key)
        assert {idle.connection for idle in found} == {
            number for number in self.draining if self.idle[number] == waiter.pool_key
        }
        if found:
            draining = data.draw(st.sampled_from(found))
            assert self.pool.take_draining(draining, self.now)
            self.take_out(draining)
            self.placed.remove(waiter)
            self.seen.append((waiter, draining))

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), ready=st.booleans())
    def have_looked(self, data: Any, ready: bool) -> None:
        waiter, draining = self.seen.pop(data.draw(st.integers(0, len(self.seen) - 1)))
        if ready:
            self.used.append((waiter, draining.connection))
        else:
            self.placed.append(waiter)
            self.put_in(draining)

    @rule()
    def begin_to_sweep(self) -> None:
        for overdue in self.pool.overdue(self.now):
            assert overdue.since + self.limits.drain_time <= self.now
            self.take_out(overdue)
            self.swept.append(overdue)
        self.close()
        when = self.pool.next_overdue(self.now)
        assert (when is None) == (not self.draining)
        assert when is None or when > self.now

    @precondition(lambda self: self.swept)
    @rule(ready=st.booleans())
    def have_swept(self, ready: bool) -> None:
        overdue = self.swept.pop()
        if ready:
            overdue.receive(b"rest")
            self.put_in(overdue)
        assert overdue.slot is not None
        self.pool.give_back(overdue.slot)
        self.close()

    @precondition(lambda self: self.used)
    @rule(data=st.data(), kind=st.sampled_from([idle, half_idle, None]))
    def disconnect(self, data: Any, kind: Any) -> None:
        waiter, number = self.used.pop(data.draw(st.integers(0, len(self.used) - 1)))
        if kind:
            self.put_in(kind(number, waiter.pool_key, self.now))
        self.pool.give_back(waiter)
        self.close()

    def take_out(self, draining: IdleConnection[int]) -> None:
        del self.idle[draining.connection]
        self.draining.remove(draining.connection)

    def put_in(self, idle: IdleConnection[int]) -> None:
        self.idle[idle.connection] = idle.pool_key
        self.since[idle.connection] = idle.since
        if idle.draining:
            self.draining.add(idle.connection)
        self.pool.keep(idle)
        self.close()

    @precondition(lambda self: self.placed or self.waiting)
    @rule(data=st.data())
    def withdraw(self, data: Any) -> None:
        waiter = data.draw(st.sampled_from([*self.placed, *self.waiting]))
        (self.placed if waiter.granted else self.waiting).remove(waiter)
        self.pool.give_back(waiter)

    @rule(seconds=st.sampled_from([1, 4, 20]))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def clear(self) -> None:
        self.pool.clear()
        self.close()
        assert self.idle == {}

    def close(self) -> None:
        """Close what is doomed: each once, and only what was idle."""
        for number in self.pool.to_close:
            del self.idle[number]
            self.draining.discard(number)
            assert number not in self.closed
            self.closed.add(number)
        self.pool.to_close = []

    @invariant()
    def places_are_given_in_turn_and_none_is_kept_from_anyone(self) -> None:
        self.close()
        for waiter in self.pool.to_wake:
            before = self.waiting[: self.waiting.index(waiter)]
            assert not any(self.has_place(other.pool_key, without=waiter) for other in before)
            self.waiting.remove(waiter)
            self.placed.append(waiter)
        self.pool.to_wake = []
        assert all(waiter.granted for waiter in self.placed)
        assert not any(waiter.granted or self.has_place(waiter.pool_key) for waiter in self.waiting)

    @invariant()
    def no_limit_is_exceeded(self) -> None:
        limits = self.limits
        places = Counter(self.places())
        looked_at = [*(idle for _, idle in self.seen), *self.swept]
        opened = Counter(waiter.pool_key for waiter, _ in self.used)
        opened.update(idle.pool_key for idle in looked_at)
        opened.update(self.idle.values())
        for count in (places, opened):
            assert limits.max_connections is None or count.total() <= limits.max_connections
            most = limits.max_connections_per_origin
            assert most is None or max(count.values(), default=0) <= most
        assert len(self.idle) <= limits.max_idle
        assert len(self.used) + len(looked_at) + len(self.idle) + len(self.closed) <= self.opened

    def places(self) -> list[str]:
        waiters = [*self.placed, *(waiter for waiter, _ in self.seen)]
        return [
            *(waiter.pool_key for waiter in waiters),
            *(waiter.pool_key for waiter, _ in self.used),
            *(idle.pool_key for idle in self.swept),
        ]

    def has_place(self, origin: str, without: Waiter | None = None) -> bool:
        """Whether there is room for one more, or would have been if it had not gone to another."""
        taken = self.places()
        if without is not None and without in self.placed:
            taken.remove(without.pool_key)
        in_all, of_origin = self.limits.max_connections, self.limits.max_connections_per_origin
        return (in_all is None or len(taken) < in_all) and (
            of_origin is None or taken.count(origin) < of_origin
        )


PoolMachine.TestCase.settings = unhurried
TestPool = PoolMachine.TestCase


# What it costs.


class CountingDict(dict[Any, Any]):
    """Counts what is looked at in it."""

    looks = 0

    def __contains__(self, key: object) -> bool:
        CountingDict.looks += 1
        return super().__contains__(key)

    def __getitem__(self, key: object) -> Any:
        CountingDict.looks += 1
        return super().__getitem__(key)

    def get(self, key: object, default: Any = None) -> Any:
        CountingDict.looks += 1
        return super().get(key, default)

    def pop(self, key: object, *default: Any) -> Any:
        CountingDict.looks += 1
        return super().pop(key, *default)

    def __iter__(self) -> Any:
        for each in super().__iter__():
            CountingDict.looks += 1
            yield each


@pytest.mark.parametrize("waiters", [10, 1000])
def test_a_place_that_changes_hands_costs_the_same_however_many_wait(
    waiters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Pool[int] = Pool(PoolLimits(max_connections=1, max_connections_per_origin=1))
    monkeypatch.setattr(pool, "_waiting", CountingDict())
    user = claimed(pool, "0")
    for number in range(waiters):
        claimed(pool, str(number % 10))
    CountingDict.looks = 0
    pool.give_back(user)
    assert len(pool.to_wake) == 1
    assert CountingDict.looks <= 8

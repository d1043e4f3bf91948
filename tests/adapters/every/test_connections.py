"""A client's connections, where threads, finalisers and failures meet."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable
from itertools import islice
from queue import SimpleQueue
from threading import Event, Thread, current_thread, main_thread
from typing import Any, cast
from weakref import ref

import pytest

from sse_adapters import async_loop, sync_loop
from sse_adapters.connections import ConnectionPool, Slot
from sse_core import Exchange, IdleConnection, PoolLimits, StreamClosed, Waiter
from sse_core.dialects import groq
from support.runners import EVENTS, AsyncMemory, SyncMemory, run_without_loop
from support.servers import CHUNKED, GENEROUS, LAST_CHUNK, End, chunked, event, head, says

WHOLE = says(head("200 OK", CHUNKED), *chunked(event("one")), LAST_CHUNK)


def connections(**limits: Any) -> Any:
    return ConnectionPool(lambda: SyncMemory(WHOLE), PoolLimits(**limits), sync_loop.schedule_sweep)


def claimed(pool: Any, wake: Callable[[], object] = lambda: None) -> Slot:
    slot = Slot(pool, "http://a")
    pool.claim(slot, wake)
    return slot


def test_a_closed_client_has_no_place_for_anyone() -> None:
    closed = connections()
    closed.close()
    with pytest.raises(ConnectionAbortedError, match="the client is closed"):
        claimed(closed)


def test_whoever_waits_is_woken_when_the_client_is_closed_and_once_only() -> None:
    one = connections(max_connections=1)
    first = claimed(one)
    woken: list[str] = []
    second = claimed(one, lambda: woken.append("second"))
    assert first.granted and not second.granted
    one.close()
    one.give_back(first)
    assert woken == ["second"]


def test_a_place_given_back_while_somebody_is_at_the_pool_is_not_lost() -> None:
    """As by a finaliser, which may run in the midst of anything."""
    one = connections(max_connections=1)
    first = claimed(one)
    woken: list[str] = []

    def wake() -> None:
        woken.append("woken")
        one.give_back(second)

    second = claimed(one, wake)
    with one._lock:
        one.give_back(first)
        assert woken == []
    third = claimed(one, lambda: woken.append("third"))
    assert woken[0] == "woken" and third.granted


def test_a_place_given_back_too_late_for_whoever_is_at_the_pool_is_taken_in_the_next_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = connections(max_connections=1)
    slot = claimed(one)
    assert slot.granted
    late = iter([True])

    def clear() -> None:
        if next(late, False):
            one.give_back(slot)

    monkeypatch.setattr(one.books, "clear", clear)
    one.close()
    next_one = Waiter("http://a")
    one.books.claim(next_one)
    assert next_one.granted


@pytest.mark.parametrize(("name", "kept"), [("take", 0), ("draining", 0), ("take_draining", 1)])
def test_a_place_given_back_while_another_looks_for_a_connection_is_not_lost(
    name: str, kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = connections(max_connections=1)
    for _ in range(kept):
        one.put_back(IdleConnection(SyncMemory(WHOLE), "http://a", draining(), one.now()))
    slot = claimed(one)
    woken: list[str] = []
    waiting = claimed(one, lambda: woken.append("woken"))
    look: Callable[..., Any] = getattr(one.books, name)

    def look_meanwhile(*arguments: Any) -> Any:
        if not woken:
            one.give_back(slot)  # as from another thread
        return look(*arguments)

    monkeypatch.setattr(one.books, name, look_meanwhile)
    assert sum(1 for _ in islice(one.idle_candidates("http://a", None), 1)) == kept
    assert woken == ["woken"] and waiting.granted


def test_what_makes_room_is_closed_before_there_is_room() -> None:
    class Contested:
        """A lock that another thread has as soon as we let go of it."""

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

        def locked(self) -> bool:
            return True

    one = connections(max_connections=1)
    idle = SyncMemory(WHOLE)
    one.give_back(claimed(one), idle, draining())
    another = Slot(one, "http://b")
    one.claim(another, lambda: None)
    one._lock = Contested()
    one.make_room("http://b")
    assert idle.log == ["close"]


def test_what_was_put_back_is_for_others_even_if_it_is_ready_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    put_back = ConnectionPool[Any].put_back
    made: list[SyncMemory] = []

    def put_back_and_lose(self: Any, idle: IdleConnection[Any]) -> None:
        put_back(self, idle)
        assert self._take_draining(idle)  # as another thread does, which has it from here on
        idle.receive(b"0\r\n\r\n")
        assert idle.ready

    def make() -> SyncMemory:
        made.append(SyncMemory(held))
        return made[-1]

    monkeypatch.setattr(ConnectionPool, "put_back", put_back_and_lose)
    held = says(head("200 OK", CHUNKED), *chunked(event("[DONE]")), end=End.SILENCE)
    request = groq.chat(model="m", messages=[])
    with sync_loop.Client("http://memory", make) as client:
        for opened in (1, 2):
            assert list(client.stream(request)) == []
            assert sum("open memory 80" in transport.log for transport in made) == opened


def test_what_is_draining_is_swept_when_its_time_is_over_and_not_before() -> None:
    now = 0.0
    sweeps: list[float] = []
    called_off: list[float] = []

    class Timed(SyncMemory):
        def now(self) -> float:
            return now

    def schedule_sweep(connections: ConnectionPool[Any], when: float) -> Callable[[], None]:
        sweeps.append(when)
        return lambda: called_off.append(when)

    one: Any = ConnectionPool(lambda: Timed(WHOLE), PoolLimits(drain_time=5), schedule_sweep)
    one.use_current_clock()
    while now < 2:
        now += 1
        one.give_back(claimed(one), Timed(says(LAST_CHUNK, end=End.SILENCE)), draining())
    assert sweeps == [6.0]
    now = 5.9
    assert one.overdue() == []
    one.schedule_next_sweep()
    assert sweeps == [6.0, 6.0]
    now = 6.0
    sync_loop.sweep(ref(one))
    assert sweeps == [6.0, 6.0, 7.0]
    assert [idle.ready for idle in one.books._idle] == [True, False]
    now = 7.0
    sync_loop.sweep(ref(one))
    assert [idle.ready for idle in one.books._idle] == [True, True]
    assert sweeps == [6.0, 6.0, 7.0]
    one.close()
    one.schedule_next_sweep()
    assert (sweeps, called_off) == ([6.0, 6.0, 7.0], [7.0])


def test_a_place_given_back_while_a_sweep_is_arranged_is_not_lost() -> None:
    def schedule_sweep(connections: ConnectionPool[Any], when: float) -> Callable[[], None]:
        connections.give_back(waiters[1])  # as from another thread
        return lambda: None

    one: Any = ConnectionPool(lambda: SyncMemory(WHOLE), PoolLimits(max_connections=2), schedule_sweep)
    waiters = [claimed(one) for _ in range(4)]
    one.give_back(waiters[0], SyncMemory(WHOLE), draining())
    assert [waiter.granted for waiter in waiters] == [True] * 4


def test_what_is_put_back_undrained_is_swept_too() -> None:
    sweeps: list[float] = []

    def schedule_sweep(connections: ConnectionPool[Any], when: float) -> Callable[[], None]:
        sweeps.append(when)
        return lambda: None

    one: Any = ConnectionPool(lambda: SyncMemory(WHOLE), PoolLimits(drain_time=5), schedule_sweep)
    one.use_current_clock()
    one.give_back(claimed(one), SyncMemory(says()), draining())
    patiences: list[float] = []
    for idle, patience in one.idle_candidates("http://a", None):
        assert one.overdue() == []  # for it is taken
        one.put_back(idle)
        patiences.append(patience)
    assert patiences == [-math.inf, 0.01]
    assert sweeps == [5.0] * 3


def test_the_clock_of_another_event_loop_is_not_waited_for() -> None:
    now = 1000.0
    sweeps: list[float] = []

    class Timed(SyncMemory):
        def now(self) -> float:
            return now

    def schedule_sweep(connections: ConnectionPool[Any], when: float) -> Callable[[], None]:
        sweeps.append(when)
        return lambda: None

    one: Any = ConnectionPool(lambda: Timed(WHOLE), PoolLimits(drain_time=5), schedule_sweep)
    one.use_current_clock()
    for _ in range(2):
        one.give_back(claimed(one), Timed(WHOLE), draining())
        now = 1.0
    assert sweeps == [1005.0, 6.0]
    patiences: list[float] = []
    for idle, patience in one.idle_candidates("http://a", None):
        one.put_back(idle)
        patiences.append(patience)
    assert patiences[2:] == [1.01, 1.01]


def test_a_connection_whose_receiving_was_broken_into_is_lost() -> None:
    class Interrupted(SyncMemory):
        def receive(self, deadline: float | None) -> bytes:
            raise KeyboardInterrupt

    class AsyncInterrupted(AsyncMemory):
        async def receive(self, deadline: float | None) -> bytes:
            raise KeyboardInterrupt

    one = connections()
    idle = [
        IdleConnection(kind(WHOLE), "http://a", draining(), 0.0) for kind in (Interrupted, AsyncInterrupted)
    ]
    with pytest.raises(KeyboardInterrupt):
        sync_loop.drain(cast(Any, idle[0]), one, 0.0)
    with pytest.raises(KeyboardInterrupt):
        run_without_loop(async_loop.drain(cast(Any, idle[1]), one, 0.0))
    assert [each.lost for each in idle] == [True, True]


def test_a_client_may_be_closed_by_what_runs_in_the_background() -> None:
    closed = Event()

    class Closing(SyncMemory):
        def receive(self, deadline: float | None) -> bytes:
            if current_thread() is not main_thread():
                client.close()
                closed.set()
            return super().receive(deadline)

        def now(self) -> float:
            return time.monotonic()

    held = says(head("200 OK", CHUNKED), *chunked(event("[DONE]")))
    pool = PoolLimits(drain_time=0.01)
    with sync_loop.Client("http://memory", lambda: Closing(held), pool=pool) as client:
        assert list(client.stream(groq.chat(model="m", messages=[]))) == []
        assert closed.wait(GENEROUS)


def draining() -> Exchange:
    """An exchange whose response has not come to its end."""
    exchange = Exchange("GET", "/", [("Host", "a")])
    exchange.receive(head("200 OK", CHUNKED))
    return exchange


def test_whoever_waits_for_a_body_to_end_keeps_one_connection_at_most_from_the_others() -> None:
    """Or there would soon be more than are allowed."""
    goes_on = Event()
    news: SimpleQueue[str] = SimpleQueue()
    opened: set[object] = set()

    class Held(SyncMemory):
        def open(self, host: str, port: int, deadline: float | None) -> None:
            opened.add(self)
            assert len(opened) <= 2
            news.put("opens")

        def close(self) -> None:
            opened.discard(self)

        def receive(self, deadline: float | None) -> bytes:
            for piece in self._pieces:
                return piece
            if deadline != -math.inf:
                news.put("waits")
                assert goes_on.wait(GENEROUS)
            raise TimeoutError("timed out")

    held = says(head("200 OK", CHUNKED), *chunked(event("[DONE]")))
    request = groq.chat(model="m", messages=[])
    with sync_loop.Client(
        "http://memory", lambda: Held(held), pool=PoolLimits(max_connections=2, drain_wait=60)
    ) as client:
        with client.stream(request) as first, client.stream(request) as second:
            assert [*first, *second] == []
        asking = [Thread(target=lambda: list(client.stream(request))) for _ in range(2)]
        for thread in asking:
            thread.start()
        assert [news.get(timeout=GENEROUS) for _ in range(4)] == ["opens", "opens", "waits", "waits"]
        goes_on.set()
        for thread in asking:
            thread.join()
        assert len(opened) == 2


def test_a_client_that_was_dropped_is_not_swept() -> None:
    dropped = ref(connections())
    gc.collect()
    assert dropped() is None
    sync_loop.sweep(dropped)
    run_without_loop(async_loop.sweep(cast(Any, dropped)))


def test_where_there_can_be_no_thread_nothing_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", start)
    held = says(head("200 OK", CHUNKED), *chunked(event("[DONE]")), end=End.SILENCE)
    request = groq.chat(model="m", messages=[])
    with sync_loop.Client("http://memory", lambda: SyncMemory(held)) as client:
        for _ in range(2):
            assert list(client.stream(request)) == []


def test_a_kept_connection_that_fails_is_replaced() -> None:
    made: list[SyncMemory] = []

    class Failing(SyncMemory):
        def receive(self, deadline: float | None) -> bytes:
            if self.log[-1] == "kept":
                raise ConnectionResetError("reset by peer")
            return super().receive(deadline)

    def make() -> SyncMemory:
        made.append(Failing(WHOLE))
        return made[-1]

    with sync_loop.Client("http://memory", make) as client:
        assert len(list(client.stream(EVENTS))) == 1
        for transport in made:
            transport.log.append("kept")
        assert len(list(client.stream(EVENTS))) == 1
    assert sum("open memory 80" in transport.log for transport in made) == 2


def test_what_is_asked_of_a_stream_without_a_connection_is_aborted() -> None:
    stream: Any = sync_loop.Client("http://memory", lambda: SyncMemory(WHOLE)).stream(EVENTS)
    with pytest.raises(ConnectionAbortedError, match="not connected"):
        stream._require_transport()


def test_who_reads_a_stream_that_is_being_closed_is_told_so() -> None:
    class Slow(SyncMemory):
        """Takes so long to close that the reader comes in between."""

        def close(self) -> None:
            with pytest.raises(StreamClosed):
                next(stream)
            super().close()

    with sync_loop.Client("http://memory", lambda: Slow(WHOLE)) as client, client.stream(EVENTS) as stream:
        assert next(stream).data == "one"
        stream.close()


def test_a_stream_closed_while_its_reader_has_no_connection_yet() -> None:
    stream: Any = sync_loop.Client("http://memory", lambda: SyncMemory(WHOLE)).stream(EVENTS)
    with stream._stepping:  # as its reader has
        stream.close()
    stream.close()  # as the reader does, at its end
    assert stream.verdict is not None

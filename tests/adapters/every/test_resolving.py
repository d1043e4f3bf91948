"""Names are looked up in threads that are left to themselves when nobody waits any more."""

from __future__ import annotations

import socket
import threading
import time
from threading import Event
from typing import Any

import pytest

import sse_adapters.threads
from sse_adapters.resolving import LookUp, Resolver
from sse_adapters.sockets import Address
from sse_core import DeadlineExceeded, Deadlines, StreamClosed
from support.names import Names
from support.runners import NetworkRunner, on_every_network
from support.servers import GENEROUS, eventually


@pytest.fixture
def slow_names(names: Names) -> Any:
    names.answer.clear()
    yield names
    names.answer.set()
    eventually(lambda: not any(thread.name == "sse look-up" for thread in threading.enumerate()))


@on_every_network
def test_a_look_up_that_takes_long_ends_with_the_deadline(network: NetworkRunner, slow_names: Names) -> None:
    """A6."""
    started = time.monotonic()
    result = network.read_url("http://somewhere.test", deadlines=Deadlines(connect=0.1))
    assert time.monotonic() - started < GENEROUS / 2
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == "connect"


@on_every_network
def test_closing_a_stream_ends_its_look_up(network: NetworkRunner, slow_names: Names) -> None:
    """A6."""
    stream = network.stream("http://somewhere.test")
    entering = stream.start_entering()
    assert slow_names.asked.wait(GENEROUS)
    stream.close()
    with pytest.raises(StreamClosed):
        entering.result(GENEROUS)


def address(host: str) -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, 80))


def test_after_abort_no_name_is_looked_up(names: Names) -> None:
    transport = sse_adapters.threads.Transport()
    transport.abort()
    with pytest.raises(ConnectionAbortedError):
        transport.open("somewhere.test", 80, None)
    assert not names.asked.is_set()


@pytest.fixture
def look_ups(monkeypatch: pytest.MonkeyPatch) -> dict[str, Event]:
    """Each look-up lasts until the event of its host is set."""
    gates = {host: Event() for host in "abc"}

    def look_up(host: str, port: int) -> list[Any]:
        assert gates[host].wait(GENEROUS)
        return [address(host)]

    monkeypatch.setattr("sse_adapters.resolving.look_up", look_up)
    return gates


def test_no_more_look_ups_run_at_a_time_than_are_allowed(look_ups: dict[str, Event]) -> None:
    ended = {host: Event() for host in "abc"}
    started = {host: LookUp(host, 80, ended[host].set) for host in "abc"}
    resolver = Resolver(limit=2)
    before = threading.active_count()
    for look_up in started.values():
        resolver.start(look_up)
    assert threading.active_count() == before + 2
    look_ups["c"].set()
    assert not ended["c"].wait(0.05)
    look_ups["a"].set()
    for host in "ac":
        assert ended[host].wait(GENEROUS)
        assert started[host].result() == [address(host)]
    look_ups["b"].set()
    eventually(lambda: threading.active_count() == before)


def test_what_nobody_waits_for_any_more_is_not_looked_up(look_ups: dict[str, Event]) -> None:
    asked: list[str] = []
    resolver = Resolver(limit=1)
    first, second = LookUp("a", 80, lambda: asked.append("a")), LookUp("b", 80, lambda: asked.append("b"))
    before = threading.active_count()
    resolver.start(first)
    resolver.start(second)
    first.abandoned = second.abandoned = True
    look_ups["a"].set()
    eventually(lambda: threading.active_count() == before)  # the second's gate is still closed
    assert asked == []


def test_where_a_thread_cannot_start_the_next_look_up_may_have_one(
    look_ups: dict[str, Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    resolver = Resolver(limit=1)
    failed, ended = LookUp("a", 80, Event().set), Event()
    with monkeypatch.context() as context:
        context.setattr("sse_adapters.resolving.Thread", NoThread)
        with pytest.raises(OSError, match="can't start new thread"):
            resolver.start(failed)
    failed.abandoned = True
    look_ups["b"].set()
    resolver.start(LookUp("b", 80, ended.set))
    assert ended.wait(GENEROUS)


def test_a_name_is_looked_up_in_vain_where_its_event_loop_is_closed(
    network: NetworkRunner, names: Names
) -> None:
    """The thread of the look-up tells nobody, and complains to nobody."""
    names.answer.clear()
    stream = network.stream("http://somewhere.test")
    entering = stream.start_entering()
    assert names.asked.wait(GENEROUS)
    stream.close()
    with pytest.raises(StreamClosed):
        entering.result(GENEROUS)
    names.answer.set()

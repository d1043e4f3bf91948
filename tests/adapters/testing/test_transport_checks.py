"""That the checks for transports find what is wrong: each of these transports has one bug."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import pytest

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.threads
from sse_adapters.testing import (
    Check,
    TransportFailures,
    check_transport,
    checks,
    deadlines,
    leaving,
    peers,
    subject,
    traffic,
)
from sse_adapters.testing import transports as _checks
from support.tls import Authority


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (subject, deadlines, leaving, peers):
        monkeypatch.setattr(module, "PATIENCE", 0.5)
    monkeypatch.setattr(subject, "LATE", 0.1)


class Blocking(sse_adapters.threads.Transport):
    pass


class DropsTheRest(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        return super().receive(deadline)[:1]


class SendsOnce(Blocking):
    def send(self, data: bytes, deadline: float | None) -> int:
        super().send(data[:65536], deadline)
        return len(data)


class SaysTheEndOnce(Blocking):
    ended = False

    def receive(self, deadline: float | None) -> bytes:
        data = super().receive(deadline)
        if not data and self.ended:
            raise ValueError("read after the end")
        self.ended = not data
        return data


class TakesAResetForAnEnd(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        try:
            return super().receive(deadline)
        except ConnectionResetError:
            return b""


class GivesUpEarly(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        try:
            return super().receive(self.now())
        except TimeoutError:
            if deadline is None:
                return super().receive(None)
            raise


class NeverPolls(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        if deadline is not None and deadline <= self.now():
            raise TimeoutError("timed out")
        return super().receive(deadline)


class SleepsOn(Blocking):
    def sleep(self, deadline: float) -> None:
        super().sleep(max(deadline, self.now() + 0.01) + 1)


class IsNotWoken(Blocking):
    def abort(self) -> None:
        pass


class KeepsSockets(Blocking):
    kept: ClassVar[list[socket.socket | None]] = []

    def close(self) -> None:
        self.kept.append(self._socket)
        self._socket = None


class RaisesWhatItLikes(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        if self._socket is None:
            raise RuntimeError("not connected")
        return super().receive(deadline)


class TakesACutForAnEnd(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        try:
            return super().receive(deadline)
        except ssl.SSLError:  # SSLEOFError, but not on every version
            return b""


class AsksForNoName(Blocking):
    def start_tls(self, server_name: str, deadline: float | None) -> None:
        super().start_tls("localhost", deadline)


class Dawdles(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        try:
            return super().receive(deadline)
        except TimeoutError:
            time.sleep(0.15)
            raise


class OverSleeps(Blocking):
    def sleep(self, deadline: float) -> None:
        super().sleep(deadline + 0.15 if deadline > self.now() else deadline)


class WaitsToAbort(Blocking):
    def abort(self) -> None:
        time.sleep(0.15)
        super().abort()


class BeginsADeadlineAnewWithEachWrite(Blocking):
    def send(self, data: bytes, deadline: float | None) -> int:
        size = len(data)
        left = None if deadline is None else deadline - self.now()
        while data:
            sock = self._socket_until(None if left is None else self.now() + left)
            try:
                data = data[sock.send(data) :]
            except BlockingIOError:
                raise TimeoutError("timed out") from None
        return size


class CannotBeCalledOff(sse_adapters.anyio.Transport):
    def call_at(self, when: float, function: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        super().call_at(when, function)
        return lambda: None


class KeepsSocketsWhenCancelled(sse_adapters.anyio.Transport):
    kept: ClassVar[list[socket.socket]] = []

    async def open(self, host: str, port: int, deadline: float | None) -> None:
        sock = socket.create_connection((host, port))
        sock.setblocking(False)
        self.kept.append(sock)
        await anyio.lowlevel.checkpoint()
        self.kept.remove(sock)
        self._socket = sock


@pytest.fixture(autouse=True)
def close_what_was_kept() -> Any:
    yield
    for kept in (KeepsSockets.kept, KeepsSocketsWhenCancelled.kept):
        for sock in filter(None, kept):
            sock.close()
        kept.clear()


def the_check(name: str, make: Callable[..., Any], run: Any, authority: Authority) -> Check:
    tls = (authority.server_for("localhost"), lambda: make(authority.client))
    return next(check for check in checks(make, run=run, tls=tls) if str(check) == name)


@pytest.mark.parametrize(
    ("make", "run", "name", "why"),
    [
        (DropsTheRest, None, "what_is_sent_arrives", "timed out"),
        (SendsOnce, None, "much_is_sent_to_a_slow_reader", "timed out"),
        (SaysTheEndOnce, None, "the_end_is_no_bytes_again_and_again", "read after the end"),
        (TakesAResetForAnEnd, None, "a_reset_is_an_error", "did not raise OSError"),
        (GivesUpEarly, None, "receive_keeps_its_deadline", "before the deadline"),
        (NeverPolls, None, "when_the_deadline_has_passed_what_is_there_is_received", "never received"),
        (SleepsOn, None, "sleep_lasts_until_its_deadline", "after the deadline"),
        (Dawdles, None, "receive_keeps_its_deadline", "seconds too long, again and again"),
        (OverSleeps, None, "sleep_lasts_until_its_deadline", "seconds too long, again and again"),
        (WaitsToAbort, None, "abort_and_close_never_wait", "seconds too long, again and again"),
        (
            BeginsADeadlineAnewWithEachWrite,
            None,
            "a_trickle_does_not_stretch_the_deadline_of_a_send",
            "did not raise TimeoutError|after the deadline",  # the second where the reader is held up
        ),
        (IsNotWoken, None, "abort_wakes_receive", "does not wake it"),
        (IsNotWoken, None, "closing_a_stream_ends_its_reader", "the reader waits in vain"),
        (IsNotWoken, None, "abort_may_come_before_anything_else", "did not raise OSError"),
        (KeepsSockets, None, "a_peer_notices_that_the_transport_was_closed", "waits in vain"),
        (KeepsSockets, None, "nothing_is_left_behind", "open files"),
        (RaisesWhatItLikes, None, "without_a_connection_all_but_open_fails", "RuntimeError"),
        (TakesACutForAnEnd, None, "a_connection_that_is_cut_is_no_end_of_tls", "did not raise OSError"),
        (AsksForNoName, None, "a_certificate_of_another_name_is_an_error", "did not raise OSError"),
        (CannotBeCalledOff, anyio.run, "what_is_to_run_at_a_moment_runs_then", "ran what was called off and"),
        (
            KeepsSocketsWhenCancelled,
            anyio.run,
            "a_verb_that_is_cancelled_leaves_nothing_behind",
            "leaves 1 open files",
        ),
    ],
)
def test_a_bug_is_found(make: Any, run: Any, name: str, why: str, authority: Authority) -> None:
    if "open files" in why and not Path("/proc/self/fd").exists():
        pytest.skip("open files are not listed here")
    check = the_check(name, make, run, authority)
    with pytest.raises(Exception, match=why):
        check()


def test_all_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ("what_is_sent_arrives", "abort_may_come_before_anything_else", "sleep_lasts_until_its_deadline")
    found = [check for check in checks(IsNotWoken) if str(check) in chosen]
    monkeypatch.setattr("sse_adapters.testing.transports.CHECKS", [check.contract for check in found])
    with pytest.raises(TransportFailures, match="abort_may_come_before_anything_else: did not raise") as info:
        check_transport(IsNotWoken)
    assert list(info.value.failures) == ["abort_may_come_before_anything_else"]


def test_a_good_transport_passes(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    for name in ("CHECKS", "TLS_CHECKS"):
        monkeypatch.setattr(f"sse_adapters.testing.transports.{name}", getattr(_checks, name)[:2])
    context = authority.server_for("localhost")
    check_transport(Blocking, tls=(context, lambda: Blocking(authority.client)))


def test_what_runs_a_coroutine_will_do_on_asyncio() -> None:
    run: Any = asyncio.run
    checks(sse_adapters.asyncio.Transport, run=run)[0]()


def test_a_transport_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "PATIENCE", 0.05)

    class Hangs(sse_adapters.anyio.Transport):
        async def sleep(self, deadline: float) -> None:
            await anyio.sleep_forever()

    check = next(c for c in checks(Hangs, run=anyio.run) if str(c) == "sleep_lasts_until_its_deadline")
    with pytest.raises(AssertionError, match="hangs"):
        check()


def test_after_some_that_hang_no_more_checks_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "PATIENCE", 0.05)
    monkeypatch.setattr("sse_adapters.testing.transports.CHECKS", traffic.CHECKS[:9])

    class NeverConnects(sse_adapters.anyio.Transport):
        @property
        def now(self) -> Callable[[], float]:
            return time.monotonic

        async def open(self, host: str, port: int, deadline: float | None) -> None:
            await Parked()

    with pytest.raises(TransportFailures, match="nor any after it: too many hang") as info:
        check_transport(NeverConnects, loop=HandDriven())
    assert len(info.value.failures) == 3


class Parked:
    """Awaited, it gives control back to the loop."""

    def __await__(self) -> Generator[Parked]:
        while True:
            yield self


class HandDriven:
    """An event loop that takes each task a step further in turn, and forgets those that are cancelled."""

    def __init__(self) -> None:
        self.tasks: list[Coroutine[Any, Any, None]] = []
        self.cancelled: list[Coroutine[Any, Any, None]] = []

    def run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        first = main()
        self.tasks = [first]
        while first in self.tasks:
            for task in list(self.tasks):
                try:
                    task.send(None)
                except StopIteration:
                    self.tasks.remove(task)

    async def sleep(self, seconds: float) -> None:
        await Turn()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await Turn()

    def spawn(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        task = main()
        self.tasks.append(task)

        def cancel() -> None:
            self.tasks.remove(task)
            self.cancelled.append(task)

        return cancel


class Turn:
    """Awaited, it lets the others have their turn."""

    def __await__(self) -> Generator[Turn]:
        yield self


def test_what_the_system_does_not_have_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_ipv6(*args: Any, **options: Any) -> socket.socket:
        raise OSError("no IPv6")

    def never_full(reading: Any, writing: Any, failing: Any, timeout: float) -> Any:
        return [], writing, []

    def no_folder(path: str) -> bool:
        return False

    relevant = ("ipv6", "open_keeps", "wakes_open", "waited_for")
    found = [check for check in checks(Blocking) if any(word in str(check) for word in relevant)]
    nothing_left = [check for check in checks(Blocking) if str(check) == "nothing_is_left_behind"]
    with monkeypatch.context() as context:
        context.setattr(select, "select", never_full)
        for check in found[1:]:
            check()
    with monkeypatch.context() as context:
        context.setattr(socket, "create_server", no_ipv6)
        found[0]()
    with monkeypatch.context() as context:
        context.setattr(os.path, "isdir", no_folder)
        nothing_left[0]()

"""How long each verb may take."""

from __future__ import annotations

import threading
from functools import partial
from math import inf

from .peers import PATIENCE, never_accepting
from .subject import (
    SHORT,
    Subject,
    TransportCheck,
    at_once,
    in_time,
    raises_oserror,
    receive_exactly,
    times_out,
)


async def receive_keeps_its_deadline(subject: Subject) -> None:
    async with subject.connected() as (transport, _):

        async def receive_in_vain() -> float:
            with times_out(transport) as deadline:
                await transport.receive(deadline)
            return float(transport.now() - deadline)

        await at_once(receive_in_vain)


async def send_keeps_its_deadline(subject: Subject) -> None:
    async with subject.connected() as (transport, _):
        with times_out(transport) as deadline:
            await transport.send(bytes(2**25), deadline)


async def open_keeps_its_deadline(subject: Subject) -> None:
    transport = subject.transport()
    with never_accepting() as port:
        if port is not None:
            with times_out(transport) as deadline:
                await transport.open("127.0.0.1", port, deadline)
    transport.close()


async def a_trickle_does_not_stretch_the_deadline_of_a_send(subject: Subject) -> None:
    over = threading.Event()

    def read_very_slowly() -> None:
        while not over.wait(0.005):  # and yet so much that the sender hears of it again and again
            peer.receive(2**18)

    async with (
        subject.connected() as (transport, peer),
        subject.meanwhile(subject.in_thread, read_very_slowly),
    ):
        try:
            with times_out(transport) as deadline:
                await transport.send(bytes(2**25), deadline)
        finally:
            over.set()


async def sleep_lasts_until_its_deadline(subject: Subject) -> None:
    transport = subject.transport()
    for seconds in (-1.0, 0.0, SHORT):
        start = transport.now()
        assert await transport.sleep(start + seconds) is None
        in_time(transport, start + max(seconds, 0))

    async def oversleep() -> float:
        deadline = transport.now() + SHORT
        await transport.sleep(deadline)
        return float(transport.now() - deadline)

    await at_once(oversleep)
    transport.close()


async def what_is_to_run_at_a_moment_runs_then(subject: Subject) -> None:
    if subject.blocking:
        return  # a thread can wait for that
    transport = subject.transport()
    ran: list[str] = []

    async def run(what: str) -> None:
        ran.append(what)

    start = transport.now()
    transport.call_at(start, partial(run, "what was called off"))()
    transport.call_at(start + SHORT, partial(run, "what was not"))
    while "what was not" not in ran and transport.now() < start + PATIENCE:
        await subject.sleep(SHORT / 10)
    assert ran == ["what was not"], f"ran {' and '.join(ran) or 'nothing'}"
    in_time(transport, start + SHORT)
    transport.close()


async def a_timeout_loses_nothing(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        for piece in (b"one", b"two"):
            with times_out(transport) as deadline:
                await transport.receive(deadline)
            await subject.in_thread(peer.send, piece)
            assert await receive_exactly(transport, 3) == piece


async def a_far_deadline_is_a_deadline(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.in_thread(peer.send, b"data")
        for deadline in (transport.now() + 1e8, inf):
            await transport.send(b"data", deadline)
        assert await transport.receive(transport.now() + 1e8)
        await subject.in_thread(peer.send, b"data")
        assert await transport.receive(inf)


async def when_the_deadline_has_passed_nothing_is_waited_for(subject: Subject) -> None:
    transport = subject.transport()
    with never_accepting() as port:
        if port is not None:
            with raises_oserror(TimeoutError):
                await transport.open("127.0.0.1", port, -inf)
    transport.close()
    async with subject.connected() as (transport, peer):
        for deadline in (-inf, transport.now() - 1):
            with raises_oserror(TimeoutError):
                await transport.receive(deadline)
        await subject.in_thread(peer.send, b"now")
        assert await receive_exactly(transport, 3) == b"now"


async def when_the_deadline_has_passed_what_is_there_is_received(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.in_thread(peer.send, b"there")
        assert await subject.poll(transport) == b"there"
        peer.close()
        assert await subject.poll(transport) == b""


async def when_the_deadline_has_passed_what_fits_is_sent(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await transport.send(b"little", -inf)
        assert await subject.in_thread(peer.receive_exactly, 6) == b"little"
        with raises_oserror(TimeoutError):
            await transport.send(bytes(2**25), -inf)


CHECKS: list[TransportCheck] = [
    receive_keeps_its_deadline,
    send_keeps_its_deadline,
    open_keeps_its_deadline,
    a_trickle_does_not_stretch_the_deadline_of_a_send,
    sleep_lasts_until_its_deadline,
    what_is_to_run_at_a_moment_runs_then,
    a_timeout_loses_nothing,
    a_far_deadline_is_a_deadline,
    when_the_deadline_has_passed_nothing_is_waited_for,
    when_the_deadline_has_passed_what_is_there_is_received,
    when_the_deadline_has_passed_what_fits_is_sent,
]

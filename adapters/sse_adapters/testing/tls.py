"""TLS, and TLS inside TLS."""

from __future__ import annotations

import os
from functools import partial
from math import inf
from typing import Any

from .peers import Peer, SecurePeer
from .subject import (
    SHORT,
    Subject,
    TransportCheck,
    raises_oserror,
    receive_exactly,
    send_all,
    soon,
    times_out,
)


async def what_is_sent_over_tls_arrives(subject: Subject) -> None:
    async with subject.secured() as (transport, peer):
        await tell_each_other(subject, transport, peer)
        transport.close()
        assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"


async def tls_runs_inside_tls(subject: Subject) -> None:
    async with subject.secured(layers=2) as (transport, peer):
        await tell_each_other(subject, transport, peer)


async def an_answer_interrupts_a_send_over_tls(subject: Subject) -> None:
    data = os.urandom(2**20) * 32
    async with subject.secured() as (transport, peer):
        async with subject.meanwhile(subject.in_thread, peer.send_after, SHORT, b"early"):
            sent = await transport.send(data, soon(transport))
        assert sent < len(data), "sent everything, though the peer answered"
        assert await receive_exactly(transport, 5) == b"early"
        async with subject.meanwhile(subject.in_thread, peer.receive_exactly, len(data)) as reading:
            await send_all(transport, data[sent:])
        assert reading.result == data, "what arrived is not what was sent"


async def a_goodbye_is_the_end_of_tls(subject: Subject) -> None:
    async with subject.secured() as (transport, peer):
        await subject.in_thread(peer.send, b"last")
        await subject.in_thread(peer.say_goodbye)
        assert await receive_exactly(transport, 4) == b"last"
        assert await transport.receive(soon(transport)) == b""


async def a_connection_that_is_cut_is_no_end_of_tls(subject: Subject) -> None:
    async with subject.secured() as (transport, peer):
        await subject.in_thread(peer.send, b"last")
        peer.close()
        assert await receive_exactly(transport, 4) == b"last"
        with raises_oserror():
            await transport.receive(soon(transport))


async def a_certificate_of_another_name_is_an_error(subject: Subject) -> None:
    assert subject.context is not None
    async with subject.connected() as (transport, below):
        peer = SecurePeer(below, subject.context)
        async with subject.meanwhile(subject.in_thread, handshake_in_vain, peer):
            with raises_oserror():
                await transport.start_tls("elsewhere.invalid", soon(transport))
            with raises_oserror():
                await transport.send(b"in the clear?", soon(transport))


async def what_is_no_tls_is_an_error(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.in_thread(peer.send, b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with raises_oserror():
            await transport.start_tls("localhost", soon(transport))


async def start_tls_keeps_its_deadline(subject: Subject) -> None:
    async with subject.connected() as (transport, _):
        with times_out(transport) as deadline:
            await transport.start_tls("localhost", deadline)


async def abort_wakes_start_tls(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.wakes(transport, partial(transport.start_tls, "localhost", None))
        transport.close()
        assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"


async def abort_wakes_receive_over_tls(subject: Subject) -> None:
    async with subject.secured() as (transport, peer):
        await subject.wakes(transport, partial(transport.receive, None))
        transport.close()
        assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"


async def half_a_record_is_not_there_yet(subject: Subject) -> None:
    async with subject.connected() as (transport, below):
        assert subject.context is not None
        peer = SecurePeer(below, subject.context)
        async with subject.meanwhile(subject.in_thread, peer.handshake):
            await transport.start_tls("localhost", soon(transport))
        record = peer.record(b"whole")
        await subject.in_thread(below.send, record[:10])
        with raises_oserror(TimeoutError):
            await transport.receive(-inf)
        with times_out(transport) as deadline:
            await transport.receive(deadline)
        await subject.in_thread(below.send, record[10:])
        assert await receive_exactly(transport, 5) == b"whole"


async def tell_each_other(subject: Subject, transport: Any, peer: Peer) -> None:
    """Small and big, both ways."""
    for data in (b"hello", os.urandom(2**20)):
        async with subject.meanwhile(send_all, transport, data):
            assert await subject.in_thread(peer.receive_exactly, len(data)) == data
        async with subject.meanwhile(subject.in_thread, peer.send, data):
            assert await receive_exactly(transport, len(data)) == data
    await subject.in_thread(peer.send, b"there")
    assert await subject.poll(transport) == b"there"


def handshake_in_vain(peer: SecurePeer) -> None:
    try:
        peer.handshake()
    except OSError:
        peer.close()


CHECKS: list[TransportCheck] = [
    what_is_sent_over_tls_arrives,
    tls_runs_inside_tls,
    an_answer_interrupts_a_send_over_tls,
    a_goodbye_is_the_end_of_tls,
    a_connection_that_is_cut_is_no_end_of_tls,
    a_certificate_of_another_name_is_an_error,
    what_is_no_tls_is_an_error,
    start_tls_keeps_its_deadline,
    abort_wakes_start_tls,
    abort_wakes_receive_over_tls,
    half_a_record_is_not_there_yet,
]

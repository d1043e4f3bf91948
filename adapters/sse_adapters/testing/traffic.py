"""What is sent and received, how that ends, and how a connection begins."""

from __future__ import annotations

import os
import socket
import threading

from .peers import refusing
from .subject import (
    SHORT,
    Subject,
    TransportCheck,
    open_and_close,
    raises_oserror,
    receive_exactly,
    send_all,
    soon,
)

# Receiving and sending.


async def what_is_sent_arrives(subject: Subject) -> None:
    every_byte = bytes(range(256))
    async with subject.connected() as (transport, peer):
        await send_all(transport, every_byte)
        assert await subject.in_thread(peer.receive_exactly, 256) == every_byte
        await subject.in_thread(peer.send, every_byte)
        assert await receive_exactly(transport, 256) == every_byte


async def without_a_deadline_there_is_no_limit(subject: Subject) -> None:
    transport = subject.transport()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            await transport.open("127.0.0.1", listener.getsockname()[1], None)
            with listener.accept()[0] as sock:
                assert await transport.send(b"data", None) == 4
                assert await subject.in_thread(sock.recv, 100) == b"data"
                await subject.in_thread(sock.sendall, b"more")
                assert await transport.receive(None)
        finally:
            transport.close()


async def an_ipv6_address_will_do(subject: Subject) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return  # there is no IPv6 here
    async with subject.connected("::1") as (transport, peer):
        await subject.in_thread(peer.send, b"hello")
        assert await receive_exactly(transport, 5) == b"hello"


async def receive_returns_what_is_there(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        for piece in (b"a", b"bc", b"def"):
            await subject.in_thread(peer.send, piece)
            assert await receive_exactly(transport, len(piece)) == piece


async def much_is_received_in_order(subject: Subject) -> None:
    data = os.urandom(2**20)

    def send() -> None:
        for start in range(0, len(data), 10_007):
            peer.send(data[start : start + 10_007])
        peer.stop_sending()

    received = bytearray()
    async with subject.connected() as (transport, peer), subject.meanwhile(subject.in_thread, send):
        while piece := await transport.receive(soon(transport)):
            received += piece
    assert received == data, "what came is not what was sent"


async def much_is_sent_to_a_slow_reader(subject: Subject) -> None:
    data = os.urandom(2**20) * 16
    received = bytearray()

    def read_slowly() -> None:
        pause = threading.Event()
        while len(received) < len(data) and (piece := peer.receive(2**18)):
            received.extend(piece)
            pause.wait(0.001)

    async with subject.connected() as (transport, peer), subject.meanwhile(subject.in_thread, read_slowly):
        await send_all(transport, data)
    assert received == data, "what arrived is not what was sent"


async def an_answer_interrupts_a_send(subject: Subject) -> None:
    """RFC 9112, 9.5: a server may answer before it has read the request, and read no more of it."""
    data = os.urandom(2**20) * 32
    async with subject.connected() as (transport, peer):
        async with subject.meanwhile(subject.in_thread, peer.send_after, SHORT, b"early"):
            sent = await transport.send(data, soon(transport))
        assert 0 < sent < len(data), f"sent {sent!r} of {len(data)} bytes, though the peer answered"
        assert await receive_exactly(transport, 5) == b"early"
        async with subject.meanwhile(subject.in_thread, peer.receive_exactly, len(data)) as reading:
            await send_all(transport, data[sent:])
        assert reading.result == data, "what arrived is not what was sent"


async def the_end_interrupts_a_send(subject: Subject) -> None:
    data = bytes(2**25)
    async with subject.connected() as (transport, peer):
        peer.stop_sending()
        assert await transport.send(data, soon(transport)) < len(data)
        assert await transport.receive(soon(transport)) == b""


# Ends.


async def the_end_is_no_bytes_again_and_again(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await subject.in_thread(peer.send, b"last")
        peer.close()
        assert await receive_exactly(transport, 4) == b"last"
        for _ in range(2):
            assert await transport.receive(soon(transport)) == b""


async def a_peer_that_stops_sending_may_still_read(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        peer.stop_sending()
        assert await transport.receive(soon(transport)) == b""
        await send_all(transport, b"still there")
        assert await subject.in_thread(peer.receive_exactly, 11) == b"still there"


async def a_reset_is_an_error(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        peer.reset()
        with raises_oserror():
            await transport.receive(soon(transport))


async def sending_to_a_peer_that_has_left_is_an_error(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        peer.close()
        with raises_oserror():
            while True:  # the system learns of it by sending
                await transport.send(bytes(65536), soon(transport))
                await subject.sleep(0.001)
        with raises_oserror():
            await transport.send(b"more", soon(transport))


async def a_peer_notices_that_the_transport_was_closed(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        transport.close()
        assert await subject.in_thread(peer.notices_the_end), "the peer waits in vain"


# Opening.


async def a_refused_connection_is_an_error(subject: Subject) -> None:
    transport = subject.transport()
    with refusing() as port, raises_oserror():
        await transport.open("127.0.0.1", port, soon(transport))
    transport.close()


async def a_host_that_can_not_be_is_an_error(subject: Subject) -> None:
    transport = subject.transport()
    with raises_oserror():
        await transport.open(64 * "x" + ".invalid", 80, soon(transport))
    transport.close()


async def after_a_failure_it_can_be_opened_again(subject: Subject) -> None:
    transport = subject.transport()
    with refusing() as port, raises_oserror():
        await transport.open("127.0.0.1", port, soon(transport))
    transport.close()
    await open_and_close(transport)


async def after_close_it_can_be_opened_again(subject: Subject) -> None:
    transport = subject.transport()
    for _ in range(3):
        await open_and_close(transport)


CHECKS: list[TransportCheck] = [
    what_is_sent_arrives,
    without_a_deadline_there_is_no_limit,
    an_ipv6_address_will_do,
    receive_returns_what_is_there,
    much_is_received_in_order,
    much_is_sent_to_a_slow_reader,
    an_answer_interrupts_a_send,
    the_end_interrupts_a_send,
    the_end_is_no_bytes_again_and_again,
    a_peer_that_stops_sending_may_still_read,
    a_reset_is_an_error,
    sending_to_a_peer_that_has_left_is_an_error,
    a_peer_notices_that_the_transport_was_closed,
    a_refused_connection_is_an_error,
    a_host_that_can_not_be_is_an_error,
    after_a_failure_it_can_be_opened_again,
    after_close_it_can_be_opened_again,
]

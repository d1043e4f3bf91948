"""What is sent and received, how that ends, and how a connection begins."""

from __future__ import annotations

import os
import socket
import threading

import anyio

from .peers import refusing
from .subject import Subject, TransportCheck, in_thread, open_and_close, raises_oserror, receive_exactly, soon

# Receiving and sending.


async def what_is_sent_arrives(subject: Subject) -> None:
    every_byte = bytes(range(256))
    async with subject.connected() as (transport, peer):
        await transport.send(every_byte, soon(transport))
        assert await in_thread(peer.receive_exactly, 256) == every_byte
        await in_thread(peer.send, every_byte)
        assert await receive_exactly(transport, 256) == every_byte


async def without_a_deadline_there_is_no_limit(subject: Subject) -> None:
    transport = subject.transport()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            await transport.open("127.0.0.1", listener.getsockname()[1], None)
            with listener.accept()[0] as sock:
                await transport.send(b"data", None)
                assert await in_thread(sock.recv, 100) == b"data"
                await in_thread(sock.sendall, b"more")
                assert await transport.receive(None)
        finally:
            transport.close()


async def an_ipv6_address_will_do(subject: Subject) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return  # there is no IPv6 here
    async with subject.connected("::1") as (transport, peer):
        await in_thread(peer.send, b"hello")
        assert await receive_exactly(transport, 5) == b"hello"


async def receive_returns_what_is_there(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        for piece in (b"a", b"bc", b"def"):
            await in_thread(peer.send, piece)
            assert await receive_exactly(transport, len(piece)) == piece


async def much_is_received_in_order(subject: Subject) -> None:
    data = os.urandom(2**20)

    def send() -> None:
        for start in range(0, len(data), 10_007):
            peer.send(data[start : start + 10_007])
        peer.stop_sending()

    received = bytearray()
    async with subject.connected() as (transport, peer), anyio.create_task_group() as group:
        group.start_soon(in_thread, send)
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

    async with subject.connected() as (transport, peer), anyio.create_task_group() as group:
        group.start_soon(in_thread, read_slowly)
        await transport.send(data, soon(transport))
    assert received == data, "what arrived is not what was sent"


# Ends.


async def the_end_is_no_bytes_again_and_again(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        await in_thread(peer.send, b"last")
        peer.close()
        assert await receive_exactly(transport, 4) == b"last"
        for _ in range(2):
            assert await transport.receive(soon(transport)) == b""


async def a_peer_that_stops_sending_may_still_read(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        peer.stop_sending()
        assert await transport.receive(soon(transport)) == b""
        await transport.send(b"still there", soon(transport))
        assert await in_thread(peer.receive_exactly, 11) == b"still there"


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
                await anyio.sleep(0.001)
        with raises_oserror():
            await transport.send(b"more", soon(transport))


async def a_peer_notices_that_the_transport_was_closed(subject: Subject) -> None:
    async with subject.connected() as (transport, peer):
        transport.close()
        assert await in_thread(peer.notices_the_end), "the peer waits in vain"


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

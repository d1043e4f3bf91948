"""How sockets are made: TCP keep-alive, options of the user's, and the address to connect from."""

from __future__ import annotations

import select
import socket
from typing import Any

import pytest

import sse_adapters.threads
from sse_adapters import sockets
from sse_adapters.sockets import SocketOptions
from sse_core import ConnectionFailed
from support.runners import NetworkRunner, on_every_network
from support.servers import CHUNKED, LAST_CHUNK, chunked, event, head, listening, says

WHOLE = says(head("200 OK", CHUNKED), *chunked(event("one")), LAST_CHUNK)
V4 = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))
V6 = (socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("::1", 1, 0, 0))


def test_connections_are_kept_alive_by_default() -> None:
    """F3."""
    with SocketOptions().new_socket(V4) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 60
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 60
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 5


@on_every_network
def test_options_are_set_on_each_socket(network: NetworkRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """F3."""
    made: list[int] = []
    new_socket = SocketOptions.new_socket

    def noting(self: SocketOptions, address: Any) -> socket.socket:
        sock = new_socket(self, address)
        made.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        return sock

    monkeypatch.setattr(SocketOptions, "new_socket", noting)
    off = (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
    with listening(WHOLE) as server:
        assert network.read_url(server.url, socket_options=[off]).data == ["one"]
    assert made == [0]


@on_every_network
def test_the_address_to_connect_from_may_be_chosen(network: NetworkRunner) -> None:
    """F3."""
    with listening(WHOLE) as server:
        result = network.read_url(server.url, local_address="127.0.0.1")
        assert result.data == ["one"]
        elsewhere = network.read_url(server.url, local_address="192.0.2.1")
        other_family = network.read_url(server.url, local_address="::1")
    assert isinstance(elsewhere.error, ConnectionFailed)
    assert isinstance(other_family.error, ConnectionFailed)
    assert "no address for '127.0.0.1'" in str(other_family.error)


def test_only_addresses_of_the_family_to_connect_from_are_tried() -> None:
    assert SocketOptions(local_address="127.0.0.1").choose("host", [V6, V4]) == [V4]
    assert SocketOptions(local_address="::1").choose("host", [V6, V4]) == [V6]
    assert SocketOptions(local_address="::1", uds="/a/socket").choose("host", [V4]) == [V4]


def test_a_socket_that_cannot_be_made_as_wanted_is_closed() -> None:
    with pytest.raises(OSError, match=r"."):
        SocketOptions(options=[(socket.SOL_SOCKET, -1, 1)]).new_socket(V4)


def test_a_socket_with_an_error_has_something_to_tell() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    assert not sockets.has_input(ours)
    theirs.close()
    assert sockets.has_input(ours)
    ours.close()
    assert sockets.has_input(ours)


def test_a_system_without_poll_waits_by_select(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "poll", raising=False)
    transport = sse_adapters.threads.Transport()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport.open("127.0.0.1", listener.getsockname()[1], None)
        with listener.accept()[0] as peer:
            with pytest.raises(TimeoutError):
                transport.send(bytes(2**25), transport.now() + 0.05)
            peer.sendall(b"early")
            assert transport.send(bytes(2**25), None) < 2**25
        transport.close()

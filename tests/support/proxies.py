"""Small proxies, and those that others wrote, each for the length of a block."""

from __future__ import annotations

import select
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from support.programs import find_program, free_port, running
from support.servers import GENEROUS, Peer, Server, head, listening


class HTTPProxy:
    """A script: CONNECT and the absolute form, over any number of requests until there is a tunnel.

    Whatever the host, it is on this machine. `credentials` are what it asks for, as `user:password`.
    """

    def __init__(self, credentials: str | None = None) -> None:
        self.heads: list[bytes] = []
        """What it was asked."""
        self._authorization = credentials and b"Basic " + b64encode(credentials.encode())

    def __call__(self, peer: Peer) -> None:
        while not self._serve(peer):
            peer.received.clear()

    def _serve(self, peer: Peer) -> bool:
        """Answer one request; return whether the connection is the server's by now."""
        peer.read_request()
        self.heads.append(bytes(peer.received))
        request, *fields = bytes(peer.received).split(b"\r\n")
        said = [line for line in fields if line.lower().startswith(b"proxy-authorization:")]
        if self._authorization and [line.split(b": ")[1] for line in said] != [self._authorization]:
            peer.send(head("407 Who Are You", 'Proxy-Authenticate: Basic realm="here"', "Content-Length: 0"))
            return False
        method, target, version = request.split(b" ")
        url = urlsplit(target.decode() if b"//" in target else f"//{target.decode()}")
        try:
            server = socket.create_connection(("127.0.0.1", url.port or 80), GENEROUS)
        except OSError:
            peer.send(head("502 Nobody There", "Content-Length: 0"))
            return False
        with server:
            if method == b"CONNECT":
                peer.send(b"HTTP/1.1 200 Here You Are\r\n\r\n")
            else:
                line = b" ".join([method, url.path.encode(), version])
                server.sendall(b"\r\n".join([line, *[field for field in fields if field not in said]]))
            relay(peer.socket, server)
        return True


class SOCKSProxy:
    """A script: CONNECT of SOCKS5 (RFC 1928), for anyone or for one user (RFC 1929). Hosts as above."""

    def __init__(self, credentials: str | None = None) -> None:
        self.hosts: list[str] = []
        """Where it was asked to connect to."""
        self._credentials = credentials

    def __call__(self, peer: Peer) -> None:
        _, count = exactly(peer, 2)
        methods = exactly(peer, count)
        wanted = 0 if self._credentials is None else 2
        if wanted not in methods:
            peer.send(b"\x05\xff")
            return
        peer.send(bytes([5, wanted]))
        if self._credentials is not None:
            exactly(peer, 1)
            user, password = (exactly(peer, exactly(peer, 1)[0]).decode() for _ in range(2))
            good = f"{user}:{password}" == self._credentials
            peer.send(bytes([1, not good]))
            if not good:
                return
        host, port = read_address(peer)
        self.hosts.append(host)
        try:
            server = socket.create_connection(("127.0.0.1", port), GENEROUS)
        except OSError:
            peer.send(b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00")
            return
        with server:
            peer.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
            relay(peer.socket, server)


def read_address(peer: Peer) -> tuple[str, int]:
    """Read the request for a connection."""
    _, _, _, kind = exactly(peer, 4)
    match kind:
        case 1:
            host = socket.inet_ntop(socket.AF_INET, exactly(peer, 4))
        case 3:
            host = exactly(peer, exactly(peer, 1)[0]).decode()
        case _:
            host = socket.inet_ntop(socket.AF_INET6, exactly(peer, 16))
    return host, int.from_bytes(exactly(peer, 2), "big")


def exactly(peer: Peer, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = peer.socket.recv(size - len(data))
        if not piece:
            raise ConnectionAbortedError("the client has left")
        data += piece
    return data


def relay(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes both ways until either side has had enough."""
    to = {one: other, other: one}
    while True:
        ready = [sock for sock in to if isinstance(sock, ssl.SSLSocket) and sock.pending()]
        for sock in ready or select.select(list(to), [], [])[0]:
            data = sock.recv(65536)
            if not data:
                return
            to[sock].sendall(data)


@contextmanager
def proxying(script: Callable[[Peer], None], tls: ssl.SSLContext | None = None) -> Generator[Server]:
    with listening(script, tls=tls) as server:
        yield server


# Those that others wrote. Each gives the number of its port.


@contextmanager
def tinyproxy(folder: Path, credentials: str | None = None) -> Generator[int]:
    program, port = find_program("tinyproxy"), free_port()
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 100", "LogLevel Critical"]
    if credentials is not None:
        user, _, password = credentials.partition(":")
        lines.append(f"BasicAuth {user} {password}")
    configuration = folder / "tinyproxy.conf"
    configuration.write_text("\n".join([*lines, ""]))
    with running([program, "-d", "-c", configuration], port, folder):
        yield port


@contextmanager
def microsocks(folder: Path, credentials: str | None = None) -> Generator[int]:
    program, port = find_program("microsocks"), free_port()
    options = []
    if credentials is not None:
        user, _, password = credentials.partition(":")
        options = ["-u", user, "-P", password]
    with running([program, "-i", "127.0.0.1", "-p", port, *options], port, folder):
        yield port


@contextmanager
def haproxy(folder: Path, port_behind: int, certificate: Path) -> Generator[int]:
    """TLS in front of a port on this machine, whatever is spoken there."""
    program, port = find_program("haproxy"), free_port()
    configuration = folder / "tls.cfg"
    configuration.write_text(HAPROXY.format(port=port, certificate=certificate, port_behind=port_behind))
    with running([program, "-f", configuration], port, folder):
        yield port


HAPROXY = """
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
listen all
    bind 127.0.0.1:{port} ssl crt {certificate}
    server one 127.0.0.1:{port_behind}
"""

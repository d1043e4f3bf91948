"""Sockets: the addresses to connect them to, how they are made, and how they are shut down."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from itertools import zip_longest
from typing import Any, TypeAlias

from msgspec import Struct

from .forking import SOCKETS

Address: TypeAlias = tuple[Any, Any, int, str, Any]
"""An address as `socket.getaddrinfo` returns it: family, kind, protocol, canonical name, address."""
UnixPath: TypeAlias = str | os.PathLike[str]
SocketOption: TypeAlias = tuple[int, int, int | bytes]
"""The arguments of `socket.setsockopt`: level, option, value."""


class SocketOptions(Struct, frozen=True, kw_only=True):
    """What the sockets of a transport are connected to, and how they are made."""

    uds: UnixPath | None = None
    """The path of a Unix socket to connect to, in place of every host."""
    local_address: str | None = None
    """The IP address to connect from; by default the system chooses."""
    options: Sequence[SocketOption] = ()
    """Set on each socket before it connects, after those that every socket has."""

    def new_socket(self, address: Address) -> socket.socket:
        """Return a socket for this address: non-blocking, without Nagle's delay, with TCP keep-alive."""
        family, kind, protocol, _, _ = address
        over_tcp = family in (socket.AF_INET, socket.AF_INET6)
        sock = socket.socket(family, kind, protocol)
        SOCKETS.add(sock)
        try:
            sock.setblocking(False)
            for option in (*(TCP_OPTIONS if over_tcp else ()), *self.options):
                sock.setsockopt(*option)
            if over_tcp and self.local_address is not None:
                sock.bind((self.local_address, 0))
        except BaseException:
            sock.close()
            raise
        return sock

    def parse_address(self, host: str, port: int) -> Sequence[Address]:
        """Return the address to connect to, if it is known without looking up a name.

        Raises OSError if `host` is neither a name nor an address, and if there are no Unix sockets here.
        """
        if self.uds is not None:
            return unix_address(self.uds)
        return parse_address(host, port)

    def choose(self, host: str, addresses: Sequence[Address]) -> Sequence[Address]:
        """Return the addresses in the order in which to try them. Raises OSError if there are none.

        With a local address, only those of its family.
        """
        if self.local_address is not None and self.uds is None:
            family = socket.AF_INET6 if ":" in self.local_address else socket.AF_INET
            addresses = [address for address in addresses if address[0] == family]
        return alternate_families(host, addresses)


def parse_address(host: str, port: int) -> Sequence[Address]:
    """Return the address that `host` is; nothing if it is a name. Looks up no name.

    Raises OSError if it is neither.
    """
    name = encode_host(host)
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return ()


def look_up(host: str, port: int) -> Sequence[Address]:
    """Return the addresses of a name. Blocks for as long as the system likes. Raises OSError."""
    return socket.getaddrinfo(encode_host(host), port, type=socket.SOCK_STREAM)


def encode_host(host: str) -> bytes:
    """Encode a host for `getaddrinfo`: for a `str` that would import IDNA's tables, even if it is ASCII.

    Raises OSError if it is neither a name nor an address.
    """
    if host.isascii() and all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        return host.encode("ascii")
    try:
        return host.encode("idna")
    except UnicodeError as exc:
        raise OSError(f"not the name of a host: {host!r}") from exc


def alternate_families(host: str, addresses: Sequence[Address]) -> Sequence[Address]:
    """Return the addresses of a host in their order, but with the families in turn (RFC 8305, section 4).

    Raises OSError if there are none.
    """
    if not addresses:
        raise OSError(f"no address for {host!r}")
    preferred = [address for address in addresses if address[0] == addresses[0][0]]
    others = [address for address in addresses if address[0] != addresses[0][0]]
    pairs = zip_longest(preferred, others)
    return [address for pair in pairs for address in pair if address is not None]


@contextmanager
def thread_failure_as_oserror() -> Generator[None]:
    """Raise OSError, in place of RuntimeError, if the system can start no more threads."""
    try:
        yield
    except RuntimeError as exc:
        raise OSError(str(exc)) from exc


def unix_address(path: UnixPath) -> Sequence[Address]:
    """Return the address of a Unix socket. Raises OSError if there can be none, here or with this path."""
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("this system has no Unix sockets")
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError as exc:
        raise OSError(f"not the path of a socket: {path!r}") from exc
    return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", name)]


def has_input(sock: socket.socket) -> bool:
    """Whether a non-blocking socket has something to receive: data, its end, or an error."""
    try:
        sock.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def send_some(sock: socket.socket, data: memoryview) -> int:
    """Send what there is room for, and return how much that was: 0 if there is something to receive first.

    Raises BlockingIOError if a non-blocking socket has neither room nor anything to receive.
    """
    try:
        return sock.send(data)
    except BlockingIOError:
        if has_input(sock):
            return 0
        raise


def shut_down(sock: socket.socket) -> None:
    """Wake whoever waits for the socket, in whatever thread. When it is closed, the peer gets a reset.

    Without the reset, a peer that is sending might wait for a minute: data that is read after the
    shutdown no longer opens its window.
    """
    with suppress(OSError):  # it may not be connected
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sock.shutdown(socket.SHUT_RDWR)


ATTEMPT_DELAY = 0.25
"""Seconds before the next address is tried, in parallel to those before it (RFC 8305, section 5)."""
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", True, 0)
"""A `struct linger`: on, for no time."""
DEFAULTS = SocketOptions()
KEEP_ALIVE = [("TCP_KEEPIDLE", 60), ("TCP_KEEPALIVE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5)]
TCP_OPTIONS: Sequence[SocketOption] = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, True),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, True),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in KEEP_ALIVE
        if hasattr(socket, name)
    ),
]
"""No delay of small writes, and a probe (RFC 9293, 3.8.4) each minute of silence, of which five may be lost.

The probes keep the entries of a connection in firewalls and address translators, and find a peer that is
gone without a word. macOS and Windows name the first of these times differently, or have none.
"""

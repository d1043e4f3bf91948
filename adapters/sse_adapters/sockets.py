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

Address: TypeAlias = tuple[Any, Any, int, str, Any]
"""As `socket.getaddrinfo` has it: family, kind, protocol, canonical name, address."""
UnixPath: TypeAlias = str | os.PathLike[str]


def parse_address(host: str, port: int) -> Sequence[Address]:
    """Return the address that `host` is, or nothing if it is a name. Asks nobody.

    Raises OSError for what is neither.
    """
    name = encode_host(host)
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return ()


def encode_host(host: str) -> bytes:
    """Return a host for `getaddrinfo`, which would encode it in any case by IDNA, whose tables take 1 ms.

    Raises OSError for what is neither a name nor an address.
    """
    if host.isascii() and all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        return host.encode("ascii")
    try:
        return host.encode("idna")
    except UnicodeError as exc:
        raise OSError(f"not the name of a host: {host!r}") from exc


def alternate_families(host: str, addresses: Sequence[Address]) -> Sequence[Address]:
    """Return the addresses of a host in their order, but the families in turn (RFC 8305, section 4).

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
    """Do what starts a thread. Raises OSError where there can be no more of them."""
    try:
        yield
    except RuntimeError as exc:
        raise OSError(str(exc)) from exc


def unix_socket(path: UnixPath) -> Sequence[Address]:
    """Return the address of a Unix socket. Raises OSError where there is no such thing, or can be none."""
    if not hasattr(socket, "AF_UNIX"):
        raise OSError("Unix sockets are not to be had on this system")
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError as exc:
        raise OSError(f"not the path of a socket: {path!r}") from exc
    return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", name)]


def new_socket(address: Address) -> socket.socket:
    """Return a socket for this address, which does not block, and does not hold small writes back."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setblocking(False)
    if family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return sock


def shut_down(sock: socket.socket) -> None:
    """Wake whoever waits for the socket, wherever that is. The peer gets a reset when it is closed.

    Without the reset a peer that is sending might wait for a minute: what is read after
    the shutdown opens its window no more.
    """
    with suppress(OSError):  # it need not be connected
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        sock.shutdown(socket.SHUT_RDWR)


ATTEMPT_DELAY = 0.25
"""Seconds before the next address is tried beside the ones before it (RFC 8305, section 5)."""
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", True, 0)
"""A `struct linger`: do, and for no time."""

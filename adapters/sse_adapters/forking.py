"""What a forked child finds, and leaves to its parent.

A child has copies of the parent's clients, without the threads that worked for them, and with the same
sockets: what it said on one, the peer would take for the parent's. So, as soon as there is a child,

- each socket made here is replaced by the null device, under the same number, and closed. That ends no
  connection, since the parent has the socket, too; and the number cannot come to belong to another file
  while somebody still has it, as uvloop does;
- whatever else has asked to hear of it begins anew, by its `after_fork`.

This costs nothing until there is a fork. Where there are none, as on Windows, nothing happens.
"""

from __future__ import annotations

import os
import socket
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """Something that has to know that it is in a child."""

    def after_fork(self) -> None:
        """Leave to the parent what is the parent's. No other thread runs."""
        ...


SOCKETS: WeakSet[socket.socket] = WeakSet()
"""The sockets that were made here."""
FORKED: WeakSet[Forked] = WeakSet()
"""What hears of a fork."""


class Process:
    """This process, in a way that is cheaper to compare than its ID. A child is another."""


current: Process = Process()
"""The process that runs."""


def after_fork() -> None:  # pragma: no cover - it runs in children, where nobody measures
    """Called in a child, before anything else."""
    global current
    current = Process()
    for sock in list(SOCKETS):
        leave(sock)
    SOCKETS.clear()
    for each in list(FORKED):
        each.after_fork()


def leave(sock: socket.socket) -> None:  # pragma: no cover - the same
    """Let go of a socket, without a word to its peer."""
    if sock.fileno() >= 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, sock.fileno(), inheritable=False)
        os.close(null)
        sock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=after_fork)

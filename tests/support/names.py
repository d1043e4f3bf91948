"""Names of hosts, without asking anyone's name server."""

from __future__ import annotations

import socket
from threading import Event
from typing import Any

import pytest

from support.servers import GENEROUS


class Names:
    """The system's names for the length of a test: `somewhere.test` has these ports on 127.0.0.1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ports: list[int] = []
        self.asked = Event()
        """Set when someone looks it up."""
        self.answer = Event()
        """Clear it, and the look-up takes until it is set again."""
        self.answer.set()
        self.failure: Exception | None = None
        """What is raised in place of an answer."""
        self._getaddrinfo = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self.look_up)

    def look_up(self, host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        if host != b"somewhere.test":
            return self._getaddrinfo(host, port, *args, **options)
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        self.asked.set()
        assert self.answer.wait(GENEROUS)
        if self.failure is not None:
            raise self.failure
        found = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        return [(*found, ("127.0.0.1", port)) for port in self.ports]

"""Servers of raw bytes: each connection is answered by a script, on a thread of its own."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from threading import Event, Thread, get_ident
from typing import TypeAlias

import pytest

from sse_adapters.testing import peers

GENEROUS = 20.0
"""Seconds that anything may take on a busy machine."""


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GENEROUS
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.001)


def settle() -> None:
    """Wait until every other thread waits for something: what a client waits for shows in no other way."""
    before: dict[int, tuple[int, int]] = {}
    unmoved = 0

    def still() -> bool:
        nonlocal before, unmoved
        frames = sys._current_frames().items()  # pyright: ignore[reportPrivateUsage]
        places = {thread: (id(frame), frame.f_lasti) for thread, frame in frames if thread != get_ident()}
        unmoved = unmoved + 1 if places == before else 0
        before = places
        return unmoved >= 5

    eventually(still)


class Peer:
    """The server's end of one connection. The script uses it, and the test watches."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.received = bytearray()
        self.pieces_sent = 0
        self._gone = Event()
        self._cues: dict[str, Event] = {}

    def read_request(self) -> None:
        """Read the head, and as much of a body as it announces."""
        while (end := self.received.find(b"\r\n\r\n")) < 0:
            self._receive()
        for line in bytes(self.received[:end]).lower().split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name == b"content-length":
                while len(self.received) < end + 4 + int(value):
                    self._receive()

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)
            self.pieces_sent += 1

    def flood(self, piece: bytes) -> None:
        """Send for as long as anyone is there."""
        while True:
            self.send(piece)

    def wait_until_gone(self) -> None:
        """Wait for the client to leave."""
        while self.socket.recv(65536):
            pass
        self._gone.set()

    def reset(self) -> None:
        """Leave with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def say_goodbye(self) -> None:
        """Close properly, which under TLS takes more than closing the socket."""
        if isinstance(self.socket, ssl.SSLSocket):
            with suppress(OSError):
                self.socket.unwrap()

    def reach(self, cue: str) -> None:
        """Let the test know that the script has come this far."""
        self._cue(cue).set()

    def wait_for(self, cue: str) -> None:
        """Wait until the other side, be it the script or the test, has come so far."""
        assert self.hears(cue, GENEROUS), cue

    def hears(self, cue: str, within: float) -> bool:
        """Wait a while for the other side to come so far, and return whether it has."""
        return self._cue(cue).wait(within)

    def notices_the_end(self) -> bool:
        """Whether the client leaves, as far as one can tell over a network."""
        return self._gone.wait(GENEROUS)

    def has_sent(self, pieces: int) -> bool:
        return self.pieces_sent >= pieces

    @property
    def closed(self) -> bool:
        """Whether this end is closed too."""
        return self.socket.fileno() < 0

    def play(self, script: Play, tls: ssl.SSLContext | None) -> None:
        try:
            if tls is not None:
                self.socket.getpeername()  # fails if the client has left, and `wrap_socket` would leak
                self.socket = tls.wrap_socket(self.socket, server_side=True)
            script(self)
        except OSError:
            self._gone.set()
        finally:
            self.socket.close()

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionAbortedError("the client has left")
        self.received += data

    def _cue(self, name: str) -> Event:
        return self._cues.setdefault(name, Event())


Play: TypeAlias = Callable[[Peer], None]


class End(Enum):
    """What a server does when it has said everything."""

    CLOSE = "close"
    RESET = "reset"
    SILENCE = "silence"


@dataclass(frozen=True)
class Script:
    """What a server says to a request, as data: over a network it is played, in memory replayed."""

    pieces: tuple[bytes, ...] = ()
    end: End = End.CLOSE

    def __call__(self, peer: Peer) -> None:
        peer.read_request()
        peer.send(*self.pieces)
        match self.end:
            case End.CLOSE:
                peer.say_goodbye()
            case End.RESET:
                peer.reset()
            case End.SILENCE:
                peer.wait_until_gone()


def says(*pieces: bytes, end: End = End.CLOSE) -> Script:
    return Script(tuple(filter(None, pieces)), end)


class Server:
    """A listening socket, and everyone who came."""

    def __init__(self, script: Play, listener: socket.socket, tls: ssl.SSLContext | None) -> None:
        self.peers: list[Peer] = []
        self.host: str = ""
        self.port: int = 0
        if tcp(listener):
            self.host, self.port = listener.getsockname()[:2]
        self.failures: list[BaseException] = []
        self._scheme = "http" if tls is None else "https"
        self._script = script
        self._listener = listener
        self._tls = tls
        self._threads = [Thread(target=self._accept)]
        self._stopping = False

    @property
    def url(self) -> str:
        return self.url_of(self.host)

    def url_of(self, host: str) -> str:
        """The URL when the server's host goes by another name."""
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def peer(self, number: int = 0) -> Peer:
        """Wait for a connection."""
        eventually(lambda: len(self.peers) > number)
        return self.peers[number]

    @contextmanager
    def running(self) -> Generator[Server]:
        self._threads[0].start()
        try:
            yield self
        finally:
            self._stopping = True
            with suppress(OSError):
                self.wake()
            self._threads[0].join(GENEROUS)
            for peer in self.peers:
                with suppress(OSError):
                    socket.socket.shutdown(peer.socket, socket.SHUT_RDWR)
            for thread in self._threads:
                thread.join(GENEROUS)
                assert not thread.is_alive(), "a script goes on without a client"
        assert not self.failures, self.failures

    def wake(self) -> None:
        """Be one more client, which nobody will serve."""
        socket.create_connection((self.host, self.port), GENEROUS).close()

    def _accept(self) -> None:
        with self._listener:
            while True:
                sock, _ = self._listener.accept()
                if self._stopping:
                    sock.close()
                    return
                if tcp(sock):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                peer = Peer(sock)
                thread = Thread(target=self._play, args=(peer,))
                self._threads.append(thread)
                self.peers.append(peer)
                thread.start()

    def _play(self, peer: Peer) -> None:
        try:
            peer.play(self._script, self._tls)
        except BaseException as exc:
            self.failures.append(exc)


def tcp(sock: socket.socket) -> bool:
    return sock.family in (socket.AF_INET, socket.AF_INET6)


@contextmanager
def listening(
    script: Play, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Generator[Server]:
    """Serve until the end of the block, and fail then if the script did."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with Server(script, socket.create_server((host, 0), family=family), tls).running() as server:
        yield server


@contextmanager
def never_accepting() -> Generator[int]:
    """A port on 127.0.0.1 that answers no one."""
    with peers.never_accepting() as port:
        if port is None:
            pytest.skip("a full backlog does not keep anyone out here")
        yield port


def head(
    status: str = "200 OK", *fields: str, version: str = "1.1", kind: str = "text/event-stream"
) -> bytes:
    return "\r\n".join([f"HTTP/{version} {status}", f"Content-Type: {kind}", *fields, "", ""]).encode()


def chunked(*payloads: bytes) -> tuple[bytes, ...]:
    """Each payload as a chunk of the transfer coding (RFC 9112, 7.1)."""
    return tuple(b"%x\r\n%b\r\n" % (len(payload), payload) for payload in payloads)


def event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


CHUNKED = "Transfer-Encoding: chunked"
LAST_CHUNK = b"0\r\n\r\n"

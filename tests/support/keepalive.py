"""Servers of raw bytes whose connections carry several requests, and a client that talks to one."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any, TypeAlias

from sse_core import Request
from support.runners import EVENTS, NetworkRunner, Remote, Result
from support.servers import CHUNKED, LAST_CHUNK, Peer, Server, chunked, event, eventually, head, listening

Reply: TypeAlias = Callable[[Peer], None]


class Replies:
    """A script: the n-th request, over whichever connection, gets the n-th reply; the last one repeats."""

    def __init__(self, *replies: Reply) -> None:
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        """Over which connection each request came."""
        self._replies = replies
        self._lock = Lock()

    def __call__(self, peer: Peer) -> None:
        while True:
            peer.received.clear()
            peer.read_request()
            with self._lock:
                reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
                self.requests.append(bytes(peer.received))
                self.peers.append(peer)
            reply(peer)


class Conversation:
    """One client, one server, and what they say to each other."""

    def __init__(self, network: NetworkRunner, server: Server, replies: Replies, client: Any) -> None:
        self.server = server
        self.client = client
        self.requests = replies.requests
        self._network = network
        self._replies = replies

    def ask(self, request: Request[Any] = EVENTS, **options: Any) -> Result:
        """Make a request, and read the answer to its end."""
        stream = self.client.stream(request, **options)
        result: Result = self._network.call(self._network.read_whole, stream)
        return result

    def call(self, request: Request[Any], **options: Any) -> Any:
        """Make a request whose answer is one document, and return that."""
        return self._network.call(partial(self.client.call, request, **options))

    def stream(self, request: Request[Any] = EVENTS, **options: Any) -> Remote:
        return Remote(self._network, self.client.stream(request, **options))

    def close(self) -> None:
        self._network.call(self.client.close)

    @property
    def connections(self) -> list[int]:
        """Over which connection each request came, by number."""
        return [self.server.peers.index(peer) for peer in self._replies.peers]

    def wait_for_waiters(self, number: int) -> None:
        """Wait until so many streams wait for a place in the pool."""
        eventually(lambda: len(self.client._pool._wake) == number)


@contextmanager
def talking(
    network: NetworkRunner, *replies: Reply, tls: ssl.SSLContext | None = None, **options: Any
) -> Generator[Conversation]:
    script = Replies(*replies)
    with listening(script, tls=tls) as server:
        talk = Conversation(network, server, script, network.client(server.url, **options))
        try:
            yield talk
        finally:
            talk.close()


def say(*pieces: bytes) -> Reply:
    return lambda peer: peer.send(*pieces)


def leave(peer: Peer) -> None:
    """Close the connection."""
    peer.say_goodbye()
    peer.socket.close()


def then(*replies: Reply) -> Reply:
    """Do one after the other."""

    def play(peer: Peer) -> None:
        for reply in replies:
            reply(peer)

    return play


def reach(cue: str) -> Reply:
    return lambda peer: peer.reach(cue)


def wait_for(cue: str) -> Reply:
    return lambda peer: peer.wait_for(cue)


TWO = [event("one"), event("two")]
"""Two events."""
ANSWER = say(head("200 OK", CHUNKED), *chunked(*TWO), LAST_CHUNK)
"""Both, and the end of a body that leaves the connection open."""

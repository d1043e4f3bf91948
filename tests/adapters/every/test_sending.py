"""A request that is answered before all of it is sent, and what is left of one that failed."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from sse_core import ConnectionFailed, Deadlines, Retries, StatusError, Verdict
from sse_core.dialects import events
from support.runners import NetworkRunner, on_every_network
from support.servers import Peer, head, listening
from support.tls import Authority

BIG = events.request(method="POST", body=bytes(32 * 2**20))
REFUSAL = head("413 Content Too Large", "Content-Length: 7", kind="text/plain") + b"too big"


def refuse_unread(peer: Peer) -> None:
    """Read the head, answer, and then neither read nor close (RFC 9112, 9.5)."""
    while b"\r\n\r\n" not in peer.received:
        peer.received += peer.socket.recv(1024)
    peer.send(REFUSAL)
    peer.wait_for("the client has heard it")


@on_every_network
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_refusal_is_heard_while_the_request_is_still_being_sent(
    network: NetworkRunner, scheme: str, authority: Authority
) -> None:
    """A5."""
    tls = authority.server if scheme == "https" else None
    options: dict[str, Any] = {"ssl_context": authority.client} if tls else {}
    with listening(refuse_unread, tls=tls) as server:
        result = network.read_url(
            server.url, BIG, deadlines=Deadlines(response_head=10), retries=Retries(), **options
        )
        server.peer().reach("the client has heard it")
    assert isinstance(result.error, StatusError)
    assert (result.error.status, result.error.retryable) == (413, False)
    assert result.verdict is Verdict.REFUSED
    assert len(server.peers) == 1


def frames_of(error: BaseException | None) -> list[Any]:
    """The frames of an error and of its causes."""
    if error is None:
        return []
    own = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return own + frames_of(error.__cause__) + frames_of(error.__context__)


@on_every_network
def test_no_local_variable_of_a_failed_send_has_the_credentials(network: NetworkRunner) -> None:
    """E2."""

    def leave(peer: Peer) -> None:
        peer.socket.recv(1024)
        peer.reset()

    with listening(leave) as server:
        request = events.request(method="POST", headers=(("Authorization", "Bearer key"),), body=BIG.body)
        result = network.read_url(server.url, request)
    assert isinstance(result.error, ConnectionFailed)
    values = [value for frame in frames_of(result.error) for value in frame.f_locals.values()]
    assert values
    for value in values:
        assert not isinstance(value, bytes | bytearray | memoryview)
        assert "Bearer key" not in repr(value)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_was_not_sent_all_is_not_used_again(
    network: NetworkRunner, scheme: str, authority: Authority
) -> None:
    tls = authority.server if scheme == "https" else None
    options: dict[str, Any] = {"ssl_context": authority.client} if tls else {}

    def refuse(peer: Peer) -> None:
        refuse_unread(peer)
        peer.wait_until_gone()

    with listening(refuse, tls=tls) as server:
        client = network.client(server.url, **options)
        assert network.call(network.read_whole, client.stream(BIG)).error.status == 413
        server.peer().reach("the client has heard it")
        assert server.peer().notices_the_end()
        network.call(client.close)

"""What a server says over TLS, to every runtime that has a transport here."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sse_adapters import transports
from sse_adapters.options import split_options
from sse_adapters.tls import TLS, ca_bundle, default_ssl_context, without_client_certificate
from sse_adapters.transports import AsyncTransport, SyncTransport
from sse_core import (
    URL,
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Fault,
    StatusError,
    Verdict,
)
from sse_core.dialects import events
from support.names import Names
from support.runners import NetworkRunner, on_every_network, run_without_loop
from support.servers import CHUNKED, LAST_CHUNK, End, Peer, chunked, event, head, listening, says
from support.tls import Authority

SAID = ["one", "two", "three"]
STREAM = [event(data) for data in SAID]
SHORT = 0.2
BIG = events.request(method="POST", body=bytes(16 * 2**20))


@on_every_network
def test_a_stream_is_read_over_tls(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    script = says(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK)
    result = network.read(script, tls=authority.server, **secure)
    assert (result.data, result.verdict, result.error) == (SAID, Verdict.FINISHED, None)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_will_do(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any], version: ssl.TLSVersion
) -> None:
    server = authority.server_for("127.0.0.1")
    server.minimum_version = server.maximum_version = version
    result = network.read(says(head(version="1.0"), *STREAM), tls=server, **secure)
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)


def test_a_host_by_its_name_over_tls(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any], names: Names
) -> None:
    with listening(says(head(version="1.0"), *STREAM), tls=authority.server_for("somewhere.test")) as server:
        names.ports.append(server.port)
        result = network.read_url("https://somewhere.test", **secure)
        assert b"Host: somewhere.test\r\n" in server.peer().received
    assert result.data == SAID


# Whom to trust.


def test_a_certificate_of_an_unknown_authority_is_rejected(
    network: NetworkRunner, authority: Authority
) -> None:
    result = network.read(says(head(), *STREAM), tls=authority.server)
    assert isinstance(result.error, CertificateRejected)
    assert "127.0.0.1" in str(result.error)
    assert isinstance(result.error.__cause__, ssl.SSLCertVerificationError)
    assert (result.error.fault, result.error.retryable) == (Fault.SERVER, False)
    assert (result.verdict, result.request) == (Verdict.UNREACHABLE, b"")


def test_a_server_that_is_rejected_is_told_why(network: NetworkRunner, authority: Authority) -> None:
    alerts: list[str] = []

    def shake_hands(peer: Peer) -> None:
        try:
            authority.server.wrap_socket(peer.socket, server_side=True)
        except ssl.SSLError as exc:
            alerts.append(exc.reason)

    with listening(shake_hands) as server:
        network.read_url(server.url.replace("http:", "https:"))
    assert alerts == ["TLSV1_ALERT_UNKNOWN_CA"]


def test_a_certificate_for_another_host_is_rejected(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    result = network.read(says(head(), *STREAM), tls=authority.server_for("elsewhere.test"), **secure)
    assert isinstance(result.error, CertificateRejected)
    assert "not valid for '127.0.0.1'" in str(result.error)


def test_a_server_that_speaks_no_tls_is_a_failed_connection(
    network: NetworkRunner, secure: dict[str, Any]
) -> None:
    def answer_in_the_clear(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.send(head("400 Bad Request"))

    with listening(answer_in_the_clear) as server:
        result = network.read_url(server.url.replace("http:", "https:"), **secure)
    assert type(result.error) is ConnectionFailed
    assert isinstance(result.error.__cause__, ssl.SSLError)


def test_a_server_that_leaves_during_the_handshake_is_a_failed_connection(
    network: NetworkRunner, secure: dict[str, Any]
) -> None:
    with listening(lambda peer: peer.reset()) as server:
        result = network.read_url(server.url.replace("http:", "https:"), **secure)
    assert type(result.error) is ConnectionFailed
    assert result.verdict is Verdict.UNREACHABLE


def test_a_server_is_told_that_we_speak_http_1_1(authority: Authority) -> None:
    """By ALPN (RFC 7301): one that also speaks HTTP/2 might begin with that."""
    context = authority.server_for("localhost")
    context.set_alpn_protocols(["h2", "http/1.1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    ours = TLS(None, "localhost")
    assert not ours.handshake()
    incoming.write(ours.outgoing())
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    assert server.selected_alpn_protocol() == "http/1.1"


# Who we are.


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_shown_to_a_server_that_demands_one(
    network: NetworkRunner, authority: Authority, version: ssl.TLSVersion
) -> None:
    server = authority.demanding_server()
    server.minimum_version = server.maximum_version = version
    context = authority.client_with_certificate()
    result = network.read(says(head(version="1.0"), *STREAM), tls=server, ssl_context=context)
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)


@pytest.mark.parametrize(
    ("version", "why"),
    # TLS 1.2 has no alert of its own for it, and TLS 1.3 says so only after the handshake.
    [(ssl.TLSVersion.TLSv1_2, "handshake failure"), (ssl.TLSVersion.TLSv1_3, "certificate required")],
)
def test_no_certificate_for_a_server_that_demands_one_is_no_reason_to_try_again(
    network: NetworkRunner,
    authority: Authority,
    secure: dict[str, Any],
    version: ssl.TLSVersion,
    why: str,
) -> None:
    server = authority.demanding_server()
    server.minimum_version = server.maximum_version = version
    result = network.read(says(head(), *STREAM), tls=server, **secure)  # C16
    assert isinstance(result.error, CertificateRejected)
    assert not result.error.retryable
    assert isinstance(result.error.__cause__, ssl.SSLError)
    assert why in str(result.error.__cause__)
    assert (result.verdict, result.request) == (Verdict.UNREACHABLE, b"")


def test_a_server_that_has_only_old_versions_of_tls_is_no_reason_to_try_again(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    """C16."""

    def refuse(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.send(bytes([21, 3, 1, 0, 2, 2, 70]))  # a fatal alert, protocol_version (RFC 5246, 7.2)

    with listening(refuse) as server:
        result = network.read_url(server.url.replace("http:", "https:"), **secure)
    assert isinstance(result.error, ConnectionFailed)
    assert not result.error.retryable
    assert result.verdict is Verdict.UNREACHABLE


@on_every_network
def test_a_client_certificate_is_shown_to_its_own_origin_alone(
    network: NetworkRunner, authority: Authority
) -> None:
    """E8."""
    shown: list[Any] = []

    def note(peer: Peer) -> None:
        assert isinstance(peer.socket, ssl.SSLSocket)
        shown.append(peer.socket.getpeercert())
        says(head(version="1.0"), *STREAM)(peer)

    asking = authority.demanding_server()
    asking.verify_mode = ssl.CERT_OPTIONAL
    with listening(note, tls=asking) as elsewhere:
        redirect = says(head("307 Temporary Redirect", f"Location: {elsewhere.url}/", "Content-Length: 0"))
        with listening(redirect, tls=authority.demanding_server()) as server:
            context = authority.client_with_certificate()
            assert network.read_url(server.url, ssl_context=context).data == SAID
            assert network.read_url(elsewhere.url, ssl_context=context).data == SAID
    assert not shown[0]
    assert shown[1]


def test_a_copy_of_a_context_has_its_trust_and_no_certificate(authority: Authority) -> None:
    context = authority.client_with_certificate()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    copy = without_client_certificate(context)
    assert copy is without_client_certificate(context) is not context
    assert copy.get_ca_certs() == context.get_ca_certs()
    assert (copy.minimum_version, copy.verify_mode) == (ssl.TLSVersion.TLSv1_3, ssl.CERT_REQUIRED)


def test_a_copy_of_a_context_that_has_loaded_nothing_trusts_whom_the_system_trusts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(ssl.SSLContext):
        """Trusts by ways of its own, which cannot be copied."""

    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    loaded: list[ssl.SSLContext] = []

    def load(context: ssl.SSLContext) -> None:
        loaded.append(context)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    assert loaded == [without_client_certificate(empty)]
    own = Own(ssl.PROTOCOL_TLS_CLIENT)
    assert without_client_certificate(own) is own


def test_the_name_of_an_origin_without_a_known_port_is_enough(authority: Authority) -> None:
    """A proxy leads to it."""
    transport: Any = Unconnected(authority.client, own=URL.parse("https://api.test:8443"))
    for port, own in [(8443, True), (443, False), (None, True)]:
        transport._port = port
        assert transport._is_own("api.test") is own
        assert not transport._is_own("other.test")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_may_say_whom_to_trust(
    variable: str,
    network: NetworkRunner,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """F5."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    script = says(head(version="1.0"), *STREAM)
    assert isinstance(network.read(script, tls=authority.server).error, CertificateRejected)
    bundle = tmp_path / "bundle.pem"
    authority.ca.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv(variable, str(bundle))
    assert network.read(script, tls=authority.server).data == SAID
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))  # OpenSSL's own comes first
    assert ca_bundle() is None


def test_a_bundle_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """F5."""
    with pytest.raises(OSError, match=r"REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE: .*nowhere"):
        default_ssl_context(str(tmp_path / "nowhere.pem"))
    assert default_ssl_context(str(tmp_path)).get_ca_certs() == []  # a folder, in which is nothing yet


# Another name than the host's.


def test_the_name_of_the_server_may_be_another_than_the_host(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    tls = authority.server_for("service.test")
    asked: list[str | None] = []
    tls.sni_callback = lambda sock, name, context: asked.append(name)
    result = network.read(
        says(head(version="1.0"), *STREAM), tls=tls, server_hostname="service.test", **secure
    )
    assert (result.data, asked) == (SAID, ["service.test"])
    assert b"Host: 127.0.0.1:" in result.request


def test_that_name_is_verified(network: NetworkRunner, authority: Authority, secure: dict[str, Any]) -> None:
    script = says(head(version="1.0"), *STREAM)
    result = network.read(script, tls=authority.server, server_hostname="service.test", **secure)
    assert isinstance(result.error, CertificateRejected)
    assert "service.test" in str(result.error)


def test_that_name_is_not_expected_of_another_host(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any], names: Names
) -> None:
    elsewhere = authority.server_for("somewhere.test")
    with listening(says(head(version="1.0"), *STREAM), tls=elsewhere) as other:
        names.ports.append(other.port)
        script = says(
            head("307 Temporary Redirect", "Location: https://somewhere.test/", "Content-Length: 0")
        )
        with listening(script, tls=authority.server_for("service.test")) as server:
            result = network.read_url(server.url, server_hostname="service.test", **secure)
    assert result.data == SAID


# Nobody is trusted by mistake.


def test_a_context_that_verifies_nobody_unasked_is_refused(network: NetworkRunner) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS)
    with pytest.raises(ValueError, match="PROTOCOL_TLS verifies nobody"):
        network.client("https://localhost", ssl_context=context)
    context.check_hostname = True
    network.client("https://localhost", ssl_context=context)


def test_a_context_that_was_told_not_to_verify_does_not(network: NetworkRunner, authority: Authority) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    script = says(head(version="1.0"), *STREAM)
    assert network.read(script, tls=authority.server, ssl_context=context).data == SAID


def test_a_name_that_no_certificate_can_have_is_a_failed_connection(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    script = says(head(version="1.0"), *STREAM)
    with listening(script) as server:
        url = server.url.replace("http:", "https:")
        result = network.read_url(url, server_hostname=".nobody", **secure)
    assert type(result.error) is ConnectionFailed
    assert "no server name: '.nobody'" in str(result.error)


# Ends.


def test_a_close_delimited_body_ends_with_a_close_notify(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    result = network.read(says(head(version="1.0"), *STREAM), tls=authority.server, **secure)
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)


def test_a_close_delimited_body_without_a_close_notify_is_truncated(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    def cut(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(version="1.0"), *STREAM)

    with listening(cut, tls=authority.server) as server:
        result = network.read_url(server.url, **secure)
    assert isinstance(result.error, BodyTruncated)
    assert (result.data, result.verdict) == (SAID, Verdict.BODY_CUT)
    assert isinstance(result.error.__cause__, ssl.SSLError)  # SSLEOFError, if Python is new enough


def test_a_context_that_takes_a_cut_for_an_end_is_corrected(
    network: NetworkRunner, authority: Authority
) -> None:
    context = authority.client_with_certificate()
    context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF

    def cut(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(version="1.0"), *STREAM)

    with listening(cut, tls=authority.server) as server:
        result = network.read_url(server.url, ssl_context=context)
    assert (result.data, result.verdict) == (SAID, Verdict.BODY_CUT)


def test_a_complete_chunked_body_needs_no_close_notify(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    def cut(peer: Peer) -> None:
        peer.read_request()
        peer.send(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK)

    with listening(cut, tls=authority.server) as server:
        result = network.read_url(server.url, **secure)
    assert (result.data, result.verdict, result.error) == (SAID, Verdict.FINISHED, None)


# Much data.


def test_an_event_of_several_megabytes_is_read_over_tls(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    data = "0123456789abcdef" * (256 * 1024)
    result = network.read(says(head(version="1.0"), event(data)), tls=authority.server, **secure)
    assert result.data == [data]


def test_records_that_came_at_once_are_all_read_before_anything_is_waited_for(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    said = [str(number) for number in range(200)]

    def say_all_at_once(peer: Peer) -> None:
        peer.read_request()
        peer.send(head(version="1.0"))
        peer.wait_for("entered")
        peer.send(*map(event, said))  # a record for each
        peer.reach("said")
        peer.wait_until_gone()

    with listening(say_all_at_once, tls=authority.server) as server:
        remote = network.stream(server.url, **secure)
        remote.enter()
        server.peer().reach("entered")
        server.peer().wait_for("said")
        assert [remote.next().data for _ in said] == said
        remote.close()


def test_a_big_request_is_sent_whole_over_tls(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    result = network.read(says(head(version="1.0"), *STREAM), BIG, tls=authority.server, **secure)
    assert result.data == SAID
    assert result.request.endswith(b"\r\n\r\n" + BIG.body)


def test_a_server_that_refuses_a_big_request_over_tls_is_heard(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    def refuse(peer: Peer) -> None:
        peer.socket.recv(1024)
        peer.send(head("413 Content Too Large", "Content-Length: 8"), b"too much")

    with listening(refuse, tls=authority.server) as server:
        result = network.read_url(server.url, BIG, **secure)
    assert isinstance(result.error, StatusError)
    assert result.error.status == 413


# Silence.


def test_silence_during_the_handshake_ends_with_its_deadline(
    network: NetworkRunner, secure: dict[str, Any]
) -> None:
    with listening(Peer.wait_until_gone) as server:
        url = server.url.replace("http:", "https:")
        result = network.read_url(url, deadlines=Deadlines(tls=SHORT), **secure)
        assert server.peer().notices_the_end()
    assert isinstance(result.error, DeadlineExceeded)
    assert (result.error.which, result.verdict) == ("tls", Verdict.DEADLINE)


def test_silence_in_the_body_ends_with_its_deadline_over_tls(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    script = says(head(version="1.0") + b"".join(STREAM), end=End.SILENCE)
    deadlines = Deadlines(between_bytes=SHORT)
    result = network.read(script, tls=authority.server, deadlines=deadlines, **secure)
    assert isinstance(result.error, DeadlineExceeded)
    assert (result.error.which, result.data) == ("between_bytes", SAID)


def test_a_server_that_reads_slowly_does_not_stretch_the_deadline(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    read = 0

    def read_slowly(peer: Peer) -> None:
        nonlocal read
        # Little room, so that there is progress all the time: no single record is late.
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        while not peer.hears("stop", within=0.01):
            with contextlib.suppress(OSError):  # the client's end, once it has given up
                read += len(peer.socket.recv(65536))

    with listening(read_slowly, tls=authority.server) as server:
        deadlines = Deadlines(response_head=SHORT)
        result = network.read_url(server.url, BIG, deadlines=deadlines, **secure)
        server.peer().reach("stop")
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == "response_head"
    assert read < len(BIG.body)


# TLS without I/O.


def test_http_1_1_is_what_we_offer() -> None:
    client = TLS(None, "api.test")
    assert not client.handshake()
    assert b"\x00\x09\x08http/1.1" in client.outgoing()  # RFC 7301, 3.1


def connected(authority: Authority) -> tuple[TLS, ssl.SSLObject, ssl.MemoryBIO, ssl.MemoryBIO]:
    """A client, and a server with what goes to it and what comes from it."""
    to_server, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = authority.server.wrap_bio(to_server, from_server, server_side=True)
    client = TLS(authority.client, "127.0.0.1")
    complete = False
    while not complete:
        complete = client.handshake()
        to_server.write(client.outgoing())
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        client.feed(from_server.read())
    return client, server, to_server, from_server


def test_what_came_before_bytes_that_are_no_tls_is_handed_out_first(authority: Authority) -> None:
    client, server, _, from_server = connected(authority)
    server.write(b"one")
    server.write(b"two")
    client.feed(from_server.read() + b"this is no record")
    assert client.decrypt() == b"onetwo"
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            client.decrypt()


def test_what_came_before_the_tls_around_it_broke_is_handed_out_first(authority: Authority) -> None:
    below, around, to_around, from_around = connected(authority)
    to_server, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = authority.server.wrap_bio(to_server, from_server, server_side=True)
    client = TLS(authority.client, "127.0.0.1", below)
    while not client.handshake():
        to_around.write(client.outgoing())
        to_server.write(around.read(65536))
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        around.write(from_server.read())
        client.feed(from_around.read())
    to_around.write(client.outgoing())
    to_server.write(around.read(65536))
    server.do_handshake()
    server.write(b"data")
    around.write(from_server.read())
    client.feed(from_around.read() + b"this is no record")
    assert client.decrypt() == b"data"
    with pytest.raises(ssl.SSLError):
        client.decrypt()


def test_nothing_is_an_end(authority: Authority) -> None:
    client, server, _, from_server = connected(authority)
    assert client.decrypt() is None
    server.write(b"last")
    client.feed(from_server.read())
    client.feed(b"")
    assert client.decrypt() == b"last"
    with pytest.raises(ssl.SSLError):
        client.decrypt()


@pytest.mark.parametrize("kind", [SyncTransport, AsyncTransport])
def test_what_tls_has_to_say_of_its_own_accord_is_sent(
    kind: type[Any], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an update of keys, which no server in Python asks for."""
    client, server, _, from_server = connected(authority)
    updates = [b"an update"]
    monkeypatch.setattr(client, "outgoing", lambda: updates.pop() if updates else b"")
    server.write(b"data")
    sent: list[bytes] = []

    class Recording(kind):  # type: ignore[misc, valid-type, unused-ignore]
        """Receives what the server said, and remembers what it sent."""

        now = staticmethod(time.monotonic)

        def answer(self, value: Any) -> Any:
            return value if kind is SyncTransport else completed(value)

        def _send(self, data: bytes, deadline: float | None) -> Any:
            sent.append(data)
            return self.answer(len(data))

        def _receive(self, deadline: float | None) -> Any:
            return self.answer(from_server.read())

    transport = Recording()
    transport._tls = client
    received = transport.receive(None)
    assert (received if kind is SyncTransport else run_without_loop(received)) == b"data"
    assert sent == [b"an update"]


class Unconnected(SyncTransport):
    """Is not connected."""

    @property
    def now(self) -> Callable[[], float]:
        return time.monotonic

    def _send(self, data: bytes, deadline: float | None) -> int:
        raise ConnectionAbortedError

    def _receive(self, deadline: float | None) -> bytes:
        raise ConnectionAbortedError


class Flooded:
    """The parts of a transport that always has more to receive: TLS messages, and no data in them."""

    clock = 0.0
    tickets: Any

    @property
    def now(self) -> Callable[[], float]:
        return lambda: self.clock

    def take(self) -> bytes:
        self.clock += 1
        return next(self.tickets)  # type: ignore[no-any-return]


class SyncFlooded(Flooded, SyncTransport):
    def _send(self, data: bytes, deadline: float | None) -> int:
        return 0 if len(data) > 1000 else len(data)

    def _receive(self, deadline: float | None) -> bytes:
        return self.take()


class AsyncFlooded(Flooded, AsyncTransport):
    async def _send(self, data: bytes, deadline: float | None) -> int:
        return 0 if len(data) > 1000 else len(data)

    async def _receive(self, deadline: float | None) -> bytes:
        return self.take()


def flooded(kind: type[Any], authority: Authority) -> Any:
    """A transport, and a server that sends nothing but session tickets (RFC 8446, 4.6.1)."""
    context = authority.server_for("127.0.0.1")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 2000
    to_server, from_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, from_server, server_side=True)
    client = TLS(authority.client, "127.0.0.1")
    while not client.handshake():
        to_server.write(client.outgoing())
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        client.feed(from_server.read())
    to_server.write(client.outgoing())
    server.do_handshake()
    sent = from_server.read()
    assert len(sent) > 2 * transports.MAX_WITHOUT_DATA * 0.9
    transport = kind()
    transport._tls = client
    transport.tickets = (sent[start : start + 4096] for start in range(0, len(sent), 4096))
    return transport


def result_of(value: Any) -> Any:
    return value if isinstance(value, int | bytes) else run_without_loop(value)


@pytest.mark.parametrize("verb", ["receive", "send"])
@pytest.mark.parametrize("kind", [SyncFlooded, AsyncFlooded])
def test_tls_messages_without_data_stretch_no_deadline(
    kind: type[Any], verb: str, authority: Authority
) -> None:
    """A3."""
    transport = flooded(kind, authority)
    arguments = [] if verb == "receive" else [bytes(5000)]
    with pytest.raises(TimeoutError):
        result_of(getattr(transport, verb)(*arguments, 3.0))
    assert transport.clock == 3


@pytest.mark.parametrize("deadline", [None, -math.inf])
@pytest.mark.parametrize("verb", ["receive", "send"])
@pytest.mark.parametrize("kind", [SyncFlooded, AsyncFlooded])
def test_tls_messages_without_data_come_to_an_end(
    kind: type[Any], verb: str, deadline: float | None, authority: Authority
) -> None:
    """A3."""
    transport = flooded(kind, authority)
    arguments = [] if verb == "receive" else [bytes(5000)]
    with pytest.raises(ConnectionAbortedError, match="without data"):
        result_of(getattr(transport, verb)(*arguments, deadline))
    assert transport.clock == transports.MAX_WITHOUT_DATA // 4096 + 1


class SyncInterrupted(SyncTransport):
    """Has no room to send, but something to receive."""

    @property
    def now(self) -> Callable[[], float]:
        return time.monotonic

    received = b""

    def _send(self, data: bytes, deadline: float | None) -> int:
        return 0

    def _receive(self, deadline: float | None) -> bytes:
        return self.received


class AsyncInterrupted(AsyncTransport):
    """The same, with `await`."""

    @property
    def now(self) -> Callable[[], float]:
        return time.monotonic

    received = b""

    async def _send(self, data: bytes, deadline: float | None) -> int:
        return 0

    async def _receive(self, deadline: float | None) -> bytes:
        return self.received


@pytest.mark.parametrize("kind", [SyncInterrupted, AsyncInterrupted])
def test_a_handshake_that_is_answered_before_it_is_sent_reads_the_answer(kind: type[Any]) -> None:
    transport = kind()
    transport.received = bytes([21, 3, 3, 0, 2, 2, 80])  # a fatal alert, internal_error (RFC 8446, 6)
    with pytest.raises(ssl.SSLError, match="internal error"):
        result_of(transport.start_tls("api.test", None))


@pytest.mark.parametrize("kind", [SyncInterrupted, AsyncInterrupted])
def test_a_connection_that_is_cut_while_something_is_sent_over_tls_is_no_end(
    kind: type[Any], authority: Authority
) -> None:
    client, _, _, _ = connected(authority)
    transport = kind()
    transport._tls = client
    assert result_of(transport.send(b"data", None)) == 0
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            result_of(transport.receive(None))


@pytest.mark.parametrize("kind", [SyncInterrupted, AsyncInterrupted])
def test_what_tls_has_to_say_keeps_nobody_from_data(
    kind: type[Any], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no room for it, and the data has come."""
    client, server, _, from_server = connected(authority)
    server.write(b"data")
    updates = [b"an update"]
    monkeypatch.setattr(client, "outgoing", lambda: updates.pop() if updates else b"")
    transport = kind()
    transport._tls = client
    transport.received = from_server.read()
    assert result_of(transport.receive(None)) == b"data"


async def completed(value: Any) -> Any:
    return value


def test_a_zone_is_no_part_of_the_name_that_a_certificate_has() -> None:
    transport = split_options("https://[fe80::1%25eth0]", {"server_hostname": "service.test"})[0]
    assert transport["server_names"] == {"fe80::1": "service.test"}

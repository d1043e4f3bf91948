"""Every runtime goes through proxies of every kind, and says what is wrong with those that are not well."""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sse_adapters.testing.peers import refusing
from sse_core import (
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Fault,
    Proxies,
    Proxy,
    ProxyError,
    StreamError,
)
from support.apps import write_certificate
from support.keepalive import ANSWER, Conversation, Replies
from support.proxies import HTTPProxy, SOCKSProxy, haproxy, microsocks, proxying, tinyproxy
from support.runners import NetworkRunner
from support.servers import End, Peer, listening, says
from support.tls import Authority

USER, PASSWORD, ENCODED = "someone", "very-secret", "very%2Dsecret"
CREDENTIALS = f"{USER}:{PASSWORD}"
LOGIN = f"{USER}:{ENCODED}@"


def through(url: str) -> Proxies:
    """Everything goes through one proxy."""
    proxy = Proxy.parse(url)
    return Proxies(http=proxy, https=proxy)


# Proxies that work: ours, and those that others wrote.

Running: TypeAlias = Callable[[Path, Authority, str | None], Any]


@contextmanager
def our_http(_: Path, __: Authority, credentials: str | None) -> Generator[str]:
    with proxying(HTTPProxy(credentials)) as server:
        yield f"http://{{}}127.0.0.1:{server.port}"


@contextmanager
def our_https(_: Path, authority: Authority, credentials: str | None) -> Generator[str]:
    with proxying(HTTPProxy(credentials), authority.server) as server:
        yield f"https://{{}}127.0.0.1:{server.port}"


@contextmanager
def our_socks(_: Path, __: Authority, credentials: str | None) -> Generator[str]:
    with proxying(SOCKSProxy(credentials)) as server:
        yield f"socks5://{{}}127.0.0.1:{server.port}"


@contextmanager
def on_tinyproxy(folder: Path, _: Authority, credentials: str | None) -> Generator[str]:
    with tinyproxy(folder, credentials) as port:
        yield f"http://{{}}127.0.0.1:{port}"


@contextmanager
def on_tinyproxy_behind_haproxy(
    folder: Path, authority: Authority, credentials: str | None
) -> Generator[str]:
    certificate = write_certificate(authority.ca.issue_cert("127.0.0.1"), folder / "proxy.pem")
    with tinyproxy(folder, credentials) as behind, haproxy(folder, behind, certificate) as port:
        yield f"https://{{}}127.0.0.1:{port}"


@contextmanager
def on_microsocks(folder: Path, _: Authority, credentials: str | None) -> Generator[str]:
    with microsocks(folder, credentials) as port:
        yield f"socks5h://{{}}127.0.0.1:{port}"


KINDS: list[Running] = [
    *(our_http, our_https, our_socks),
    *(on_tinyproxy, on_tinyproxy_behind_haproxy, on_microsocks),
]


@pytest.fixture(scope="module", params=KINDS, ids=[kind.__name__ for kind in KINDS])
def open_proxy(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a proxy for everyone, with a gap for who we are."""
    with request.param(tmp_path_factory.mktemp("proxy"), authority, None) as url:
        yield url


@pytest.fixture(scope="module", params=KINDS, ids=[kind.__name__ for kind in KINDS])
def closed_proxy(
    request: pytest.FixtureRequest, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same, for one user only."""
    with request.param(tmp_path_factory.mktemp("proxy"), authority, CREDENTIALS) as url:
        yield url


@contextmanager
def talking_through(
    network: NetworkRunner,
    proxies: Proxies | None,
    authority: Authority,
    scheme: str = "http",
    **options: Any,
) -> Generator[Conversation]:
    """A client and a server that know each other through proxies."""
    script = Replies(ANSWER)
    with listening(script, tls=authority.server if scheme == "https" else None) as server:
        client = network.client(server.url, proxies=proxies, ssl_context=authority.client, **options)
        talk = Conversation(network, server, script, client)
        try:
            yield talk
        finally:
            talk.close()


either_scheme = pytest.mark.parametrize("scheme", ["http", "https"])


@either_scheme
def test_two_requests_through_one_tunnel(
    network: NetworkRunner, open_proxy: str, authority: Authority, scheme: str
) -> None:
    with talking_through(network, through(open_proxy.format("")), authority, scheme) as talk:
        for _ in range(2):
            result = talk.ask()
            assert (result.data, result.error) == (["one", "two"], None)
        # tinyproxy, for one, closes the connection after each request that it has read.
        reused = scheme == "https" or open_proxy.startswith("socks")
        assert talk.connections == [0, 0] or not reused
        assert len(talk.requests) == 2


@either_scheme
def test_with_user_name_and_password(
    each_loop: NetworkRunner, closed_proxy: str, authority: Authority, scheme: str
) -> None:
    with talking_through(each_loop, through(closed_proxy.format(LOGIN)), authority, scheme) as talk:
        assert talk.ask().data == ["one", "two"]
        assert all(b"proxy-authorization" not in request.lower() for request in talk.requests)


@either_scheme
@pytest.mark.parametrize("login", ["", f"{USER}:wrong@"])
def test_without_the_right_ones(
    each_loop: NetworkRunner, closed_proxy: str, authority: Authority, scheme: str, login: str
) -> None:
    with talking_through(each_loop, through(closed_proxy.format(login)), authority, scheme) as talk:
        error = talk.ask().error
        assert isinstance(error, StreamError)
        assert (error.fault, error.retryable) == (Fault.CALLER, False)
        assert talk.requests == []
        if closed_proxy.startswith("http"):
            assert status_of(error) in (401, 407)  # tinyproxy says 401 where it should be 407
        else:
            assert isinstance(error, ProxyError)


def status_of(error: Any) -> int:
    status: int = error.status
    return status


def test_the_absolute_form_over_one_connection(each_loop: NetworkRunner, authority: Authority) -> None:
    proxy = HTTPProxy()
    with proxying(proxy) as server:
        proxies = through(f"http://127.0.0.1:{server.port}")
        with talking_through(each_loop, proxies, authority) as talk:
            assert [talk.ask().data for _ in range(2)] == [["one", "two"]] * 2
            assert proxy.heads[0].startswith(f"GET {talk.server.url}/stream HTTP/1.1\r\n".encode())
            assert talk.connections == [0, 0]
            assert len(server.peers) == 1


@pytest.mark.parametrize("proxy", [HTTPProxy, SOCKSProxy])
def test_it_is_the_proxy_that_resolves_names(
    each_loop: NetworkRunner, authority: Authority, proxy: Callable[[], Any]
) -> None:
    with proxying(proxy()) as server, listening(says(), tls=authority.server_for("unheard.test")) as target:
        scheme = "http" if proxy is HTTPProxy else "socks5"
        result = each_loop.read_url(
            target.url_of("unheard.test"),
            proxies=through(f"{scheme}://127.0.0.1:{server.port}"),
            ssl_context=authority.client,
        )
        assert "ended before the response head" in str(result.error)  # of a server that is found, and trusted
        assert target.peer().received.startswith(b"GET")


# What the environment says.

VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUEST_METHOD"]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("variable", "scheme", "used"),
    [
        ("HTTPS_PROXY", "https", True),
        ("https_proxy", "https", True),
        ("HTTPS_PROXY", "http", False),
        ("HTTP_PROXY", "http", True),
        ("HTTP_PROXY", "https", False),
        ("ALL_PROXY", "http", True),
        ("ALL_PROXY", "https", True),
    ],
)
def test_the_variables_of_the_environment(
    each_loop: NetworkRunner,
    authority: Authority,
    environment: pytest.MonkeyPatch,
    variable: str,
    scheme: str,
    used: bool,
) -> None:
    with proxying(HTTPProxy()) as proxy:
        environment.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        with talking_through(each_loop, None, authority, scheme) as talk:
            assert talk.ask().data == ["one", "two"]
        assert bool(proxy.peers) is used


@pytest.mark.parametrize("exempt", ["127.0.0.1", "127.0.0.0/8", "example.com,*"])
def test_hosts_that_the_environment_exempts(
    each_loop: NetworkRunner, authority: Authority, environment: pytest.MonkeyPatch, exempt: str
) -> None:
    with refusing() as port:
        environment.setenv("ALL_PROXY", f"socks5://127.0.0.1:{port}")
        environment.setenv("NO_PROXY", exempt)
        with talking_through(each_loop, None, authority) as talk:
            assert talk.ask().data == ["one", "two"]


def test_what_the_caller_says_goes_before_the_environment(
    each_loop: NetworkRunner, authority: Authority, environment: pytest.MonkeyPatch
) -> None:
    with refusing() as port:
        environment.setenv("ALL_PROXY", f"http://127.0.0.1:{port}")
        with talking_through(each_loop, Proxies(), authority) as talk:
            assert talk.ask().data == ["one", "two"]


def test_a_proxy_of_the_environment_that_is_none(
    each_loop: NetworkRunner, environment: pytest.MonkeyPatch
) -> None:
    """D6: which is an error when it is needed, and not before."""
    environment.setenv("HTTPS_PROXY", f"ftp://{LOGIN}localhost")
    environment.setenv("NO_PROXY", "localhost")
    with refusing() as port:
        exempt = each_loop.read_url(f"https://localhost:{port}").error
    assert isinstance(exempt, ConnectionFailed) and not isinstance(exempt, ProxyError)
    error = each_loop.read_url("https://example.com").error
    assert isinstance(error, ProxyError) and error.fault is Fault.CALLER
    assert str(error).upper().startswith("HTTPS_PROXY: THE SCHEME OF A PROXY IS ")
    assert not shows_credentials(error)


# Proxies that are not well.


def answers(*pieces: bytes, end: End = End.CLOSE) -> Callable[[Peer], None]:
    """Listen to what is asked first, and say this."""

    def play(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.send(*pieces)
        if end is End.SILENCE:
            peer.wait_until_gone()
        elif end is End.RESET:
            peer.reset()

    return play


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 200 O", b"\x05"], ids=["nothing", "HTTP", "SOCKS5"])
def test_a_proxy_that_leaves(
    each_loop: NetworkRunner, authority: Authority, scheme: str, end: End, piece: bytes
) -> None:
    with proxying(answers(*filter(None, [piece]), end=end)) as server:
        proxies = through(f"{scheme}://{LOGIN}127.0.0.1:{server.port}")
        with talking_through(each_loop, proxies, authority, "https") as talk:
            error = talk.ask().error
    assert isinstance(error, StreamError)
    assert error.fault is Fault.NETWORK
    assert not shows_credentials(error)


@pytest.mark.parametrize(
    ("answer", "status", "retryable"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n", 403, False),
        (b"HTTP/1.1 407 Who Are You\r\n\r\n", 407, False),
        (b"HTTP/1.1 502 Nobody There\r\nConnection: close\r\n\r\n", 502, True),
        (b"HTTP/1.0 504 Too Late\r\n\r\n", 504, True),
    ],
)
def test_a_proxy_that_refuses(
    each_loop: NetworkRunner, authority: Authority, answer: bytes, status: int, retryable: bool
) -> None:
    with proxying(answers(answer)) as server:
        proxies = through(f"http://{LOGIN}127.0.0.1:{server.port}")
        with talking_through(each_loop, proxies, authority, "https") as talk:
            error = talk.ask().error
    assert isinstance(error, ProxyError)
    assert (error.status, error.retryable) == (status, retryable)
    assert str(status) in str(error)
    assert not shows_credentials(error)


@pytest.mark.parametrize(
    ("scheme", "answer"),
    [
        ("http", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("http", b"HTTP/1.1 200 Here You Are\r\n\r\nand more"),
        ("socks5", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("socks5", b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"),
        ("socks5", b"\x05\xff"),
    ],
)
def test_a_proxy_that_says_something_else(
    each_loop: NetworkRunner, authority: Authority, scheme: str, answer: bytes
) -> None:
    with proxying(answers(answer)) as server:
        proxies = through(f"{scheme}://{LOGIN}127.0.0.1:{server.port}")
        with talking_through(each_loop, proxies, authority, "https") as talk:
            error = talk.ask().error
    assert isinstance(error, ProxyError)
    assert not shows_credentials(error)


@pytest.mark.parametrize("proxy", [HTTPProxy(CREDENTIALS), SOCKSProxy(CREDENTIALS)])
def test_a_proxy_that_answers_byte_by_byte(
    network: NetworkRunner, authority: Authority, proxy: Callable[[Peer], None]
) -> None:
    scheme = "http" if isinstance(proxy, HTTPProxy) else "socks5"
    with proxying(lambda peer: proxy(Dripping(peer.socket))) as server:
        proxies = through(f"{scheme}://{LOGIN}127.0.0.1:{server.port}")
        with talking_through(network, proxies, authority, "https") as talk:
            assert talk.ask().data == ["one", "two"]


class Dripping(Peer):
    def send(self, *pieces: bytes) -> None:
        super().send(*[bytes([byte]) for piece in pieces for byte in piece])


@pytest.mark.parametrize("scheme", ["http", "socks5"])
@pytest.mark.parametrize("piece", [b"", b"HTTP/1.1 200 O"], ids=["nothing", "a-little"])
def test_a_proxy_that_falls_silent(
    each_loop: NetworkRunner, authority: Authority, scheme: str, piece: bytes
) -> None:
    if scheme == "socks5":
        piece = piece and b"\x05"
    with proxying(answers(*filter(None, [piece]), end=End.SILENCE)) as server:
        proxies = through(f"{scheme}://127.0.0.1:{server.port}")
        deadlines = Deadlines(connect=0.05)
        with talking_through(each_loop, proxies, authority, "https", deadlines=deadlines) as talk:
            error = talk.ask().error
        assert isinstance(error, DeadlineExceeded)
        assert error.which == "connect"
        assert server.peer().notices_the_end()


def test_a_proxy_that_is_not_there(each_loop: NetworkRunner, authority: Authority) -> None:
    with refusing() as port:
        with talking_through(each_loop, through(f"http://{LOGIN}127.0.0.1:{port}"), authority) as talk:
            error = talk.ask().error
    assert isinstance(error, StreamError)
    assert error.retryable
    assert not shows_credentials(error)


def test_a_proxy_that_nobody_trusts(each_loop: NetworkRunner, authority: Authority) -> None:
    with proxying(HTTPProxy(), authority.server_for("elsewhere.test")) as server:
        proxies = through(f"https://127.0.0.1:{server.port}")
        with talking_through(each_loop, proxies, authority, "https") as talk:
            error = talk.ask().error
    assert isinstance(error, CertificateRejected)


def test_a_server_that_nobody_trusts_behind_a_proxy(each_loop: NetworkRunner, authority: Authority) -> None:
    with proxying(HTTPProxy(), authority.server) as server:
        with listening(says(), tls=authority.server_for("elsewhere.test")) as target:
            result = each_loop.read_url(
                target.url,
                proxies=through(f"https://127.0.0.1:{server.port}"),
                ssl_context=authority.client,
            )
    assert isinstance(result.error, CertificateRejected)


def test_a_client_does_not_show_who_we_are(each_loop: NetworkRunner) -> None:
    client = each_loop.client("http://localhost", proxies=through(f"http://{LOGIN}localhost:3128"))
    assert not shows_credentials(client)
    each_loop.call(client.close)


def shows_credentials(thing: object) -> bool:
    """Whether what is shown of something, or of an error and what led to it, tells the secret."""
    shown = repr(thing) + str(thing)
    if isinstance(thing, BaseException):
        shown += "".join(traceback.format_exception(thing))
    return any(
        secret in shown for secret in (PASSWORD, ENCODED, b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    )

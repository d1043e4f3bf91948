"""More servers and proxies that others wrote: what every one of them has to do the same."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sse_adapters.server import ChatService, serving
from sse_adapters.threads import Client
from sse_core import Action, Open, Outcome, Session, StatusError, Verdict
from sse_core.dialects import events, groq
from support import asgi
from support.apps import on_hypercorn, on_uvicorn, write_certificate
from support.programs import find_program, free_port, running
from support.runners import NetworkRunner, read
from support.servers import eventually
from support.tls import Authority

TESTS = Path(__file__).parents[2]

# Servers.


@contextmanager
def uvicorn(_: Path) -> Generator[str]:
    with on_uvicorn(asgi.app) as url:
        yield url


@contextmanager
def hypercorn(_: Path) -> Generator[str]:
    with on_hypercorn(asgi.app) as url:
        yield url


@contextmanager
def granian(folder: Path) -> Generator[str]:
    pytest.importorskip("granian")
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--log-level", "error"]
    options = ["--host", "127.0.0.1", "--port", port, "support.asgi:app"]
    with running([*command, *options], port, folder, env={**os.environ, "PYTHONPATH": str(TESTS)}):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def node(folder: Path) -> Generator[str]:
    program, port = find_program("node", optional=True), free_port()
    with running([program, TESTS / "support/node.js", port], port, folder):
        yield f"http://127.0.0.1:{port}"


SERVERS: list[Callable[[Path], Any]] = [uvicorn, hypercorn, granian, node]


@pytest.fixture(scope="module", params=SERVERS, ids=[server.__name__ for server in SERVERS])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with request.param(tmp_path_factory.mktemp("server")) as url:
        yield url


POST = events.request("/stream", method="POST", body=b"zero")


def test_a_stream(network: NetworkRunner, url: str) -> None:
    result = network.read_url(url, POST)
    assert result.data == ["zero", "one", "two"]
    assert result.verdict is Verdict.FINISHED


def test_several_streams_over_one_connection(network: NetworkRunner, url: str) -> None:
    actions = Actions()
    client = network.client(url, observe=actions.of)
    for _ in range(5):
        assert network.call(network.read_whole, client.stream(POST)).data == ["zero", "one", "two"]
    network.call(client.close)
    assert sum(isinstance(action, Open) for action in actions.seen) == 1


class Actions:
    """An observer that remembers what was done."""

    def __init__(self) -> None:
        self.seen: list[Action] = []

    def of(self, _: Session[Any]) -> Actions:
        return self

    def action(self, action: Action, now: float) -> None:
        self.seen.append(action)

    def outcome(self, outcome: Outcome, now: float) -> None:
        pass


def test_the_server_notices_when_the_client_leaves(network: NetworkRunner, url: str) -> None:
    remote = network.stream(url, events.request("/endless"))
    assert remote.next().data == "more"
    assert open_streams(url) == 1
    remote.leave()
    eventually(lambda: open_streams(url) == 0)


def open_streams(url: str) -> int:
    with Client(url) as client:
        return int(read(client.stream(events.request("/open"))).data[0])


# Reverse proxies in front of the embedded server, besides nginx.

Front: TypeAlias = Callable[[str, Path, Path | None], AbstractContextManager[str]]


@contextmanager
def haproxy(target: str, folder: Path, certificate: Path | None) -> Generator[str]:
    program, port = find_program("haproxy"), free_port()
    configuration = folder / "haproxy.cfg"
    tls = "" if certificate is None else f"ssl crt {certificate}"
    configuration.write_text(HAPROXY.format(port=port, tls=tls, target=target))
    with running([program, "-f", configuration], port, folder):
        yield f"127.0.0.1:{port}"


@contextmanager
def caddy(target: str, folder: Path, certificate: Path | None) -> Generator[str]:
    program, port = find_program("caddy"), free_port()
    configuration = folder / "Caddyfile"
    tls = "" if certificate is None else f"tls {certificate} {certificate}"
    scheme = "http" if certificate is None else "https"
    configuration.write_text(CADDY.format(scheme=scheme, port=port, tls=tls, target=target))
    command = [program, "run", "--config", configuration, "--adapter", "caddyfile"]
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with running(command, port, folder, env={**os.environ, **home}):
        yield f"127.0.0.1:{port}"


HAPROXY = """
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    retries 0
listen all
    bind 127.0.0.1:{port} {tls}
    option abortonclose
    server one {target}
"""
CADDY = """
{{
    admin off
    auto_https off
}}
{scheme}://127.0.0.1:{port} {{
    {tls}
    reverse_proxy {target}
}}
"""
FRONTS: list[Front] = [haproxy, caddy]
REPLY = "one word and another " * 20
MESSAGES: Any = [{"role": "user", "content": "What is SSE?"}]
CHAT = groq.chat(model="m", messages=MESSAGES)


class Fronted:
    """The embedded server behind a reverse proxy, with services for two kinds of test."""

    def __init__(self, urls: list[str], services: list[ChatService], *, gives_up: bool) -> None:
        self.fast, self.slow, self.broken = urls
        self.service = services[1]
        self.gives_up = gives_up
        """Whether it breaks off an answer now and then, and ends the body as if that were all.

        Caddy 2.6 does with one in 400, whoever asks: "context canceled".
        """


@pytest.fixture(scope="module", params=["http", "https"])
def scheme(request: pytest.FixtureRequest) -> str:
    scheme: str = request.param
    return scheme


@pytest.fixture(scope="module", params=FRONTS, ids=[front.__name__ for front in FRONTS])
def fronted(
    request: pytest.FixtureRequest,
    scheme: str,
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fronted]:
    certificate = None
    if scheme == "https":
        file = tmp_path_factory.mktemp("certificate") / "server.pem"
        certificate = write_certificate(authority.ca.issue_cert("127.0.0.1"), file)
    services = [ChatService(pace=0, reply=REPLY), ChatService(pace=60)]
    with serving(services[0]) as fast, serving(services[1]) as slow:
        targets = [base_url.split("/")[2] for base_url in (fast, slow)] + [f"127.0.0.1:{free_port()}"]
        folders = [tmp_path_factory.mktemp("front") for _ in targets]
        first, second, third = (
            request.param(target, folder, certificate)
            for target, folder in zip(targets, folders, strict=True)
        )
        with first as one, second as two, third as three:
            urls = [f"{scheme}://{address}/openai/v1" for address in (one, two, three)]
            yield Fronted(urls, services, gives_up=request.param is caddy)


def test_an_answer(network: NetworkRunner, fronted: Fronted, secure: dict[str, Any]) -> None:
    client = network.client(fronted.fast, **secure)
    try:
        results = [network.call(network.read_whole, client.stream(CHAT)) for _ in range(2)]
        while fronted.gives_up and results[-1].verdict is Verdict.UNFINISHED and len(results) < 9:
            results.append(network.call(network.read_whole, client.stream(CHAT)))
        assert "".join(chunk.text for chunk in results[-1].chunks) == REPLY
        assert results[-1].verdict is Verdict.COMPLETE
    finally:
        network.call(client.close)


def test_leaving_goes_through(network: NetworkRunner, fronted: Fronted, secure: dict[str, Any]) -> None:
    remote = network.stream(fronted.slow, CHAT, **secure)
    assert remote.next().choices[0].delta.role == "assistant"  # long before there is more
    eventually(lambda: fronted.service.stats.open_connections == 1)
    remote.leave()
    eventually(lambda: fronted.service.stats.open_connections == 0)


def test_a_server_that_is_not_there_is_a_status(
    network: NetworkRunner, fronted: Fronted, secure: dict[str, Any]
) -> None:
    error = network.read_url(fronted.broken, CHAT, **secure).error
    assert isinstance(error, StatusError)
    assert error.status in (502, 503)
    assert error.retryable

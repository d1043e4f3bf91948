"""The dialects' fixtures, served by the embedded server and by the command line."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import suppress
from http.client import HTTPConnection
from threading import Thread, main_thread
from urllib.parse import urlsplit

import pytest

from sse_adapters.cli import main
from sse_adapters.server import ChatService, FixedResponse, serving
from sse_adapters.threads import Client
from sse_core import StreamError
from sse_core.testing.dialects import REQUESTS, Fixture, find, load

FIXTURES = load()


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_a_fixture_comes_over_the_network_as_it_is(fixture: Fixture) -> None:
    expected = fixture.expected
    recorded = FixedResponse(fixture.stream, expected.status, expected.content_type)
    with serving(ChatService(pace=0, response=recorded)) as url:
        host = urlsplit(url).netloc
        connection = HTTPConnection(host, timeout=10)
        connection.request("GET", "/anything")
        response = connection.getresponse()
        assert (response.status, response.read()) == (expected.status, fixture.stream)
        connection.close()
        with Client(url) as client:
            stream = client.stream(REQUESTS[fixture.dialect]())
            with suppress(StreamError):
                list(stream.batches())
            assert stream.stats.events == len(expected.chunks + expected.values)
            assert stream.verdict is not None and stream.verdict.name == expected.verdict


def test_the_command_line_serves_a_fixture_by_its_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found: list[bytes] = []

    def ask_and_interrupt() -> None:
        while not found:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("POST", "/chat/completions", body=b"{}")
                found.append(connection.getresponse().read())
            except ConnectionRefusedError:
                time.sleep(0.01)
            finally:
                connection.close()
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    thread = Thread(target=ask_and_interrupt)
    thread.start()
    assert main(["serve", "--port", str(port), "--pace", "0", "--fixture", "groq/text"]) == 130
    thread.join()
    assert found == [find("groq/text").stream]


@pytest.mark.parametrize(
    ("name", "there"),
    [("groq/none", "groq/browser-and-debug, groq/"), ("none", "anthropic/..., cohere/...,")],
)
def test_a_name_that_no_fixture_has_is_answered_with_those_there_are(
    name: str, there: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--fixture", name]) == 1
    assert f"no fixture {name!r}; there are {there}" in capsys.readouterr().err

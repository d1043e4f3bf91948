"""B1: a child of `os.fork` leaves the parent's connections to the parent, and makes its own.

What forks is a program of its own (`support/forking.py`): a test with threads had better not.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import pytest

from support import forking
from support.servers import CHUNKED, GENEROUS, LAST_CHUNK, Peer, chunked, event, head, listening
from support.tls import Authority

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
needs_uvloop = pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
every_transport = pytest.mark.parametrize(
    "transport",
    ["threads", "portal", "portal-trio", "asyncio", pytest.param("uvloop", marks=needs_uvloop), "trio"],
)
BELONGS = "this stream was opened by the process that this one is a fork of"


def numbered() -> Callable[[Peer], None]:
    """Say of each connection, in each answer, which it is."""
    numbers = count(1)

    def script(peer: Peer) -> None:
        number = next(numbers)
        while True:
            peer.received.clear()
            peer.read_request()
            peer.send(head("200 OK", CHUNKED), *chunked(event(f"{number}a")))
            peer.hears("never", 0.1)  # so that a fork in mid-stream is one
            peer.send(*chunked(event(f"{number}b")), LAST_CHUNK)

    return script


def forked(*arguments: str, tls: ssl.SSLContext | None = None) -> tuple[list[str], list[str], int]:
    """What parent and child have said, and over how many connections."""
    with listening(numbered(), tls=tls) as server:
        transport, *rest = arguments
        command = [sys.executable, forking.__file__, transport, server.url, *rest]
        environment = {**os.environ, "PYTHONPATH": str(Path(forking.__file__).parents[1])}
        run = subprocess.run(command, capture_output=True, text=True, timeout=2 * GENEROUS, env=environment)
        assert run.returncode == 0, run.stderr
        lines = run.stdout.splitlines()
        parent = [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]
        child = [line.removeprefix("child ") for line in lines if line.startswith("child ")]
        return parent, child, len(server.peers)


@every_transport
@pytest.mark.parametrize("closer", ["child", "parent"])
def test_a_child_of_an_idle_client_opens_connections_of_its_own(transport: str, closer: str) -> None:
    parent, child, connections = forked(transport, "idle", closer)
    assert parent == ["1a 1b", "1a 1b"]
    assert child == ["2a 2b"] * (1 if closer == "child" else 2)
    assert connections == 2


@every_transport
@pytest.mark.parametrize("closer", ["child", "parent"])
def test_a_stream_that_was_open_belongs_to_the_parent(transport: str, closer: str) -> None:
    parent, child, connections = forked(transport, "stream", closer)
    assert parent == ["1a", "1b"]
    assert child[0] == BELONGS
    assert child[1:] == ["2a 2b"] * (1 if closer == "child" else 2)
    assert connections == 2


@every_transport
@pytest.mark.parametrize("opened", ["idle", "stream"])
def test_a_child_says_nothing_over_the_parents_tls(transport: str, opened: str, authority: Authority) -> None:
    with authority.ca.cert_pem.tempfile() as certificates:
        parent, child, _ = forked(transport, opened, "child", certificates, tls=authority.server)
    assert parent[-1].endswith("1b")
    assert child[-1] == "2a 2b"

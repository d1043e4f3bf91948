"""Many requests, and many that are given up at random moments, leave nothing behind.

How many there are is for the environment variable ENDURANCE to say.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from fuzz.faults import open_files
from sse_core import PoolLimits
from support.keepalive import ANSWER, TWO, Conversation, talking
from support.runners import (
    EVENTS,
    NETWORK_RUNNERS,
    REARRANGED,
    EventLoop,
    NetworkRunner,
    on_every_network,
    outcome,
)
from support.servers import CHUNKED, LAST_CHUNK, Peer, chunked, eventually, head
from support.tls import Authority

REQUESTS = int(os.environ.get("ENDURANCE", "200"))
AT_A_TIME = 20


@contextmanager
def nothing_left(network: NetworkRunner) -> Generator[None]:
    """Fail if there are more files, threads or tasks behind the block than before it."""
    before = (open_files(), threads(), tasks(network))
    yield
    eventually(lambda: open_files() <= before[0])
    eventually(lambda: threads() <= before[1])
    assert tasks(network) == before[2]


def threads() -> int:
    """How many threads there are, but for those of the runners."""
    return sum(not thread.name.startswith("ThreadPoolExecutor") for thread in threading.enumerate())


def tasks(network: NetworkRunner) -> int:
    async def count() -> int:
        return len(anyio.get_running_tasks())

    number: int = network.call(count) if isinstance(network, EventLoop) else 0
    return number


def ask_often(talk: Conversation, network: NetworkRunner, times: int) -> None:
    for _ in range(times // AT_A_TIME):
        streams = [talk.client.stream(EVENTS) for _ in range(AT_A_TIME)]
        for future in [network.start(network.read_whole, stream) for stream in streams]:
            assert outcome(future).data == ["one", "two"]


@on_every_network
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_many_requests_over_one_client(
    network: NetworkRunner, scheme: str, authority: Authority, secure: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"tls": authority.server, **secure} if scheme == "https" else {}
    with talking(network, ANSWER) as talk:
        ask_often(talk, network, AT_A_TIME)  # and keep files open that stay so
    with nothing_left(network):
        with talking(network, ANSWER, pool=PoolLimits(max_connections=5), **options) as talk:
            ask_often(talk, network, REQUESTS)
            assert len(talk.requests) == REQUESTS // AT_A_TIME * AT_A_TIME
            assert len(talk.server.peers) <= 5


def hesitant(peer: Peer) -> None:
    """An answer with pauses before and in its head, its body, and its end."""
    for piece in (head("200 OK", CHUNKED)[:20], head("200 OK", CHUNKED)[20:], *chunked(*TWO), LAST_CHUNK):
        time.sleep(0.001)
        peer.send(piece)


def give_up_often(talk: Conversation, network: NetworkRunner, dice: random.Random) -> None:
    """Close streams that are being read, each at some moment."""
    for _ in range(REQUESTS // AT_A_TIME):
        streams = [talk.client.stream(EVENTS) for _ in range(AT_A_TIME)]
        reading = [network.start(network.read_whole, stream) for stream in streams]
        for stream in dice.sample(streams, AT_A_TIME):
            time.sleep(dice.random() * 0.001)
            network.call(network.close, stream)
        for future in reading:
            outcome(future)


async def cancel_often(client: Any, dice: random.Random) -> None:
    """Cancel tasks that read streams, each at some moment."""

    async def read() -> None:
        with anyio.move_on_after(dice.random() * 0.02):
            async with client.stream(EVENTS) as stream:
                assert len([chunk async for chunk in stream]) == 2

    for _ in range(REQUESTS // AT_A_TIME):
        async with anyio.create_task_group() as group:
            for _ in range(AT_A_TIME):
                group.start_soon(read)


WAYS = [
    pytest.param(each.values[0], way, id=f"{each.id}-{way}", marks=each.marks)
    for each in (*NETWORK_RUNNERS, *REARRANGED)
    for way in ("close", "cancel")
    if way == "close" or isinstance(each.values[0], EventLoop)  # a thread is not cancelled
]


@pytest.mark.parametrize(("network", "way"), WAYS, indirect=["network"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_many_streams_that_are_given_up(
    network: NetworkRunner, scheme: str, way: str, authority: Authority, secure: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"tls": authority.server, **secure} if scheme == "https" else {}
    dice = random.Random(1)
    with talking(network, ANSWER) as talk:
        ask_often(talk, network, AT_A_TIME)
    with nothing_left(network):
        with talking(network, hesitant, pool=PoolLimits(max_connections=15), **options) as talk:
            if way == "close":
                give_up_often(talk, network, dice)
            else:
                network.call(cancel_often, talk.client, dice)
            assert talk.ask().data == ["one", "two"]
            talk.close()
            eventually(lambda: all(peer.closed for peer in talk.server.peers))

"""Checks for fetchers, which get responses by another HTTP client: one by one, or all of them."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, TypeAlias

import anyio

from sse_core import Fetch, Response

from .. import async_loop, sync_loop
from .loops import AnyioLoop, EventLoop, Main, Task
from .peers import PATIENCE, Peer, refusing
from .subject import Subject, TransportCheck, raises_oserror, soon, times_out
from .transports import RUNNERS, Check, make_all

Factory: TypeAlias = Callable[[], sync_loop.Fetcher] | Callable[[], async_loop.Fetcher]


class Cannot(Enum):
    """What some HTTP clients offer no way to do."""

    BE_WOKEN = "end a verb that waits when `abort` is called"
    KEEP_DEADLINES = "end a verb that waits when its deadline passes"
    SEE_A_CUT = "tell a body that was cut from one that has ended"


def fetcher_checks(
    fetcher: Factory,
    *,
    run: Callable[[Main], object] | None = None,
    loop: EventLoop | None = None,
    cannot: Collection[Cannot] = (),
) -> list[Check]:
    """Return the checks for the fetchers that `fetcher` makes, but for what they `cannot` do.

    Asynchronous ones need what runs a coroutine function on asyncio or trio, or any other event `loop`.
    """
    blocking = run is None and loop is None
    loop = loop or AnyioLoop(RUNNERS.get(run, run) or anyio.run)
    subject = Subject(fetcher, loop, blocking)
    return [
        Check(check, subject)
        for check in CHECKS
        if NEEDED.get(check) not in cannot and (check not in FOR_TASKS or not blocking)
    ]


def check_fetcher(
    fetcher: Factory,
    *,
    run: Callable[[Main], object] | None = None,
    loop: EventLoop | None = None,
    cannot: Collection[Cannot] = (),
) -> None:
    """Make all the checks. Raises TransportFailures, with everything that went wrong."""
    make_all(fetcher_checks(fetcher, run=run, loop=loop, cannot=cannot))


@asynccontextmanager
async def asked(subject: Subject, body: bytes = b"") -> AsyncGenerator[tuple[Any, Peer, Task, bytes]]:
    """A fetcher that has sent a request, the peer that got it, the task that fetches, and the request."""
    fetcher = subject.transport()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/path?n=1"
        headers = (("Accept", "text/event-stream"), ("X-Mine", "yes"))
        request = Fetch("POST" if body else "GET", url, headers, body, None)
        task = subject.start(fetcher.fetch, request, soon(fetcher))
        try:
            peer = Peer((await subject.in_thread(listener.accept))[0])
            try:
                received = b""
                while not received.partition(b"\r\n\r\n")[1] or not received.endswith(body):
                    received += await subject.in_thread(peer.receive)
                yield fetcher, peer, task, received
            finally:
                peer.close()
        finally:
            fetcher.close()
            task.cancel()


@asynccontextmanager
async def answered(subject: Subject, head: bytes) -> AsyncGenerator[tuple[Any, Peer, Response]]:
    """A fetcher that has the head of a response, and the peer that sent it."""
    async with asked(subject) as (fetcher, peer, task, _):
        await subject.in_thread(peer.send, head)
        assert await task.wait(PATIENCE), "the head of a response is not returned"
        task.outcome()
        yield fetcher, peer, task.result


async def read_all(fetcher: Any) -> bytes:
    data = b""
    while piece := await fetcher.receive(soon(fetcher)):
        data += piece
    return data


async def the_request_arrives_as_it_is(subject: Subject) -> None:
    async with asked(subject, b"\x00body") as (_, _, _, request):
        first, _, rest = request.partition(b"\r\n")
        assert first == b"POST /path?n=1 HTTP/1.1", f"sent {first!r}"
        fields = {line.lower() for line in rest.partition(b"\r\n\r\n")[0].split(b"\r\n")}
        assert {b"accept: text/event-stream", b"x-mine: yes", b"content-length: 5"} <= fields, fields


async def a_status_is_no_error(subject: Subject) -> None:
    head = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nwhy?"
    async with answered(subject, head) as (fetcher, _, response):
        assert response.status == 503
        assert await read_all(fetcher) == b"why?"


async def header_names_are_in_lower_case_and_none_is_lost(subject: Subject) -> None:
    head = b"HTTP/1.1 200 OK\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 0\r\n\r\n"
    async with answered(subject, head) as (fetcher, _, response):
        values = ",".join(value for name, value in response.headers if name == "x-two")
        assert values.replace(" ", "") == "1,2", f"has {response.headers}"
        assert await read_all(fetcher) == b""


async def a_body_comes_as_it_is_sent(subject: Subject) -> None:
    async with answered(subject, CHUNKED) as (fetcher, peer, _):
        for piece in (b"data: 1\n\n", b"da", b"ta: 2\n\n"):
            await subject.in_thread(peer.send, b"%x\r\n%b\r\n" % (len(piece), piece))
            received = await fetcher.receive(soon(fetcher))
            assert received == piece, f"received {received!r}, not {piece!r}"
        await subject.in_thread(peer.send, b"0\r\n\r\n")
        assert await fetcher.receive(soon(fetcher)) == b""


async def a_large_body_is_whole(subject: Subject) -> None:
    body = bytes(range(256)) * 2**12
    async with answered(subject, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)) as (
        fetcher,
        peer,
        _,
    ):
        async with subject.meanwhile(subject.in_thread, peer.send, body):
            assert await read_all(fetcher) == body


async def a_body_that_is_cut_is_an_error(subject: Subject) -> None:
    for head in (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfour", CHUNKED + b"9\r\nfour"):
        async with answered(subject, head) as (fetcher, peer, _):
            await subject.in_thread(peer.close)
            with raises_oserror():
                await read_all(fetcher)


async def nobody_there_is_an_error(subject: Subject) -> None:
    with refusing() as port:
        fetcher = subject.transport()
        try:
            with raises_oserror():
                await fetcher.fetch(Fetch("GET", f"http://127.0.0.1:{port}/", (), b"", None), soon(fetcher))
        finally:
            fetcher.close()


async def a_response_that_never_comes_is_late(subject: Subject) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fetcher = subject.transport()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        try:
            with times_out(fetcher) as deadline:
                await fetcher.fetch(Fetch("GET", url, (), b"", deadline), deadline)
        finally:
            fetcher.close()


async def a_body_that_never_comes_is_late(subject: Subject) -> None:
    async with answered(subject, CHUNKED) as (fetcher, _, _):
        with times_out(fetcher) as deadline:
            await fetcher.receive(deadline)


async def sleep_lasts_until_its_deadline(subject: Subject) -> None:
    fetcher = subject.transport()
    deadline = fetcher.now() + 0.05
    await fetcher.sleep(deadline)
    assert fetcher.now() >= deadline - 0.01, "woke too early"
    fetcher.close()


async def closing_gives_a_response_back_before_its_end(subject: Subject) -> None:
    async with answered(subject, CHUNKED) as (fetcher, peer, _):
        fetcher.close()
        fetcher.close()
        assert await subject.in_thread(peer.notices_the_end), "the server is not told that nobody reads"


async def abort_wakes_a_fetch(subject: Subject) -> None:
    async with asked(subject) as (fetcher, _, task, _):
        fetcher.abort()
        assert await task.wait(PATIENCE), "abort does not wake it"
        assert isinstance(task.error, OSError), f"ended with {task.error or task.result!r}, not OSError"


async def abort_wakes_a_receive(subject: Subject) -> None:
    async with answered(subject, CHUNKED) as (fetcher, _, _):
        await subject.wakes(fetcher, lambda: fetcher.receive(None))


async def abort_wakes_a_sleep(subject: Subject) -> None:
    fetcher = subject.transport()
    await subject.wakes(fetcher, lambda: fetcher.sleep(fetcher.now() + 10 * PATIENCE))
    fetcher.close()


async def a_receive_that_is_cancelled_leaves_nothing_behind(subject: Subject) -> None:
    async with answered(subject, CHUNKED) as (fetcher, peer, _):
        task = subject.start(fetcher.receive, None)
        await subject.sleep(0.05)
        task.cancel()
        assert await task.wait(PATIENCE), "cancelling does not end it"
        fetcher.close()
        assert await subject.in_thread(peer.notices_the_end), "the server is not told that nobody reads"


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHECKS: list[TransportCheck] = [
    the_request_arrives_as_it_is,
    a_status_is_no_error,
    header_names_are_in_lower_case_and_none_is_lost,
    a_body_comes_as_it_is_sent,
    a_large_body_is_whole,
    a_body_that_is_cut_is_an_error,
    nobody_there_is_an_error,
    a_response_that_never_comes_is_late,
    a_body_that_never_comes_is_late,
    sleep_lasts_until_its_deadline,
    closing_gives_a_response_back_before_its_end,
    abort_wakes_a_fetch,
    abort_wakes_a_receive,
    abort_wakes_a_sleep,
    a_receive_that_is_cancelled_leaves_nothing_behind,
]
FOR_TASKS: set[Callable[[Subject], Awaitable[None]]] = {a_receive_that_is_cancelled_leaves_nothing_behind}
"""What only a coroutine can be asked."""
NEEDED: dict[Callable[[Subject], Awaitable[None]], Cannot] = {
    a_body_that_is_cut_is_an_error: Cannot.SEE_A_CUT,
    a_response_that_never_comes_is_late: Cannot.KEEP_DEADLINES,
    a_body_that_never_comes_is_late: Cannot.KEEP_DEADLINES,
    abort_wakes_a_fetch: Cannot.BE_WOKEN,
    abort_wakes_a_receive: Cannot.BE_WOKEN,
    abort_wakes_a_sleep: Cannot.BE_WOKEN,
}
"""The ability that a check is about."""

"""Many streams at once, in one process and on one core.

    python -m benchmarks.environments
    python -m benchmarks.streams

Streams are opened, a hundred at a time; then events come, 2,000 in a second for all of them in
turn; then all are closed. What is told: CPU time for an event, for the first of a stream, and to open
and to close one, in microseconds; memory for a stream, with the task that reads it, in KB of 1,000
bytes; the time from the server's sending to the text, in milliseconds; and what CPU time the server
took for an event. The text says when it was sent. A measurement counts only if, in each stream, these
times are right. One that takes longer than `TIMEOUT` seconds is given up, with all larger ones of that
client.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from importlib import import_module
from pathlib import Path
from subprocess import TimeoutExpired
from time import monotonic
from typing import Any

import anyio

from . import floors
from .answer import MESSAGES
from .end_to_end import server_time
from .environments import python
from .harness import Results, cpu_time, in_turns, number, raise_limit_of_files, run, serving, table

SIZES = (100, 1_000, 5_000, 10_000)
TOGETHER = 100
TIMEOUT = 75.0


# Every client has four verbs: `open` returns a stream, `read` the text of its next event.


class Ours:
    def __init__(self, url: str, module: str) -> None:
        from sse_core.dialects import groq

        self.client = import_module(module).Client(url)
        self.request = groq.chat(model="m", messages=MESSAGES)

    async def open(self) -> Any:
        return await self.client.stream(self.request).__aenter__()

    async def read(self, stream: Any) -> str:
        chunk = await anext(stream)
        return str(chunk.text)

    async def close(self, stream: Any) -> None:
        stream.close()

    async def leave(self) -> None:
        self.client.close()


class Kept:
    """What is kept of a stream that is read by hand."""

    __slots__ = ("ready", "receive", "rest", "source")

    def __init__(self, source: Any, receive: Callable[[], Awaitable[bytes]]) -> None:
        self.source = source
        self.receive = receive
        self.rest = b""
        self.ready: list[str] = []


class ByHand:
    """Does with the bytes what `by_hand` in .clients does."""

    def __init__(self) -> None:
        import msgspec

        from .structs import ChatCompletionChunk

        self.decode = msgspec.json.Decoder(ChatCompletionChunk).decode

    async def read(self, stream: Kept) -> str:
        while not stream.ready:
            data = await stream.receive()
            assert data
            *events, stream.rest = (stream.rest + data).split(b"\n\n")
            for event in events:
                if event != b"data: [DONE]":
                    stream.ready.append(self.decode(event[6:]).choices[0].delta.content or "")
        return stream.ready.pop(0)


class Aiohttp(ByHand):
    def __init__(self, url: str) -> None:
        import aiohttp

        super().__init__()
        self.url = url
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        )

    async def open(self) -> Kept:
        response = await self.session.post(self.url, json={})
        return Kept(response, response.content.readany)

    async def close(self, stream: Kept) -> None:
        stream.source.close()

    async def leave(self) -> None:
        await self.session.close()


class Pyreqwest(ByHand):
    def __init__(self, url: str) -> None:
        from pyreqwest.client import ClientBuilder

        super().__init__()
        self.url, self.client = url, ClientBuilder().build()

    async def open(self) -> Kept:
        post = self.client.post(self.url).body_text("{}").streamed_read_buffer_limit(0)
        source = post.build_streamed()
        response = await source.__aenter__()
        return Kept(source, response.body_reader.read_chunk)

    async def close(self, stream: Kept) -> None:
        await stream.source.__aexit__(None, None, None)

    async def leave(self) -> None:
        await self.client.close()


class Httpx2:
    def __init__(self, url: str) -> None:
        import httpx2

        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        self.url, self.events = url, httpx2.EventSource
        self.client = httpx2.AsyncClient(limits=limits, timeout=None)

    async def open(self) -> Any:
        response = await self.client.send(self.client.build_request("POST", self.url, json={}), stream=True)
        return response, aiter(self.events(response))

    async def read(self, stream: Any) -> str:
        event = await anext(stream[1])
        return str(json.loads(event.data)["choices"][0]["delta"]["content"])

    async def close(self, stream: Any) -> None:
        await stream[1].aclose()
        await stream[0].aclose()

    async def leave(self) -> None:
        await self.client.aclose()


class SDK:
    def __init__(self, url: str, name: str) -> None:
        import httpx

        package = import_module(name.lower())
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        client = getattr(package, f"Async{name}")
        http = httpx.AsyncClient(limits=limits, timeout=None)
        self.client = client(base_url=url, api_key="none", http_client=http, max_retries=0)

    async def open(self) -> Any:
        return await self.client.chat.completions.create(model="m", messages=MESSAGES, stream=True)

    async def read(self, stream: Any) -> str:
        return (await anext(stream)).choices[0].delta.content or ""

    async def close(self, stream: Any) -> None:
        await stream.close()

    async def leave(self) -> None:
        await self.client.close()


class Waiting(asyncio.Protocol):
    """A future for each wait, and nothing else."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.loop = asyncio.get_running_loop()
        self.wait()

    def wait(self) -> None:
        self.future = self.loop.create_future()

    def data_received(self, data: bytes) -> None:
        if not self.future.done():
            self.future.set_result(data)


class ProtocolFloor:
    def __init__(self, url: str) -> None:
        self.host, self.port, self.request = floors.taken_apart(url)

    async def open(self) -> Any:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(Waiting, self.host, self.port)
        protocol.transport.write(self.request)
        await self.read(protocol)
        return protocol

    async def read(self, stream: Any) -> str:
        data = await stream.future
        stream.wait()
        return sent_at(data)

    async def close(self, stream: Any) -> None:
        stream.transport.close()

    async def leave(self) -> None: ...


class AnyioFloor:
    def __init__(self, url: str) -> None:
        self.host, self.port, self.request = floors.taken_apart(url)

    async def open(self) -> Any:
        stream = await anyio.connect_tcp(self.host, self.port)
        await stream.send(self.request)
        await stream.receive()
        return stream

    async def read(self, stream: Any) -> str:
        return sent_at(await stream.receive())

    async def close(self, stream: Any) -> None:
        await stream.aclose()

    async def leave(self) -> None: ...


def sent_at(data: bytes) -> str:
    return data.partition(b'"content":"')[2][:17].decode()


CLIENTS: dict[str, tuple[Callable[[str], Any], str]] = {
    "asyncio.Protocol": (ProtocolFloor, "asyncio uvloop"),
    "anyio receive": (AnyioFloor, "asyncio uvloop trio"),
    "sse-core, anyio": (partial(Ours, module="sse_adapters.anyio"), "asyncio uvloop trio"),
    "sse-core, asyncio": (partial(Ours, module="sse_adapters.asyncio"), "asyncio uvloop"),
    "aiohttp by hand": (Aiohttp, "asyncio uvloop"),
    "pyreqwest by hand": (Pyreqwest, "asyncio uvloop"),
    "httpx2": (Httpx2, "asyncio"),
    "groq SDK": (partial(SDK, name="Groq"), "asyncio"),
    "openai SDK": (partial(SDK, name="OpenAI"), "asyncio"),
}
NAMES = [f"{name}; {loop}" for name, (_, loops) in CLIENTS.items() for loop in loops.split()]


def measure(name: str, streams: int, port: str) -> dict[str, float]:
    raise_limit_of_files()
    client, _, loop = name.partition("; ")
    body = partial(live, CLIENTS[client][0], streams, f"http://127.0.0.1:{port}")
    if loop == "trio":
        import trio

        return trio.run(body, start_with_trio)
    if loop == "uvloop":
        import uvloop

        return uvloop.run(body(start_with_asyncio))
    return asyncio.run(body(start_with_asyncio))


async def live(make: Any, streams: int, base: str, start: Any) -> dict[str, float]:
    events = max(5, 4_000 // streams)
    warm = make(f"{base}/1/1")
    for _ in range(5):
        stream = await warm.open()
        await warm.read(stream)
        await warm.close(stream)
    await warm.leave()
    client = make(f"{base}/{streams}/{events}")
    room = anyio.Semaphore(TOGETHER)
    all_opened, all_begun, all_read = anyio.Event(), anyio.Event(), anyio.Event()
    go, close = anyio.Event(), anyio.Event()
    opened = begun = read = 0
    lags: list[float] = []

    async def one() -> None:
        nonlocal opened, begun, read
        last = monotonic()
        async with room:
            stream = await client.open()
        opened += 1
        if opened == streams:
            all_opened.set()
        await go.wait()
        sent = float(await client.read(stream))
        assert last < sent <= monotonic()
        begun += 1
        if begun == streams:
            all_begun.set()
        for _ in range(events - 1):
            last, sent = sent, float(await client.read(stream))
            now = monotonic()
            assert last < sent <= now  # so that none was read twice
            lags.append(now - sent)
        read += 1
        if read == streams:
            all_read.set()
        await close.wait()
        await client.close(stream)

    figures: dict[str, float] = {}

    async def phases() -> None:
        before, memory = cpu_time(), resident()
        async with start([one] * streams):
            await all_opened.wait()
            opening = cpu_time()
            go.set()
            await all_begun.wait()
            beginning = cpu_time()
            await all_read.wait()
            reading = cpu_time()
            figures["KB"] = (resident() - memory) / streams / 1e3
            close.set()
        closing = cpu_time()
        figures["open"] = (opening - before) / streams * 1e6
        figures["first"] = (beginning - opening) / streams * 1e6
        figures["cpu"] = (reading - beginning) / streams / (events - 1) * 1e6
        figures["close"] = (closing - reading) / streams * 1e6

    gc.collect()
    await phases()
    await client.leave()
    assert len(lags) == streams * (events - 1)  # and none was left out: the server sends no more
    lags.sort()
    for figure, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        figures[figure] = lags[min(len(lags) - 1, int(len(lags) * share))] * 1e3
    return figures


class start_with_asyncio:
    def __init__(self, functions: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        self.functions = functions

    async def __aenter__(self) -> None:
        self.group = await asyncio.TaskGroup().__aenter__()
        for function in self.functions:
            self.group.create_task(function())

    async def __aexit__(self, *exc: Any) -> None:
        await self.group.__aexit__(*exc)


class start_with_trio:
    def __init__(self, functions: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        self.functions = functions

    async def __aenter__(self) -> None:
        import trio

        self.manager = trio.open_nursery()
        nursery = await self.manager.__aenter__()
        for function in self.functions:
            nursery.start_soon(function)

    async def __aexit__(self, *exc: Any) -> None:
        await self.manager.__aexit__(*exc)


def resident() -> float:
    """Return the bytes of memory of this process, or 0 where that is not told."""
    path = Path("/proc/self/statm")
    if not path.exists():
        return 0.0
    return float(path.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure_all(names: list[str], sizes: list[int], rounds: int) -> Results:
    results = Results()
    for name in in_turns(names, rounds):
        for size in sorted(sizes):
            with serving("benchmarks.stream_server") as port:
                arguments = ("--one", name, str(size), port)
                try:
                    figures = run(python(name), "benchmarks.streams", *arguments, timeout=TIMEOUT)
                except TimeoutExpired:
                    print(f"{name}, {size}: not in {TIMEOUT:.0f} s; no larger one is tried", file=sys.stderr)
                    break
                figures["server"] = server_time(port) * 1e6
            results.add(name, size, figures=figures)
            shown = ", ".join(f"{key} {number(value)}" for key, value in figures.items())
            print(f"{name}, {size}: {shown}", file=sys.stderr)
    return results


FIGURES = {
    "cpu": "CPU, us/event",
    "first": "first, us",
    "KB": "KB/stream",
    "open": "open, us",
    "close": "close, us",
    "server": "server, us/event",
    "p50": "lag p50, ms",
    "p99": "p99",
    "max": "max",
}


def report(results: Results, names: list[str], sizes: list[int]) -> str:
    """Return a table in Markdown."""
    rows = [
        [name, f"{size:,}", *(number(results.middle(name, size, figure=figure)) for figure in FIGURES)]
        for size in sizes
        for name in names
        if results.middle(name, size, figure="cpu") is not None
    ]
    return table(["client", "streams", *FIGURES.values()], rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=NAMES, help="names of clients")
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--one", nargs=3, metavar=("NAME", "STREAMS", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, streams, port = options.one
        print(json.dumps(measure(name, int(streams), port)))
        return
    print(report(measure_all(options.only, options.sizes, options.rounds), options.only, options.sizes))


if __name__ == "__main__":
    main()

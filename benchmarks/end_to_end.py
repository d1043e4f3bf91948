"""From a connection to the text of the chunks: every client, over the loopback.

    python -m benchmarks.environments
    python -m benchmarks.end_to_end

Each measurement is a process of its own, on one core where the system can pin it, and
they take turns. What is reported is the median of the CPU time of that process for an
event, in microseconds, from the request to the end of the answer, and its ratio to
`recv`, a loop that reads the socket and looks at nothing. A measurement counts only if
the text was right.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from statistics import median
from time import process_time
from typing import Any

from .decoders import EVENTS
from .environments import PEERS
from .server import PACED_EVENTS

MODES = ("64", "1", "paced")
MESSAGES: Any = [{"role": "user", "content": "Count."}]


def recv(url: str) -> Iterable[str]:
    """The floor: the bytes are received and dropped."""
    host, _, rest = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port))) as connection:
        connection.sendall(f"POST /{rest} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            data = connection.recv(65536)
    return ()


def threads(url: str) -> Iterable[str]:
    from sse_adapters.threads import Client
    from sse_core.dialects import groq

    with Client(url) as client, client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
        for chunk in stream:
            yield chunk.text


def in_loop(**options: Any) -> Callable[[str], Iterable[str]]:
    def read(url: str) -> Iterable[str]:
        import anyio

        from sse_adapters.anyio import Client
        from sse_core.dialects import groq

        async def main() -> list[str]:
            async with Client(url) as client:
                async with client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
                    return [chunk.text async for chunk in stream]

        return anyio.run(main, **options)

    return read


def native(uvloop: bool) -> Callable[[str], Iterable[str]]:
    def read(url: str) -> Iterable[str]:
        import asyncio

        from sse_adapters.asyncio import Client
        from sse_core.dialects import groq

        async def main() -> list[str]:
            async with Client(url) as client:
                async with client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
                    return [chunk.text async for chunk in stream]

        if uvloop:
            from uvloop import new_event_loop
        else:
            from asyncio import new_event_loop
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(main())

    return read


def portal(url: str) -> Iterable[str]:
    from sse_adapters.portal import Client
    from sse_core.dialects import groq

    with Client(url) as client, client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
        for chunk in stream:
            yield chunk.text


def http_client(url: str) -> Iterable[str]:
    import http.client
    from urllib.parse import urlsplit

    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port)
    connection.request("POST", where.path, body=b"{}")
    response = connection.getresponse()
    while (line := response.readline()) != b"data: [DONE]\n":
        if line.startswith(b"data: "):
            yield json.loads(line[6:])["choices"][0]["delta"]["content"]
    connection.close()


def aiohttp_by_hand(url: str) -> Iterable[str]:
    import asyncio

    import aiohttp

    async def main() -> list[str]:
        found: list[str] = []
        rest = b""
        async with aiohttp.ClientSession() as session, session.post(url, json={}) as response:
            async for data in response.content.iter_any():
                *events, rest = (rest + data).split(b"\n\n")
                for event in events:
                    if event == b"data: [DONE]":
                        return found
                    found.append(json.loads(event[6:])["choices"][0]["delta"]["content"])
        return found

    return asyncio.run(main())


def httpx_sse(url: str) -> Iterable[str]:
    import httpx
    from httpx_sse import connect_sse

    with httpx.Client() as client, connect_sse(client, "POST", url, json={}) as source:
        for event in source.iter_sse():
            if event.data == "[DONE]":
                break
            yield json.loads(event.data)["choices"][0]["delta"]["content"]


def groq_sdk(url: str) -> Iterable[str]:
    from groq import Groq

    with Groq(base_url=url, api_key="none") as client:
        for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            yield chunk.choices[0].delta.content or ""


def openai_sdk(url: str) -> Iterable[str]:
    from openai import OpenAI

    with OpenAI(base_url=url, api_key="none") as client:
        for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            yield chunk.choices[0].delta.content or ""


CONTENDERS: dict[str, Callable[[str], Iterable[str]]] = {
    "recv": recv,
    "sse-core, threads": threads,
    "sse-core, asyncio": in_loop(),
    "sse-core, uvloop": in_loop(backend_options={"use_uvloop": True}),
    "sse-core, trio": in_loop(backend="trio"),
    "sse-core, native asyncio": native(uvloop=False),
    "sse-core, native uvloop": native(uvloop=True),
    "sse-core, portal": portal,
    "aiohttp and json, by hand": aiohttp_by_hand,
    "http.client and json, by hand": http_client,
    "httpx, httpx-sse and json": httpx_sse,
    "groq SDK": groq_sdk,
    "openai SDK": openai_sdk,
}


def measure(name: str, mode: str, port: str) -> float:
    """Return microseconds of CPU time for an event."""
    url = f"http://127.0.0.1:{port}/{mode}/"
    read = CONTENDERS[name]
    next(iter(read(url)), None)  # imports, caches; and leaving early has to work
    text = hashlib.sha256()
    start = process_time()
    for piece in read(url):
        text.update(piece.encode())
    took = process_time() - start
    events = PACED_EVENTS if mode == "paced" else EVENTS
    if name != "recv":
        right = "".join(f" {number:05}" for number in range(events))
        assert text.digest() == hashlib.sha256(right.encode()).digest()
    return took / events * 1e6


def report(rounds: int, names: list[str], modes: list[str], port: str) -> str:
    """Measure all, in turns, and return a table in Markdown."""
    pin = ["taskset", "-c", str((os.cpu_count() or 1) - 1)] if sys.platform == "linux" else []
    python = str(PEERS / "bin" / "python")
    times: dict[tuple[str, str], list[float]] = {}
    for turn in range(rounds):
        for mode in modes:
            for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
                command = [*pin, python, "-m", "benchmarks.end_to_end", "--one", name, mode, port]
                result = subprocess.run(command, check=True, capture_output=True, text=True)
                times.setdefault((name, mode), []).append(float(result.stdout))
    rows = [f"| client | {' | '.join(modes)} |", "|---" * (len(modes) + 1) + "|"]
    for name in names:
        own = [(median(times[name, mode]), median(times["recv", mode])) for mode in modes]
        rows.append(
            f"| {name} | " + " | ".join(f"{took:.2f} ({took / floor:.1f})" for took, floor in own) + " |"
        )
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), help="names of clients")
    parser.add_argument("--modes", nargs="*", default=list(MODES), choices=MODES)
    parser.add_argument("--one", nargs=3, metavar=("NAME", "MODE", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(measure(*options.one))
        return
    names = ["recv", *(name for name in options.only if name != "recv")]
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.server"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        print(report(options.rounds, names, options.modes, server.stdout.readline().strip()))
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()

"""Every client, as a function that reads the answer at a URL and appends its text, piece by piece.

Each is used as its own documentation shows. `by hand` means split at blank lines, with trust in
the server, and msgspec into a Struct: the least that a program can do with the bytes. What a client
imports is measured, so each imports what it needs itself, and nothing is imported up here for it.
"""

from __future__ import annotations

from functools import partial, wraps

from . import floors
from .answer import MESSAGES

TYPE_CHECKING = False  # as type checkers know it: importing typing takes time
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeAlias

    Client: TypeAlias = Callable[[str, list[str]], None]
    AsyncClient: TypeAlias = Callable[[str, list[str]], Coroutine[Any, Any, None]]

JSON = {"Content-Type": "application/json"}


def on_asyncio(read: AsyncClient) -> Client:
    @wraps(read)
    def run(url: str, texts: list[str]) -> None:
        import asyncio

        asyncio.run(read(url, texts))

    return run


def on_uvloop(read: AsyncClient) -> Client:
    @wraps(read)
    def run(url: str, texts: list[str]) -> None:
        import uvloop

        uvloop.run(read(url, texts))

    return run


# Ours.


def threads(url: str, texts: list[str]) -> None:
    from sse_adapters.threads import Client
    from sse_core.dialects import groq

    with Client(url) as client, client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
        for chunk in stream:
            texts.append(chunk.text)


def portal(url: str, texts: list[str]) -> None:
    from sse_adapters.portal import Client
    from sse_core.dialects import groq

    with Client(url) as client, client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
        for chunk in stream:
            texts.append(chunk.text)


async def native(url: str, texts: list[str]) -> None:
    from sse_adapters.asyncio import Client
    from sse_core.dialects import groq

    async with Client(url) as client:
        async with client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
            async for chunk in stream:
                texts.append(chunk.text)


def anyio(url: str, texts: list[str], **options: Any) -> None:
    import anyio

    from sse_adapters.anyio import Client
    from sse_core.dialects import groq

    async def main() -> None:
        async with Client(url) as client:
            async with client.stream(groq.chat(model="m", messages=MESSAGES)) as stream:
                async for chunk in stream:
                    texts.append(chunk.text)

    anyio.run(main, **options)


# Others.


def by_hand(texts: list[str]) -> Callable[[bytes], bytes]:
    """Return what takes a buffer, appends the texts of its events, and returns what is left."""
    import msgspec

    from .structs import ChatCompletionChunk

    decode = msgspec.json.Decoder(ChatCompletionChunk).decode

    def take(buffer: bytes) -> bytes:
        *events, rest = buffer.split(b"\n\n")
        for event in events:
            if event != b"data: [DONE]":
                texts.append(decode(event[6:]).choices[0].delta.content or "")
        return rest

    return take


def http_client(url: str, texts: list[str]) -> None:
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port)
    connection.request("POST", where.path, body=b"{}", headers=JSON)
    response = connection.getresponse()
    take, rest = by_hand(texts), b""
    while data := response.read1(65536):
        rest = take(rest + data)
    connection.close()


async def aiohttp(url: str, texts: list[str]) -> None:
    import aiohttp

    take, rest = by_hand(texts), b""
    async with aiohttp.ClientSession() as session, session.post(url, json={}) as response:
        async for data in response.content.iter_any():
            rest = take(rest + data)


def pyreqwest(url: str, texts: list[str]) -> None:
    from pyreqwest.client import SyncClientBuilder

    take, rest = by_hand(texts), b""
    with SyncClientBuilder().build() as client:
        post = client.post(url).body_text("{}").streamed_read_buffer_limit(0)  # or it waits for 64 KiB
        with post.build_streamed() as response:
            while data := response.body_reader.read_chunk():
                rest = take(rest + bytes(data))


def curl_cffi(url: str, texts: list[str]) -> None:
    from curl_cffi import requests

    take, rest = by_hand(texts), b""
    with requests.Session() as session, session.stream("POST", url, data=b"{}") as response:
        for data in response.iter_content():
            rest = take(rest + data)


def by_json(texts: list[str]) -> Callable[[str], None]:
    """Return what takes the data of an event, and appends its text."""
    import json

    def take(data: str) -> None:
        if data != "[DONE]":
            texts.append(json.loads(data)["choices"][0]["delta"]["content"])

    return take


def urllib3_ld(url: str, texts: list[str]) -> None:
    import urllib3
    from ld_eventsource.actions import Event
    from ld_eventsource.reader import _BufferedLineReader, _SSEReader

    take = by_json(texts)
    with urllib3.PoolManager() as pool:
        response = pool.request("POST", url, body=b"{}", preload_content=False)
        lines = _BufferedLineReader.lines_from(response.stream(65536))
        for item in _SSEReader(lines).events_and_comments():
            if isinstance(item, Event):
                take(item.data)


def requests_sseclient(url: str, texts: list[str]) -> None:
    import requests
    from sseclient import SSEClient

    take = by_json(texts)
    with requests.post(url, data=b"{}", stream=True) as response:
        for event in SSEClient(response.iter_content(None)).events():
            take(event.data)


def httpx_sse(url: str, texts: list[str]) -> None:
    import httpx
    from httpx_sse import connect_sse

    take = by_json(texts)
    with httpx.Client() as client, connect_sse(client, "POST", url, json={}) as source:
        for event in source.iter_sse():
            take(event.data)


async def httpx_sse_async(url: str, texts: list[str]) -> None:
    import httpx
    from httpx_sse import aconnect_sse

    take = by_json(texts)
    async with httpx.AsyncClient() as client, aconnect_sse(client, "POST", url, json={}) as source:
        async for event in source.aiter_sse():
            take(event.data)


def httpx2(url: str, texts: list[str]) -> None:
    import httpx2

    take = by_json(texts)
    with httpx2.Client() as client, client.stream("POST", url, json={}) as response:
        for event in httpx2.EventSource(response):
            take(event.data)


async def httpx2_async(url: str, texts: list[str]) -> None:
    import httpx2

    take = by_json(texts)
    async with httpx2.AsyncClient() as client, client.stream("POST", url, json={}) as response:
        async for event in httpx2.EventSource(response):
            take(event.data)


def niquests(url: str, texts: list[str]) -> None:
    import niquests

    with niquests.Session() as session:
        response = session.post(url, data=b"{}", stream=True)
        rest, take = b"", by_hand(texts)
        for data in response.iter_content(-1):
            rest = take(rest + data)


def groq_sdk(url: str, texts: list[str]) -> None:
    from groq import Groq

    with Groq(base_url=url, api_key="none") as client:
        for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            texts.append(chunk.choices[0].delta.content or "")


async def groq_sdk_async(url: str, texts: list[str]) -> None:
    from groq import AsyncGroq

    async with AsyncGroq(base_url=url, api_key="none") as client:
        async for chunk in await client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            texts.append(chunk.choices[0].delta.content or "")


def openai_sdk(url: str, texts: list[str]) -> None:
    from openai import OpenAI

    with OpenAI(base_url=url, api_key="none") as client:
        for chunk in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            texts.append(chunk.choices[0].delta.content or "")


async def openai_sdk_async(url: str, texts: list[str]) -> None:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(base_url=url, api_key="none") as client:
        async for chunk in await client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            texts.append(chunk.choices[0].delta.content or "")


UVLOOP: Any = {"backend_options": {"use_uvloop": True}}
TRIO: Any = {"backend": "trio"}
FLOORS: dict[str, Client] = {
    "recv": floors.recv,
    "asyncio.Protocol, asyncio": on_asyncio(floors.protocol),
    "asyncio.Protocol, uvloop": on_uvloop(floors.protocol),
    "anyio receive, asyncio": floors.anyio_receive,
    "anyio receive, uvloop": partial(floors.anyio_receive, **UVLOOP),
    "anyio receive, trio": partial(floors.anyio_receive, **TRIO),
}
"""These look at no bytes, and so give no text."""
CLIENTS: dict[str, Client] = {
    **FLOORS,
    "raw loop": partial(floors.raw, bodies=floors.in_bulk),
    "raw loop, llhttp": partial(floors.raw, bodies=floors.by_llhttp),
    "raw loop, h11": partial(floors.raw, bodies=floors.by_h11),
    "sse-core, threads": threads,
    "sse-core, anyio, asyncio": anyio,
    "sse-core, anyio, uvloop": partial(anyio, **UVLOOP),
    "sse-core, anyio, trio": partial(anyio, **TRIO),
    "sse-core, asyncio": on_asyncio(native),
    "sse-core, uvloop": on_uvloop(native),
    "sse-core, portal": portal,
    "aiohttp by hand, asyncio": on_asyncio(aiohttp),
    "aiohttp by hand, uvloop": on_uvloop(aiohttp),
    "pyreqwest by hand": pyreqwest,
    "curl_cffi by hand": curl_cffi,
    "http.client by hand": http_client,
    "niquests by hand": niquests,
    "urllib3, launchdarkly-eventsource": urllib3_ld,
    "requests, sseclient-py": requests_sseclient,
    "httpx, httpx-sse": httpx_sse,
    "httpx, httpx-sse, async": on_asyncio(httpx_sse_async),
    "httpx2": httpx2,
    "httpx2, async": on_asyncio(httpx2_async),
    "groq SDK": groq_sdk,
    "groq SDK, async": on_asyncio(groq_sdk_async),
    "openai SDK": openai_sdk,
    "openai SDK, async": on_asyncio(openai_sdk_async),
}

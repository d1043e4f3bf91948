"""What type checkers know of the public interface. Checked by `make lint`, never run."""

from __future__ import annotations

from typing import Any, assert_type

import anyio
from msgspec import Struct

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.portal
import sse_adapters.threads
from sse_adapters import async_loop, sync_loop
from sse_adapters.testing import check_transport
from sse_core import Chunk, Event, EventDecoder, Message, Request, Response, Verdict
from sse_core.dialects import events, groq, openai

URL = "https://api.groq.com/openai/v1"
MESSAGES = [{"role": "user", "content": "hello"}]


def threads() -> None:
    with sse_adapters.threads.Client(URL, headers={"Authorization": "Bearer key"}) as client:
        with client.stream(groq.chat(model="any", messages=MESSAGES, temperature=0.5)) as stream:
            for chunk in stream:
                assert_type(chunk, groq.ChatCompletionChunk)
                assert_type(chunk.text, str)
                assert_type(chunk.usage, groq.Usage | None)
                assert_type(chunk.choices, tuple[groq.Choice, ...])
            assert_type(stream.verdict, Verdict | None)
            assert_type(stream.response, Response | None)
        with client.stream(openai.chat(model="any", messages=MESSAGES)) as other:
            assert_type(next(other), openai.ChatCompletionChunk)
        with client.stream(events.request()) as raw:
            assert_type(list(raw), list[Event])


async def tasks() -> None:
    async with sse_adapters.anyio.Client(URL) as client:
        async with client.stream(groq.chat(model="any", messages=MESSAGES)) as stream:
            async for chunk in stream:
                assert_type(chunk, groq.ChatCompletionChunk)


def chunks(chunk: openai.ChatCompletionChunk) -> list[Chunk]:
    assert_type(chunk.usage, openai.Usage | None)
    return [chunk]


class Weather(Struct):
    """The arguments of a function."""

    city: str


def messages(message: Message) -> None:
    (call,) = message.tool_calls
    assert_type(call.arguments_as(Weather), Weather)
    assert_type(call.arguments_as(dict[str, int]), dict[str, int])
    assert_type(call.parsed(), Any)
    request = groq.chat(model="any", messages=MESSAGES, strict=True, stream_options={"include_usage": True})
    assert_type(events.with_events(request), Request[events.WithEvent[groq.ChatCompletionChunk]])


def transports() -> tuple[sync_loop.Transport, async_loop.Transport]:
    return sse_adapters.threads.Transport(), sse_adapters.anyio.Transport()


async def native() -> None:
    async with sse_adapters.asyncio.Client(URL, uds="/a/socket", server_hostname="name") as client:
        async with client.stream(groq.chat(model="any", messages=MESSAGES)) as stream:
            async for chunk in stream:
                assert_type(chunk, groq.ChatCompletionChunk)


def portal() -> None:
    with sse_adapters.portal.Client(URL, backend="trio") as client:
        with client.stream(groq.chat(model="any", messages=MESSAGES)) as stream:
            for chunk in stream:
                assert_type(chunk, groq.ChatCompletionChunk)


def blocking(loop: sse_adapters.portal.EventLoop) -> list[sync_loop.Transport]:
    inner = sse_adapters.anyio.Transport()
    return [sse_adapters.threads.Transport(), sse_adapters.portal.Transport(loop, inner)]


def asynchronous() -> list[async_loop.Transport]:
    return [sse_adapters.anyio.Transport(), sse_adapters.asyncio.Transport()]


def checked() -> None:
    check_transport(sse_adapters.threads.Transport)
    check_transport(sse_adapters.asyncio.Transport, run=anyio.run)


def values() -> None:
    assert_type(groq.chat(model="any", messages=MESSAGES), Request[groq.ChatCompletionChunk])
    assert_type(EventDecoder().feed(b""), list[Event])
    assert_type(EventDecoder().reconnection_time, int | None)

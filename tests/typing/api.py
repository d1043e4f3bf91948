"""What type checkers know of the public interface. Checked by `make lint`, never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

import anyio
from msgspec import Struct

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.portal
import sse_adapters.threads
from sse_adapters import async_loop, sync_loop
from sse_adapters.options import Auth, NetworkOptions, Observer
from sse_adapters.testing import check_transport
from sse_adapters.transcripts import ReplayClient
from sse_core import (
    Chunk,
    Deadlines,
    Event,
    EventDecoder,
    Limits,
    Message,
    PoolLimits,
    Reader,
    Request,
    Response,
    Retries,
    Session,
    Verdict,
)
from sse_core.dialects import events, groq, json, openai

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


def credentials(attempt: int, refused: Response | None) -> dict[str, str]:
    return {"Authorization": "Bearer key"}


async def awaited(attempt: int, refused: Response | None) -> Mapping[str, str]:
    return credentials(attempt, refused)


def observe(session: Session[Any]) -> Observer:
    raise NotImplementedError


def options_of_one_request() -> None:
    request = groq.chat(model="any", messages=MESSAGES)
    with sse_adapters.threads.Client(URL, auth=credentials, retries=Retries()) as client:
        stream = client.stream(
            request,
            deadlines=Deadlines(total=5),
            limits=Limits(),
            retries=None,
            headers={"X-A": "1"},
            observe=observe,
        )
        assert_type(stream, sync_loop.Stream[groq.ChatCompletionChunk])
        client.stream(request, pool=PoolLimits())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        client.stream(request, deadlines=5.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with ReplayClient(URL, "run.jsonl", auth=credentials) as replay:
        assert_type(replay.stream(request, retries=None), sync_loop.Stream[groq.ChatCompletionChunk])
    options: NetworkOptions[Auth] = {"auth": credentials}
    sse_adapters.threads.Client(URL, **options)
    sse_adapters.threads.Client(URL, auth=awaited)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sse_adapters.anyio.Client(URL, auth=awaited)
    sse_adapters.asyncio.Client(URL, auth=credentials)


async def whole_answers() -> None:
    weather = json.document(Weather, "/weather", body={"city": "Oslo"})
    assert_type(weather, Request[Weather])
    completion = groq.completion(model="any", messages=MESSAGES)
    with sse_adapters.portal.Client(URL) as client:
        assert_type(client.call(weather, deadlines=Deadlines(total=5)), Weather)
        assert_type(client.call(completion), groq.ChatCompletion)
    async with sse_adapters.anyio.Client(URL) as tasks:
        assert_type(await tasks.call(weather, retries=Retries()), Weather)


def embedded() -> None:
    reader = Reader(groq.chat(model="any", messages=MESSAGES), response=Response(200))
    assert_type(reader.feed(b""), list[groq.ChatCompletionChunk])
    assert_type(reader.close(), list[groq.ChatCompletionChunk])
    assert_type(reader.message, Message | None)
    assert_type(Reader(events.EventsDialect()).feed(b""), list[Event])

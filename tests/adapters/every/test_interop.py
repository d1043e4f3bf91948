"""Every runtime reads the servers and the proxy that people use, and the embedded server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from sse_adapters.server import ChatService, serving
from sse_core import Event, Fault, NotAnEventStream, Request, StatusError, Verdict
from sse_core.dialects import events, groq, openai
from support.apps import behind_nginx, on_aiohttp, on_hypercorn, on_uvicorn, write_certificate
from support.runners import NetworkRunner, Result
from support.servers import eventually
from support.tls import Authority

# sse-starlette on uvicorn.


async def said_by_starlette(pinged: asyncio.Event) -> AsyncIterator[ServerSentEvent]:
    yield ServerSentEvent("one", id="1", retry=1500, comment="this is the first")
    yield ServerSentEvent("several\nlines\n\nof it", event="news", id="2")
    await pinged.wait()
    yield ServerSentEvent(json.dumps({"naïve": "☕"}))


async def stream_with_crlf(_: StarletteRequest) -> EventSourceResponse:
    pinged = asyncio.Event()

    def ping() -> ServerSentEvent:
        pinged.set()
        return ServerSentEvent(comment="ping")

    return EventSourceResponse(said_by_starlette(pinged), ping=0.01, ping_message_factory=ping)


async def stream_with_lf(_: StarletteRequest) -> EventSourceResponse:
    pinged = asyncio.Event()
    pinged.set()
    return EventSourceResponse(said_by_starlette(pinged), sep="\n")


async def stream_for_ever(_: StarletteRequest) -> EventSourceResponse:
    async def numbers() -> AsyncIterator[str]:
        number = 0
        while True:
            yield str(number)
            number += 1
            await asyncio.sleep(0.001)

    return EventSourceResponse(numbers())


async def echo(request: StarletteRequest) -> JSONResponse:
    return JSONResponse({"got": (await request.body()).decode()}, 422)


@pytest.fixture(scope="module")
def starlette_url() -> Iterator[str]:
    app = Starlette(
        routes=[
            Route("/crlf", stream_with_crlf),
            Route("/lf", stream_with_lf),
            Route("/endless", stream_for_ever),
            Route("/echo", echo, methods=["POST"]),
        ]
    )
    with on_uvicorn(app) as url:
        yield url


@pytest.mark.parametrize("path", ["/crlf", "/lf"])
def test_sse_starlette_on_uvicorn(network: NetworkRunner, starlette_url: str, path: str) -> None:
    result = network.read_url(starlette_url, events.request(path))
    assert result.chunks == [
        Event(b"one", last_event_id="1"),
        Event(b"several\nlines\n\nof it", "news", "2"),
        Event(json.dumps({"naïve": "☕"}).encode(), last_event_id="2"),
    ]
    assert (result.verdict, result.error) == (Verdict.FINISHED, None)


def test_sse_starlette_is_left_in_the_middle(network: NetworkRunner, starlette_url: str) -> None:
    remote = network.stream(starlette_url, events.request("/endless"))
    remote.enter()
    assert [remote.next().data for _ in range(10)] == [str(number) for number in range(10)]
    remote.leave()
    assert remote.verdict is Verdict.CANCELLED


def test_a_refusal_by_starlette(network: NetworkRunner, starlette_url: str) -> None:
    result = network.read_url(starlette_url, events.request("/echo", method="POST", body=b"anything"))
    assert isinstance(result.error, StatusError)
    assert (result.error.status, result.error.body) == (422, b'{"got":"anything"}')


# hypercorn.


async def plain_asgi(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """An application of no framework: what hypercorn makes of it is what is read."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    fields = [(b"content-type", b"text/event-stream; charset=utf-8")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    for piece in (b": hello\n\n", b"data: o", b"ne\n", b"\n", b"id: 7\r\nevent: news\rdata: two\r\n\r\n"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture(scope="module")
def hypercorn_url() -> Iterator[str]:
    with on_hypercorn(plain_asgi) as url:
        yield url


def test_hypercorn(network: NetworkRunner, hypercorn_url: str) -> None:
    result = network.read_url(hypercorn_url)
    assert result.chunks == [Event(b"one"), Event(b"two", "news", "7")]
    assert result.verdict is Verdict.FINISHED


# aiohttp.


async def answer_with_aiohttp(request: web.Request) -> web.StreamResponse:
    body = await request.text()
    if request.path == "/json":
        return web.json_response({"got": body})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    if request.path == "/chunked":
        response.enable_chunked_encoding()
    await response.prepare(request)
    for number in range(100):
        await response.write(f"id: {number}\ndata: {body}\ndata: {number}\n\n".encode())
    return response


@pytest.fixture(scope="module")
def aiohttp_url() -> Iterator[str]:
    with on_aiohttp(answer_with_aiohttp) as url:
        yield url


@pytest.mark.parametrize("path", ["/chunked", "/plain"])
def test_aiohttp(network: NetworkRunner, aiohttp_url: str, path: str) -> None:
    result = network.read_url(aiohttp_url, events.request(path, method="POST", body="é".encode()))
    assert result.chunks == [
        Event(f"é\n{number}".encode(), last_event_id=str(number)) for number in range(100)
    ]
    assert result.verdict is Verdict.FINISHED


def test_json_from_aiohttp_is_no_event_stream(network: NetworkRunner, aiohttp_url: str) -> None:
    result = network.read_url(aiohttp_url, events.request("/json"))
    assert isinstance(result.error, NotAnEventStream)
    assert "application/json" in str(result.error)


# The embedded server.

MESSAGES: Any = [{"role": "user", "content": "What is SSE?"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"where": {"type": "string"}}},
        },
    }
]
REPLY = "Hi, naïve ☕ reader of this: " + "one word and another " * 20


@pytest.fixture(scope="module")
def chat_url() -> Iterator[str]:
    with serving(ChatService(pace=0, reply=REPLY)) as url:
        yield url


def text_of(result: Result, index: int = 0) -> str:
    choices = [choice for chunk in result.chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


def test_a_groq_answer(network: NetworkRunner, chat_url: str) -> None:
    result = network.read_url(chat_url, groq.chat(model="m", messages=MESSAGES))
    assert all(isinstance(chunk, groq.ChatCompletionChunk) for chunk in result.chunks)
    assert (text_of(result), result.verdict) == (REPLY, Verdict.COMPLETE)
    first, *_, last = result.chunks
    assert first.x_groq.id == last.x_groq.id
    assert (last.finish_reason, last.usage.completion_tokens) == ("stop", len(result.chunks) - 2)
    assert result.response
    assert result.response.header("x-request-id") == first.x_groq.id


def test_an_openai_answer(network: NetworkRunner, chat_url: str) -> None:
    request = openai.chat(
        model="m", messages=MESSAGES, stream_options={"include_usage": True}, max_completion_tokens=5
    )
    result = network.read_url(chat_url, request)
    assert all(isinstance(chunk, openai.ChatCompletionChunk) for chunk in result.chunks)
    assert REPLY.startswith(text_of(result))
    assert {chunk.usage.completion_tokens for chunk in result.chunks if chunk.usage} == {5}
    assert result.verdict is Verdict.COMPLETE


def test_several_answers_at_once(network: NetworkRunner, chat_url: str) -> None:
    result = network.read_url(chat_url, groq.chat(model="m", messages=MESSAGES, n=3))
    assert [text_of(result, index) for index in range(3)] == [REPLY] * 3
    assert result.verdict is Verdict.COMPLETE


def test_a_tool_call(network: NetworkRunner, chat_url: str) -> None:
    request = groq.chat(model="m", messages=MESSAGES, tools=TOOLS, tool_choice="required")
    result = network.read_url(chat_url, request)
    opening, *fragments = [call for chunk in result.chunks for call in chunk.tool_calls]
    assert (opening.type, opening.function.name) == ("function", "weather")
    arguments = "".join(fragment.function.arguments for fragment in fragments)
    assert json.loads(arguments) == {"where": "What is SSE?"}
    assert result.chunks[-1].finish_reason == "tool_calls"


def test_the_events_of_an_answer_as_they_are(network: NetworkRunner, chat_url: str) -> None:
    body = json.dumps({"model": "m", "messages": MESSAGES, "stream": True}).encode()
    result = network.read_url(chat_url, events.request("/chat/completions", method="POST", body=body))
    assert result.data[-1] == "[DONE]"
    assert all(json.loads(data)["object"] == "chat.completion.chunk" for data in result.data[:-1])


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        (groq.chat(model="m", messages=[]), 400, "$.messages"),
        (openai.chat(model="m", messages=MESSAGES, extra={"n": 0}), 400, "$.n"),
        (events.request("/nowhere"), 404, "404: Not Found"),
        (
            Request(dialect=groq.ChatDialect, method="POST", path="/nowhere", body=b"{}"),
            404,
            "/openai/v1/nowhere",
        ),
    ],
)
def test_refused_requests(
    network: NetworkRunner, chat_url: str, request_: Request[Any], status: int, message: str
) -> None:
    result = network.read_url(chat_url, request_)
    assert isinstance(result.error, StatusError)
    assert result.error.status == status
    assert str(result.error).startswith(f"HTTP {status}")
    assert message in str(result.error)
    assert (result.error.fault, result.error.retryable) == (Fault.CALLER, False)
    assert result.error.request_id
    assert result.verdict is Verdict.REFUSED


# nginx in front of the embedded server.


@contextmanager
def in_the_clear(base_url: str, folder: Path, _: Authority, options: str) -> Generator[str]:
    with behind_nginx(base_url, folder, options=options) as url:
        yield url


@contextmanager
def over_tls(base_url: str, folder: Path, authority: Authority, options: str) -> Generator[str]:
    certificate = write_certificate(authority.ca.issue_cert("127.0.0.1"), folder / "server.pem")
    with behind_nginx(base_url, folder, certificate=certificate, options=options) as url:
        yield url


BUFFERED = ""
UNBUFFERED = "proxy_buffering off; proxy_http_version 1.1;"
either_scheme = pytest.mark.parametrize("proxied", [in_the_clear, over_tls])


@either_scheme
@pytest.mark.parametrize("options", [BUFFERED, UNBUFFERED], ids=["buffered", "unbuffered"])
def test_an_answer_through_nginx(
    network: NetworkRunner,
    authority: Authority,
    tmp_path: Path,
    proxied: Callable[..., AbstractContextManager[str]],
    options: str,
) -> None:
    with serving(ChatService(pace=0, reply=REPLY)) as base_url:
        with proxied(base_url, tmp_path, authority, options) as url:
            for request in (
                groq.chat(model="m", messages=MESSAGES),
                openai.chat(model="m", messages=MESSAGES),
            ):
                result = network.read_url(url, request, ssl_context=authority.client)
                assert (text_of(result), result.verdict) == (REPLY, Verdict.COMPLETE)
            refused = network.read_url(
                url, groq.chat(model="m", messages=[]), ssl_context=authority.client
            ).error
            assert isinstance(refused, StatusError)
            assert refused.status == 400


@either_scheme
def test_leaving_goes_through_nginx_to_the_server(
    network: NetworkRunner,
    authority: Authority,
    tmp_path: Path,
    proxied: Callable[..., AbstractContextManager[str]],
) -> None:
    service = ChatService(pace=60)
    with serving(service) as base_url, proxied(base_url, tmp_path, authority, UNBUFFERED) as url:
        request = groq.chat(model="m", messages=MESSAGES)
        remote = network.stream(url, request, ssl_context=authority.client)
        assert remote.next().choices[0].delta.role == "assistant"  # long before there is more
        assert service.stats.open_connections == 1
        remote.leave()
        eventually(lambda: service.stats.open_connections == 0)


@either_scheme
def test_a_server_that_nginx_cannot_reach_is_a_status(
    network: NetworkRunner,
    authority: Authority,
    tmp_path: Path,
    proxied: Callable[..., AbstractContextManager[str]],
) -> None:
    with serving() as base_url:
        pass
    with proxied(base_url, tmp_path, authority, UNBUFFERED) as url:
        request = groq.chat(model="m", messages=MESSAGES)
        result = network.read_url(url, request, ssl_context=authority.client)
    assert isinstance(result.error, StatusError)
    assert (result.error.status, result.error.retryable) == (502, True)
    assert b"<html>" in result.error.body

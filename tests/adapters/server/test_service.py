"""The embedded server, as plain sockets, the standard library and two SDKs see it."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import socket
import struct
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import anyio
import groq
import httpx
import openai
import pytest

from sse_adapters.server import ChatRequest, ChatService, ServerStats, serve, serving
from sse_adapters.server import service as server
from support.servers import eventually

BACKENDS = ["asyncio", "trio"]
CHAT = "/openai/v1/chat/completions"
MESSAGES: Any = [{"role": "user", "content": "What is SSE?"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather",
            "parameters": {
                "type": "object",
                "properties": {
                    "where": {"type": "string"},
                    "days": {"type": "integer"},
                    "wind": {"type": "number"},
                    "snow": {"type": "boolean"},
                    "unit": {"type": "string", "enum": ["celsius", "kelvin"]},
                    "hours": {"type": "array"},
                    "extra": {"type": "object"},
                    "anything": True,
                },
            },
        },
    },
    {"type": "function", "function": {"name": "hang_up"}},
]
NOTHING: dict[str, object] = {}
ARGUMENTS: dict[str, object] = {
    "where": "What is SSE?",
    "days": 1,
    "wind": 1,
    "snow": True,
    "unit": "celsius",
    "hours": [],
    "extra": {},
    "anything": "What is SSE?",
}


@dataclass
class Server:
    """A server in the background, and ways to talk to it."""

    service: ChatService
    base_url: str

    @property
    def stats(self) -> ServerStats:
        return self.service.stats

    def connect(self) -> socket.socket:
        where = urlsplit(self.base_url)
        assert where.hostname
        return socket.create_connection((where.hostname, where.port or 0), timeout=10)

    def exchange(self, request: bytes) -> bytes:
        """All that the server says to these bytes, until it closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_to_end(connection)

    def post(self, body: object, **options: Any) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.post(f"{self.base_url}/chat/completions", content=content, **options)

    def groq(self) -> groq.Groq:
        base_url = self.base_url.removesuffix("/openai/v1")
        return groq.Groq(base_url=base_url, api_key="any", max_retries=0)

    def openai(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.base_url, api_key="any", max_retries=0)


@contextlib.contextmanager
def running(service: ChatService) -> Generator[Server]:
    with serving(service) as base_url:
        yield Server(service, base_url)


@pytest.fixture
def fast() -> Iterator[Server]:
    with running(ChatService(pace=0)) as fast:
        yield fast


def chat_body(**options: object) -> dict[str, object]:
    return {"model": "m", "messages": MESSAGES, **options}


def chat_request(*headers: str, version: str = "1.1", **options: object) -> bytes:
    body = json.dumps(chat_body(**options)).encode()
    lines = [f"POST {CHAT} HTTP/{version}", "Host: a", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_to_end(connection: socket.socket) -> bytes:
    received = bytearray()
    while data := connection.recv(65536):
        received += data
    return bytes(received)


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = bytearray()
    while end not in received:
        data = connection.recv(65536)
        assert data, f"closed after {bytes(received)!r}"
        received += data
    return bytes(received)


def reset(connection: socket.socket) -> None:
    """Leave with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def events_of(stream: str) -> list[Any]:
    *events, done, rest = stream.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(event.removeprefix("data: ")) for event in events]


# What is sent, to the byte.


def test_a_stream_on_the_wire() -> None:
    service = ChatService(pace=0, reply="Hi, naïve ☕", clock=lambda: 1_700_000_000.9)
    with running(service) as fixed:
        request = chat_request("Connection: close", stream=True, max_tokens=4)
        head, _, body = fixed.exchange(request).partition(b"\r\n\r\n")

    assert head.decode().split("\r\n") == [
        "HTTP/1.1 200 OK",
        "Content-Type: text/event-stream",
        "Cache-Control: no-cache",
        "x-request-id: req_00000000000000000000000001",
        "x-ratelimit-limit-requests: 14400",
        "x-ratelimit-limit-tokens: 18000",
        "x-ratelimit-remaining-requests: 14399",
        "x-ratelimit-remaining-tokens: 17992",
        "x-ratelimit-reset-requests: 6s",
        "x-ratelimit-reset-tokens: 0.03s",
        "Transfer-Encoding: chunked",
        "Connection: close",
    ]
    start = (
        'data: {"object":"chat.completion.chunk","id":"chatcmpl-00000000-0000-0000-0000-'
        '000000000001","created":1700000000,"model":"m","system_fingerprint":"fp_5e8c0de5e8",'
    )
    x_groq = '"x_groq":{"id":"req_00000000000000000000000001"'
    usage = (
        '"usage":{"queue_time":0.0,"prompt_tokens":4,"prompt_time":0.0004,"completion_tokens":4,'
        '"completion_time":0,"total_tokens":8,"total_time":0.0004}'
    )
    choices = [
        ('{"role":"assistant","content":""}', "null", f"{x_groq}}}"),
        ('{"content":"Hi"}', "null", ""),
        ('{"content":","}', "null", ""),
        ('{"content":" naïve"}', "null", ""),
        ('{"content":" ☕"}', "null", ""),
        ("{}", '"stop"', f"{x_groq},{usage}}}"),
    ]
    events = [
        f'{start}"choices":[{{"index":0,"delta":{delta},"finish_reason":{reason},'
        f'"logprobs":null}}]{extra and ","}{extra}}}\n\n'
        for delta, reason, extra in choices
    ]
    chunks = [event.encode() for event in [*events, "data: [DONE]\n\n"]]
    framed = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    assert body == b"".join(framed) + b"0\r\n\r\n"
    assert service.stats == ServerStats(requests=1, chunks_sent=len(chunks))


def test_a_whole_answer_on_the_wire() -> None:
    service = ChatService(pace=0.5, reply="Hi!", clock=lambda: 1_700_000_000)
    with running(service) as fixed:
        head, _, body = fixed.exchange(chat_request("Connection: close")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: ")
    assert head.endswith(b"\r\nContent-Length: %d\r\nConnection: close" % len(body))
    assert json.loads(body) == {
        "id": "chatcmpl-00000000-0000-0000-0000-000000000001",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "m",
        "system_fingerprint": "fp_5e8c0de5e8",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi!"},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "queue_time": 0,
            "prompt_tokens": 4,
            "prompt_time": 0.0004,
            "completion_tokens": 2,
            "completion_time": 1.0,
            "total_tokens": 6,
            "total_time": 1.0004,
        },
        "x_groq": {"id": "req_00000000000000000000000001"},
    }


def test_http_1_0_is_answered_without_chunks(fast: Server) -> None:
    answer = fast.exchange(chat_request(version="1.0", stream=True))
    assert b"Transfer-Encoding" not in answer
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert events_of(body.decode())


# Connections.


def test_a_connection_is_used_again(fast: Server) -> None:
    where = urlsplit(fast.base_url)
    assert where.hostname
    client = http.client.HTTPConnection(where.hostname, where.port, timeout=10)
    ids: set[str | None] = set()
    with contextlib.closing(client):
        client.connect()
        opened = client.sock
        for options in ({}, {"stream": True}, {"n": 0}, {"stream": True}, {}):
            client.request("POST", CHAT, json.dumps(chat_body(**options)))
            response = client.getresponse()
            response.read()
            ids.add(response.getheader("x-request-id"))
            assert client.sock is opened
            assert fast.stats.open_connections == 1
    assert len(ids) == fast.stats.requests == 5
    eventually(lambda: fast.stats.open_connections == 0)


def test_requests_sent_at_once_are_answered_in_turn(fast: Server) -> None:
    once = chat_request(stream=True)
    answer = fast.exchange(once + once + chat_request("Connection: close"))
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answer.count(b"\r\ndata: [DONE]\n\n\r\n0\r\n\r\n") == 2
    assert answer.index(b"application/json") > answer.rindex(b"data: [DONE]")


def test_a_request_sent_during_a_reply_is_answered_after_it() -> None:
    with running(ChatService(pace=0.01, reply="four words for you")) as slow:
        with slow.connect() as connection:
            connection.sendall(chat_request(stream=True))
            read_until(connection, b'"role"')
            connection.sendall(chat_request("Connection: close"))
            rest = read_to_end(connection)
    assert rest.index(b"[DONE]") < rest.index(b"HTTP/1.1 200 OK") < rest.index(b"four words for")


def test_connection_close_is_honoured_without_waiting_for_the_client(
    fast: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LINGER", 0.01)
    with fast.connect() as connection:
        connection.sendall(chat_request("Connection: close"))
        assert read_to_end(connection).count(b"HTTP/1.1") == 1
        eventually(lambda: fast.stats.open_connections == 0)


def test_expect_100_continue(fast: Server) -> None:
    head, _, body = chat_request("Expect: 100-continue", "Connection: close").partition(b"\r\n\r\n")
    with fast.connect() as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert read_to_end(connection).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_declared_body_too_large_is_refused_unread(fast: Server) -> None:
    answer = fast.exchange(
        f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        f"Content-Length: {server.BODY_LIMIT + 1}\r\n\r\n".encode()
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in answer


def test_a_chunked_body_too_large_is_refused(fast: Server) -> None:
    megabyte = b"%x\r\n%b\r\n" % (server.BODY_LIMIT, bytes(server.BODY_LIMIT))
    head = f"POST {CHAT} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    answer = fast.exchange(head + megabyte + b"1\r\nx\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b'"type":"invalid_request_error"}}')


def test_the_largest_body_is_read(fast: Server) -> None:
    body = json.dumps(chat_body(max_tokens=1)).encode().ljust(server.BODY_LIMIT)
    assert fast.post(body).status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"what is this?\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"GET / HTTP/1.1\r\nHost: " + bytes(server.HEAD_LIMIT + 1), b"431 "),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", b"501 "),
    ],
)
def test_malformed_http_is_refused_and_the_connection_closed(
    fast: Server, sent: bytes, status: bytes
) -> None:
    head, _, body = fast.exchange(sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in head
    assert json.loads(body)["error"]["message"]
    assert fast.post(chat_body()).status_code == 200


def test_a_request_that_ends_too_soon_is_refused(fast: Server) -> None:
    with fast.connect() as connection:
        connection.sendall(chat_request()[:-1])
        connection.shutdown(socket.SHUT_WR)
        assert read_to_end(connection).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_head_has_no_body_and_the_next_refusal_has(fast: Server) -> None:
    answer = fast.exchange(f"HEAD {CHAT} HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n".encode())
    first, second, body = answer.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 405 Method Not Allowed\r\n")
    assert second.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


# Clients that leave.


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
def test_a_client_that_leaves_ends_its_reply_at_once(
    leave: Callable[[socket.socket], None],
) -> None:
    with running(ChatService(pace=60)) as slow:
        connection = slow.connect()
        connection.sendall(chat_request(stream=True))
        read_until(connection, b'"role"')
        assert slow.stats.open_connections == 1
        leave(connection)
        eventually(lambda: slow.stats.open_connections == 0)
        assert slow.stats.chunks_sent == 1


def test_a_client_that_leaves_after_a_second_request_ends_its_reply_too() -> None:
    with running(ChatService(pace=0.01, reply="word " * 1000)) as slow:
        connection = slow.connect()
        connection.sendall(chat_request(stream=True))
        read_until(connection, b'"role"')
        connection.sendall(b"GET /models HTTP/1.1\r\n")
        sent = slow.stats.chunks_sent
        eventually(lambda: slow.stats.chunks_sent > sent + 2)  # so that the server has seen the request too
        reset(connection)
        eventually(lambda: slow.stats.open_connections == 0)
        assert slow.stats.chunks_sent < 500


def test_a_client_that_leaves_without_a_word(fast: Server) -> None:
    fast.connect().close()
    reset(fast.connect())
    assert fast.post(chat_body()).status_code == 200
    eventually(lambda: fast.stats.open_connections == 0)
    assert fast.stats.requests == 1


def test_leaving_the_context_drops_open_connections() -> None:
    with contextlib.ExitStack() as clients:
        with running(ChatService(pace=60)) as slow:
            idle, busy = (clients.enter_context(slow.connect()) for _ in range(2))
            busy.sendall(chat_request(stream=True))
            read_until(busy, b'"role"')
            eventually(lambda: slow.stats.open_connections == 2)
            before = time.monotonic()
        assert time.monotonic() - before < 5
        assert slow.stats.open_connections == 0
        for connection in (idle, busy):
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""


# Requests that are refused.


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/openai/v1/chat/completions", 405, "POST"),
        ("POST", "/openai/v1/models?limit=1", 405, "GET"),
        ("POST", "/openai/v1/chat", 404, None),
        ("GET", "/", 404, None),
        ("OPTIONS", "/openai/v1/completions", 404, None),
    ],
)
def test_unknown_paths_and_methods(
    fast: Server, method: str, path: str, status: int, allow: str | None
) -> None:
    url = httpx.URL(fast.base_url).join(path)
    response = httpx.request(method, url)
    assert response.status_code == status
    assert response.headers.get("allow") == allow
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == {404: "unknown_url", 405: "method_not_allowed"}[status]
    assert response.headers["x-request-id"] == "req_00000000000000000000000001"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "truncated"),
        (b"{", "truncated"),
        (b"[]", "object"),
        (b'{"model": "\xff"}', "utf-8"),
        (b'{"x": ' + b"[" * 100_000, "recursion"),
        ({"messages": MESSAGES}, "`model`"),
        ({"model": "m"}, "`messages`"),
        ({"model": "m", "messages": []}, "$.messages"),
        ({"model": "m", "messages": "hello"}, "$.messages"),
        ({"model": "m", "messages": [{"content": "hello"}]}, "`role`"),
        (chat_body(model=1), "$.model"),
        (chat_body(stream="yes"), "$.stream"),
        (chat_body(n=0), "$.n"),
        (chat_body(max_tokens=0), "$.max_tokens"),
        (chat_body(tool_choice="required"), "`tool_choice`"),
        (
            chat_body(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "f"}}),
            "`tool_choice`",
        ),
    ],
)
def test_bad_bodies(fast: Server, body: object, message: str) -> None:
    response = fast.post(body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert message in error["message"]


@pytest.mark.parametrize("prefix", ["", "/v1", "/openai/v1", "/a/b/c"])
def test_any_prefix_will_do(fast: Server, prefix: str) -> None:
    root = httpx.URL(fast.base_url)
    models = httpx.get(root.join(f"{prefix}/models")).json()
    assert models["object"] == "list"
    assert {model["object"] for model in models["data"]} == {"model"}
    chat = httpx.post(root.join(f"{prefix}/chat/completions?a=b"), json=chat_body())
    assert chat.status_code == 200


def test_a_reply_that_raises_is_logged_and_answered_with_500(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def write(request: ChatRequest, index: int) -> str:
        return {"a": "fine"}[request.model]

    with running(ChatService(pace=0, reply=write)) as failing:
        response = failing.post(chat_body(stream=True))
        assert response.status_code == 500
        assert response.headers["connection"] == "close"
        assert response.json()["error"]["type"] == "internal_server_error"
        assert failing.post(chat_body(model="a")).status_code == 200
        assert failing.stats.requests == 2
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[0] is KeyError


def test_a_failure_during_a_stream_cuts_it_short(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        service = ChatService(pace=-1)  # trio refuses to sleep for less than nothing
        async with anyio.create_task_group() as group:
            base_url = await group.start(serve, service)
            assert isinstance(base_url, str)
            async with httpx.AsyncClient(base_url=base_url) as client:
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.post("/chat/completions", json=chat_body(stream=True))
                assert (await client.get("/models")).status_code == 200
            assert service.stats.chunks_sent == 1
            group.cancel_scope.cancel()

    caplog.set_level(logging.ERROR, logger=server.__name__)
    anyio.run(main, backend="trio")
    assert [record.name for record in caplog.records] == [server.__name__]


# What the reply says.


def test_the_reply_explains_echoes_and_is_the_same_every_time(fast: Server) -> None:
    first, again = (fast.post(chat_body()).json() for _ in range(2))
    assert first["choices"] == again["choices"]
    text = first["choices"][0]["message"]["content"]
    assert "“What is SSE?”" in text
    assert "Server-sent events" in text
    assert not text.isascii()
    assert 80 <= first["usage"]["completion_tokens"] <= 120


def test_the_last_user_message_is_echoed_whatever_its_form(fast: Server) -> None:
    parts = [
        {"type": "text", "text": "See "},
        {"type": "image_url", "image_url": {"url": "a:"}},
        {"type": "text", "text": "this"},
    ]
    messages: list[dict[str, object]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Not this"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    answer = fast.post(chat_body(messages=messages)).json()
    assert "“See this”" in answer["choices"][0]["message"]["content"]
    answer = fast.post(chat_body(messages=messages[:1])).json()
    assert "“”" in answer["choices"][0]["message"]["content"]


def test_null_counts_as_absent_and_unknown_fields_are_ignored(fast: Server) -> None:
    names = ["stream", "stream_options", "max_tokens", "max_completion_tokens", "n", "tools"]
    nothing = dict.fromkeys([*names, "tool_choice", "temperature", "foo"])
    assert fast.post(chat_body(**nothing)).status_code == 200


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(("limit", "reason"), [(1, "length"), (2, "length"), (3, "stop")])
def test_the_limit_on_tokens(name: str, limit: int, reason: str) -> None:
    with running(ChatService(pace=0, reply="one two three")) as fixed:
        answer = fixed.post(chat_body(**{name: limit})).json()
        stream = events_of(fixed.post(chat_body(**{name: limit}, stream=True)).text)
    choice = answer["choices"][0]
    assert choice["message"]["content"] == " ".join(["one", "two", "three"][:limit])
    assert choice["finish_reason"] == stream[-1]["choices"][0]["finish_reason"] == reason
    assert answer["usage"]["completion_tokens"] == limit == len(stream) - 2


def test_any_text_survives_being_cut_into_pieces() -> None:
    text = " \n\tindent  «ça»\r\n👩‍👩‍👧 supercalifragilistic\u2028 \x00 再见 \n"
    with running(ChatService(pace=0, reply=text)) as fixed:
        answer = fixed.post(chat_body()).json()
        stream = events_of(fixed.post(chat_body(stream=True)).text)
    assert answer["choices"][0]["message"]["content"] == text
    assert "".join(e["choices"][0]["delta"].get("content", "") for e in stream) == text


def test_an_empty_reply_is_still_a_reply() -> None:
    with running(ChatService(pace=0, reply="")) as fixed:
        stream = events_of(fixed.post(chat_body(stream=True)).text)
    assert [event["choices"][0]["finish_reason"] for event in stream] == [None, "stop"]


def test_usage_beyond_the_rate_limit_leaves_nothing() -> None:
    with running(ChatService(pace=0, reply="a " * 20_000)) as fixed:
        headers = fixed.post(chat_body()).headers
    assert headers["x-ratelimit-remaining-tokens"] == "0"
    assert headers["x-ratelimit-reset-tokens"] == "60s"


# The SDKs.


def test_groq_streamed_and_whole_agree(fast: Server) -> None:
    with fast.groq() as client:
        whole = client.chat.completions.create(model="m", messages=MESSAGES)
        with client.chat.completions.create(model="m", messages=MESSAGES, stream=True) as stream:
            chunks = list(stream)
    assert whole.usage
    assert whole.choices[0].finish_reason == "stop"
    first, *contents, last = chunks
    assert first.choices[0].delta.role == "assistant"
    text = "".join(chunk.choices[0].delta.content or "" for chunk in contents)
    assert text == whole.choices[0].message.content
    assert first.x_groq and first.x_groq.id and first.x_groq.usage is None
    assert last.x_groq and last.x_groq.id == first.x_groq.id
    assert last.x_groq.usage == whole.usage
    assert not any(chunk.x_groq for chunk in contents)
    assert len(contents) == whole.usage.completion_tokens
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert fast.stats.chunks_sent == len(chunks) + 1


def test_openai_streamed_and_whole_agree(fast: Server) -> None:
    with fast.openai() as client:
        whole = client.chat.completions.create(model="m", messages=MESSAGES)
        with client.chat.completions.create(
            model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        ) as stream:
            *chunks, final, usage = list(stream)
        assert [model.object for model in client.models.list()] == ["model", "model"]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == whole.choices[0].message.content
    assert final.choices[0].finish_reason == "stop"
    assert usage.choices == []
    assert usage.usage == whole.usage


def test_openai_errors(fast: Server) -> None:
    with fast.openai() as client, pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(model="m", messages=[], stream=True)
    assert raised.value.type == "invalid_request_error"
    assert raised.value.request_id == "req_00000000000000000000000001"


def test_groq_errors(fast: Server) -> None:
    with fast.groq() as client:
        with pytest.raises(groq.BadRequestError) as bad:
            client.chat.completions.create(model="m", messages=[])
        with pytest.raises(groq.NotFoundError) as missing:
            client.embeddings.create(model="m", input="text")
        assert len(client.models.list().data) == 2
    assert "$.messages" in str(bad.value)
    assert "POST /openai/v1/embeddings" in str(missing.value)


def test_groq_reads_two_choices(fast: Server) -> None:
    with fast.groq() as client:
        whole = client.chat.completions.create(model="m", messages=MESSAGES, n=2)
        with client.chat.completions.create(model="m", messages=MESSAGES, n=2, stream=True) as stream:
            chunks = list(stream)
    texts, reasons = ["", ""], ["", ""]
    order: list[int] = []
    for chunk in chunks:
        (choice,) = chunk.choices
        order.append(choice.index)
        texts[choice.index] += choice.delta.content or ""
        reasons[choice.index] += choice.finish_reason or ""
    assert texts == [choice.message.content for choice in whole.choices]
    assert texts[0] != texts[1]
    assert reasons == ["stop", "stop"]
    assert order[:6] == [0, 1, 0, 1, 0, 1]
    assert order.count(0) != order.count(1)
    usages = [chunk.x_groq.usage for chunk in chunks if chunk.x_groq]
    assert usages == [None, whole.usage]


@pytest.mark.parametrize(
    ("choice", "name", "arguments"),
    [
        ("required", "weather", ARGUMENTS),
        ({"type": "function", "function": {"name": "weather"}}, "weather", ARGUMENTS),
        ({"type": "function", "function": {"name": "hang_up"}}, "hang_up", NOTHING),
    ],
)
def test_groq_reads_a_tool_call(fast: Server, choice: Any, name: str, arguments: dict[str, object]) -> None:
    options: Any = {"model": "m", "messages": MESSAGES, "tools": TOOLS, "tool_choice": choice}
    with fast.groq() as client:
        answer = client.chat.completions.create(model="m", messages=MESSAGES, tools=TOOLS, tool_choice=choice)
        whole = answer.choices[0]
        with client.chat.completions.create(**options, stream=True) as stream:
            choices = [chunk.choices[0] for chunk in stream]
    assert whole.finish_reason == choices[-1].finish_reason == "tool_calls"
    assert whole.message.content is None
    assert whole.message.tool_calls
    (call,) = whole.message.tool_calls
    assert (call.type, call.function.name) == ("function", name)
    assert json.loads(call.function.arguments) == arguments

    opening, *fragments = [call for c in choices for call in c.delta.tool_calls or ()]
    assert opening.id and opening.type == "function"
    assert opening.function and opening.function.name == name
    assert {fragment.index for fragment in fragments} == {0}
    assert {fragment.id for fragment in fragments} == {None}
    pieces = [f.function.arguments or "" for f in fragments if f.function]
    assert len(pieces) > 1 or not arguments
    assert "".join(pieces) == call.function.arguments


def test_tools_are_not_called_unless_required(fast: Server) -> None:
    for choice in ("auto", "none", None):
        answer = fast.post(chat_body(tools=TOOLS, tool_choice=choice)).json()
        assert answer["choices"][0]["finish_reason"] == "stop"


# Event loops of one's own, and addresses.


@pytest.mark.parametrize("backend", BACKENDS)
def test_serve_runs_beside_its_async_client(backend: str) -> None:
    async def main() -> None:
        service = ChatService(pace=0)
        async with anyio.create_task_group() as group:
            base_url: str = await group.start(serve, service)
            async with groq.AsyncGroq(
                base_url=base_url.removesuffix("/openai/v1"), api_key="any", max_retries=0
            ) as client:
                whole = await client.chat.completions.create(model="m", messages=MESSAGES)
                stream = await client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
                async with stream:
                    texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
                with pytest.raises(groq.BadRequestError):
                    await client.chat.completions.create(model="m", messages=[])
            assert "".join(texts) == whole.choices[0].message.content
            assert service.stats.requests == 3
            group.cancel_scope.cancel()
        assert service.stats.open_connections == 0

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_serve_notices_clients_that_leave(backend: str) -> None:
    async def main() -> None:
        service = ChatService(pace=60)
        async with anyio.create_task_group() as group:
            base_url: str = await group.start(serve, service)
            where = urlsplit(base_url)
            assert where.hostname and where.port
            for request in (chat_request(stream=True), chat_request()[:-1], b"nonsense\r\n\r\n"):
                async with await anyio.connect_tcp(where.hostname, where.port) as client:
                    await client.send(request)
                    if b"stream" in request:
                        await client.receive()
                with anyio.fail_after(5):
                    while service.stats.open_connections:
                        await anyio.sleep(0.001)
            group.cancel_scope.cancel()

    anyio.run(main, backend=backend)


def test_an_ipv6_address_is_bracketed() -> None:
    try:
        with serving(host="::1") as base_url:
            assert base_url.startswith("http://[::1]:")
            assert httpx.get(f"{base_url}/models").status_code == 200
    except OSError as error:  # where there is no IPv6
        pytest.skip(str(error))


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), serving(port=port):
            pytest.fail("it cannot be serving")

"""What an event and a stream cost, in numbers that are the same on every machine.

Each limit is a little above what is needed today. Whoever makes it higher has made everything
slower, and says why.
"""

from __future__ import annotations

import gc
import json as stdlib_json
from collections.abc import Callable
from typing import Any

import pytest

from sse_core import (
    URL,
    Acquire,
    Acquired,
    Action,
    Deliver,
    Done,
    Event,
    EventDecoder,
    Exchange,
    Receive,
    Received,
    Request,
    Session,
    State,
)
from sse_core.dialects import anthropic, gemini, json, mcp, openai, responses
from support.core import HEAD, framed, say
from support.counting import calls, measured_memory, most_memory, tracked_objects

BODY = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT = say("a token")
TOGETHER = 64
TURNS = 50


def streaming() -> Session[openai.ChatCompletionChunk]:
    """A session that has had its first chunk and waits for more."""
    session = Session(openai.chat(model="m", messages=[]), URL.parse("http://localhost/"))
    action: Action = session.start(0.0)
    while session.state is not State.AWAITING:
        action = session.step(Acquired(False) if isinstance(action, Acquire) else Done(), 0.0)
    for data in (HEAD, framed(EVENT), framed(EVENT)):
        session.step(Received(data), 0.0)
        action = session.step(Done(), 0.0)
    assert isinstance(action, Receive)
    return session


def test_calls_for_a_read() -> None:
    session = streaming()

    def read(data: bytes) -> Callable[[], None]:
        received = Received(data)

        def turns() -> None:
            for now in range(TURNS):
                assert isinstance(session.step(received, now), Deliver)
                assert isinstance(session.step(Done(), now), Receive)

        return turns

    one = calls(read(framed(EVENT)))
    many = calls(read(framed(*[EVENT] * TOGETHER)))
    assert one <= 16 * TURNS
    assert many <= 20 * TURNS, "none for an event"


def test_calls_of_the_decoder_and_the_exchange() -> None:
    decoder = EventDecoder()
    decoder.feed(EVENT)
    exchange = Exchange("GET", "/", [("Host", "localhost")])
    exchange.receive(BODY)

    def batch(data: bytes, taken: tuple[str, int]) -> None:
        found = decoder.feed_batch(data)
        assert found is not None
        assert (found[0], len(found[1])) == taken

    assert calls(lambda: decoder.feed(EVENT)) <= 4
    assert calls(lambda: decoder.feed(EVENT * TOGETHER)) <= 4
    assert calls(lambda: batch(EVENT * TOGETHER, ("message", TOGETHER))) <= 3
    typed = b"event: content_block_delta\n" + EVENT
    assert decoder.feed_batch(typed) == ("content_block_delta", [EVENT[6:-2]])
    assert calls(lambda: batch(typed, ("content_block_delta", 1))) <= 3
    assert calls(lambda: batch(typed * TOGETHER + typed[:40], ("content_block_delta", TOGETHER))) <= 6
    assert calls(lambda: batch(typed[40:] + typed * TOGETHER, ("content_block_delta", TOGETHER + 1))) <= 6
    one, many = framed(EVENT), framed(*[EVENT] * TOGETHER)
    assert calls(lambda: exchange.receive(one)) <= 2
    assert calls(lambda: exchange.receive(many)) <= 6


ANTHROPIC = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a token"}}'
CHAT = b'{"choices":[{"delta":{"content":"a token"}}]}'
CHAT_WITH_NULLS = b'{"choices":[{"delta":{"content":"a token","tool_calls":null}}]}'
GEMINI = b'{"candidates":[{"content":{"parts":[{"text":"a token"}]}}]}'
MCP = b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}'
RESPONSES = b'{"type":"response.output_text.delta","delta":"a token","sequence_number":1}'


@pytest.mark.parametrize(
    ("request_", "data", "for_one", "for_many"),
    [
        (anthropic.messages(model="m", messages=[], max_tokens=1), ANTHROPIC, 1, 1),
        (openai.chat(model="m", messages=[]), CHAT, 2, 1),
        (openai.chat(model="m", messages=[]), CHAT_WITH_NULLS, 3, 1 + TOGETHER),
        (gemini.generate(model="m", contents=[]), GEMINI, 3, 1 + TOGETHER),
        (json.request(int), b"1", 1, 1),
        (mcp.post(mcp.JSONRPCRequest(id=1, method="m")), MCP, 1, 1),
        (responses.create(model="m", input="hi"), RESPONSES, 2, 2),
    ],
    ids=["anthropic", "openai", "openai-nulls", "gemini", "json", "mcp", "responses"],
)
def test_calls_of_a_dialect(request_: Request[Any], data: bytes, for_one: int, for_many: int) -> None:
    dialect = request_.dialect()
    event = Event(data)
    dialect.read(event)  # a server that sends nulls is known from then on
    chunks: list[Any] = []
    assert calls(lambda: dialect.read(event)) <= for_one
    assert calls(lambda: dialect.read_batch([data] * TOGETHER, chunks)) <= for_many
    assert len(chunks) == TOGETHER, "all are taken"


def test_the_garbage_collector_passes_chunks_by() -> None:
    """At each level there is an object of no known shape: a struct without any is passed by anyway."""
    other: dict[str, object] = {"a": {}}
    call = {"index": 0, "function": {"arguments": "{"}, "extra_content": other}
    choice = {"delta": {"tool_calls": [call], "extra_content": other}, "content_filter_results": other}
    event = b"data: %b\n\n" % stdlib_json.dumps({"choices": [choice]}).encode()
    session = streaming()
    action = session.step(Received(framed(*[event] * TOGETHER)), 1.0)
    assert isinstance(action, Deliver) and len(action.chunks) == TOGETHER
    gc.collect()  # which also finds that a tuple of what it passes by is to be passed by
    for chunk in action.chunks:
        (choice,) = chunk.choices
        assert choice.delta is not None
        (tool_call,) = choice.delta.tool_calls
        parts = [chunk, chunk.choices, choice, choice.delta, choice.delta.tool_calls, tool_call]
        assert not [part for part in parts if gc.is_tracked(part)]


def test_what_a_stream_takes() -> None:
    streaming()
    before = tracked_objects()
    with measured_memory() as memory:
        sessions = [streaming() for _ in range(TURNS)]
    assert (tracked_objects() - before) / len(sessions) <= 20
    assert memory.kept / len(sessions) <= 4_500


@pytest.mark.parametrize("size", [20_000, 60_000])
def test_bytes_copied_of_a_long_event(size: int) -> None:
    """The exchange makes the body of it, the decoder the event's data, and the session the chunk's text."""
    event = say("x" * size)
    data = framed(event)
    decoder = EventDecoder()
    decoder.feed(EVENT)
    exchange = Exchange("GET", "/", [("Host", "localhost")])
    exchange.receive(BODY)
    session = streaming()
    received = Received(data)
    assert most_memory(lambda: decoder.feed(event)) <= 1.2 * size
    assert most_memory(lambda: exchange.receive(data)) <= 2.2 * size
    assert most_memory(lambda: session.step(received, 1.0)) <= 3.3 * size


def test_memory_grows_with_what_is_read_and_no_more() -> None:
    def peak(events: int) -> int:
        session = streaming()
        received = Received(framed(*[EVENT] * events))
        return most_memory(lambda: session.step(received, 1.0))

    assert peak(800) <= 2.5 * peak(400)

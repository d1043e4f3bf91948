"""Every short way gives what the long way gives, for any bytes, however they are cut."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NoReturn, cast

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sse_core import (
    URL,
    Acquire,
    Acquired,
    Control,
    Deliver,
    Dialect,
    Done,
    Event,
    EventDecoder,
    EventTooLarge,
    Exchange,
    Receive,
    Received,
    Request,
    Session,
    Stop,
    StreamError,
)
from sse_core.dialects import json, openai
from sse_core.dialects.chat import tolerant
from sse_core.dialects.chat.dialect import decode
from sse_core.dialects.openai import ChatDialect
from sse_core.dialects.shared.fast_dialect import FastDialect, never_ordinary
from sse_core.dialects.shared.provider_errors import NOT_JSON
from sse_core.events.decoder import MAX_PIECE
from sse_core.http import chunked as chunks_module
from sse_core.http.chunked import ChunkedFraming, LengthFraming
from sse_core.reading import reader as body_module
from sse_core.testing import dialects
from support.core import DONE, ERROR, FINISH, HEAD, LAST, ROLE, cut_at, framed, places, say, unhurried

USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n'
X_GROQ = b'data: {"choices":[],"x_groq":{"id":"1","usage":{"prompt_tokens":1}}}\n\n'
TWO = b'data: {"choices":[{"index":1,"delta":{"content":"b"}},{"delta":{"reasoning":"a"}}]}\n\n'
EVENTS = [
    *[say("a"), say('b\n"\\'), ROLE, TWO, USAGE] * 3,
    *(X_GROQ, FINISH, DONE, ERROR, b"data: \n\n", b"data: {}\n\n", b"data: {\n\n", b"data: null\n\n"),
    *(b"event: error\ndata: {}\n\n", b"event: ping\ndata: {}\n\n", b"id: 7\ndata: {}\n\n", b": x\n\n", b"\n"),
    *(
        b"data:{}\n\n",
        b"data: {}\r\n\r\n",
        b"data: {\ndata: }\n\n",
        b"error: x\n\n",
        b"id: 8\n\n",
        b'data: {"object":"error"}\n\n',
    ),
    b'data: {"choices":[{"finish_reason":"error"}]}\n\n',
]
bodies = st.lists(st.sampled_from(EVENTS), max_size=12)


def test_what_is_not_plain_is_left_as_it_is() -> None:
    decoder = EventDecoder(max_event_size=MAX_PIECE)
    decoder.feed(b":\n\n")
    event = b"data: 1\n\n"
    for data in (event * MAX_PIECE, b"data: 1\r\r", b": x\n\n", b"event: a\n\n"):
        assert decoder.feed_batch(data) is None
    assert decoder.feed_batch(event) == ("message", [b"1"])
    with pytest.raises(EventTooLarge):
        decoder.feed(b"data: " + b"1" * MAX_PIECE + b"1")
    assert decoder.feed_batch(event) is None


def not_plain(decoder: EventDecoder, data: bytes) -> None:
    """What switches the short way for plain events off."""


def nothing_whole(body: ChunkedFraming | LengthFraming, data: bytes) -> bytes:
    """What switches the short way for one whole chunk, or piece, off."""
    return b""


def nothing_read(dialect: ChatDialect, data: list[bytes], chunks: list[object], type: str) -> int:
    """The same, one ring further out."""
    return 0


def part(line: bytes, data: bytes, end: bytes) -> bytes:
    return line % len(data) + data + end


def life(wire: list[bytes]) -> list[object]:
    """All that can be seen of a stream that brings this."""
    session = Session(openai.chat(model="m", messages=[]), URL.parse("http://localhost/"))
    seen: list[object] = []
    pieces = iter([*filter(None, wire), b""])
    action = session.start(0.0)
    while not isinstance(action, Stop):
        match action:
            case Acquire():
                outcome: Acquired | Received | Done = Acquired(False)
            case Receive():
                outcome = Received(next(pieces))
            case Deliver(chunks):
                seen.append((list(chunks), session.stats, session.message, session.last_event_id))
                outcome = Done()
            case _:
                outcome = Done()
        action = session.step(outcome, 0.0)
    return [*seen, session.verdict, type(session.error), str(session.error), session.last_event_id]


@unhurried
@given(events=bodies, places=places)
@example(events=[say("a"), b"error: x\n\n", b"id: 7\ndata: {}\n\n"], places=[])
@example(events=[say("a"), b"id: 8\n\n", b"error: x\n\n", b"id: 7\ndata: {}\n\n"], places=[])
def test_chunks_are_the_same_without_the_fast_framing_for_plain_events(
    events: list[bytes], places: list[int]
) -> None:
    wire = cut_at(HEAD + framed(*events) + LAST, places)
    seen = life(wire)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventDecoder, "feed_batch", not_plain)
        assert life(wire) == seen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChatDialect, "read_batch", nothing_read)
        assert life(wire) == seen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body_module, "MAX_PIECE", 50)
        assert life(wire) == seen


def test_a_dialect_with_a_way_of_its_own_to_read_sees_every_event() -> None:
    class Own(ChatDialect):
        def read(self, event: Event) -> Control:
            return Control.PING

    class OwnJSON(json.JSONDialect[int]):
        def read(self, event: Event) -> Control:
            return Control.PING

    assert OwnJSON(msgspec.json.Decoder(int), None).read_batch([b"1"], []) == 0
    plain = [b'{"choices": [{"delta": {}}]}']
    chunks: list[openai.ChatCompletionChunk] = []
    assert Own().read_batch(plain, chunks) == 0
    assert ChatDialect().read_batch(plain, chunks) == len(chunks) == 1


BLOCKS = [
    *[b"event: a\ndata: 1\n\n"] * 20,
    *[b"event: a\r\ndata: 1\r\n\r\n"] * 10,
    *[b"data: 22\n\n"] * 5,
    *(b"event: b\ndata: 1\n\n", b"event: \ndata: 1\n\n", b"event: \xff\ndata: \n\n", b"event: a\n\n"),
    *(b"event: a\n", b"event: aaaaaaaaaaaaaaaaaaaaaaaa\ndata: 1\n\n", b"event:a\ndata:1\n\n", b"error: a\n"),
    *(
        b"id: 1\n",
        b"data: 1\n",
        b"data: 1\ndata: 2\n\n",
        b": x\n",
        b"\n",
        b"\r",
        b"x",
        b"event: a",
        b"data: ",
    ),
]


@unhurried
@given(
    blocks=st.lists(st.sampled_from(BLOCKS), max_size=30), places=places, size=st.sampled_from([9, 30, 999])
)
def test_events_are_the_same_without_the_fast_framing_for_many(
    blocks: list[bytes], places: list[int], size: int
) -> None:
    pieces = cut_at(b"".join(blocks), places)

    def decoded() -> list[object]:
        decoder = EventDecoder(max_event_size=size)
        seen: list[object] = []
        try:
            for piece in pieces:
                batch = decoder.feed_batch(piece)
                if batch is None:
                    seen.append(decoder.feed_all(piece))
                else:
                    seen.append([Event(raw, batch[0], decoder.last_event_id) for raw in batch[1]])
                seen += [deepcopy(decoder).eof(), decoder.unfinished_field(), decoder.last_event_id]
        except EventTooLarge as error:
            seen.append(str(error))
        return seen

    seen = decoded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventDecoder, "_whole_blocks", not_plain)
        assert decoded() == seen


class NeverOrdinary:
    """In place of the attribute that dialects set: whatever that is, no event is ordinary."""

    def __get__(self, dialect: object, owner: object) -> Callable[[bytes], NoReturn]:
        return never_ordinary

    def __set__(self, dialect: object, value: object) -> None: ...


def the_long_way(dialect: Dialect[Any]) -> Callable[[Event], object]:
    """How a dialect reads that takes no event for ordinary."""
    kind: Any = type(dialect)
    if isinstance(dialect, FastDialect):
        dialect.__class__ = type(kind.__name__, (kind,), {"decode_ordinary": NeverOrdinary()})
    return dialect.read


REQUESTS: dict[str, Callable[[], Request[Any]]] = {
    **dialects.REQUESTS,
    "text": lambda: json.request(str, done=b'"end"'),
    "numbers": lambda: json.request(int),
}
DATA = {
    name: sorted(
        {
            event.raw
            for fixture in dialects.load()
            if fixture.dialect == name
            for event in EventDecoder().feed(fixture.stream)
        }
        | {b"", b" ", b"{", b"null", b'"end"', b' "end"', b'"a"', b"[DONE]", b'{"error":"no"}', b"\xff"}
        | {b'{"type":"ping"}', b'{"type":"keepalive"}', b'{"type":"error","error":{"message":"no"}}'}
    )
    for name in REQUESTS
}


@unhurried
@given(data=st.data())
@pytest.mark.parametrize("name", REQUESTS)
def test_events_mean_the_same_without_the_fast_framing(name: str, data: st.DataObject) -> None:
    events = data.draw(st.lists(st.sampled_from(DATA[name]), max_size=12))
    together = data.draw(st.integers(1, 12))
    type = data.draw(st.sampled_from(["message", "content_block_delta", "error", "ping", "endpoint"]))

    def read(short: bool) -> list[object]:
        dialect: Dialect[Any] = REQUESTS[name]().dialect()
        seen: list[object] = []
        for at in range(0, len(events), together):
            chunks: list[object] = []
            done = dialect.read_batch(events[at : at + together], chunks, type) if short else 0
            read = dialect.read if short else the_long_way(dialect)
            try:
                chunks.extend(read(Event(raw, type)) for raw in events[at + done : at + together])
            except StreamError as error:
                seen += [error.__class__, str(error)]
            seen += [chunks, dialect.may_end, dialect.ended, dialect.cursor]
        return seen

    assert read(True) == read(False)


ORDINARY = {
    "numbers": (b"7", "message"),
    "mcp": (b'{"jsonrpc":"2.0","method":"m"}', "message"),
    "responses": (b'{"type":"response.output_text.delta","delta":"a"}', "response.output_text.delta"),
    "anthropic": (
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}',
        "content_block_delta",
    ),
    "openai": (b'{"choices":[{"delta":{"content":"a"}}]}', "message"),
    "gemini": (b'{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}', "message"),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_what_a_batch_took_is_counted_from_where_it_began(name: str) -> None:
    """A read over `MAX_PIECE` bytes is one batch after another, into one list."""
    data, type = ORDINARY[name]
    dialect: Dialect[Any] = REQUESTS[name]().dialect()
    chunks: list[Any] = []
    for took in range(1, 4):
        before = len(chunks)
        assert dialect.read_batch([data] * took + [b"{", data], chunks, type) == took
        assert len(chunks) == before + took


def test_a_server_that_sends_null_for_lists_is_read_in_batches_from_then_on() -> None:
    dialect = ChatDialect()
    data = [b'{"choices":[{"delta":{"content":"a","tool_calls":null}}]}'] * 2
    chunks: list[openai.ChatCompletionChunk] = []
    assert dialect.read_batch(data, chunks) == 0
    dialect.read(Event(data[0]))
    assert dialect.read_batch(data, chunks) == len(chunks) == 2


def test_chunks_with_null_lists_and_parts_are_the_same_by_way_of_plain_values() -> None:
    ways = dict.fromkeys(("by both", "by its own"), 0)
    for data in {*DATA["openai"], *DATA["groq"]}:
        try:
            chunk = tolerant.decode(data)
        except NOT_JSON:
            continue
        if all(choice.delta is not None for choice in chunk.choices):
            assert said(chunk) == said(tolerant.read_anything(Event(data), data.decode()))
        try:
            exact = decode(data)
        except NOT_JSON:
            ways["by its own"] += 1
        else:
            ways["by both"] += 1
            assert said(exact) == said(chunk)
    assert all(ways.values())


def said(chunk: openai.ChatCompletionChunk) -> object:
    """What a chunk says; null, in what has no struct, as well as absent says nothing."""
    return without_nulls(msgspec.to_builtins(chunk))


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: without_nulls(item) for name, item in fields.items() if item is not None}
    return [without_nulls(item) for item in cast("list[object]", value)] if isinstance(value, list) else value


CHUNKED, UNTIL_CLOSED = b"Transfer-Encoding: chunked", b"Connection: close"
parts = st.lists(
    st.builds(
        part,
        st.sampled_from(
            [*[b"%x\r\n"] * 20, b"%X\r\n", b"0%x\r\n", b"%x;a\r\n", b"%x \r\n", b"%x\n", b"%x\r", b"+%x\r\n"]
        ),
        st.binary(max_size=4) | st.sampled_from([b"data: a\n\n", b"\r", b"\r\n", b"\n", b"x" * 20]),
        st.sampled_from([*[b"\r\n"] * 20, b"\n", b"\r", b"", b"\r\n\r\n"]),
    ),
    max_size=8,
)


@unhurried
@given(parts=parts, places=places)
def test_many_chunks_at_once_are_sliced_as_one_by_one(parts: list[bytes], places: list[int]) -> None:
    pieces = cut_at(b"".join(parts), places)

    def sliced() -> list[object]:
        chunks, body, rest = ChunkedFraming(1000), list[bytes](), b""
        seen: list[object] = []
        for piece in pieces:
            try:
                rest += chunks.feed(piece, body)
            except Exception as error:
                return [*seen, repr(error), b"".join(body)]
            seen.append((b"".join(body), rest, chunks.missing))
        return seen

    one_by_one = sliced()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks_module, "BULK_FROM", 0)
        assert sliced() == one_by_one


@unhurried
@example(parts=[b"data"], places=[], framing=UNTIL_CLOSED)
@given(
    parts=parts, places=places, framing=st.sampled_from([*[CHUNKED] * 8, UNTIL_CLOSED, b"Content-Length: 30"])
)
def test_a_body_is_the_same_without_the_fast_framing_for_what_comes_whole(
    parts: list[bytes], places: list[int], framing: bytes
) -> None:
    pieces = cut_at(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + b"".join(parts), places)

    def received() -> list[object]:
        exchange = Exchange("GET", "/", [("Host", "localhost")])
        return [
            (exchange.receive(piece), exchange.ended, exchange.excess_data, repr(exchange.error))
            for piece in [*filter(None, pieces), b""]
        ]

    seen = received()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChunkedFraming, "take_single", nothing_whole)
        patch.setattr(LengthFraming, "take_single", nothing_whole)
        assert received() == seen

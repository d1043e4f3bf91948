"""Plain event streams, and the events behind the chunks of other streams."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sse_core import Control, Event, Response, StatusError, UnknownField
from sse_core.dialects import events, groq


def test_an_event_stream_can_be_asked_for_in_any_way() -> None:
    assert (events.request().method, events.request().path, events.request().body) == ("GET", "", b"")
    request = events.request("/feed", method="POST", headers=(("X-A", "1"),), body=b"{}")
    assert (request.method, request.path, request.headers, request.body) == (
        "POST",
        "/feed",
        (("X-A", "1"),),
        b"{}",
    )


@given(data=st.binary(), type=st.text(), id=st.text())
def test_any_event_is_a_chunk_of_an_event_stream(data: bytes, type: str, id: str) -> None:
    event = Event(data, type, id)
    dialect = events.request().dialect()
    assert dialect.read(event) is event
    assert dialect.ends_with_body


def test_an_event_source_begins_where_it_is_told_to() -> None:
    request = events.source("/x", last_event_id="ä7", headers=(("X", "y"),))
    assert request.reconnects is not None and request.method == "GET"
    assert request.headers == (("X", "y"), ("Last-Event-ID", "ä7".encode().decode("latin-1")))
    assert events.source().headers == ()


# The events behind the chunks of another dialect.


def test_chunks_can_be_had_with_their_events() -> None:
    request = events.with_events(groq.chat(model="m", messages=[]))
    assert request.path == "/chat/completions"
    dialect = request.dialect()
    dialect.unknown_field(UnknownField("anything", b""))
    event = Event(b'{"choices":[{"delta":{"content":"a","mood":"calm"},"finish_reason":"stop"}]}')
    pair = dialect.read(event)
    assert isinstance(pair, events.WithEvent)
    assert (pair.chunk.text, pair.event, dialect.may_end) == ("a", event, True)
    assert json.loads(pair.event.raw)["choices"][0]["delta"]["mood"] == "calm"
    assert dialect.read(Event(b"[DONE]")) is Control.END
    accumulator = dialect.accumulator()
    assert accumulator is not None
    assert (accumulator.add([pair]), accumulator.message().text) == (1, "a")


def test_events_have_no_whole_with_events_either() -> None:
    dialect = events.with_events(events.request()).dialect()
    assert dialect.ends_with_body
    assert dialect.accumulator() is None
    assert isinstance(dialect.error_for(Response(404), b"<html>"), StatusError)

"""Cohere's chat, beyond what the fixtures show."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ApiError, Control, Event, InvalidChunk, Message, Response, StatusError
from sse_core.dialects import cohere
from support.core import unhurried

request = cohere.chat(model="m", messages=[])


def read(type: str, **fields: object) -> Any:
    return request.dialect().read(Event(json.dumps({"type": type, **fields}).encode(), type))


def end(**delta: object) -> Any:
    return read("message-end", delta=delta)


def put_together(*chunks: Any) -> Message:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add(chunks)
    return accumulator.message()


def test_a_request() -> None:
    messages = [{"role": "user", "content": "hi"}]
    request = cohere.chat(model="m", messages=messages, extra={"new": 1, "stream": False}, k=5)
    assert (request.method, request.path) == ("POST", "/v2/chat")
    assert dict(request.headers) == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {"model": "m", "messages": messages, "stream": True, "new": 1, "k": 5}


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        cohere.chat(model="m", messages=[{"content": object()}])


EVENTS = [kind for kind in get_args(cohere.ChatStreamEvent) if kind is not cohere.UnknownEvent]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_known_by_its_type_and_says_nothing_by_itself(kind: Any) -> None:
    name = kind.__struct_config__.tag
    chunk = read(name)
    assert isinstance(chunk, kind)
    assert (chunk.type, chunk.text, chunk.reasoning, chunk.tool_calls) == (name, "", "", ())
    assert (chunk.finish_reason, chunk.usage) == (None, None)
    assert put_together(chunk) == Message(native=cohere.ChatResponse())


@pytest.mark.parametrize(
    "reason", ["COMPLETE", "STOP_SEQUENCE", "MAX_TOKENS", "TOOL_CALL", "a new one", None]
)
def test_the_last_event_is_a_chunk_and_completes_the_stream(reason: str | None) -> None:
    dialect = request.dialect()
    chunk = dialect.read(
        Event(json.dumps({"type": "message-end", "delta": {"finish_reason": reason}}).encode())
    )
    assert isinstance(chunk, cohere.MessageEndEvent)
    assert (chunk.finish_reason, dialect.ended) == (reason, True)


@pytest.mark.parametrize(
    ("delta", "message", "type", "retryable"),
    [
        ({"finish_reason": "ERROR"}, "internal server error", None, True),
        ({"finish_reason": "error", "error": "no"}, "no", None, False),
        (
            {"finish_reason": "ERROR_TOXIC"},
            "the answer ended with finish_reason 'ERROR_TOXIC'",
            "ERROR_TOXIC",
            False,
        ),
        ({"finish_reason": "TIMEOUT", "error": "too slow"}, "too slow", "TIMEOUT", True),
        ({"finish_reason": "COMPLETE", "error": "no"}, "no", "COMPLETE", False),
        ({"error": "overloaded"}, "overloaded", None, True),
    ],
)
def test_an_answer_that_failed(
    delta: dict[str, str], message: str, type: str | None, retryable: bool
) -> None:
    with pytest.raises(ApiError) as caught:
        end(**delta)
    error = caught.value
    assert (error.message, error.type, error.retryable) == (message, type, retryable)


def test_an_error_that_is_empty_is_none() -> None:
    assert end(finish_reason="COMPLETE", error="").finish_reason == "COMPLETE"


@pytest.mark.parametrize(
    "data",
    [
        {"message": "internal server error"},
        {"id": "1", "message": "no"},
        {"error": {"message": "no"}},
        {"detail": "no"},
    ],
)
def test_an_error_without_a_type_need_not_say_that_it_is_one(data: dict[str, object]) -> None:
    with pytest.raises(ApiError):
        request.dialect().read(Event(json.dumps(data).encode()))


def test_what_has_neither_a_type_nor_a_message_is_an_unknown_event() -> None:
    chunk = request.dialect().read(Event(b'{"a": 1}'))
    assert chunk == cohere.UnknownEvent(name="message", fields={"a": 1, "type": "message"})


def test_errors_by_status() -> None:
    error = request.dialect().error_for(Response(401, "Unauthorized", ()), b'{"message":"invalid api token"}')
    assert isinstance(error, StatusError)
    assert (error.message, error.retryable) == ("invalid api token", False)


def test_a_ping_and_an_event_named_error() -> None:
    assert request.dialect().read(Event(b"{}", "ping")) is Control.PING
    with pytest.raises(ApiError, match="no more"):
        request.dialect().read(Event(b"no more", "error"))


def test_a_message_may_begin_with_all_that_it_has() -> None:
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    citation = {"start": 0, "end": 1, "text": "a"}
    chunk = read(
        "message-start",
        id="1",
        delta={
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm"},
                    {"type": "text", "text": "a"},
                    {"type": "x"},
                ],
                "tool_plan": "!",
                "tool_calls": [call, {**call, "id": "u"}, {}],
                "citations": [citation],
            }
        },
    )
    assert (chunk.text, chunk.reasoning) == ("a", "hm!")
    assert [(part.index, part.id) for part in chunk.tool_calls] == [(0, "t"), (1, "u"), (2, None)]
    message = put_together(chunk)
    assert (message.text, message.reasoning, len(message.tool_calls)) == ("a", "hm!", 3)
    native = message.native.message
    assert [item.type for item in native.content] == ["thinking", "text", "x"]
    assert native.citations == (cohere.Citation(start=0, end=1, text="a"),)


def test_an_item_may_begin_with_something_in_it() -> None:
    text, thinking, nothing = (
        read("content-start", index=index, delta={"message": {"content": content}})
        for index, content in enumerate(
            [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b"}, None]
        )
    )
    assert (text.text, thinking.reasoning, nothing.text, nothing.reasoning) == ("a", "b", "", "")
    more = read("content-delta", index=0, delta={"message": {"content": {"text": "!", "thinking": "?"}}})
    message = put_together(text, thinking, nothing, more)
    assert (message.text, message.reasoning) == ("a!", "?b")


def test_several_calls_in_one_event_are_counted_on() -> None:
    def calls(type: str, *parts: tuple[str | None, str]) -> Any:
        given = [{"id": id, "function": {"arguments": text}} for id, text in parts]
        return read(type, index=1, delta={"message": {"tool_calls": given}})

    start = calls("tool-call-start", ("a", "1"), ("b", "2"))
    assert [part.index for part in start.tool_calls] == [1, 2]
    more = calls("tool-call-delta", (None, "3"), (None, "4"))
    assert [(call.id, call.arguments) for call in put_together(start, more).tool_calls] == [
        ("a", "13"),
        ("b", "24"),
    ]


def test_an_index_that_comes_again_is_of_another_call_and_a_delta_may_come_first() -> None:
    def call(type: str, id: str | None, text: str) -> Any:
        return read(
            type, index=0, delta={"message": {"tool_calls": {"id": id, "function": {"arguments": text}}}}
        )

    chunks = [
        call("tool-call-delta", None, "1"),
        call("tool-call-start", "a", ""),
        call("tool-call-start", "b", "2"),
    ]
    message = put_together(*chunks)
    assert [(call.id, call.arguments) for call in message.tool_calls] == [(None, "1"), ("a", ""), ("b", "2")]


def test_several_citations_in_one_event() -> None:
    chunk = read("citation-start", delta={"message": {"citations": [{"start": 0}, {"start": 1}]}})
    assert [citation.start for citation in chunk.citations] == [0, 1]
    assert put_together(chunk).native.message.citations == chunk.citations


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (
            {"tokens": {"input_tokens": 3, "output_tokens": 4.0}, "billed_units": {"input_tokens": 1}},
            (3, 4, 7),
        ),
        ({"tokens": {"input_tokens": 3}, "billed_units": {"input_tokens": 1, "output_tokens": 2}}, (3, 2, 5)),
        ({"billed_units": {"output_tokens": 2}}, (None, 2, None)),
        ({"tokens": {"input_tokens": 0}}, (0, None, None)),
        ({}, (None, None, None)),
    ],
)
def test_tokens_that_the_model_reads_count_before_those_that_are_billed(
    usage: dict[str, object], counts: tuple[int | None, ...]
) -> None:
    found = end(usage=usage).usage
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == counts


def test_what_is_invalid_says_so() -> None:
    for data in (b"[]", b"{", b"Bad Gateway", b'{"type":"content-delta","index":"x"}'):
        with pytest.raises(InvalidChunk) as caught:
            request.dialect().read(Event(data))
        assert caught.value.raw == data


inner = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "text", "thinking", "content", "tool_calls", "message", "function"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
events = st.fixed_dictionaries(
    {"type": st.sampled_from([kind.__struct_config__.tag for kind in EVENTS] + ["x", "ping"])},
    optional={"index": inner, "delta": st.fixed_dictionaries({"message": inner}) | inner, "id": inner},
)


@unhurried
@given(
    data=st.binary() | events.map(lambda event: json.dumps(event).encode()),
    kind=st.sampled_from(["message", "x"]),
)
def test_any_event_is_a_chunk_a_control_or_a_documented_error(data: bytes, kind: str) -> None:
    dialect = request.dialect()
    try:
        chunk = dialect.read(Event(data, kind))
    except (ApiError, InvalidChunk):
        return
    if not isinstance(chunk, Control):
        accumulator = dialect.accumulator()
        assert accumulator is not None
        brought = accumulator.add([chunk])
        message = accumulator.message()
        assert brought == bool(chunk.text or chunk.reasoning or chunk.tool_calls)
        assert (message.text, message.reasoning) == (chunk.text, chunk.reasoning)

"""Anthropic's Messages, beyond what the fixtures show."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ApiError, Control, Event, Fault, InvalidChunk, NotAnEventStream, Response, StatusError
from sse_core.dialects import anthropic
from support.core import unhurried
from support.dialects import read_event

request = anthropic.messages(model="m", messages=[], max_tokens=1)
read = partial(read_event, request)


def delta(index: int, **fields: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def test_a_request() -> None:
    messages = [{"role": "user", "content": "hi"}]
    request = anthropic.messages(
        model="m",
        messages=messages,
        max_tokens=9,
        betas=["a", "b"],
        extra={"stream": False, "new": 1},
        thinking={"type": "adaptive"},
    )
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert dict(request.headers) == {
        "Content-Type": "application/json",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "a,b",
    }
    assert json.loads(request.body) == {
        "model": "m",
        "messages": messages,
        "max_tokens": 9,
        "stream": True,
        "new": 1,
        "thinking": {"type": "adaptive"},
    }


def test_a_request_without_betas_and_of_another_version() -> None:
    request = anthropic.messages(model="m", messages=[], max_tokens=1, version="2099-01-01")
    assert dict(request.headers)["anthropic-version"] == "2099-01-01"
    assert "anthropic-beta" not in dict(request.headers)


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        anthropic.messages(model="m", messages=[{"content": object()}], max_tokens=1)


def test_the_last_event_is_a_chunk_and_completes_the_stream() -> None:
    dialect = request.dialect()
    assert not dialect.ended
    assert dialect.read(Event(b'{"type":"message_stop"}')) == anthropic.MessageStop()
    assert dialect.ended


@pytest.mark.parametrize(
    "reason",
    [
        *("end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"),
        *("model_context_window_exceeded", "a_new_one"),
    ],
)
def test_stop_reasons(reason: str) -> None:
    dialect = request.dialect()
    event = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}}
    chunk = dialect.read(Event(json.dumps(event).encode()))
    assert isinstance(chunk, anthropic.MessageDelta)
    assert (chunk.finish_reason, dialect.may_end, dialect.ended) == (reason, True, False)


@pytest.mark.parametrize("reason", [None, ""])
def test_a_message_delta_without_a_reason_does_not_finish(reason: str | None) -> None:
    dialect = request.dialect()
    chunk = dialect.read(
        Event(json.dumps({"type": "message_delta", "delta": {"stop_reason": reason}}).encode())
    )
    assert isinstance(chunk, anthropic.MessageDelta)
    assert (chunk.finish_reason, dialect.may_end) == (None, False)


def test_an_empty_stop_reason_behind_another_says_nothing() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    for reason in ("end_turn", ""):
        accumulator.add([read({"type": "message_delta", "delta": {"stop_reason": reason}})])
    assert accumulator.message().finish_reason == "end_turn"


@pytest.mark.parametrize("data", [{"detail": "no"}, {"code": 1, "message": "no"}])
def test_an_error_without_a_type_need_not_say_that_it_is_one(data: dict[str, object]) -> None:
    with pytest.raises(ApiError, match="no"):
        read(data)


CITATIONS: list[tuple[dict[str, object], type[Any]]] = [
    ({"type": "char_location", "start_char_index": 1, "end_char_index": 2}, anthropic.CharLocation),
    ({"type": "page_location", "start_page_number": 1, "end_page_number": 2}, anthropic.PageLocation),
    ({"type": "content_block_location", "start_block_index": 1}, anthropic.ContentBlockLocation),
    ({"type": "web_search_result_location", "url": "u"}, anthropic.WebSearchResultLocation),
    ({"type": "search_result_location", "source": "s"}, anthropic.SearchResultLocation),
    ({"type": "another", "a": None}, anthropic.Unknown),
]


@pytest.mark.parametrize(("citation", "kind"), CITATIONS)
def test_citations(citation: dict[str, object], kind: type[Any]) -> None:
    chunk = read(delta(0, type="citations_delta", citation=citation))
    assert isinstance(chunk.delta.citation, kind)
    assert chunk.delta.citation.type == citation["type"]


BLOCKS = [
    *("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use"),
    *("web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result"),
    *("bash_code_execution_tool_result", "text_editor_code_execution_tool_result"),
    *("tool_search_tool_result", "mcp_tool_result", "container_upload", "a_new_one"),
]


@pytest.mark.parametrize("kind", BLOCKS)
def test_blocks_stay_what_they_are(kind: str) -> None:
    chunk = read({"type": "content_block_start", "index": 3, "content_block": {"type": kind}})
    assert chunk.content_block.type == kind
    assert isinstance(chunk.content_block, anthropic.Unknown) == (kind == "a_new_one")
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add([chunk])
    assert accumulator.message().native.content == (chunk.content_block,)


def test_blocks_may_begin_with_something_in_them() -> None:
    text, thinking, tool = (
        read({"type": "content_block_start", "index": at, "content_block": block})
        for at, block in enumerate(
            [
                {"type": "text", "text": "a"},
                {"type": "thinking", "thinking": "b", "signature": "s"},
                {"type": "tool_use", "id": "t", "name": "n", "input": {"type": "circle", "r": None}},
            ]
        )
    )
    assert (text.text, thinking.reasoning) == ("a", "b")
    assert tool.tool_calls[0].arguments == '{"type":"circle","r":null}'
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    added = read(delta(0, type="text_delta", text="!"))
    assert accumulator.add([text, thinking, tool, added]) == 4
    message = accumulator.message()
    assert (message.text, message.reasoning) == ("a!", "b")
    assert message.native.content[1].signature == "s"


def test_a_compaction_is_of_a_block_of_its_own() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    text = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a"}}
    made = {"type": "compaction_delta", "content": "short"}
    assert accumulator.add([read(text), read(delta(0, **made)), read(delta(1, **made))]) == 1
    content = accumulator.message().native.content
    assert content == (anthropic.TextBlock(text="a"), anthropic.CompactionBlock(content="short"))


def test_the_message_may_begin_with_content() -> None:
    start = read({"type": "message_start", "message": {"content": [{"type": "text", "text": "a"}]}})
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add([start, read(delta(0, type="text_delta", text="b"))])
    assert accumulator.message().text == "ab"


def test_input_of_a_tool_on_the_server_is_no_tool_call() -> None:
    for kind in ("server_tool_use", "mcp_tool_use"):
        dialect = request.dialect()
        block = {"type": "content_block_start", "index": 1, "content_block": {"type": kind}}
        dialect.read(Event(json.dumps(block).encode()))
        ours, theirs = (
            dialect.read(Event(json.dumps(delta(at, type="input_json_delta", partial_json="{}")).encode()))
            for at in (0, 1)
        )
        assert isinstance(ours, anthropic.ContentBlockDelta)
        assert isinstance(theirs, anthropic.ContentBlockDelta)
        assert (len(ours.tool_calls), len(theirs.tool_calls)) == (1, 0)
        assert (ours.of_server_tool, theirs.of_server_tool) == (False, True)


def test_tokens_in_the_cache_count_as_input() -> None:
    """FAULTS C8."""
    sent = b'{"input_tokens":1,"output_tokens":2,"cache_creation_input_tokens":4,"cache_read_input_tokens":8}'
    usage = msgspec.json.decode(sent, type=anthropic.Usage)
    assert (usage.uncached_input_tokens, usage.input_tokens, usage.output_tokens) == (1, 13, 2)
    assert usage.total_tokens == 15
    assert msgspec.json.decode(msgspec.json.encode(usage))["input_tokens"] == 1
    assert anthropic.Usage(uncached_input_tokens=1).total_tokens is None
    assert anthropic.Usage(cache_read_input_tokens=1).input_tokens is None


def test_usage_grows_from_nothing() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add([read({"type": "message_delta", "usage": {"output_tokens": 5}})])
    accumulator.add([read({"type": "message_delta", "usage": None})])
    assert accumulator.message().usage == anthropic.Usage(output_tokens=5)


def test_compaction_without_its_start_and_in_the_place_of_text() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    for index in (0, 1):
        accumulator.add([read(delta(index, type="compaction_delta", content="in short"))])
        accumulator.add([read(delta(1, type="text_delta", text="a"))])
    compaction, text = accumulator.message().native.content
    assert compaction == anthropic.CompactionBlock(content="in short")
    assert text == anthropic.TextBlock(text="aa")


def test_what_is_invalid_says_so() -> None:
    for data in (b"[]", b"{", b"Bad Gateway", b'{"type":"content_block_delta","index":"x"}'):
        with pytest.raises(InvalidChunk) as caught:
            read(data)
        assert caught.value.raw == data


def test_invalid_utf8_becomes_the_replacement_character() -> None:
    chunk = read(b'{"type":"content_block_delta","delta":{"type":"text_delta","text":"\xff"}}')
    assert chunk.text == "\ufffd"


def test_errors_by_status() -> None:
    head = Response(429, "Too Many Requests", (("request-id", "req_1"),))
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow"},"request_id":"req_2"}'
    error = request.dialect().error_for(head, body)
    assert isinstance(error, StatusError)
    assert (error.status, error.type, error.message, error.request_id) == (
        429,
        "rate_limit_error",
        "slow",
        "req_1",
    )
    assert (error.retryable, error.fault, error.raw) == (True, Fault.CALLER, body)


def test_errors_by_status_without_words() -> None:
    error = request.dialect().error_for(Response(529, "Overloaded", ()), b"<html>")
    assert isinstance(error, StatusError)
    assert (error.message, error.type, error.retryable) == ("Overloaded", None, True)


def test_json_in_place_of_a_stream() -> None:
    head = Response(200, "OK", (("content-type", "application/json"),))
    error = request.dialect().error_for(head, b'{"type":"error","error":{"type":"api_error","message":"no"}}')
    assert isinstance(error, ApiError)
    assert not isinstance(error, StatusError)
    assert (error.message, error.type) == ("no", "api_error")
    assert isinstance(request.dialect().error_for(head, b'{"id":"msg_1"}'), NotAnEventStream)


events = st.fixed_dictionaries(
    {"type": st.sampled_from(["content_block_start", "content_block_delta", "message_delta", "x", "ping"])},
    optional={
        name: st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["type", "text", "input", "citations"]), inner, max_size=3)
            ),
            max_leaves=5,
        )
        for name in ("index", "delta", "content_block", "usage", "error")
    },
)


@unhurried
@given(data=st.binary() | events.map(lambda event: json.dumps(event).encode()), kind=st.sampled_from(BLOCKS))
def test_any_event_is_a_chunk_a_mark_or_a_documented_error(data: bytes, kind: str) -> None:
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


def test_only_the_input_of_open_server_tools_is_marked() -> None:
    dialect = request.dialect()

    def marked(*events: dict[str, Any]) -> list[bool]:
        chunks = [dialect.read(Event(json.dumps(event).encode())) for event in events]
        return [chunk.of_server_tool for chunk in chunks if isinstance(chunk, anthropic.ContentBlockDelta)]

    def start(index: int, kind: str) -> dict[str, object]:
        return {"type": "content_block_start", "index": index, "content_block": {"type": kind}}

    stop = {"type": "content_block_stop", "index": 1}
    first, second = (delta(index, type="input_json_delta", partial_json="{}") for index in (1, 2))
    assert marked(start(1, "server_tool_use"), start(2, "mcp_tool_use"), first, second) == [True, True]
    assert marked(stop, start(1, "tool_use"), first, second) == [False, True]
    assert marked({**stop, "index": 2}, second, stop, first) == [False, False]


def test_a_message_may_begin_with_content() -> None:
    content = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "a"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1}},
    ]
    chunk = read({"type": "message_start", "message": {"content": content}})
    (call,) = chunk.tool_calls
    assert (chunk.reasoning, chunk.text, call.index, call.id, call.arguments) == (
        "hm",
        "a",
        2,
        "t",
        '{"x":1}',
    )
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    assert accumulator.add([chunk]) == 1
    assert (accumulator.message().reasoning, accumulator.message().text) == ("hm", "a")


def test_a_delta_that_is_not_of_its_block_begins_another() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add([read({"type": "content_block_start", "index": 0, "content_block": {"type": "new"}})])
    for fields in (
        {"type": "text_delta", "text": "a"},
        {"type": "thinking_delta", "thinking": "b"},
        {"type": "thinking_delta", "thinking": "c"},
        {"type": "text_delta", "text": "d"},
    ):
        accumulator.add([read(delta(0, **fields))])
    message = accumulator.message()
    assert (message.text, message.reasoning) == ("ad", "bc")
    assert [block.type for block in message.native.content] == ["new", "text", "thinking", "text"]


def test_whose_tool_it_is_depends_on_the_last_block_of_an_index() -> None:
    dialect = request.dialect()
    calls: list[int] = []
    for type in ("server_tool_use", "tool_use", "a_new_tool_use", "tool_use"):
        start = {"type": "content_block_start", "index": 0, "content_block": {"type": type}}
        for fields in (start, delta(0, type="input_json_delta", partial_json="{}")):
            chunk = dialect.read(Event(json.dumps(fields).encode()))
            assert not isinstance(chunk, Control)
            calls.append(len(chunk.tool_calls))
    assert calls == [0, 0, 1, 1, 0, 0, 1, 1]


@pytest.mark.parametrize(("given", "arguments"), [({"x": 1}, '{"x":1}'), ({}, "")])
def test_input_that_a_block_begins_with_need_not_wait_for_its_end(given: object, arguments: str) -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    block = {"type": "tool_use", "id": "t", "name": "f", "input": given}
    chunk = read({"type": "content_block_start", "index": 0, "content_block": block})
    accumulator.add([chunk])
    (call,) = accumulator.message().tool_calls
    assert call.arguments == chunk.tool_calls[0].arguments == arguments

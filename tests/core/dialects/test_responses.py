"""OpenAI's Responses, beyond what the fixtures show."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import URL, ApiError, Control, Event, InvalidChunk, Response, StatusError
from sse_core.dialects import responses
from support.core import unhurried
from support.dialects import read_event

request = responses.create(model="m", input="hello")


def event(type: str, **fields: object) -> Event:
    return Event(json.dumps({"type": type, **fields}).encode(), type)


def read(type: str, **fields: object) -> Any:
    return read_event(request, {"type": type, **fields}, type)


@pytest.mark.parametrize("data", [{"detail": "no"}, {"code": 1, "message": "no"}])
def test_an_error_without_a_type_need_not_say_that_it_is_one(data: dict[str, object]) -> None:
    with pytest.raises(ApiError, match="no"):
        request.dialect().read(Event(json.dumps(data).encode()))


def test_a_request() -> None:
    request = responses.create(
        model="m", input=[{"role": "user", "content": "hi"}], extra={"new": 1, "stream": False}, top_p=0.5
    )
    assert (request.method, request.path, dict(request.headers)) == (
        "POST",
        "/responses",
        {"Content-Type": "application/json"},
    )
    assert json.loads(request.body) == {
        "model": "m",
        "input": [{"role": "user", "content": "hi"}],
        "stream": True,
        "top_p": 0.5,
        "new": 1,
    }


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        responses.create(model="m", input=[{"content": object()}])


def test_taking_a_response_up_again() -> None:
    request = responses.resume("resp_1", starting_after=5)
    assert (request.method, request.body) == ("GET", b"")
    base = URL.parse("https://api.openai.com/v1")
    assert base.target(request.path) == "/v1/responses/resp_1?stream=true&starting_after=5"
    assert base.target(responses.resume("a/b?c").path) == "/v1/responses/a%2Fb%3Fc?stream=true"


def test_the_sequence_number_is_the_cursor() -> None:
    dialect = request.dialect()
    assert dialect.cursor is None
    for number, type in enumerate(["response.created", "response.output_text.delta", "response.completed"]):
        dialect.read(event(type, sequence_number=number))
        assert dialect.cursor == number


@pytest.mark.parametrize("type", ["response.completed", "response.incomplete"])
def test_the_last_event_is_a_chunk_and_completes_the_stream(type: str) -> None:
    dialect = request.dialect()
    chunk = dialect.read(event(type, response={"status": "done"}))
    assert isinstance(chunk, responses.ResponseCompleted | responses.ResponseIncomplete)
    assert (chunk.finish_reason, dialect.ended) == ("done", True)


def test_why_a_response_is_incomplete() -> None:
    details = {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}
    assert read("response.incomplete", response=details).finish_reason == "content_filter"


EVENTS = [kind for kind in get_args(responses.ResponseStreamEvent) if kind is not responses.UnknownEvent]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_known_by_its_type_and_says_nothing_by_itself(kind: Any) -> None:
    name = kind.__struct_config__.tag
    chunk = read(name)
    assert isinstance(chunk, kind)
    assert (chunk.type, chunk.text, chunk.reasoning) == (name, "", "")
    assert not any(part.name or part.arguments for part in chunk.tool_calls)
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    assert accumulator.add([chunk]) == len(chunk.tool_calls)
    assert accumulator.message().text == ""


ITEMS = [kind for kind in get_args(responses.OutputItem) if kind is not responses.Unknown]


@pytest.mark.parametrize("kind", ITEMS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("stage", ["added", "done"])
def test_every_item_is_known_by_its_type(kind: Any, stage: str) -> None:
    name = kind.__struct_config__.tag
    chunk = read(f"response.output_item.{stage}", item={"type": name, "id": "i"}, output_index=4)
    assert isinstance(chunk.item, kind)
    assert (chunk.item.type, chunk.item.id) == (name, "i")
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add([chunk])
    (item,) = accumulator.message().native.output
    assert isinstance(item, kind)


def test_an_item_without_content_and_a_part_of_an_unknown_type() -> None:
    dialect = request.dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    for fields in ({"item": None}, {"item": {"type": "hologram"}}):
        chunk = dialect.read(event("response.output_item.added", output_index=0, **fields))
        assert not isinstance(chunk, Control)
        accumulator.add([chunk])
    assert [item.type for item in accumulator.message().native.output] == ["", "hologram"]


def test_annotations_of_each_kind() -> None:
    for kind in ("file_citation", "url_citation", "container_file_citation", "file_path", "another"):
        chunk = read("response.output_text.annotation.added", annotation={"type": kind})
        assert chunk.annotation.type == kind
        accumulator = request.dialect().accumulator()
        assert accumulator is not None
        accumulator.add([chunk])
        assert accumulator.message().native.output[0].content[0].annotations == (chunk.annotation,)


def test_a_part_that_is_done_replaces_its_deltas() -> None:
    dialect = request.dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.output_text.delta", {"delta": "Hel"}),
        ("response.content_part.done", {"part": {"type": "output_text", "text": "Hello"}}),
        ("response.reasoning_summary_text.delta", {"delta": "Th", "output_index": 1}),
        (
            "response.reasoning_summary_part.done",
            {"part": {"type": "summary_text", "text": "Think"}, "output_index": 1},
        ),
    ]
    for type, fields in events:
        chunk = dialect.read(event(type, **fields))
        assert not isinstance(chunk, Control)
        accumulator.add([chunk])
    message = accumulator.message()
    assert (message.text, message.reasoning) == ("Hello", "Think")


@pytest.mark.parametrize(
    ("operation", "put_together"),
    [
        ({"diff": "", "path": "a"}, {"diff": "+hi", "path": "a"}),
        (None, None),
    ],
)
def test_a_patch_that_is_not_whole(operation: object, put_together: object) -> None:
    dialect = request.dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    item = {"type": "apply_patch_call", "operation": operation}
    for data in (
        event("response.output_item.added", output_index=0, item=item),
        event("response.apply_patch_call_operation_diff.delta", output_index=0, delta="+h"),
        event("response.apply_patch_call_operation_diff.delta", output_index=0, delta="i"),
    ):
        chunk = dialect.read(data)
        assert not isinstance(chunk, Control)
        accumulator.add([chunk])
    assert accumulator.message().native.output[0].operation == put_together


def test_a_failure_without_words() -> None:
    for fields in ({}, {"response": None}, {"response": {"error": None}}):
        with pytest.raises(ApiError, match="the response has failed"):
            read("response.failed", **fields)


def test_errors_by_status() -> None:
    body = b'{"error":{"message":"no","type":"invalid_request_error","param":"input","code":null}}'
    error = request.dialect().error_for(Response(400, "Bad Request"), body)
    assert isinstance(error, StatusError)
    assert (error.message, error.type, error.param, error.retryable) == (
        "no",
        "invalid_request_error",
        "input",
        False,
    )


@unhurried
@given(
    data=st.binary()
    | st.dictionaries(
        st.sampled_from(["type", "item", "part", "response", "delta", "output_index", "error", "annotation"]),
        st.none()
        | st.integers()
        | st.sampled_from(["response.created", "response.output_item.added", "response.completed", "x"])
        | st.fixed_dictionaries({"type": st.none() | st.integers() | st.sampled_from(["message", "y"])}),
    ).map(lambda fields: json.dumps(fields).encode()),
    type=st.sampled_from(["message", "error", "response.created", "response.content_part.added"]),
)
def test_any_event_is_a_chunk_a_mark_or_a_documented_error(data: bytes, type: str) -> None:
    dialect = request.dialect()
    try:
        chunk = dialect.read(Event(data, type))
    except (ApiError, InvalidChunk):
        return
    if not isinstance(chunk, Control):
        accumulator = dialect.accumulator()
        assert accumulator is not None
        accumulator.add([chunk])
        accumulator.message()


def test_parts_may_begin_with_something() -> None:
    parts = [
        ("response.content_part.added", {"type": "output_text", "text": "a"}),
        ("response.content_part.added", {"type": "reasoning_text", "text": "b"}),
        ("response.content_part.added", {"type": "new"}),
        ("response.reasoning_summary_part.added", {"type": "summary_text", "text": "c"}),
        ("response.reasoning_summary_part.added", {"type": "new"}),
    ]
    chunks = [read(type, part=part, output_index=index) for index, (type, part) in enumerate(parts)]
    assert [(chunk.text, chunk.reasoning) for chunk in chunks] == [
        *(("a", ""), ("", "b"), ("", ""), ("", "c"), ("", ""))
    ]
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    assert accumulator.add(chunks) == 3
    assert (accumulator.message().text, accumulator.message().reasoning) == ("a", "bc")


def test_a_status_that_is_empty_is_no_finish_reason() -> None:
    for type in ("response.completed", "response.incomplete"):
        assert read(type, response={"status": ""}).finish_reason is None


def ended(*items: tuple[int, dict[str, object]]) -> list[tuple[Any, ...]]:
    """What the output is when items have ended at these indices, behind one that began at 0 as `a`."""
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    chunks = [read("response.output_item.added", output_index=0, item={"type": "function_call", "id": "a"})]
    chunks += [
        read("response.output_item.done", output_index=index, item={"type": "function_call", **item})
        for index, item in items
    ]
    accumulator.add(chunks)
    return [(item.id, item.name) for item in accumulator.message().native.output]


def test_which_item_ends() -> None:
    assert ended((0, {"id": "a", "name": "f"})) == [("a", "f")]
    assert ended((7, {"id": "a", "name": "f"})) == [("a", "f")]  # the id decides
    assert ended((0, {"id": "z", "name": "f"})) == [("z", "f")]  # or else the index
    assert ended((0, {"name": "f"})) == [(None, "f")]
    assert ended((0, {"id": "a"}), (0, {"id": "b", "name": "f"})) == [("a", ""), ("b", "f")]
    assert ended((0, {"id": "a"}), (0, {"id": "a", "name": "f"})) == [("a", "f")]  # it has come twice
    assert ended((1, {"id": "b", "name": "f"})) == [("a", ""), ("b", "f")]

"""Gemini, beyond what the fixtures show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import URL, ApiError, Event, EventDecoder, InvalidChunk, Mark, Message, Response, StatusError
from sse_core import UnknownField as Field
from sse_core.dialects import gemini
from support_core import unhurried

request = gemini.generate(model="gemini-3-flash", contents=[])


def read(data: object, type: str = "message") -> Any:
    return request.dialect().read(Event(data if isinstance(data, bytes) else json.dumps(data).encode(), type))


def test_a_request() -> None:
    request = gemini.generate(
        model="gemini-3-flash",
        contents=[{"parts": [{"text": "hi"}]}],
        generationConfig={"temperature": 0.5},
        extra={"new": 1},
    )
    assert (request.method, dict(request.headers)) == ("POST", {"Content-Type": "application/json"})
    assert json.loads(request.body) == {
        "contents": [{"parts": [{"text": "hi"}]}],
        "generationConfig": {"temperature": 0.5},
        "new": 1,
    }


@pytest.mark.parametrize(
    ("base", "model", "target"),
    [
        ("https://g.example/v1beta", "m-1", "/v1beta/models/m-1:streamGenerateContent?alt=sse"),
        ("https://g.example/v1beta/", "tunedModels/m", "/v1beta/tunedModels/m:streamGenerateContent?alt=sse"),
        ("https://g.example/v1?key=k", "m", "/v1/models/m:streamGenerateContent?alt=sse&key=k"),
        ("https://g.example", "m", "/models/m:streamGenerateContent?alt=sse"),
    ],
)
def test_where_a_request_goes(base: str, model: str, target: str) -> None:
    assert URL.parse(base).target(gemini.generate(model=model, contents=[]).path) == target


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        gemini.generate(model="m", contents=[{"parts": object()}])


def test_tokens() -> None:
    usage = gemini.UsageMetadata(
        prompt_token_count=1, tool_use_prompt_token_count=2, thoughts_token_count=4, total_token_count=7
    )
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (3, 4, 7)
    nothing = gemini.UsageMetadata()
    assert (nothing.input_tokens, nothing.output_tokens, nothing.total_tokens) == (None, None, None)


def test_only_the_first_answer_is_the_neutral_one() -> None:
    second = {"index": 1, "content": {"parts": [{"text": "B"}]}, "finishReason": "STOP"}
    second = {"index": 1, "content": {"parts": [{"text": "B"}]}, "finishReason": "STOP"}
    other = read({"candidates": [second]})
    assert (other.text, other.finish_reason, other.parts) == ("", None, ())
    empty = read({"candidates": [{"finishReason": "RECITATION"}]})
    assert (empty.text, empty.finish_reason) == ("", "RECITATION")


def put_together(*parts: list[dict[str, object]]) -> Message:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add([read({"candidates": [{"content": {"parts": part}}]}) for part in parts])
    return accumulator.message()


def test_what_is_joined_and_what_is_not() -> None:
    message = put_together(
        [{"text": ""}],
        [{"text": "a"}, {"text": "b"}],
        [{"text": ""}],
        [{"text": "c", "thought": True}],
        [{"text": "d", "thought": True, "thoughtSignature": "S"}],
        [{"text": "e", "thought": True}],
        [{"text": "f", "thought": False}],
    )
    (candidate,) = message.native.candidates
    assert [(part.text, part.thought_signature) for part in candidate.content.parts] == [
        ("ab", None),
        ("c", None),
        ("d", "S"),
        ("e", None),
        ("f", None),
    ]
    assert (message.text, message.reasoning) == ("abf", "cde")


def test_looking_at_the_message_changes_nothing() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    for text in ("a", "b", "c"):
        accumulator.add([read({"candidates": [{"content": {"parts": [{"text": text}]}}]})])
        accumulator.message()
    assert accumulator.message().text == "abc"
    assert len(accumulator.message().native.candidates[0].content.parts) == 1


def test_what_is_invalid_says_so() -> None:
    for data in (b"5", b"[]", b"{", b'{"candidates":5}'):
        with pytest.raises(InvalidChunk) as caught:
            read(data)
        assert caught.value.raw == data
    assert read(b"") is Mark.PING
    assert read(b"[DONE]") is Mark.END


def test_an_error_event() -> None:
    for data in (b"no", b'{"message":"no"}'):
        with pytest.raises(ApiError, match="no"):
            read(data, "error")


def test_errors_by_status_may_stand_in_an_array() -> None:
    body = b'[{"error":{"code":503,"message":"no","status":"UNAVAILABLE","details":[]}}]'
    error = request.dialect().refusal(Response(503, "Service Unavailable"), body)
    assert isinstance(error, StatusError)
    assert (error.message, error.type, error.code, error.retryable) == ("no", "UNAVAILABLE", 503, True)


def lines(text: str) -> Iterable[Field]:
    return [item for item in EventDecoder().feed_all(text.encode()) if isinstance(item, Field)]


def reported(text: str) -> str | None:
    """The error that lines outside events report."""
    dialect = request.dialect()
    try:
        for field in lines(text):
            dialect.unknown_field(field)
    except ApiError as error:
        return error.message
    return None


DETAILS: list[object] = [{"@type": "t: x", "list": [1, [], {}, "a {", "b: }"], "deep": {"a": {"b": None}}}]


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("details", [[], DETAILS, [*DETAILS, *DETAILS]])
@pytest.mark.parametrize("indent", [None, 0, 1, 2, 4, "\t"])
@pytest.mark.parametrize("message", ["no", "{", "}", '"', "a: b", "☕", "[1,"])
def test_an_error_outside_events_is_found_however_it_is_printed(
    message: str, indent: int | str | None, details: list[object], wrapped: bool
) -> None:
    error = {"error": {"code": 503, "message": message, "details": details, "status": "UNAVAILABLE"}}
    text = json.dumps([error] if wrapped else error, indent=indent, ensure_ascii=False)
    assert reported(text + "\n") == message
    if indent is not None:
        assert reported(text.rpartition("\n")[0] + "\n") == message


def test_other_texts_outside_events_are_passed_over() -> None:
    for text in ('{"a":1}', '{\n"a": 1\n}', "}", "}}}", "{\n}}}}", "{\n]", "[\n[\n[", "<p>", "{,"):
        assert reported(f"{text}\n") is None
    assert reported('{\n"a": 1\n}\n{\n"error": "no"\n}\n') == "no"


def test_a_text_outside_events_is_not_kept_for_ever() -> None:
    for line in ("x\n", " \n"):
        assert reported("{\n" + line * 70_000 + '{\n  "error": "no"\n}\n') == "no"


LINES = ["{", "}", "[", "]", "},", '"a": {', '"a": 1,', '"error": "x"', '"error": {', "x", ""]


@unhurried
@given(st.lists(st.sampled_from(LINES)))
def test_any_lines_are_passed_over_or_an_error(texts: list[str]) -> None:
    reported("\n".join(texts) + "\n")


@unhurried
@given(st.binary() | st.dictionaries(st.sampled_from(["candidates", "error"]), st.none() | st.integers()))
def test_any_event_is_a_chunk_a_mark_or_a_documented_error(data: bytes | dict[str, object]) -> None:
    with suppress(ApiError, InvalidChunk):
        read(data)

"""Gemini, beyond what the fixtures show."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    URL,
    ApiError,
    Control,
    Event,
    EventDecoder,
    InvalidArguments,
    InvalidChunk,
    Message,
    Response,
    StatusError,
)
from sse_core import UnknownField as Field
from sse_core.dialects import gemini
from support.core import unhurried
from support.dialects import read_event

request = gemini.generate(model="gemini-3-flash", contents=[])
read = partial(read_event, request)


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
    other = read({"candidates": [second]})
    assert (other.text, other.finish_reason, other.parts) == ("", None, ())
    empty = read({"candidates": [{"finishReason": "RECITATION"}]})
    assert (empty.text, empty.finish_reason) == ("", "RECITATION")
    nothing = read({"candidates": [{}, second]})
    assert (nothing.text, nothing.finish_reason) == ("", None)


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


def test_a_candidate_that_was_blocked_has_no_content() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    assert accumulator.add([read({"candidates": [{"finishReason": "SAFETY"}]})]) == 0
    message = accumulator.message()
    (candidate,) = message.native.candidates
    assert (candidate.content, message.text, message.finish_reason) == (None, "", "SAFETY")


def test_looking_at_the_message_changes_nothing() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    for text in ("a", "b", "c"):
        accumulator.add([read({"candidates": [{"content": {"parts": [{"text": text}]}}]})])
        accumulator.message()
    assert accumulator.message().text == "abc"
    assert len(accumulator.message().native.candidates[0].content.parts) == 1


def test_what_is_invalid_says_so() -> None:
    for data in (b"[]", b"{", b"Bad Gateway", b'{"candidates":5}'):
        with pytest.raises(InvalidChunk) as caught:
            read(data)
        assert caught.value.raw == data
    assert read(b"") is Control.PING
    assert read(b"[DONE]") is Control.END


def test_an_error_event() -> None:
    for data in (b"no", b'{"message":"no"}'):
        with pytest.raises(ApiError, match="no"):
            read(data, "error")


def test_errors_by_status_may_stand_in_an_array() -> None:
    body = b'[{"error":{"code":503,"message":"no","status":"UNAVAILABLE","details":[]}}]'
    error = request.dialect().error_for(Response(503, "Service Unavailable"), body)
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


# Function calls whose arguments come in parts.


def arg(path: str, **value: object) -> dict[str, object]:
    return {"jsonPath": path, **value}


def calling(*calls: dict[str, object], index: int = 0) -> tuple[list[Any], Message]:
    """What chunks with a part of a function call each add to the arguments, and all together."""
    dialect = request.dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    added: list[Any] = []
    for call in calls:
        candidate = {"index": index, "content": {"parts": [{"functionCall": call}]}}
        chunk = dialect.read(Event(json.dumps({"candidates": [candidate]}).encode()))
        assert not isinstance(chunk, Control)
        assert accumulator.add([chunk]) == (index == 0)
        added += [(part.name, part.arguments) for part in chunk.tool_calls]
    return added, accumulator.message()


def test_arguments_in_parts_are_written_as_they_come() -> None:
    added, message = calling(
        {"name": "weather", "willContinue": True},
        {"partialArgs": [arg("$.city", stringValue="Zü", willContinue=True)], "willContinue": True},
        {"partialArgs": [arg("$.city", stringValue='ri"ch', willContinue=True)], "willContinue": True},
        {"partialArgs": [arg("$.days", numberValue=2)], "willContinue": True},
        {},
    )
    assert added == [
        ("weather", ""),
        (None, '{"city":"Zü'),
        (None, 'ri\\"ch'),
        (None, '","days":2'),
        (None, "}"),
    ]
    (call,) = message.tool_calls
    assert (call.name, call.arguments) == ("weather", '{"city":"Züri\\"ch","days":2}')
    (part,) = message.native.candidates[0].content.parts
    whole = {"city": 'Züri"ch', "days": 2}
    assert part.function_call == gemini.FunctionCall(name="weather", args=whole)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (
            [arg("$.a", boolValue=False), arg("$.b", nullValue="NULL_VALUE"), arg("$.c", numberValue=0.5)],
            None,
        ),
        ([arg("$.a.b.c", stringValue="x"), arg("$.a.d", stringValue=""), arg("$.e", boolValue=True)], None),
        (
            [arg("$.a[0].b", numberValue=1), arg("$.a[0].c", numberValue=2), arg("$.a[1].b", numberValue=3)],
            None,
        ),
        ([arg("$.a[0][0]", numberValue=1), arg("$.a[1][0]", numberValue=2)], None),
        ([arg("$['a b']", numberValue=1), arg('$["it\\"s"][0]', numberValue=2)], '{"a b":1,"it\\"s":[2]}'),
        ([arg("$.a", numberValue=1), arg("$.a", numberValue=2)], '{"a":1,"a":2}'),
        ([arg("$.a", stringValue="x"), arg("$.a", numberValue=2)], '{"a":"x","a":2}'),
        ([arg("$.a", numberValue=1), arg("$[0]", numberValue=2)], '{"a":1,"0":2}'),
        ([arg("$.a[0]", numberValue=1), arg("$.a.b", numberValue=2)], '{"a":[1,2]}'),
        ([arg("$"), arg(""), arg("nonsense"), arg("$.a", numberValue=1)], '{"a":1}'),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_every_argument_has_its_place(
    parts: list[dict[str, object]], expected: str | None, at_once: bool
) -> None:
    written = [parts] if at_once else [[part] for part in parts]
    last = written[-1]
    calls: list[dict[str, object]] = [
        {"partialArgs": each, "willContinue": each is not last} for each in written
    ]
    added, message = calling({"name": "f", "willContinue": True}, *calls)
    (call,) = message.tool_calls
    assert call.arguments == "".join(text for _, text in added)
    if expected is not None:
        assert call.arguments == expected
    assert message.native.candidates[0].content.parts[0].function_call.args == call.parsed()


def test_a_call_is_whole_only_with_its_end() -> None:
    _, message = calling(
        {"name": "f", "willContinue": True},
        {"partialArgs": [arg("$.a", stringValue="x")], "willContinue": True},
    )
    (call,) = message.tool_calls
    assert call.partial() == {"a": "x"}
    with pytest.raises(InvalidArguments):
        call.parsed()
    assert message.native.candidates[0].content.parts[0].function_call.args == {"a": "x"}


def test_a_call_may_be_without_its_beginning() -> None:
    dialect, accumulator = request.dialect(), request.dialect().accumulator()
    assert accumulator is not None
    for call in ({"name": "f", "willContinue": True}, {"partialArgs": [arg("$.a", numberValue=1)]}):
        data = {"candidates": [{"content": {"parts": [{"functionCall": call}]}}]}
        chunk = dialect.read(Event(json.dumps(data).encode()))
    assert not isinstance(chunk, Control)
    accumulator.add([chunk])
    assert [(call.name, call.arguments) for call in accumulator.message().tool_calls] == [("", '{"a":1}')]


def test_which_call_a_part_belongs_to() -> None:
    _, message = calling(
        {"name": "f", "partialArgs": [arg("$.a", numberValue=1)]},
        {"name": "f", "args": {"a": 2}},
        {"id": "1", "name": "g", "willContinue": True},
        {"id": "1", "name": "g", "args": {"b": [3]}},
        {"id": "2", "name": "g", "willContinue": True},
        {"id": "3", "name": "g", "willContinue": True},
        {"name": "h", "willContinue": True},
        {},
        {"partialArgs": [arg("$[0]", numberValue=1)]},
    )
    assert [(call.id, call.name, call.arguments) for call in message.tool_calls] == [
        (None, "f", '{"a":1}'),
        (None, "f", '{"a":2}'),
        ("1", "g", '{"b":[3]}'),
        ("2", "g", ""),
        ("3", "g", ""),
        (None, "h", ""),
        (None, "", "[1]"),
    ]
    parts = message.native.candidates[0].content.parts
    assert [part.function_call.args for part in parts[3:]] == [{}, {}, {}, {}]


def test_calls_of_other_answers_are_kept_apart() -> None:
    _, message = calling({"name": "f", "partialArgs": [arg("$.a", numberValue=1)]}, index=1)
    assert message.tool_calls == ()
    assert message.native.candidates[0].content.parts[0].function_call.args == {"a": 1}


def test_answers_with_and_without_calls_may_come_in_one_chunk() -> None:
    parts: list[Any] = [{"functionCall": {"name": "f", "args": {}}}]
    chunk = read({"candidates": [{"finishReason": "STOP"}, {"index": 1, "content": {"parts": parts}}]})
    assert [candidate.content is None for candidate in chunk.candidates] == [True, False]
    assert (chunk.finish_reason, chunk.tool_calls) == ("STOP", ())


def test_a_call_in_parts_may_have_text_and_a_signature_beside_it() -> None:
    dialect = request.dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    for parts in (
        [{"text": "Let me "}, {"text": "see."}],
        [{"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "S"}],
        [{"text": "Hm."}, {"functionCall": {"partialArgs": [arg("$.a", numberValue=1)]}}],
        [],
    ):
        chunk = dialect.read(Event(json.dumps({"candidates": [{"content": {"parts": parts}}]}).encode()))
        assert not isinstance(chunk, Control)
        accumulator.add([chunk])
    (candidate,) = accumulator.message().native.candidates
    assert candidate.content.parts == (
        gemini.Part(text="Let me see."),
        gemini.Part(function_call=gemini.FunctionCall(name="f", args={"a": 1}), thought_signature="S"),
        gemini.Part(text="Hm."),
    )
    assert read(b'{"candidates":[{"finishReason":"functionCall"}]}').tool_calls == ()


keys = st.text(min_size=1, max_size=3)
arguments_sent: st.SearchStrategy[Any] = st.dictionaries(
    keys,
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3) | st.dictionaries(keys, inner, min_size=1, max_size=3)
        ),
        max_leaves=8,
    ),
    max_size=3,
)


def leaves(value: Any, path: str = "$") -> list[tuple[str, Any]]:
    match value:
        case dict():
            fields = cast("dict[str, Any]", value)
            named = [(f"[{quoted(name)}]", item) for name, item in fields.items()]
        case list():
            named = [(f"[{at}]", item) for at, item in enumerate(cast("list[object]", value))]
        case _:
            return [(path, value)]
    return [leaf for step, item in named for leaf in leaves(item, path + step)]


def quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def in_parts(path: str, value: Any) -> list[dict[str, object]]:
    match value:
        case bool():
            return [arg(path, boolValue=value)]
        case int():
            return [arg(path, numberValue=value)]
        case None:
            return [arg(path, nullValue="NULL_VALUE")]
        case _:
            parts = [arg(path, stringValue=char, willContinue=True) for char in value]
            return [*parts, arg(path, stringValue="")]


@unhurried
@given(arguments_sent)
def test_what_is_taken_apart_is_put_together(arguments: dict[str, Any]) -> None:
    parts = [part for path, value in leaves(arguments) if path != "$" for part in in_parts(path, value)]
    calls: list[dict[str, object]] = [{"partialArgs": [part], "willContinue": True} for part in parts]
    _, message = calling({"name": "f", "willContinue": True}, *calls, {})
    assert message.tool_calls[0].parsed() == arguments


def test_a_candidate_may_bring_nothing() -> None:
    chunk = read({"candidates": [{"index": 0}]})
    assert (chunk.text, chunk.finish_reason) == ("", None)


@pytest.mark.parametrize("data", [{"detail": "no"}, {"code": 1, "message": "no"}])
def test_an_error_need_not_say_that_it_is_one(data: dict[str, object]) -> None:
    raw = json.dumps(data).encode()
    assert request.dialect().read_batch([raw], []) == 0
    with pytest.raises(ApiError, match="no"):
        read(data)


@pytest.mark.parametrize("reason", [None, ""])
def test_an_empty_finish_reason_is_none(reason: str | None) -> None:
    dialect = request.dialect()
    chunk = dialect.read(Event(json.dumps({"candidates": [{"finishReason": reason}]}).encode()))
    assert isinstance(chunk, gemini.GenerateContentResponse)
    assert (chunk.finish_reason, dialect.may_end) == (None, False)


def test_answers_without_an_index_are_one() -> None:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    chunk = read(
        {
            "candidates": [
                {"content": {"parts": [{"text": "a"}]}},
                {"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"},
                {"content": {"parts": [{"text": "c"}]}, "index": 1},
            ]
        }
    )
    assert (chunk.text, chunk.finish_reason) == ("ab", "STOP")
    assert accumulator.add([chunk]) == 1
    assert (accumulator.message().text, accumulator.message().finish_reason) == ("ab", "STOP")

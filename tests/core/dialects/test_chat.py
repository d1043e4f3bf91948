"""The dialects: what real servers send, told apart into chunks, marks and errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sse_core import (
    ApiError,
    Control,
    Dialect,
    Event,
    InvalidChunk,
    NotAnEventStream,
    Request,
    Response,
    StatusError,
)
from sse_core.dialects import anthropic, events, groq, mcp, openai
from sse_core.dialects.shared.provider_errors import error_in_value
from sse_core.testing import dialects
from support.core import unhurried
from support.dialects import octets, read_event

Reader = Callable[..., Any]
CHATS: dict[str, Request[Any]] = {
    "openai": openai.chat(model="m", messages=[]),
    "groq": groq.chat(model="m", messages=[]),
}


def new(kind: str) -> Dialect[Any]:
    return CHATS[kind].dialect()


@pytest.fixture(params=CHATS)
def read(request: pytest.FixtureRequest) -> Reader:
    """Reads one event of a fresh stream, given as JSON, text or bytes, in each of the chat dialects."""
    return partial(read_event, CHATS[request.param])


read_groq = partial(read_event, CHATS["groq"])


def raised(read: Reader, data: object, type: str = "message") -> ApiError:
    with pytest.raises(ApiError) as caught:
        read(data, type)
    assert caught.value.raw == octets(data)
    return caught.value


def delta(**fields: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


# Chunks.


def test_a_chunk_as_openai_documents_it(read: Reader) -> None:
    said = {"token": "hi", "logprob": -0.5, "bytes": [104, 105], "top_logprobs": [{"token": "ho"}]}
    chunk = read(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1700000000,
            "model": "m",
            "system_fingerprint": "fp",
            "service_tier": "default",
            "obfuscation": "xyz",
            "choices": [
                {
                    "index": 0,
                    "delta": {"role": "assistant", "content": "hi", "refusal": None},
                    "logprobs": {"content": [said], "refusal": None},
                    "finish_reason": None,
                }
            ],
            "usage": None,
        }
    )
    assert (chunk.id, chunk.object, chunk.created, chunk.model) == (
        "chatcmpl-1",
        "chat.completion.chunk",
        1700000000,
        "m",
    )
    assert (chunk.system_fingerprint, chunk.service_tier, chunk.obfuscation) == ("fp", "default", "xyz")
    assert (chunk.text, chunk.usage, chunk.finish_reason) == ("hi", None, None)
    token = chunk.choices[0].logprobs.content[0]
    assert (token.token, token.logprob, token.bytes) == ("hi", -0.5, (104, 105))
    assert token.top_logprobs[0].token == "ho"


def test_a_chunk_shows_what_it_has_and_not_what_it_could_have(read: Reader) -> None:
    assert repr(read({"id": "1", **delta(content="Hi")})) == (
        "ChatCompletionChunk(id='1', choices=(Choice(delta=Delta(content='Hi')),))"
    )


def test_a_usage_chunk_has_no_choices(read: Reader) -> None:
    usage = {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    chunk = read({"choices": [], "usage": usage})
    assert (chunk.usage.prompt_tokens, chunk.usage.completion_tokens, chunk.usage.total_tokens) == (1, 2, 3)
    assert chunk.usage.prompt_tokens_details.cached_tokens == 4
    assert chunk.usage.completion_tokens_details.reasoning_tokens == 5
    assert chunk.text == ""


BARE: list[dict[str, Any]] = [
    {},
    {"choices": []},
    {"choices": None},
    {"choices": [{}]},
    {"choices": [{"delta": {}}]},
    {"choices": [{"delta": None}]},
    {"choices": [{"index": None, "delta": {"content": None, "role": None}}]},
    {"choices": [{"delta": {"content": ""}, "logprobs": None, "finish_reason": None}]},
    {"choices": [{"delta": {"tool_calls": None}}]},
    {"choices": [{"delta": {"tool_calls": []}}]},
    {"choices": [{"delta": {}, "logprobs": {"content": None}}]},
    {"id": None, "object": None, "created": None, "model": None, "usage": None, "error": None},
    {"usage": {}},
    {"usage": {"prompt_tokens": None}},
    {"created": 1700000000.25},
    {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
    {"choices": [{"content_filter_offsets": {"check_offset": 1}, "content_filter_results": {}}]},
    {
        "unknown": {"error": "not at the top"},
        "choices": [{"delta": {"annotation": {}}, "stop_reason": 1}],
    },
    {"x_groq": None},
    {"x_groq": {}},
    {"x_groq": {"usage": None, "error": None, "debug": None}},
]


@pytest.mark.parametrize("data", BARE)
def test_a_chunk_may_lack_anything_and_have_null_anywhere(read: Reader, data: dict[str, object]) -> None:
    chunk = read(data)
    assert isinstance(chunk, openai.ChatCompletionChunk)
    assert (chunk.text, chunk.reasoning, chunk.tool_calls, chunk.finish_reason) == ("", "", (), None)


PARTS: list[tuple[list[object], str, str]] = [
    ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", ""),
    ([{"type": "thinking", "thinking": [{"type": "text", "text": "a"}, {"type": "b"}, "c", 1]}], "", "ac"),
    ([{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"}], "b", "a"),
    ([{"type": "reference", "reference_ids": [1], "text": None, "thinking": {}}, "a", 1], "a", ""),
    ([], "", ""),
]


@pytest.mark.parametrize(("parts", "text", "reasoning"), PARTS)
def test_content_may_be_a_list_of_parts(read: Reader, parts: list[object], text: str, reasoning: str) -> None:
    chunk = read(delta(content=parts))
    assert (chunk.text, chunk.reasoning) == (text, reasoning)
    assert chunk.choices[0].delta.content_parts == tuple(parts)
    assert read(delta(content=parts, reasoning="said")).reasoning == "said"


NO_LISTS: list[dict[str, Any]] = [
    {"choices": [{"delta": {"content": "a", "tool_calls": None}}]},
    {"choices": [{"delta": {"content": "a"}, "token_ids": None}], "prompt_token_ids": None},
    {"choices": [{"delta": {"content": "a"}, "logprobs": {"content": None, "refusal": None}}]},
]


@pytest.mark.parametrize("data", NO_LISTS)
def test_null_is_an_empty_list_and_servers_that_have_it_are_read_tolerantly(data: dict[str, Any]) -> None:
    dialect = new("openai")
    found = [dialect.read(Event(octets(each))) for each in (data, delta(content="b"), data)]
    chunks = [chunk for chunk in found if isinstance(chunk, openai.ChatCompletionChunk)]
    assert [chunk.text for chunk in chunks] == ["a", "b", "a"]
    for chunk in chunks:
        (choice,) = chunk.choices
        assert choice.delta is not None
        assert (choice.delta.tool_calls, choice.token_ids, chunk.prompt_token_ids) == ((), (), ())
        assert choice.logprobs in (None, chunks[0].choices[0].logprobs)
    logprobs = chunks[0].choices[0].logprobs
    assert logprobs is None or (logprobs.content, logprobs.refusal) == ((), ())


def test_numbers_may_come_as_strings(read: Reader) -> None:
    chunk = read({"created": "17", "choices": [{"index": "0", "delta": {"content": "a"}}]})
    assert (chunk.created, chunk.text) == (17, "a")
    assert read({"usage": {"total_tokens": "3"}}).usage.total_tokens == 3


def test_invalid_utf_8_is_replaced(read: Reader) -> None:
    assert read(b'{"choices":[{"delta":{"content":"caf\xe9"}}]}').text == "caf\ufffd"


def test_line_separators_inside_text_are_text(read: Reader) -> None:
    assert read('{"choices":[{"delta":{"content":"a\u2028b\u2029c\u0085"}}]}').text == "a\u2028b\u2029c\u0085"


def test_a_tool_call_comes_in_fragments(read: Reader) -> None:
    function = {"name": "weather", "arguments": ""}
    first = read(delta(tool_calls=[{"index": 0, "id": "call_1", "type": "function", "function": function}]))
    (call,) = first.tool_calls
    assert (call.index, call.id, call.type, call.function.name) == (0, "call_1", "function", "weather")
    (call,) = read(delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a'}}])).tool_calls
    assert (call.id, call.function.name, call.function.arguments) == (None, None, '{"a')


@pytest.mark.parametrize("index", [{}, {"index": None}, {"index": 3}])
def test_a_tool_calls_index_may_be_missing_or_repeat(read: Reader, index: dict[str, int | None]) -> None:
    calls = read(delta(tool_calls=[{**index, "id": "a"}, {**index, "id": "b", "function": None}])).tool_calls
    assert [(call.index, call.id, call.function) for call in calls] == [
        (index.get("index"), "a", None),
        (index.get("index"), "b", None),
    ]


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({"reasoning": "a"}, "a"),
        ({"reasoning_content": "a"}, "a"),
        ({"reasoning": "a", "reasoning_content": "a"}, "a"),
        ({"reasoning": "", "reasoning_content": "a"}, "a"),
        ({"reasoning": None}, ""),
        ({"content": "a"}, ""),
    ],
)
def test_reasoning_has_two_spellings(read: Reader, fields: dict[str, object], reasoning: str) -> None:
    assert read(delta(**fields)).reasoning == reasoning


def test_the_shortcuts_are_about_the_first_answer_of_several(read: Reader) -> None:
    other = {"content": "b", "reasoning": "bb", "tool_calls": [{"id": "y"}]}
    second = {"index": 1, "delta": other, "finish_reason": "length"}
    first = {
        "index": 0,
        "delta": {"content": "a", "reasoning": "aa", "tool_calls": [{"id": "x"}]},
        "finish_reason": "stop",
    }
    both = read({"choices": [second, first]})
    assert (both.text, both.reasoning, both.tool_calls[0].id, both.finish_reason) == ("a", "aa", "x", "stop")
    only = read({"choices": [second]})
    assert (only.text, only.reasoning, only.tool_calls, only.finish_reason) == ("", "", (), None)
    assert only.choices[0].delta.content == "b"
    late = read({"choices": [{"index": 0}, first]})
    assert (late.text, late.reasoning, late.tool_calls[0].id, late.finish_reason) == ("a", "aa", "x", "stop")
    twice = read({"choices": [first, first]})
    assert (twice.text, twice.reasoning, len(twice.tool_calls)) == ("aa", "aaaa", 2)


# Marks.


@pytest.mark.parametrize("data", ["[DONE]", "[DONE] ", " [DONE]", "[DONE]\n", '"[DONE]"'])
def test_done_is_the_end(read: Reader, data: str) -> None:
    assert read(data) is Control.END


@pytest.mark.parametrize("data", ["", " ", "\n", "\t\r\n"])
def test_an_event_without_data_is_a_keep_alive(read: Reader, data: str) -> None:
    assert read(data) is Control.PING


WORDS = ["null", "true", "7", '"text"', "ping", "keep-alive", "1763800000.5", "2026-11-28T09:00:00Z"]
TIMES = ["2026-11-28 09:00:00.123", "Sat, 28 Nov 2026 09:00:00 GMT"]


@pytest.mark.parametrize("name", dialects.REQUESTS.keys() - {"events"})
@pytest.mark.parametrize("data", [*WORDS, *TIMES])
def test_a_heartbeat_need_not_be_json(name: str, data: str) -> None:
    """FAULTS D2."""
    dialect = dialects.REQUESTS[name]().dialect()
    assert dialect.read(Event(data.encode())) is Control.NOISE


@pytest.mark.parametrize("name", dialects.REQUESTS.keys() - {"events"})
@pytest.mark.parametrize("type", ["heartbeat", "keep-alive", "Keep_Alive", "pong"])
def test_a_heartbeat_may_have_a_type_of_its_own(name: str, type: str) -> None:
    """FAULTS D2."""
    dialect = dialects.REQUESTS[name]().dialect()
    assert dialect.read(Event(b'{"time":1}', type)) is Control.NOISE
    assert dialect.read(Event(b"", type)) in (Control.NOISE, Control.PING)


@pytest.mark.parametrize("data", [*WORDS, *TIMES])
def test_strictly_a_heartbeat_that_is_not_documented_is_an_invalid_chunk(data: str) -> None:
    for request in (
        openai.chat(model="m", messages=[], strict=True),
        anthropic.messages(model="m", messages=[], max_tokens=1, strict=True),
        mcp.listen(strict=True),
    ):
        with pytest.raises(InvalidChunk, match="documented keep-alive"):
            request.dialect().read(Event(data.encode()))


@pytest.mark.parametrize("data", ["", "{}", '{"type":"ping"}', "not JSON"])
def test_a_ping_is_a_keep_alive_whatever_it_says(read: Reader, data: str) -> None:
    assert read(data, "ping") is Control.PING


@pytest.mark.parametrize("kind", ["openai", "groq"])
@pytest.mark.parametrize("index", [0, 1])
def test_a_finish_reason_of_any_answer_means_that_the_stream_may_end(kind: str, index: int) -> None:
    dialect = new(kind)
    for reason in (None, ""):
        chunk = dialect.read(Event(octets({"choices": [{"index": index, "finish_reason": reason}]})))
        assert isinstance(chunk, openai.ChatCompletionChunk)
        assert chunk.finish_reason is None and not dialect.may_end
    dialect.read(Event(octets({"choices": [{"index": index, "finish_reason": "some new reason"}]})))
    assert dialect.may_end
    assert not new(kind).may_end


# Errors inside the stream.

SAID = {"message": "no", "type": "t", "code": "c", "param": "p", "failed_generation": "f"}


def test_an_error_carries_what_the_provider_said(read: Reader) -> None:
    error = raised(read, {"error": SAID})
    assert {name: getattr(error, name) for name in SAID} == SAID
    assert str(error) == "no"


SPELLINGS: list[tuple[dict[str, Any], str]] = [
    ({"error": {"message": "no"}}, "no"),
    ({"error": {"detail": "no"}}, "no"),
    ({"error": {"error": "no"}}, "no"),
    ({"error": "no"}, "no"),
    ({"error": "no", "error_type": "overloaded"}, "no"),
    ({"error": ["no", 1]}, '["no",1]'),
    ({"error": 7}, "7"),
    ({"error": True}, "true"),
    ({"error": {"code": 7}}, '{"code":7}'),
    ({"error": {"message": None, "code": 7}}, '{"message":null,"code":7}'),
    ({"error": {"message": "no"}, "id": None, "choices": None}, "no"),
    ({"error": {"message": "no"}, "choices": [{"delta": {}, "finish_reason": "error"}]}, "no"),
    ({"object": "error", "message": "no", "type": "BadRequestError", "code": 400}, "no"),
    ({"error": {"object": "error", "message": "no"}}, "no"),
    ({"object": "error", "message": "no", "choices": [{"delta": {}}]}, "no"),
    ({"detail": "no"}, "no"),
    ({"detail": [{"msg": "no"}]}, '{"detail":[{"msg":"no"}]}'),
    ({"code": "c", "message": "no", "request_id": "r"}, "no"),
    ({"code": 500, "message": "", "choices": []}, '{"code":500,"message":"","choices":[]}'),
]


@pytest.mark.parametrize(("data", "message"), SPELLINGS)
def test_an_error_in_place_of_a_chunk_has_many_spellings(
    read: Reader, data: dict[str, object], message: str
) -> None:
    assert raised(read, data).message == message


@pytest.mark.parametrize("data", [{"error": {}}, {"error": ""}, {"error": 0}])
def test_an_empty_error_is_an_error_all_the_same(read: Reader, data: dict[str, object]) -> None:
    assert raised(read, data).message


@pytest.mark.parametrize(
    "data",
    [
        {"detail": "ok", "choices": [{"delta": {"content": "a"}}]},
        {"detail": "ok", "object": "chat.completion.chunk", "choices": []},
        {"code": 0, "message": "ok"},
        {"code": 200, "message": "ok"},
        {"code": 500},
        {"message": "waiting"},
        {"detail": ""},
    ],
)
def test_what_need_not_be_about_an_error_is_no_error(read: Reader, data: dict[str, object]) -> None:
    assert isinstance(read(data), openai.ChatCompletionChunk)


@pytest.mark.parametrize("error", [{}, "", 0, False])
def test_but_none_beside_an_answer(read: Reader, error: object) -> None:
    chunk = read({"choices": [{"delta": {"content": "a"}}], "error": error})
    assert (chunk.text, chunk.error) == ("a", None)


@pytest.mark.parametrize(
    "data", [[{"error": {"message": "no"}}], {"error": {"message": "no"}, "choices": "no"}]
)
def test_an_error_may_stand_beside_what_is_no_chunk(read: Reader, data: object) -> None:
    assert raised(read, data).message == "no"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, "no"),
        ({"message": "no"}, "no"),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, "no"),
        ([{"error": {"message": "no"}}], "no"),
        ("no", "no"),
        ("", ""),
        ('"no"', '"no"'),
        ("[]", "[]"),
        ("{}", "{}"),
        (b"no\xff", "no\ufffd"),
    ],
)
def test_an_event_named_error_is_one_whatever_its_data(read: Reader, data: object, message: str) -> None:
    assert raised(read, data, "error").message == message


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("tool_use_failed", "tool_use_failed"),
        ("500", "500"),
        (400, 400),
        (None, None),
        (1.5, None),
        ([], None),
    ],
)
def test_a_code_is_text_or_a_number(read: Reader, code: object, expected: object) -> None:
    assert raised(read, {"error": {"message": "no", "code": code}}).code == expected


def test_a_param_may_be_anything_and_a_type_is_text(read: Reader) -> None:
    error = raised(
        read, {"error": {"message": "no", "param": {"a": [1]}, "type": 7, "status": "UNAVAILABLE"}}
    )
    assert (error.param, error.type) == ({"a": [1]}, "UNAVAILABLE")


def test_a_finish_reason_may_be_an_error(read: Reader) -> None:
    error = raised(read, {"choices": [{"delta": {"content": ""}, "finish_reason": "error"}]})
    assert error.message == "the answer ended with finish_reason 'error'"


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[]",
        "Internal Server Error",
        "[ DONE ]",
        '{"choices":7}',
        '{"choices":[7]}',
        '{"choices":[{"delta":"text"}]}',
        '{"choices":[{"index":"first"}]}',
        "Error",
        b"\xff\xfe",
        b"\x00",
    ],
)
def test_what_is_no_chunk_is_an_invalid_chunk_with_its_data(read: Reader, data: str | bytes) -> None:
    with pytest.raises(InvalidChunk, match="the data begins with b'") as caught:
        read(data)
    assert caught.value.raw == octets(data)
    assert "several chunks" not in str(caught.value)


def test_chunks_run_together_are_named_as_that(read: Reader) -> None:
    with pytest.raises(InvalidChunk, match=r"^several chunks in one event: the blank lines"):
        read('{"choices":[]}\n{"choices":[]}\n[DONE]')


def test_an_invalid_chunk_shows_no_more_than_the_start_of_its_data(read: Reader) -> None:
    with pytest.raises(InvalidChunk) as caught:
        read(b"x" * 10_000)
    assert len(str(caught.value)) < 400
    assert len(caught.value.raw) == 10_000


# Nothing else is raised, whatever comes.


def nested(depth: int) -> Iterator[bytes]:
    for start, end in ((b"[", b"]"), (b'{"a":', b"}")):
        inside = start * depth + b"1" + end * depth
        for form in (b'{"a":%b}', b'{"id":null,"a":%b}', b'{"error":%b}', b'{"error":{"a":%b}}', b"%b"):
            yield form % inside
        yield b'{"object":"error","a":%b}' % inside
        yield b'{"x_groq":{"error":%b}}' % inside
        yield b'{"choices":%b}' % inside


@pytest.mark.parametrize("depth", [100, 400, 480, *range(950, 1010), 5000, 100_000])
def test_deep_nesting_is_read_or_refused(depth: int) -> None:
    for data in nested(depth):
        for kind in ("message", "error"):
            assert read_or_refused(new("groq"), Event(data, kind))


def read_or_refused(dialect: Dialect[Any], event: Event) -> bool:
    """Read an event; anything raised but what is documented goes on."""
    try:
        chunk = dialect.read(event)
    except (ApiError, InvalidChunk) as error:
        return bool(str(error) or event.type == "error") and error.raw == event.raw
    if isinstance(chunk, Control):
        return True
    assert isinstance(chunk.text + chunk.reasoning, str)
    assert isinstance(chunk.tool_calls, tuple)
    assert chunk.finish_reason is None or isinstance(chunk.finish_reason, str)
    return chunk.error is None


def field_names(kind: Any) -> set[str]:
    fields = msgspec.structs.fields(kind)
    return {field.name for field in fields}


NAMES = sorted(
    field_names(groq.ChatCompletionChunk)
    | field_names(groq.Choice)
    | field_names(groq.Delta)
    | field_names(groq.XGroq)
    | field_names(groq.ToolCallDelta)
    | {"message", "detail", "code", "param", "type", "failed_generation", "prompt_tokens", "other"}
)
REQUIRED: dict[str, st.SearchStrategy[Any]] = {}  # nothing is
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(10**30, 10**31)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=5) | st.sampled_from(["error", "stop", "7"])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
shaped = st.fixed_dictionaries(
    REQUIRED,
    optional={
        "id": values,
        "created": values,
        "error": values,
        "object": st.just("error") | values,
        "usage": values | st.dictionaries(st.just("total_tokens") | st.just("queue_time"), leaves),
        "x_groq": values | st.fixed_dictionaries(REQUIRED, optional={"error": values, "usage": values}),
        "choices": st.lists(
            st.fixed_dictionaries(
                REQUIRED,
                optional={
                    "index": leaves,
                    "finish_reason": leaves,
                    "delta": st.fixed_dictionaries(
                        REQUIRED, optional={"content": leaves, "tool_calls": values}
                    )
                    | values,
                },
            ),
            max_size=3,
        )
        | values,
    },
)
event_types = st.sampled_from(["message", "error", "ping", "other"])


@unhurried
@given(data=(values | shaped).map(json.dumps), type=event_types)
@example(data='{"x_groq": {"error": ""}}', type="message")
def test_any_json_is_read_or_refused(data: str, type: str) -> None:
    for kind in ("openai", "groq"):
        assert read_or_refused(new(kind), Event(data.encode(), type))


@unhurried
@given(data=st.binary(), type=event_types)
def test_any_bytes_are_read_or_refused(data: bytes, type: str) -> None:
    for kind in ("openai", "groq"):
        assert read_or_refused(new(kind), Event(data, type))


# Refused responses.

OK = Response(200, "OK", (("content-type", "application/json"),))


@pytest.mark.parametrize("kind", ["openai", "groq"])
def test_a_refusal_carries_what_the_provider_said(kind: str) -> None:
    body = octets({"error": SAID})
    error = new(kind).error_for(Response(400, "Bad Request"), body)
    assert isinstance(error, StatusError)
    assert {name: getattr(error, name) for name in SAID} == SAID
    assert (error.raw, error.body, error.status) == (body, body, 400)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Not Found"}, "Not Found"),
        ({"message": "no"}, "no"),
        ([{"error": {"code": 404, "message": "no", "status": "NOT_FOUND"}}], "no"),
        ({"why": 1}, '{"why":1}'),
        ("", "Who knows"),
        ("<html>", "Who knows"),
        ("7", "Who knows"),
        ("[]", "Who knows"),
        ("[7]", "Who knows"),
        (b"\xff", "Who knows"),
    ],
)
def test_any_json_object_explains_a_bad_status(body: object, message: str) -> None:
    error = new("groq").error_for(Response(404, "Who knows"), octets(body))
    assert isinstance(error, StatusError)
    assert error.message == message


def test_only_an_error_explains_a_200_that_is_no_stream() -> None:
    error = new("groq").error_for(OK, octets({"error": {"message": "no"}}))
    assert type(error) is ApiError and error.message == "no"
    for body in ('{"message":"no"}', '{"choices":[]}', "<html>", '{"error":null}'):
        refused = new("groq").error_for(OK, octets(body))
        assert isinstance(refused, NotAnEventStream) and refused.body == octets(body)


@unhurried
@given(
    body=st.binary() | (values | shaped).map(json.dumps).map(str.encode), status=st.sampled_from([200, 404])
)
def test_any_body_of_a_refusal_is_described(body: bytes, status: int) -> None:
    for dialect in (new("groq"), events.EventsDialect()):
        error = dialect.error_for(Response(status), body)
        assert isinstance(error, StatusError) == (status == 404)
        assert error.body == body


@pytest.mark.parametrize("depth", [400, *range(950, 1010), 100_000])
def test_a_deeply_nested_body_of_a_refusal_is_described(depth: int) -> None:
    for body in nested(depth):
        assert new("groq").error_for(Response(500), body).body == body


def test_an_error_that_is_nested_too_deeply_for_words_is_none() -> None:
    """As it may be where reading goes deeper than writing: that differs between versions of CPython."""
    value: object = 1
    for _ in range(100_000):
        value = [value]
    assert error_in_value({"error": {"a": value}}) is None


# What is Groq's own.


def test_usage_may_come_in_x_groq() -> None:
    usage = {"total_tokens": 3, "queue_time": 0.5}
    chunk = read_groq({"x_groq": {"id": "req_1", "usage": usage, "seed": 7}})
    assert (chunk.x_groq.id, chunk.x_groq.seed) == ("req_1", 7)
    assert chunk.usage is chunk.x_groq.usage
    assert (chunk.usage.total_tokens, chunk.usage.queue_time) == (3, 0.5)
    both = read_groq({"usage": {"total_tokens": 4}, "x_groq": {"usage": usage}})
    assert (both.usage.total_tokens, both.x_groq.usage.total_tokens) == (4, 3)


@pytest.mark.parametrize(
    ("said", "message"),
    [("over capacity", "over capacity"), ("", ""), (["no"], '["no"]'), ({"message": "no"}, "no")],
)
def test_x_groq_may_report_an_error(said: object, message: str) -> None:
    chunk: dict[str, Any] = {"choices": [], "x_groq": {"id": "req_1", "error": said}}
    error = raised(read_groq, chunk)
    assert (error.message, error.request_id) == (message or json.dumps(chunk), "req_1")


def test_groqs_tools_and_sources_are_typed() -> None:
    citation = {"document_id": "d", "end_index": 2}
    chunk = read_groq(
        delta(
            annotations=[{"type": "document_citation", "document_citation": citation}],
            executed_tools=[
                {
                    "index": 0,
                    "type": "search",
                    "arguments": "{}",
                    "search_results": {"images": None, "results": [{"title": "t", "score": 0.5}]},
                    "code_results": [{"text": "1", "charts": [{"type": "bar"}]}],
                    "browser_results": None,
                }
            ],
        )
    )
    (annotation,), (tool,) = chunk.choices[0].delta.annotations, chunk.choices[0].delta.executed_tools
    assert annotation.document_citation.end_index == 2
    assert tool.search_results.results[0].title == "t"
    assert tool.code_results[0].charts[0].type == "bar"
    assert tool.browser_results == ()


def test_groqs_compound_systems_break_their_usage_down() -> None:
    models = [{"model": "a", "usage": {"total_tokens": 1}}, {"model": "b"}]
    debug = {"input_tokens": ["a"], "output_token_ids": [1]}
    chunk = read_groq({"x_groq": {"usage_breakdown": {"models": models}, "debug": debug}})
    first, second = chunk.x_groq.usage_breakdown.models
    assert (first.usage.total_tokens, second.model, second.usage) == (1, "b", None)
    assert (chunk.x_groq.debug.input_tokens, chunk.x_groq.debug.output_token_ids) == (("a",), (1,))


# Requests.


@pytest.mark.parametrize("chat", [openai.chat, groq.chat])
def test_a_chat_request_is_a_post_of_json(chat: Callable[..., Any]) -> None:
    messages = [{"role": "user", "content": "hi"}]
    request = chat(model="m", messages=messages, temperature=0.5, stop=["."], extra={"new": 1})
    assert (request.method, request.path) == ("POST", "/chat/completions")
    assert request.headers == (("Content-Type", "application/json"),)
    assert json.loads(request.body) == {
        "model": "m",
        "messages": messages,
        "stream": True,
        "temperature": 0.5,
        "stop": ["."],
        "new": 1,
    }


@pytest.mark.parametrize("chat", [openai.chat, groq.chat])
def test_extra_parameters_win_over_named_ones_but_a_stream_it_is(chat: Callable[..., Any]) -> None:
    extra = {"stream": False, "model": "other", "seed": 2}
    body = json.loads(chat(model="m", messages=[], seed=1, extra=extra).body)
    assert body == {"model": "m", "messages": [], "stream": True, "seed": 2}


@pytest.mark.parametrize("chat", [openai.chat, groq.chat])
def test_what_json_has_no_form_for_is_a_type_error(chat: Callable[..., Any]) -> None:
    with pytest.raises(TypeError):
        chat(model="m", messages=[{"role": object()}])


def test_each_stream_has_a_dialect_of_its_own() -> None:
    for request in (openai.chat(model="m", messages=[]), groq.chat(model="m", messages=[]), events.request()):
        assert request.dialect() is not request.dialect()

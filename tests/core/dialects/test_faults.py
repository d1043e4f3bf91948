"""What real servers, gateways and providers send: each test names the row of FAULTS that it guards."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from sse_core import (
    ApiError,
    Control,
    Dialect,
    Event,
    EventDecoder,
    EventTooLarge,
    InvalidChunk,
    Limits,
    Message,
    Reader,
    Request,
    Response,
    StatusError,
    StreamIncomplete,
)
from sse_core.dialects import anthropic, events, gemini, groq, interactions, mcp, openai, responses
from sse_core.dialects import json as json_dialect
from sse_core.dialects.shared.joined import joined
from sse_core.dialects.shared.retry_after import retry_after_in
from sse_core.testing.dialects import REQUESTS

PROVIDERS = sorted(REQUESTS.keys() - {"mcp", "json", "events"})


def event_of(value: object, type: str = "message") -> Event:
    return Event(value if isinstance(value, bytes) else json.dumps(value).encode(), type)


def message_of(name: str, *values: object) -> Message:
    """The message that these events make together."""
    dialect: Dialect[Any] = REQUESTS[name]().dialect()
    chunks = [chunk for value in values if not isinstance(chunk := dialect.read(event_of(value)), Control)]
    accumulator = dialect.accumulator()
    assert accumulator is not None
    accumulator.add(chunks)
    assert "".join(chunk.text for chunk in chunks) in ("", accumulator.message().text)
    return accumulator.message()


def deltas(*values: object) -> list[object]:
    return [{"choices": [{"index": 0, "delta": value}]} for value in values]


# C2: a whole message where a delta is due.

CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
WHOLE: list[tuple[str, dict[str, Any], str, str | None]] = [
    (
        "openai",
        {"object": "chat.completion", "choices": [{"message": {"content": "hi", "tool_calls": [CALL]}}]},
        "hi",
        None,
    ),
    (
        "groq",
        {"choices": [{"message": {"content": "hi"}, "delta": None, "finish_reason": "stop"}]},
        "hi",
        "stop",
    ),
    (
        "openai",
        {"object": "text_completion", "choices": [{"text": "hi", "finish_reason": "stop"}]},
        "hi",
        "stop",
    ),
    (
        "anthropic",
        {
            "type": "message",
            "id": "m",
            "content": [{"type": "text", "text": "hi"}],
            "stop_reason": "end_turn",
        },
        "hi",
        "end_turn",
    ),
    (
        "responses",
        {
            "object": "response",
            "status": "completed",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
        },
        "hi",
        "completed",
    ),
    (
        "responses",
        {"object": "response", "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        "",
        "max_output_tokens",
    ),
    (
        "gemini",
        {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]},
        "hi",
        "STOP",
    ),
    (
        "cohere",
        {
            "id": "c",
            "finish_reason": "TOOL_CALL",
            "message": {"content": [{"type": "text", "text": "hi"}], "tool_calls": [CALL]},
        },
        "hi",
        "TOOL_CALL",
    ),
    (
        "interactions",
        {
            "object": "interaction",
            "status": "completed",
            "steps": [{"type": "model_output", "content": [{"type": "text", "text": "hi"}]}],
        },
        "hi",
        "completed",
    ),
    ("completions", {"choices": [{"text": "hi", "finish_reason": "stop"}]}, "hi", "stop"),
]


@pytest.mark.parametrize(("name", "value", "text", "reason"), WHOLE)
def test_c2_a_whole_answer_in_the_stream_is_read_as_what_it_says(
    name: str, value: dict[str, Any], text: str, reason: str | None
) -> None:
    dialect = REQUESTS[name]().dialect()
    chunk = dialect.read(event_of(value))
    accumulator = dialect.accumulator()
    assert accumulator is not None
    accumulator.add([chunk])
    message = accumulator.message()
    assert (message.text, message.finish_reason) == (text, reason)
    assert (dialect.may_end or dialect.ended) == (reason is not None)
    assert len(message.tool_calls) == ("tool_calls" in json.dumps(value))


def test_c2_a_whole_response_that_failed_is_an_error() -> None:
    failed = {"object": "response", "status": "failed", "error": {"code": "server_error", "message": "no"}}
    with pytest.raises(ApiError, match="no"):
        REQUESTS["responses"]().dialect().read(event_of(failed))
    interaction = {"object": "interaction", "status": "failed", "errors": [{"message": "no"}]}
    with pytest.raises(ApiError, match="no"):
        REQUESTS["interactions"]().dialect().read(event_of(interaction))
    answer = {"id": "c", "finish_reason": "ERROR", "message": {"role": "assistant"}}
    with pytest.raises(ApiError, match="internal server error"):
        REQUESTS["cohere"]().dialect().read(event_of(answer))


# C3: errors in any form, at any status.

FORMS: list[tuple[object, str, str | int | None]] = [
    ({"message": "no", "code": 429}, "no", 429),
    ({"statusCode": 503, "error": "Service Unavailable", "message": "no"}, "no", 503),
    ({"statusCode": 400, "message": "no"}, "no", 400),
    ({"base_resp": {"status_code": 1002, "status_msg": "no"}}, "no", 1002),
    ({"errors": [{"message": "no", "code": 5}]}, "no", 5),
    ([{"error": {"message": "no"}}], "no", None),
    ({"error_code": 17, "error_msg": "no"}, "no", 17),
    ({"error": "invalid_request", "error_description": "no"}, "no", None),
    ({"status": 500, "title": "no"}, "no", 500),
    ({"errorMessage": "no", "errorCode": "E1"}, "no", "E1"),
    ({"error": {"message": "no", "request_id": "r"}}, "no", None),
]


@pytest.mark.parametrize(("value", "message", "code"), FORMS)
def test_c3_a_refused_response_is_in_the_providers_words(
    value: object, message: str, code: str | int | None
) -> None:
    text = json.dumps(value).encode()
    for body in (text, b"\xef\xbb\xbf" + text, b"data: " + text + b"\n\n", b"event: error\ndata: " + text):
        for name in PROVIDERS:
            error = REQUESTS[name]().dialect().error_for(Response(529), body)
            assert isinstance(error, StatusError)
            assert (error.message, error.code) == (message, code)
            assert error.retryable


def test_c3_a_refused_response_may_have_events_that_are_no_error() -> None:
    dialect = REQUESTS["groq"]().dialect()
    error = dialect.error_for(Response(500, "Oops"), b": ping\n\ndata: hello\n\n")
    assert isinstance(error, StatusError) and error.message == "Oops"


@pytest.mark.parametrize(("value", "message", "code"), FORMS[:7] + FORMS[9:])
@pytest.mark.parametrize("name", ["openai", "groq", "gemini"])
def test_c3_the_same_in_the_stream(name: str, value: object, message: str, code: str | int | None) -> None:
    with pytest.raises(ApiError) as caught:
        REQUESTS[name]().dialect().read(event_of(value))
    assert (caught.value.message, caught.value.code) == (message, code)


def test_c3_a_status_of_500_in_the_stream_is_an_error_and_a_word_is_none() -> None:
    with pytest.raises(ApiError, match="no"):
        REQUESTS["openai"]().dialect().read(event_of({"status": 500, "title": "no"}))
    assert REQUESTS["openai"]().dialect().read(event_of({"status": "queued", "message": "wait"}))
    ok = {"base_resp": {"status_code": 0, "status_msg": ""}, "choices": [{"delta": {"content": "a"}}]}
    assert message_of("openai", ok).text == "a"


@pytest.mark.parametrize("name", PROVIDERS)
def test_c3_what_came_last_explains_why_the_stream_ended_early(name: str) -> None:
    dialect = REQUESTS[name]().dialect()
    dialect.read(event_of({"message": "the model is gone", "type": "lost"}))
    error = dialect.premature_end("why")
    assert isinstance(error, ApiError) and error.message == "the model is gone"
    wrapped = events.with_events(REQUESTS[name]()).dialect()
    assert isinstance(wrapped.premature_end("why"), StreamIncomplete)


# C1: what the reader can ask.


def test_c1_the_error_says_what_came_instead() -> None:
    error = events.request().dialect().premature_end("it ended", b"<html>")
    assert str(error) == (
        "it ended, and nothing of an answer was understood: the first event's data begins with b'<html>', "
        "which looks like HTML"
    )
    dialect = REQUESTS["openai"]().dialect()
    dialect.read(event_of({"hello": 1}))
    assert str(dialect.premature_end("it ended")) == "it ended"


NOTHING: list[tuple[str, object]] = [
    ("openai", {"choices": []}),
    ("openai", {"choices": [{"delta": {"contnet": "a"}}]}),
    ("gemini", {"hello": 1}),
    ("anthropic", {"type": "hello"}),
    ("responses", {"type": "hello"}),
    ("cohere", {"type": "hello"}),
    ("completions", {"choices": [{"txt": "a"}]}),
    ("interactions", {"event_type": "hello"}),
]
SOMETHING: list[tuple[str, object]] = [
    ("openai", {"choices": [{"delta": {"content": "a"}}]}),
    ("openai", {"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ("openai", {"choices": [], "usage": {"prompt_tokens": 1}}),
    ("gemini", {"usageMetadata": {"promptTokenCount": 1}}),
    ("anthropic", {"type": "message_start", "message": {"id": "m"}}),
    ("responses", {"type": "response.created", "response": {"id": "r"}}),
    ("cohere", {"type": "message-start", "id": "c"}),
    ("completions", {"choices": [{"text": "a"}]}),
    ("interactions", {"event_type": "interaction.created", "interaction": {"id": "i"}}),
]


@pytest.mark.parametrize(("name", "value"), [*NOTHING, *SOMETHING])
def test_c1_an_accumulator_tells_whether_anything_was_understood(name: str, value: object) -> None:
    for request in (REQUESTS[name](), events.with_events(REQUESTS[name]())):
        dialect: Dialect[Any] = request.dialect()
        accumulator = dialect.accumulator()
        assert accumulator is not None and not accumulator.understood
        accumulator.add([dialect.read(event_of(value))])
        assert accumulator.understood == ((name, value) in SOMETHING)


# C4: the wait that a provider asks for.


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached for gpt-4o. Please try again in 20s. Visit https://platform.openai.com", 20),
        ("Please try again in 6m0s.", 360),
        ("please try again in 7.66s", 7.66),
        ("Please try again in 172ms.", 0.172),
        ("Try again in 1h2m3.5s", 3723.5),
        ("Please retry after 9 seconds.", 9),
        ("Please retry in 57.928s.", 57.928),
        ("Too many requests, please wait 2 minutes", 120),
        ("Try again later.", None),
        ("It took 20s", None),
        ("", None),
    ],
)
def test_c4_a_message_may_say_how_long_to_wait(message: str, seconds: float | None) -> None:
    for body in ({"error": {"message": message}}, {"message": message, "code": 429}):
        error = REQUESTS["openai"]().dialect().error_for(Response(429), json.dumps(body).encode())
        assert error.retry_after == (None if seconds is None else pytest.approx(seconds))


INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "43s"}


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"details": [{"@type": "type.googleapis.com/google.rpc.Help"}, 5, INFO]}, 43),
        ({"retry_after": 1.5}, 1.5),
        ({"retry_after": "7"}, 7),
        ({"retry_after_ms": 250}, 0.25),
        ({"metadata": {"headers": {"Retry-After": "12"}}}, 12),
        ({"metadata": {"retry_after_seconds": 3}}, 3),
        ({"details": {"retryAfter": "1m"}}, 60),
        ({"retry_after": True}, None),
        ({"retry_after": -1}, None),
        ({"retry_after": 1e300}, None),
        ({"retry_after": "9" * 9 + "d"}, 1e9),
        ({"retry_after": "soon"}, None),
        ({"retry_after": []}, None),
    ],
)
def test_c4_details_may_say_how_long_to_wait(fields: dict[str, Any], seconds: float | None) -> None:
    assert retry_after_in(fields, "") == seconds
    body = {"error": {"message": "no", **fields}}
    with pytest.raises(ApiError) as caught:
        REQUESTS["gemini"]().dialect().read(event_of(body))
    assert caught.value.retry_after == seconds


def test_c4_beside_the_error() -> None:
    error = REQUESTS["groq"]().dialect().error_for(Response(429), b'{"error":"no","retry_after":4}')
    assert error.retry_after == 4
    assert StreamIncomplete("").retry_after is None


# C5: two messages in one stream.

STARTS: dict[str, Callable[[str], object]] = {
    "anthropic": lambda id: {"type": "message_start", "message": {"id": id, "content": []}},
    "responses": lambda id: {"type": "response.created", "response": {"id": id}},
    "cohere": lambda id: {"type": "message-start", "id": id},
    "interactions": lambda id: {"event_type": "interaction.created", "interaction": {"id": id}},
}


@pytest.mark.parametrize("name", STARTS)
def test_c5_a_second_start_is_an_error_if_it_has_another_id(name: str) -> None:
    dialect = REQUESTS[name]().dialect()
    start = STARTS[name]
    assert not isinstance(dialect.read(event_of(start("a"))), Control)
    assert dialect.read(event_of(start("a"))) is Control.NOISE
    with pytest.raises(InvalidChunk, match=r"'b' began though the .* 'a' had not ended"):
        dialect.read(event_of(start("b")))


# C6: a tool's name in fragments.


def call(name: str | None = None, arguments: str | None = None, **fields: object) -> dict[str, object]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "function": function, **fields}]}


@pytest.mark.parametrize(
    "parts",
    [
        [call("get_", id="c"), call("weather"), call(arguments='{"a"'), call(arguments=":1}")],
        [call("get_", id="c"), call("weather", id="c"), call(arguments='{"a":1}')],
        [call("get_", id="c"), call("get_wea"), call("get_weather"), call(arguments='{"a":1}')],
        [call("get_weather", id="c"), call("get_weather", '{"a"'), call("get_weather", ":1}")],
    ],
)
def test_c6_a_name_may_come_in_fragments(parts: list[object]) -> None:
    (found,) = message_of("openai", *deltas(*parts)).tool_calls
    assert (found.id, found.name, found.parsed()) == ("c", "get_weather", {"a": 1})


def test_c6_other_calls_with_the_same_index_are_others() -> None:
    parts = [call("a", "{}"), call("b", '{"b":1}'), call("", id="b"), call("d", "{}", id="d")]
    calls = message_of("openai", *deltas(*parts)).tool_calls
    assert [found.name for found in calls] == ["a", "b", "d"]


# C7: nothing that is said in several chunks is overwritten.


def test_c7_citations_and_probabilities_of_gemini() -> None:
    def chunk(text: str, **fields: object) -> dict[str, object]:
        return {"candidates": [{"content": {"parts": [{"text": text}]}, **fields}]}

    one, two = {"uri": "a", "startIndex": 1}, {"uri": "b"}
    token = {"token": "x", "logProbability": -0.5}
    message = message_of(
        "gemini",
        chunk("a", citationMetadata={"citationSources": [one]}, logprobsResult={"chosenCandidates": [token]}),
        chunk(
            "b", logprobsResult={"chosenCandidates": [token]}, groundingMetadata={"webSearchQueries": ["q"]}
        ),
        chunk("c", citationMetadata={"citationSources": [two]}),
        chunk("d", groundingMetadata={"webSearchQueries": ["q", "r"], "searchEntryPoint": {"a": 1}}),
    )
    (candidate,) = message.native.candidates
    assert candidate.citation_metadata == {"citationSources": [one, two]}
    assert candidate.logprobs_result == {"chosenCandidates": [token, token]}
    assert candidate.grounding_metadata == {"webSearchQueries": ["q", "r"], "searchEntryPoint": {"a": 1}}


def test_c7_what_has_been_given_out_does_not_change() -> None:
    dialect = gemini.generate(model="m", contents=[]).dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    found: list[Any] = []
    for uri in ("a", "b"):
        metadata = {"citationSources": [{"uri": uri}]}
        chunk = dialect.read(event_of({"candidates": [{"citationMetadata": metadata}]}))
        assert isinstance(chunk, gemini.GenerateContentResponse)
        accumulator.add([chunk])
        found.append(accumulator.message().native.candidates[0].citation_metadata)
        assert chunk.candidates[0].citation_metadata == metadata
    assert [len(each["citationSources"]) for each in found] == [1, 2]


@pytest.mark.parametrize(
    ("old", "new", "both"),
    [
        (None, {"a": [1]}, {"a": [1]}),
        ({"a": [1], "b": 1}, {"a": [2], "b": None}, {"a": [1, 2], "b": 1}),
        ({"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        (5, [1], [1]),
        ([1], 5, 5),
    ],
)
def test_c7_values_are_joined(old: Any, new: Any, both: Any) -> None:
    assert joined(old, new) == both


def test_c7_a_reasoning_detail_with_empty_signatures_is_one() -> None:
    parts = [
        {"reasoning_details": [{"type": "reasoning.text", "text": text, "signature": signature, "index": 0}]}
        for text, signature in (("a", ""), ("b", ""), ("c", "sig"), ("d", ""))
    ]
    details = message_of("openai", *deltas(*parts)).native.choices[0].message.reasoning_details
    assert [(detail.text, detail.signature) for detail in details] == [("abc", "sig"), ("d", None)]


def thinking(*texts: str) -> dict[str, object]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text} for text in texts]}


def test_c7_what_mistral_thinks_is_as_it_is_without_streaming() -> None:
    reference = {"type": "reference", "reference_ids": [1]}
    contents = [
        "",
        [thinking("Ea")],
        [thinking("sy"), reference],
        "4",
        "2",
        [{"type": "text", "text": "!"}],
        "?",
    ]
    message = message_of("openai", *deltas(*({"content": content} for content in contents)))
    whole = message.native.choices[0].message
    assert (whole.content, whole.reasoning) == ("42!?", "Easy")
    assert whole.content_parts == (thinking("Easy"), reference, {"type": "text", "text": "42!?"})
    sent = {"choices": [{"message": {"content": list(whole.content_parts)}}]}
    document = openai.completion(model="m", messages=[]).dialect()
    (completion,) = cast("list[Any]", document.read_document(Response(200), json.dumps(sent).encode()))
    assert completion.choices[0].message == whole


def test_c7_probabilities_of_reasoning() -> None:
    chunks = [
        {
            "choices": [
                {"delta": {"reasoning_content": token}, "logprobs": {"reasoning_content": [{"token": token}]}}
            ]
        }
        for token in ("a", "b")
    ]
    logprobs = message_of("openai", *chunks).native.choices[0].logprobs
    assert [each.token for each in logprobs.reasoning_content] == ["a", "b"]


def test_c7_no_index_is_invented() -> None:
    citation = {"type": "document_citation", "document_citation": {"document_id": "d"}}
    message = message_of("groq", *deltas({"annotations": [citation]}))
    (annotation,) = message.native.choices[0].message.annotations
    assert annotation.document_citation == groq.DocumentCitation(document_id="d", start_index=None)


# C8: a neutral name means one thing; C10: a character in two chunks.


def test_c8_reasoning_that_only_the_total_counts_is_output() -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 40}
    found = message_of("openai", {"choices": [], "usage": usage}).usage
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (10, 30, 40)
    assert found.completion_tokens == 5
    counts = gemini.UsageMetadata(prompt_token_count=1, candidates_token_count=2, thoughts_token_count=3)
    assert (counts.input_tokens, counts.output_tokens, counts.total_tokens) == (1, 5, 6)
    assert gemini.UsageMetadata(prompt_token_count=1).total_tokens is None


HALVES = (rb'"a \ud83d"', rb'"\ude00 b"')
CUT: dict[str, tuple[bytes, ...]] = {
    "openai": tuple(b'{"choices":[{"delta":{"content":%b}}]}' % half for half in HALVES),
    "gemini": tuple(b'{"candidates":[{"content":{"parts":[{"text":%b}]}}]}' % half for half in HALVES),
    "anthropic": tuple(
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":%b}}' % half
        for half in HALVES
    ),
    "responses": tuple(b'{"type":"response.output_text.delta","delta":%b}' % half for half in HALVES),
    "cohere": tuple(
        b'{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":%b}}}}' % half
        for half in HALVES
    ),
    "completions": tuple(b'{"choices":[{"text":%b}]}' % half for half in HALVES),
    "interactions": tuple(
        b'{"event_type":"step.delta","index":0,"delta":{"type":"text","text":%b}}' % half for half in HALVES
    ),
}


@pytest.mark.parametrize("name", CUT)
def test_c10_a_character_that_is_cut_in_two_is_joined(name: str) -> None:
    first, second = CUT[name]
    assert message_of(name, first, second).text == "a \U0001f600 b"
    assert message_of(name, first, b'{"type":"ping"}', second).text == "a \U0001f600 b"
    assert message_of(name, second).text == "\ufffd b"
    assert message_of(name, first, first, second).text == "a a \U0001f600 b"


def test_c10_arguments_and_several_strings() -> None:
    chunk = b'{"choices":[{"delta":{"tool_calls":[{"index":0,%b}]}}]}'
    one = chunk % rb'"id":"c\ud83d","function":{"arguments":"\"\ud83d"}'
    two = chunk % rb'"function":{"arguments":"\ude00\""}'
    (found,) = message_of("openai", one, two).tool_calls
    assert (found.id, found.parsed()) == ("c", "\U0001f600")


# D5: strict takes what the providers themselves send.

CHUNK: dict[str, Any] = {
    "id": "1",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "delta": {"content": "a"}}],
}
COUNTS = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
SENT: list[tuple[str, dict[str, Any]]] = [
    ("openai", CHUNK),
    ("openai", {**CHUNK, "object": ""}),
    ("openai", {**CHUNK, "p": "abc", "usage": {**COUNTS, "service_tier": "default"}}),
    ("openai", {**CHUNK, "usage": {**COUNTS, "num_sources_used": 0, "cost_in_usd_ticks": 1}}),
    (
        "openai",
        {**CHUNK, "usage": {**COUNTS, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}},
    ),
    (
        "openai",
        {**CHUNK, "search_results": [], "usage": {**COUNTS, "search_context_size": "low", "cost": {}}},
    ),
    ("openai", {**CHUNK, "choices": [{"index": 0, "text": "a", "seed": 1, "delta": {"token_id": 5}}]}),
    ("openai", {**CHUNK, "choices": [{"index": 0, "delta": {"content": [{"type": "text", "text": "a"}]}}]}),
    ("gemini", {"usageMetadata": {"promptTokenCount": 1, "serviceTier": "standard"}}),
    (
        "responses",
        {
            "type": "response.reasoning_part.added",
            "sequence_number": 1,
            "item_id": "i",
            "output_index": 0,
            "content_index": 0,
            "part": {"type": "reasoning_text", "text": "hm"},
        },
    ),
    (
        "responses",
        {
            "type": "response.reasoning_part.done",
            "sequence_number": 1,
            "item_id": "i",
            "output_index": 0,
            "content_index": 0,
            "part": {"type": "reasoning_text", "text": "hm"},
        },
    ),
]
STRICT: dict[str, Request[Any]] = {
    "openai": openai.chat(model="m", messages=[], strict=True),
    "gemini": gemini.generate(model="m", contents=[], strict=True),
    "responses": responses.create(model="m", input="", strict=True),
}


@pytest.mark.parametrize(("name", "value"), SENT)
def test_d5_strict_takes_what_providers_send(name: str, value: dict[str, Any]) -> None:
    chunk = STRICT[name].dialect().read(event_of(value))
    assert not isinstance(chunk, Control)
    dialect = STRICT[name].dialect()
    assert not dialect.accepts_any_type


def test_d5_a_part_of_the_reasoning_is_read() -> None:
    values = [value for name, value in SENT if name == "responses"]
    assert message_of("responses", *values).reasoning == "hm"
    assert REQUESTS["responses"]().dialect().read(event_of({"type": "response.reasoning_part.added"}))


# D7, D9, E1, E7.


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"ok":true}', b'{"jsonrpc":"2.0","id":1,"result":{}}', b"<html>"]
)
def test_d7_a_notification_has_no_answer(body: bytes) -> None:
    head = Response(200, "OK", (("content-type", "application/json"),))
    request = mcp.post(mcp.JSONRPCNotification(method="notifications/initialized"))
    assert request.dialect().read_document(head, body) == ()
    assert mcp.listen().dialect().read_document(head, b'{"jsonrpc":"2.0","id":1,"result":{}}')


def test_d9_the_end_marker_may_be_text() -> None:
    for done in ("[END]", b"[END]"):
        dialect = json_dialect.request(dict[str, Any], done=done).dialect()
        assert dialect.read(Event(b"[END]")) is Control.END
    with pytest.raises(TypeError, match="done is the data of the end marker, as bytes or str, not 5"):
        json_dialect.request(dict, done=5)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-3", "/models/gemini-3"),
        ("tunedModels/mine", "/tunedModels/mine"),
        ("a b?c#d", "/models/a%20b%3Fc%23d"),
        ("x:y%2F", "/models/x%3Ay%252F"),
    ],
)
def test_e1_a_name_in_a_path_is_quoted(model: str, path: str) -> None:
    assert gemini.generate(model=model, contents=[]).path == f"{path}:streamGenerateContent?alt=sse"
    assert gemini.generate_content(model=model, contents=[]).path == f"{path}:generateContent"


def test_e1_an_id_in_a_path_is_quoted() -> None:
    assert responses.resume("a/b?c").path == "/responses/a%2Fb%3Fc?stream=true"
    assert interactions.resume("a/b?c").path == "/interactions/a%2Fb%3Fc?stream=true"


@pytest.mark.parametrize("name", ["..", ".", "", "/../secret", "models/.."])
def test_e1_a_name_in_a_path_leads_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="model cannot be"):
        gemini.generate(model=name, contents=[])
    if "/" not in name:
        with pytest.raises(ValueError, match="response_id cannot be"):
            responses.resume(name)
        with pytest.raises(ValueError, match="interaction_id cannot be"):
            interactions.resume(name)


def test_f1_a_name_that_is_none_is_named() -> None:
    wrong: Any = None
    with pytest.raises(TypeError, match="model is a str, not None"):
        gemini.generate(model=wrong, contents=[])
    with pytest.raises(TypeError, match="response_id is a str, not None"):
        responses.resume(wrong)


def test_e7_an_id_to_resume_behind_is_utf_8() -> None:
    for request in (mcp.listen(last_event_id=" é☕"), events.source(last_event_id=" é☕")):
        assert dict(request.headers)["Last-Event-ID"].encode("latin-1") == "é☕".encode()
    assert "Last-Event-ID" not in dict(mcp.listen().headers)


# E3: memory by what is kept.

LARGE_EVENTS: dict[str, bytes] = {
    "openai": b'{"choices":[%b]}' % b",".join([b"{}"] * 250_000),
    "gemini": b'{"candidates":[%b]}' % b",".join([b"{}"] * 250_000),
    "anthropic": b'{"type":"message_start","message":{"content":[%b]}}' % b",".join([b"{}"] * 250_000),
    "completions": b'{"choices":[%b]}' % b",".join([b"{}"] * 250_000),
    "cohere": b'{"type":"x","a":[%b]}' % b",".join([b"{}"] * 250_000),
    "interactions": b'{"event_type":"x","a":[%b]}' % b",".join([b"{}"] * 250_000),
}


@pytest.mark.parametrize("name", LARGE_EVENTS)
def test_e3_an_event_has_a_limited_number_of_objects(name: str) -> None:
    with pytest.raises(InvalidChunk, match="more than 200000 objects in one event"):
        REQUESTS[name]().dialect().read(Event(LARGE_EVENTS[name]))


def test_e3_a_long_text_has_not() -> None:
    data = json.dumps({"choices": [{"delta": {"content": "x" * 300_000}}]}).encode()
    for name in ("openai", "groq"):
        assert REQUESTS[name]().dialect().read(Event(data))
    parts = {"candidates": [{"content": {"parts": [{"text": "x" * 300_000}]}}]}
    assert REQUESTS["gemini"]().dialect().read(event_of(parts))


MANY: dict[str, Callable[[int], object]] = {
    "openai": lambda index: {"choices": [{"index": index, "delta": {"content": "a"}}]},
    "groq": lambda index: {"choices": [{"delta": {"tool_calls": [{"index": index, "id": str(index)}]}}]},
    "gemini": lambda index: {
        "candidates": [{"index": index, "content": {"parts": [{"text": "a"}, {"text": "b"}]}}]
    },
    "anthropic": lambda index: {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": "text"},
    },
    "responses": lambda index: {"type": "response.output_text.delta", "output_index": index, "delta": "a"},
    "cohere": lambda index: {
        "type": "citation-start",
        "delta": {"message": {"citations": {"start": index}}},
    },
    "completions": lambda index: {"choices": [{"index": index, "text": "a"}]},
    "interactions": lambda index: {
        "event_type": "step.delta",
        "index": index,
        "delta": {"type": "text", "text": "a"},
    },
}


@pytest.mark.parametrize("name", MANY)
def test_e3_an_answer_of_many_parts_is_as_large_as_what_is_kept_of_it(name: str) -> None:
    reader = Reader(REQUESTS[name](), limits=Limits(max_answer_size=600_000))
    for index in range(1500):
        reader.feed(b"data: %b\n\n" % json.dumps(MANY[name](index)).encode())
    assert reader.verdict is None and reader.message is None
    with pytest.raises(EventTooLarge, match="max_answer_size"):
        reader.complete_message()


def test_e3_and_one_of_few_parts_is_not() -> None:
    reader = Reader(REQUESTS["openai"](), limits=Limits(max_answer_size=600_000))
    for _ in range(3000):
        reader.feed(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
    assert reader.message is not None and reader.message.text == "a" * 3000


def test_citations_of_anthropic_count_too() -> None:
    dialect = anthropic.messages(model="m", messages=[], max_tokens=1).dialect()
    accumulator = dialect.accumulator()
    assert accumulator is not None
    citation = {"type": "citations_delta", "citation": {"type": "char_location"}}
    chunk = dialect.read(event_of({"type": "content_block_delta", "index": 0, "delta": citation}))
    assert not isinstance(chunk, Control)
    accumulator.add([chunk, chunk])
    assert accumulator.parts == 3


def test_the_decoder_reads_what_is_tested_here() -> None:
    assert len(EventDecoder().feed(b"data: {}\n\n")) == 1

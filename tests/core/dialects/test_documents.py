"""Answers that are not streamed: one document, as tolerantly read as the events of a stream."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from msgspec import Struct

from sse_core import ApiError, Event, InvalidChunk, Request, Response, StatusError
from sse_core.dialects import (
    anthropic,
    cohere,
    completions,
    events,
    gemini,
    groq,
    interactions,
    openai,
    responses,
)
from sse_core.dialects import json as json_dialect
from sse_core.testing.dialects import Fixture, load
from sse_core.testing.dialects import read as read_fixture

MESSAGES = [{"role": "user", "content": "hello"}]
OK = Response(200, "OK", (("content-type", "application/json"),))


class Number(Struct):
    n: int


REQUESTS: dict[str, Request[Any]] = {
    "openai": openai.completion(model="m", messages=MESSAGES, temperature=0.5, extra={"top_k": 1}),
    "groq": groq.completion(model="m", messages=MESSAGES, include_reasoning=True),
    "anthropic": anthropic.message(model="m", messages=MESSAGES, max_tokens=9, betas=["a", "b"], top_k=1),
    "gemini": gemini.generate_content(model="m", contents=[{"parts": [{"text": "hello"}]}], labels={}),
    "responses": responses.response(model="m", input="hello", store=False),
    "cohere": cohere.chat_response(model="m", messages=MESSAGES, k=1),
    "interactions": interactions.interaction(model="m", input="hello", store=False),
    "completions": completions.completion(model="m", prompt="hello", echo=True),
    "json": json_dialect.document(Number, "/numbers", body={"most": 9}),
}
PATHS = {
    "openai": "/chat/completions",
    "groq": "/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/models/m:generateContent",
    "responses": "/responses",
    "cohere": "/v2/chat",
    "interactions": "/interactions",
    "completions": "/completions",
    "json": "/numbers",
}
ANSWERS = [
    fixture for fixture in load() if fixture.expected.answer is not None and fixture.dialect in REQUESTS
]


def read(name: str, value: object, response: Response = OK) -> Any:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    chunks = REQUESTS[name].dialect().read_document(response, body)
    assert chunks is not None
    (document,) = chunks
    return document


@pytest.mark.parametrize("name", REQUESTS)
def test_the_request_asks_for_a_document_and_for_no_stream(name: str) -> None:
    request = REQUESTS[name]
    assert (request.method, request.path) == ("POST", PATHS[name])
    assert dict(request.headers)["Accept"] == "application/json"
    assert "stream" not in json.loads(request.body)
    dialect = request.dialect()
    assert dialect.document and dialect.accepts_document
    assert dialect.accumulator() is None


def test_the_parameters_are_in_the_request() -> None:
    assert json.loads(REQUESTS["openai"].body) == {
        "model": "m",
        "messages": MESSAGES,
        "temperature": 0.5,
        "top_k": 1,
    }
    assert json.loads(REQUESTS["json"].body) == {"most": 9}
    headers = dict(REQUESTS["anthropic"].headers)
    assert (headers["anthropic-beta"], headers["anthropic-version"]) == ("a,b", "2023-06-01")


def test_a_document_without_a_body_is_got() -> None:
    request = json_dialect.document(Number, headers=(("X-A", "1"),))
    assert (request.method, request.body) == ("GET", b"")
    assert request.headers == (("Accept", "application/json"), ("X-A", "1"))
    assert json_dialect.document(Any, method="DELETE").method == "DELETE"


@pytest.mark.parametrize("fixture", ANSWERS, ids=lambda fixture: fixture.name)
def test_the_answer_is_what_the_chunks_make_together(fixture: Fixture) -> None:
    message = read_fixture(fixture, [fixture.stream]).message
    assert message is not None
    assert read(fixture.dialect, fixture.expected.answer) == message.native


@pytest.mark.parametrize("name", REQUESTS)
def test_a_byte_order_mark_is_passed_over(name: str) -> None:
    document: dict[str, object] = {"n": 1, "message": {}, "status": ""}
    document |= {name: [] for name in ("choices", "candidates", "content", "output")}
    assert read(name, b"\xef\xbb\xbf" + json.dumps(document).encode()) == read(name, document)


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"<html>", b"\xff", b"{}", b'{"id":"a"}'])
def test_anything_else_is_an_invalid_chunk_with_its_data(name: str, body: bytes) -> None:
    with pytest.raises(InvalidChunk) as caught:
        read(name, body)
    assert caught.value.raw == body


@pytest.mark.parametrize("name", REQUESTS)
def test_an_error_in_a_document_is_an_api_error(name: str) -> None:
    response = Response(200, "OK", (("x-request-id", "req_1"),))
    with pytest.raises(ApiError, match="no") as caught:
        read(name, {"error": {"message": "no", "code": 429}}, response)
    assert not isinstance(caught.value, StatusError)
    assert (caught.value.code, caught.value.retryable, caught.value.request_id) == (429, True, "req_1")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_refused_response_is_a_status_error_in_the_providers_words(name: str) -> None:
    body = b'{"error":{"message":"no such model","type":"not_found_error"}}'
    error = REQUESTS[name].dialect().error_for(Response(404, "Not Found"), body)
    assert isinstance(error, StatusError)
    assert (error.message, error.type) == ("no such model", "not_found_error")


@pytest.mark.parametrize("name", REQUESTS)
def test_an_event_is_no_document(name: str) -> None:
    with pytest.raises(InvalidChunk, match="one document was asked for"):
        REQUESTS[name].dialect().read(Event(b"{}"))


def test_a_failed_response_is_an_error() -> None:
    failed = {"id": "r", "status": "failed", "error": {"code": "server_error", "message": "no"}}
    with pytest.raises(ApiError, match="no"):
        read("responses", failed)
    assert read("responses", {"id": "r", "status": "completed", "error": None}).status == "completed"


def test_an_answer_that_failed_is_an_error_with_status_200_too() -> None:
    with pytest.raises(ApiError, match="internal server error") as caught:
        read("cohere", {"id": "c", "finish_reason": "ERROR", "message": {"role": "assistant"}})
    assert caught.value.retryable
    with pytest.raises(ApiError, match="no"):
        read("interactions", {"status": "failed", "errors": [{"code": "internal_error", "message": "no"}]})
    with pytest.raises(ApiError, match="no"):
        read(
            "interactions",
            {"status": "failed", "steps": [{"type": "model_output", "error": {"message": "no"}}]},
        )


def test_an_interaction_may_have_errors_that_did_not_make_it_fail() -> None:
    interaction = read("interactions", {"status": "completed", "errors": [{"message": "no"}]})
    assert (interaction.status, interaction.errors) == ("completed", [{"message": "no"}])


def test_a_completion_is_read_tolerantly() -> None:
    """FAULTS D1: what nobody needs, parts, arguments that are JSON, and null."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "hi"},
    ]
    call = {"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}
    message = {"content": parts, "tool_calls": [call], "audio": 5, "refusal": None}
    document = {
        "choices": [{"message": message, "logprobs": 0.5}],
        "created": {},
        "usage": {"cost": {"a": 1}},
    }
    completion = read("openai", document)
    (choice,) = completion.choices
    assert (choice.message.content, choice.message.reasoning) == ("hi", "hm")
    assert choice.message.tool_calls[0].function == openai.FunctionCall(name="f", arguments='{"a":1}')
    assert completion.usage.cost == {"a": 1}
    called = read("openai", {"choices": [{"message": {"content": None, "tool_calls": None}}, {}], "id": 5})
    assert called.id == "5" and called.choices[0].message == openai.ChatCompletionMessage()


def test_a_legacy_completion_is_one() -> None:
    """FAULTS D8."""
    completion = read("openai", {"object": "text_completion", "choices": [{"text": "hi", "index": 0}]})
    assert completion.choices[0].message.content == "hi"


def test_a_document_with_its_text() -> None:
    dialect = events.with_events(REQUESTS["json"]).dialect()
    assert dialect.document
    (pair,) = cast("list[Any]", dialect.read_document(OK, b'{"n":1}'))
    assert (pair.chunk, pair.event.raw) == (Number(1), b'{"n":1}')

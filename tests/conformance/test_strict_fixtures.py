"""Asked to be strict, every dialect reads what is documented, and names the place of what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sse_core import Control, Event, InvalidChunk, Request
from sse_core.dialects import (
    anthropic,
    cohere,
    completions,
    gemini,
    groq,
    interactions,
    mcp,
    openai,
    responses,
)
from sse_core.testing.dialects import MESSAGES, REQUESTS, Fixture, complaint, load, read

CALL = mcp.JSONRPCRequest(id=1, method="tools/call")
STRICT: dict[str, Callable[[], Request[Any]]] = {
    "anthropic": lambda: anthropic.messages(model="any", messages=MESSAGES, max_tokens=1, strict=True),
    "cohere": lambda: cohere.chat(model="any", messages=MESSAGES, strict=True),
    "completions": lambda: completions.create(model="any", prompt="hello", strict=True),
    "gemini": lambda: gemini.generate(model="any", contents=[], strict=True),
    "groq": lambda: groq.chat(model="any", messages=MESSAGES, strict=True),
    "interactions": lambda: interactions.create(model="any", input="hello", strict=True),
    "mcp": lambda: mcp.post(CALL, strict=True),
    "openai": lambda: openai.chat(model="any", messages=MESSAGES, strict=True),
    "responses": lambda: responses.create(model="any", input="hello", strict=True),
}
FIXTURES = [fixture for fixture in load() if fixture.dialect in STRICT]
DEVIATIONS = {
    "anthropic/delta-without-start": "got `null` - at `$.delta.citation`",
    "anthropic/error-without-its-name": "an event of type 'message' has data of type 'message_start'",
    "anthropic/no-type-in-the-data": "missing required field `type`",
    "anthropic/nulls-and-strings": "Expected `int | null`, got `str` - at `$.message.usage.input_tokens`",
    "anthropic/ping-without-data": "an event of type 'message' has data of type 'message_start'",
    "anthropic/unknown-types": "Invalid value 'weather' - at `$.type`",
    "anthropic/without-event-names": "an event of type 'message' has data of type 'message_start'",
    "cohere/deltas-only": "missing required field `delta`",
    "cohere/no-type-in-the-data": "missing required field `type`",
    "cohere/nulls-and-strings": "Expected `int | null`, got `str` - at `$.index`",
    "cohere/unknown-types": "Invalid value 'hologram-delta' - at `$.type`",
    "cohere/without-event-names": "an event of type 'message' has data of type 'message-start'",
    "completions/chat-in-its-place": "a chat completion",
    "completions/nulls-and-strings": "Expected `str`, got `null` - at `$.id`",
    "gemini/nulls-and-strings": "Expected `int | null`, got `str` - at `$.usageMetadata.promptTokenCount`",
    "interactions/no-type-in-the-data": "missing required field `event_type`",
    "interactions/nulls-and-strings": "Expected `str`, got `null` - at `$.interaction.id`",
    "interactions/unknown-types": "Invalid value 'step.hologram' - at `$.event_type`",
    "interactions/without-event-names": "an event of type 'message' has data of type 'interaction.created'",
    "mcp/endpoint": "JSON is malformed",
    "openai/answer-in-two-choices": "missing required field `index` - at `$.choices[0]`",
    "openai/arguments-as-an-object": "got `object` - at `$.choices[0].delta.tool_calls[0]",
    "openai/azure-prompt-annotations": "unknown field `prompt_annotations`",
    "openai/gemini-no-index": "missing required field `index` - at `$.choices[0].delta.tool_calls[0]`",
    "openai/gemini-thought-signature": "field `index` - at `$.choices[0].delta.tool_calls[0]`",
    "openai/half-a-surrogate-pair": "JSON is malformed",
    "openai/litellm-ids-change": "missing required field `prompt_tokens` - at `$.usage`",
    "openai/mistral-empty-usage": "missing required field `prompt_tokens` - at `$.usage`",
    "openai/next-to-nothing": "missing required field `index` - at `$.choices[0]`",
    "openai/null-everywhere": "Expected `str`, got `null` - at `$.id`",
    "openai/numbers-that-are-not-finite": "JSON is malformed",
    "openai/tensorrt-llm-both-reasonings": "unknown field `avg_decoded_tokens_per_iter` - at `$.choices[0]`",
    "openai/text-completion": "Invalid enum value 'text_completion' - at `$.object`",
    "openai/tool-calls-without-id-or-index": "required field `index` - at `$.choices[0].delta.tool_calls[0]`",
    "openai/unknown-values": "unknown field `mood` - at `$.choices[0].delta`",
    "responses/deltas-only": "missing required field `item_id`",
    "responses/unknown-types": "Invalid value 'response.hologram.delta' - at `$.type`",
    "responses/without-sequence-numbers": "missing required field `sequence_number`",
}
"""The fixtures whose chunks are not as documented, and what is said of the first such chunk."""


@pytest.fixture(autouse=True)
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    for dialect, request in STRICT.items():
        monkeypatch.setitem(REQUESTS, dialect, request)


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_a_fixture_is_as_documented_or_the_place_is_named(fixture: Fixture) -> None:
    if fixture.name not in DEVIATIONS:
        assert complaint(fixture, [fixture.stream]) is None
        return
    reading = read(fixture, [fixture.stream])
    assert isinstance(reading.error, InvalidChunk)
    assert DEVIATIONS[fixture.name] in str(reading.error)
    assert reading.error.raw in fixture.stream


def test_the_list_of_deviations_is_of_fixtures() -> None:
    assert DEVIATIONS.keys() <= {fixture.name for fixture in FIXTURES}


def chunk_of(dialect: str, data: dict[str, Any], type: str = "message") -> Any:
    return STRICT[dialect]().dialect().read(Event(json.dumps(data).encode(), type))


NOTIFICATION = {"jsonrpc": "2.0", "method": "notifications/progress"}
RESPONSE: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "result": {}}
BLOCK = {"type": "content_block_start", "index": 0}
USAGE = {"input_tokens": 1, "output_tokens": 1}


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("mcp", {"method": "x"}, "missing required field `jsonrpc`"),
    ("mcp", {**NOTIFICATION, "jsonrpc": "1.0"}, r"Invalid enum value '1.0' - at `\$.jsonrpc`"),
    ("mcp", {**NOTIFICATION, "id": None}, "unknown field `id`"),
    ("mcp", {**NOTIFICATION, "meta": {}}, "unknown field `meta`"),
    ("mcp", {**RESPONSE, "error": None}, "unknown field `error`"),
    ("anthropic", {**BLOCK, "content_block": {"type": "text"}}, "missing required field `text`"),
    ("anthropic", {**BLOCK, "content_block": {"type": "new"}}, r"'new' - at `\$.content_block.type`"),
    ("anthropic", {"type": "message_delta", "delta": {}}, "missing required field `usage`"),
    (
        "anthropic",
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ""}}
        | {"of_server_tool": True},
        "unknown field `of_server_tool`",
    ),
    (
        "cohere",
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": [{"id": "1"}]}}},
        r"got `array` - at `\$.delta.message.tool_calls`",
    ),
    (
        "interactions",
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "txt": ""}},
        r"unknown field `txt` - at `\$.delta`",
    ),
    (
        "interactions",
        {"event_type": "step.stop", "index": 0, "of_server_tool": True},
        "unknown field `of_server_tool`",
    ),
    (
        "gemini",
        {"candidates": [{"content": {"parts": [{"inline_data": {}}]}}]},
        r"unknown field `inline_data` - at `\$.candidates\[0\].content.parts\[0\]`",
    ),
]


@pytest.mark.parametrize(("dialect", "data", "why"), WRONG)
def test_what_is_not_documented(dialect: str, data: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidChunk, match=why):
        chunk_of(dialect, data, type=data.get("type") or data.get("event_type", "message"))


def test_what_is_documented() -> None:
    assert chunk_of("mcp", NOTIFICATION).method == "notifications/progress"
    counts = {"candidatesTokensDetails": [{"modality": "TEXT"}]}
    assert chunk_of("gemini", {"usageMetadata": counts}).usage.candidates_tokens_details[0].token_count == 0
    change = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE}
    assert chunk_of("anthropic", change, "message_delta").finish_reason == "end_turn"
    ping = Event(b'{"type": "ping"}', "ping")
    assert STRICT["anthropic"]().dialect().read(ping) is Control.PING


@pytest.mark.parametrize(
    "request_",
    [mcp.listen(strict=True), responses.resume("id", strict=True), interactions.resume("id", strict=True)],
    ids=["mcp", "responses", "interactions"],
)
def test_what_is_taken_up_again_is_read_strictly_too(request_: Request[Any]) -> None:
    with pytest.raises(InvalidChunk):
        request_.dialect().read(Event(b'{"id": 1, "result": {}, "type": "response.queued"}'))

"""The providers' own SDKs read the same streams, and come to the same answers where they come to any."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import anthropic
import msgspec
import openai
import pytest

from sse_core.testing.dialects import Fixture, Recorded
from sse_core.testing.pairs import unlike
from support.other_fixtures import FIXTURES, Reading
from support.sdks import case_of

httpx2: Any = import_module("httpx2")  # what the SDKs speak HTTP with

SDKS_FAIL = {
    "anthropic": {
        "cut": "takes what has come for the whole message",
        "cut-tool-call": "the same, with empty input",
        "delta-without-start": "raises AssertionError",
        "error-of-a-proxy": "takes what came before for the whole message",
        "error-unframed-last": "the same",
        "error-without-its-name": "yields nothing, and raises AssertionError for the message",
        "index-repeated": "adds what the one block has to the other",
        "max-tokens-in-a-tool": "gives a call with empty input",
        "no-blank-lines": "raises JSONDecodeError, which says nothing of the cause",
        "no-type-in-the-data": "raises AssertionError",
        "nulls-and-strings": "raises TypeError",
        "ping-without-data": "yields nothing, for lack of event names",
        "without-event-names": "yields nothing",
    },
    "responses": {
        "deltas-only": "raises RuntimeError",
        "output-index-repeated": "raises RuntimeError",
        "incomplete": "has no final response",
        "recorded-incomplete": "the same",
        "unknown-types": "raises RuntimeError",
    },
}
"""Where ours gives what the fixture documents, and the SDK something else."""


def http_client(octets: bytes) -> Any:
    def respond(_: object) -> Any:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=octets)

    return httpx2.Client(transport=httpx2.MockTransport(respond))


def from_anthropic(octets: bytes) -> dict[str, Any]:
    asked: Any = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    with (
        anthropic.Anthropic(api_key="key", http_client=http_client(octets), max_retries=0) as client,
        client.messages.stream(**asked) as stream,
    ):
        message = stream.get_final_message()
    usage = message.usage
    cached = (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
    return {
        "text": "".join(block.text for block in message.content if block.type == "text"),
        "reasoning": "".join(block.thinking for block in message.content if block.type == "thinking"),
        "signatures": [block.signature for block in message.content if block.type == "thinking"],
        "citations": [len(block.citations or ()) for block in message.content if block.type == "text"],
        "types": [block.type for block in message.content],
        "tool_calls": [(use.id, use.name, use.input) for use in message.content if use.type == "tool_use"],
        "finish_reason": message.stop_reason,
        "usage": (usage.input_tokens + cached, usage.output_tokens),
    }


def from_openai(octets: bytes) -> dict[str, Any]:
    with (
        openai.OpenAI(api_key="key", http_client=http_client(octets), max_retries=0) as client,
        client.responses.stream(model="m", input="hi") as stream,
    ):
        response = stream.get_final_response()
    assert response.usage is not None
    return {
        "text": response.output_text,
        "reasoning": "".join(reasoning_of(item) for item in response.output if item.type == "reasoning"),
        "types": [item.type for item in response.output],
        "tool_calls": [call for item in response.output if (call := call_of(item)) is not None],
        "finish_reason": response.status,
        "usage": (response.usage.input_tokens, response.usage.output_tokens),
    }


def reasoning_of(item: Any) -> str:
    return "".join(part.text for part in (*item.summary, *(item.content or ())))


def call_of(item: Any) -> tuple[str, str, Any] | None:
    match item.type:
        case "function_call":
            return item.call_id, item.name, json.loads(item.arguments)
        case "custom_tool_call":
            return item.call_id, item.name, item.input
        case _:
            return None


SDKS: dict[str, Callable[[bytes], dict[str, Any]]] = {"anthropic": from_anthropic, "responses": from_openai}


def ours(fixture: Fixture) -> dict[str, Any]:
    message = Reading(fixture).message
    if fixture.dialect == "anthropic":
        content = message.native.content
        parts: dict[str, Any] = {
            "signatures": [block.signature for block in content if block.type == "thinking"],
            "citations": [len(block.citations or ()) for block in content if block.type == "text"],
            "types": [block.type for block in content],
        }
    else:
        parts = {"types": [item.type for item in message.native.output]}
    return parts | {
        "text": message.text,
        "reasoning": message.reasoning,
        "tool_calls": [
            (call.id, call.name, call.arguments if call.custom else call.parsed())
            for call in message.tool_calls
        ],
        "finish_reason": message.finish_reason,
        "usage": (message.usage.input_tokens, message.usage.output_tokens),
    }


COMPARED = [fixture for fixture in FIXTURES if fixture.dialect in SDKS]
SDK_OF = {"anthropic": "anthropic", "responses": "openai"}


def why_it_fails(fixture: Fixture) -> str | None:
    return SDKS_FAIL[fixture.dialect].get(fixture.name.partition("/")[2])


@pytest.mark.parametrize(
    "fixture",
    [
        case_of(SDK_OF[fixture.dialect], fixture, id=fixture.name, fails=why_it_fails(fixture))
        for fixture in COMPARED
    ],
)
def test_the_sdk_comes_to_the_same(fixture: Fixture) -> None:
    sdk = SDKS[fixture.dialect]
    if fixture.expected.verdict in ("COMPLETE", "FINISHED"):
        assert sdk(fixture.stream) == ours(fixture)
    else:
        with pytest.raises((anthropic.APIError, openai.APIError, RuntimeError)):
            sdk(fixture.stream)


def whole_from_anthropic(octets: bytes) -> Any:
    asked: Any = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    with (
        anthropic.Anthropic(api_key="key", http_client=http_client(octets), max_retries=0) as client,
        client.beta.messages.stream(**asked) as stream,
    ):
        return stream.get_final_message().model_dump(mode="json", by_alias=True)


def whole_from_openai(octets: bytes) -> Any:
    with (
        openai.OpenAI(api_key="key", http_client=http_client(octets), max_retries=0) as client,
        client.responses.stream(model="m", input="hi") as stream,
    ):
        return stream.get_final_response().model_dump(mode="json", by_alias=True)


WHOLE = {"anthropic": whole_from_anthropic, "responses": whole_from_openai}
RECORDED = [fixture for fixture in COMPARED if "/recorded-" in fixture.name and not why_it_fails(fixture)]


@pytest.mark.parametrize("fixture", RECORDED, ids=lambda fixture: fixture.name)
def test_the_sdk_puts_the_same_answer_together(fixture: Fixture) -> None:
    native = Reading(fixture).message.native
    theirs = WHOLE[fixture.dialect](fixture.stream)
    assert unlike(json.loads(msgspec.json.encode(native)), Recorded(theirs)) is None


def test_where_an_sdk_fails_there_is_a_fixture() -> None:
    names = {fixture.name for fixture in FIXTURES}
    assert {f"{dialect}/{name}" for dialect, failures in SDKS_FAIL.items() for name in failures} <= names

"""Cohere's and Google's own SDKs give the same events, for the caller to put together, as ours does."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cohere
import google.genai
import httpx
import pytest

from sse_core.testing.dialects import ExpectedMessage, ExpectedToolCall, ExpectedUsage, Fixture, load


class Answer:
    """What a caller makes of events: text, reasoning, calls by their index, the end and the usage."""

    def __init__(self) -> None:
        self.text = ""
        self.reasoning = ""
        self.calls: dict[int, ExpectedToolCall] = {}
        self.finish_reason: str | None = None
        self.usage: ExpectedUsage | None = None

    def call(self, index: int, id: str | None, name: str, arguments: str) -> None:
        self.calls[index] = ExpectedToolCall(id, name, arguments)

    def add_arguments(self, index: int, fragment: str) -> None:
        call = self.calls[index]
        self.calls[index] = ExpectedToolCall(call.id, call.name, call.arguments + fragment)

    def message(self) -> ExpectedMessage:
        return ExpectedMessage(
            text=self.text,
            reasoning=self.reasoning,
            tool_calls=list(self.calls.values()),
            finish_reason=self.finish_reason,
            usage=self.usage,
        )


def client_for(octets: bytes) -> httpx.Client:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=octets)

    return httpx.Client(transport=httpx.MockTransport(respond))


def by_cohere(octets: bytes) -> ExpectedMessage:
    answer = Answer()
    with client_for(octets) as client:
        sdk = cohere.ClientV2(api_key="any", base_url="http://any", httpx_client=client)
        messages: Any = [{"role": "user", "content": "hello"}]
        for event in sdk.chat_stream(model="any", messages=messages):
            take_from_cohere(answer, event)
    return answer.message()


def take_from_cohere(answer: Answer, event: Any) -> None:
    match event.type:
        case "content-delta":
            answer.text += event.delta.message.content.text or ""
            answer.reasoning += event.delta.message.content.thinking or ""
        case "tool-plan-delta":
            answer.reasoning += event.delta.message.tool_plan
        case "tool-call-start":
            call = event.delta.message.tool_calls
            answer.call(event.index, call.id, call.function.name, call.function.arguments)
        case "tool-call-delta":
            answer.add_arguments(event.index, event.delta.message.tool_calls.function.arguments)
        case "message-end":
            answer.finish_reason = event.delta.finish_reason
            if event.delta.error or answer.finish_reason in ("ERROR", "TIMEOUT"):
                raise RuntimeError(event.delta.error)  # the SDK leaves that to its callers
            tokens = event.delta.usage.tokens
            total = tokens.input_tokens + tokens.output_tokens
            answer.usage = ExpectedUsage(tokens.input_tokens, tokens.output_tokens, total)
        case _:
            pass


def by_google(octets: bytes) -> ExpectedMessage:
    answer = Answer()
    with client_for(octets) as client:
        options: Any = {"base_url": "http://any", "httpx_client": client}
        sdk: Any = google.genai.Client(api_key="any", http_options=options)
        for event in sdk.interactions.create(model="any", input="hello", stream=True):
            take_from_google(answer, event)
    return answer.message()


def take_from_google(answer: Answer, event: Any) -> None:
    match event.event_type:
        case "error":
            raise RuntimeError(event.error.message)  # the SDK leaves that to its callers
        case "step.start" if event.step.type == "function_call":
            given = event.step.arguments
            answer.call(
                event.index,
                event.step.id,
                event.step.name,
                json.dumps(given, separators=(",", ":")) if given else "",
            )
        case "step.delta":
            match event.delta.type:
                case "text":
                    answer.text += event.delta.text
                case "thought_summary":
                    answer.reasoning += event.delta.content.text
                case "arguments_delta" if event.index in answer.calls:
                    answer.add_arguments(event.index, event.delta.arguments)
                case _:
                    pass
        case "step.stop" if event.index in answer.calls and not answer.calls[event.index].arguments:
            answer.add_arguments(event.index, "{}")
        case "interaction.completed":
            answer.finish_reason = event.interaction.status
            if answer.finish_reason == "failed":
                raise RuntimeError
            usage = event.interaction.usage
            answer.usage = ExpectedUsage(
                usage.total_input_tokens + usage.total_tool_use_tokens,
                usage.total_output_tokens + usage.total_thought_tokens,
                usage.total_tokens,
            )
        case _:
            pass


SDKS: dict[str, Callable[[bytes], ExpectedMessage]] = {"cohere": by_cohere, "interactions": by_google}
SILENT = "ends as if all were well"
NOT_AN_ATTRIBUTE = "gives an event without what its type promises, or None in its place"
FAIL = {
    "cohere/cut": SILENT,
    "cohere/cut-tool-call": SILENT,
    "cohere/error-unframed": SILENT,
    "interactions/cut": SILENT,
    "interactions/error-unframed": SILENT,
    "cohere/deltas-only": NOT_AN_ATTRIBUTE,
    "cohere/nulls-and-strings": NOT_AN_ATTRIBUTE,
    "interactions/nulls-and-strings": NOT_AN_ATTRIBUTE,
    "interactions/steps-at-the-end": NOT_AN_ATTRIBUTE,
    "cohere/first-documentation": "knows only the later documentation",
    "interactions/outputs-calls": "knows only interactions that have steps",
    "interactions/outputs-text": "knows only interactions that have steps",
    "interactions/partial-arguments": "knows only the later name",
    "cohere/no-type-in-the-data": "skips most of the events",
    "interactions/no-type-in-the-data": "does not know the events",
}
"""What the SDKs, or code that trusts their types, get wrong."""

FIXTURES = {
    fixture.name: fixture for fixture in load() if fixture.dialect in SDKS and fixture.expected.status == 200
}


@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=lambda fixture: fixture.name)
def test_the_sdk_agrees_but_for_what_is_listed(fixture: Fixture) -> None:
    expected = None if fixture.expected.error else fixture.expected.message
    try:
        message = SDKS[fixture.dialect](fixture.stream)
    except Exception:  # an SDK fails in many ways, not only by its own errors
        message = None
    if message != expected and fixture.name in FAIL:
        pytest.xfail(FAIL[fixture.name])
    assert message == expected


def test_the_list_of_failures_is_about_fixtures() -> None:
    assert FAIL.keys() <= FIXTURES.keys()

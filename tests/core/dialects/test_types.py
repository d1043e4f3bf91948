"""A field that nobody needs does not cost the stream, whatever type its value has (FAULTS D1).

Every field of every struct that a chunk may hold gets a value of each type that JSON has. Text, calls, finish
reason and token counts stay as they are without it, also where the events are read in a batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast, get_args

import pytest
from msgspec import Struct, inspect

from sse_core import Control, Event
from sse_core.dialects import anthropic, cohere, completions, gemini, interactions, openai, responses
from sse_core.dialects.chat import chunks as chat
from sse_core.dialects.shared.lenient import UNKNOWN, fields_of, type_info
from sse_core.testing.dialects import REQUESTS

VALUES: list[object] = [None, True, 7, 1.5, "text", "", [1, "a", None, {}], [], {"a": [1]}, {}]
"""At least one value of each type that JSON has."""
CALL: dict[str, Any] = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
TEXT = {"type": "text", "text": "text"}
FRAGMENT = {"type": "input_json_delta", "partial_json": "{"}
SAID = {"type": "message", "content": [{"type": "output_text", "text": "text"}]}
CALLED = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
COUNTS = {"input_tokens": 1, "output_tokens": 2}
CHAT_CALL: dict[str, Any] = {
    "index": 0,
    "id": "c",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
CHAT_CHUNK: dict[str, Any] = {
    "choices": [
        {"index": 0, "delta": {"content": "text", "tool_calls": [CHAT_CALL]}, "finish_reason": "stop"},
        {"index": 1, "delta": {"content": "other"}},
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
PARTS: list[dict[str, Any]] = [{"text": "text"}, {"functionCall": {"name": "f", "args": {"a": 1}}}]
GEMINI_CHUNK: dict[str, Any] = {
    "candidates": [{"content": {"parts": PARTS}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
}
COHERE_CALL: dict[str, Any] = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
COHERE_TEXT: dict[str, Any] = {"type": "text", "text": "text"}
COHERE_USAGE = {"tokens": COUNTS, "billed_units": COUNTS}
STEP_CALL: dict[str, Any] = {"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}}
STEP_SAID: dict[str, Any] = {"type": "model_output", "content": [TEXT]}
STEP_COUNTS = {"total_input_tokens": 1, "total_output_tokens": 2, "total_tokens": 3}
EVENTS: dict[str, list[dict[str, Any]]] = {
    "openai": [CHAT_CHUNK, {"choices": [{"index": 0, "delta": {"content": "text"}}]}],
    "groq": [CHAT_CHUNK],
    "gemini": [GEMINI_CHUNK, {"candidates": [{"content": {"parts": [{"text": "text"}]}}]}],
    "anthropic": [
        {"type": "message_start", "message": {"id": "m", "content": [TEXT, CALL], "usage": COUNTS}},
        {"type": "content_block_start", "index": 0, "content_block": TEXT},
        {"type": "content_block_start", "index": 0, "content_block": CALL},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "text"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "{"},
        },
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": COUNTS},
    ],
    "cohere": [
        {
            "type": "message-start",
            "delta": {"message": {"content": [COHERE_TEXT], "tool_calls": [COHERE_CALL]}},
        },
        {"type": "content-start", "index": 0, "delta": {"message": {"content": COHERE_TEXT}}},
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "text"}}}},
        {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": COHERE_CALL}}},
        {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": COHERE_CALL}}},
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}},
    ],
    "completions": [
        {
            "choices": [{"index": 0, "text": "text", "finish_reason": "stop"}, {"index": 1, "text": "other"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        },
    ],
    "interactions": [
        {"event_type": "step.start", "index": 0, "step": STEP_CALL},
        {"event_type": "step.start", "index": 0, "step": STEP_SAID},
        {"event_type": "step.delta", "index": 0, "delta": TEXT},
        {
            "event_type": "step.delta",
            "index": 0,
            "delta": {"type": "arguments_delta", "arguments": "{}"},
        },
        {"event_type": "content.start", "index": 0, "content": STEP_CALL},
        {"event_type": "content.delta", "index": 0, "delta": STEP_CALL},
        {
            "event_type": "interaction.completed",
            "interaction": {"status": "completed", "steps": [STEP_SAID, STEP_CALL], "usage": STEP_COUNTS},
        },
    ],
    "responses": [
        {"type": "response.output_text.delta", "delta": "text", "output_index": 0},
        {"type": "response.function_call_arguments.delta", "delta": "{}", "output_index": 0},
        {"type": "response.output_item.added", "item": CALLED, "output_index": 0},
        {"type": "response.output_item.done", "item": SAID, "output_index": 0},
        {
            "type": "response.completed",
            "response": {
                "status": "completed",
                "output": [SAID, CALLED],
                "usage": {**COUNTS, "total_tokens": 3},
            },
        },
    ],
}
KINDS: dict[str, Any] = {
    "openai": openai.ChatCompletionChunk,
    "groq": openai.ChatCompletionChunk,
    "gemini": gemini.GenerateContentResponse,
    "anthropic": anthropic.MessageStreamEvent,
    "cohere": cohere.ChatStreamEvent,
    "completions": completions.Completion,
    "interactions": interactions.InteractionStreamEvent,
    "responses": responses.ResponseStreamEvent,
}
for _name in ("anthropic", "cohere", "interactions", "responses"):
    _configs = [kind.__struct_config__ for kind in get_args(KINDS[_name])]
    EVENTS[_name] += [{config.tag_field: config.tag} for config in _configs if config.tag != UNKNOWN]

NEEDED: dict[type[Struct], set[str]] = {
    chat.ChatCompletionChunk: {"object", "error", "x_groq"},
    chat.Choice: {"error"},
    chat.ToolCallDelta: {"index", "id", "type"},
    chat.Usage: {"prompt_tokens", "completion_tokens", "total_tokens"},
    gemini.GenerateContentResponse: {"error", "promptFeedback"},
    gemini.Candidate: {"index"},
    gemini.Part: {"thought"},
    gemini.FunctionCall: {"id", "willContinue"},
    gemini.UsageMetadata: {
        *("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount"),
        "totalTokenCount",
    },
    anthropic.ContentBlockDelta: {"of_server_tool"},
    anthropic.Usage: {*COUNTS, "cache_creation_input_tokens", "cache_read_input_tokens"},
    cohere.BilledUnits: {*COUNTS},
    cohere.MessageEndChange: {"error", "usage"},
    cohere.ToolCall: {"id"},
    cohere.Usage: {"tokens", "billed_units"},
    cohere.UsageTokens: {*COUNTS},
    completions.Choice: {"error"},
    completions.Completion: {"object", "error"},
    interactions.ContentDelta: {"of_server_tool"},
    interactions.EventMetadata: {"total_usage"},
    interactions.StepDelta: {"of_server_tool"},
    interactions.Usage: {
        *STEP_COUNTS,
        *("total_thought_tokens", "total_reasoning_tokens", "total_tool_use_tokens"),
    },
    responses.Usage: {*COUNTS, "total_tokens"},
    responses.Response: {"incomplete_details"},
}
"""Fields that say something about text, calls, finish reason or token counts, beside those in `ESSENTIAL`."""
CHAT = ("openai", "groq")


def wrong(kind: inspect.Type, seen: tuple[type, ...] = ()) -> Iterator[object]:
    """Values for a field of this type: of all types, and objects with one wrong field, however deep."""
    yield from VALUES
    yield from wrong_inside(kind, seen)


def wrong_inside(kind: inspect.Type, seen: tuple[type, ...]) -> Iterator[object]:
    match kind:
        case inspect.StructType(cls=cls, tag=tag) if cls not in seen and tag != UNKNOWN:
            named = {} if tag is None else {kind.tag_field: tag}
            for name, (of, essential) in fields_of(cls).items():
                if not essential and name not in NEEDED.get(cls, ()):
                    yield from ({**named, name: value} for value in wrong(of, (*seen, cls)))
        case inspect.UnionType(types=types):
            for each in types:
                yield from wrong_inside(each, seen)
        case inspect.VarTupleType(item_type=item):
            yield from ([value] for value in wrong_inside(item, seen))
        case _:
            pass


def variations(value: dict[str, Any], kind: inspect.Type) -> Iterator[dict[str, Any]]:
    """`value` with one field wrong, for each field of its struct, and of those inside it."""
    of = struct_of(value, kind)
    if of is None:
        return
    for name, (inner, essential) in fields_of(of).items():
        if not essential and name not in NEEDED.get(of, ()) and name not in value:
            yield from ({**value, name: each} for each in wrong(inner))
        elif isinstance(value.get(name), dict):
            yield from ({**value, name: each} for each in variations(value[name], inner))
        elif isinstance(value.get(name), list):
            items = cast("list[dict[str, Any]]", value[name])
            for at, item in enumerate(items):
                for each in variations(item, item_type(inner)):
                    yield {**value, name: [*items[:at], each, *items[at + 1 :]]}


def struct_of(value: dict[str, Any], kind: inspect.Type) -> type[Struct] | None:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    structs = [each for each in kinds if isinstance(each, inspect.StructType)]
    return next((each.cls for each in structs if each.tag in (None, value.get(str(each.tag_field)))), None)


def item_type(kind: inspect.Type) -> inspect.Type:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return next(each.item_type for each in kinds if isinstance(each, inspect.VarTupleType))


def read(name: str, data: bytes, *, fast: bool) -> tuple[object, ...]:
    """What an event says, read in a batch if that is possible and `fast` is wanted."""
    dialect = REQUESTS[name]().dialect()
    chunks: list[Any] = []
    if not (fast and dialect.read_batch([data], chunks)):
        chunks.append(dialect.read(Event(data)))
    (chunk,) = chunks
    assert not isinstance(chunk, Control), data
    accumulator = dialect.accumulator()
    assert accumulator is not None
    accumulator.add(chunks)
    return summary(chunk), summary(accumulator.message()), dialect.may_end, dialect.ended


def summary(chunk: Any) -> tuple[object, ...]:
    calls = [(call.id, call.name, call.arguments) for call in chunk.tool_calls]
    usage = chunk.usage
    counts = [] if usage is None else [usage.input_tokens, usage.output_tokens, usage.total_tokens]
    return chunk.text, calls, chunk.finish_reason, counts if any(counts) else None


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_nobody_needs_may_have_any_type(name: str, fast: bool) -> None:
    kind = type_info(KINDS[name])
    tried = 0
    for event in EVENTS[name]:
        said = read(name, json.dumps(event).encode(), fast=fast)
        for changed in variations(event, kind):
            data = json.dumps(changed).encode()
            assert read(name, data, fast=fast) == said, data
            tried += 1
    assert tried > 500

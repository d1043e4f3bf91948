"""A field that nobody needs does not cost the stream, whatever type its value has (FAULTS D1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import msgspec
import pytest
from msgspec import Struct, inspect

from sse_core import Control, Dialect, Event
from sse_core.dialects import anthropic, gemini, openai, responses
from sse_core.dialects.shared.lenient import fields_of
from sse_core.testing.dialects import REQUESTS

VALUES: dict[str, object] = {
    "null": None,
    "a boolean": True,
    "an integer": 7,
    "a number": 1.5,
    "a text": "text",
    "an empty text": "",
    "an array": [1, "a", None, {}],
    "an empty array": [],
    "an object": {"a": [1]},
    "an empty object": {},
}
"""A value of each type that JSON has."""
CHUNKS: dict[str, Any] = {
    "openai": openai.ChatCompletionChunk,
    "groq": openai.ChatCompletionChunk,
    "gemini": gemini.GenerateContentResponse,
    "anthropic": anthropic.MessageStreamEvent,
    "responses": responses.ResponseStreamEvent,
}
NEEDED = {
    *("choices", "delta", "index", "finish_reason", "content", "tool_calls", "function_call", "function"),
    *("custom", "name", "arguments", "input", "id", "object", "error", "x_groq", "usage", "message", "reason"),
    *("candidates", "parts", "text", "finishReason", "functionCall", "args", "partialArgs", "promptFeedback"),
    *("usageMetadata", "stop_reason", "partial_json", "content_block", "thought", "willContinue", "refusal"),
    *("reasoning", "reasoning_content", "reasoning_details", "audio", "images", "thinking", "summary", "type"),
    *("item", "item_id", "output_index", "content_index", "summary_index", "output", "status", "response"),
    *("part", "call_id", "incomplete_details", "blockReason", "role", "stop_details"),
    *(f"{kind}_tokens" for kind in ("prompt", "completion", "total", "input", "output")),
    *(f"{kind}TokenCount" for kind in ("prompt", "candidates", "thoughts", "toolUsePrompt", "total")),
    *("cache_creation_input_tokens", "cache_read_input_tokens", "totalTokenCount"),
}
"""The fields that text, calls, finish reason and token counts are in, and that say where they belong."""


class Place(NamedTuple):
    """A field, and the names that lead to the object that it is in."""

    path: tuple[str | int, ...]
    field: str
    type: str | None
    """Of the event."""


def objects(kind: inspect.Type, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
    """Each struct that a chunk may hold, with the way to it: member names, and 0 for an array's element."""
    match kind:
        case inspect.StructType(cls=cls):
            if path.count(path[-1] if path else "") > 1:
                return
            yield cls, path
            for name, (of, _) in fields_of(cls).items():
                yield from objects(of, (*path, name))
        case inspect.UnionType(types=types):
            for each in types:
                yield from objects(each, path)
        case inspect.VarTupleType(item_type=item):
            yield from objects(item, (*path, 0))
        case _:
            pass


def places(name: str) -> list[tuple[Any, tuple[str | int, ...], str]]:
    kind = CHUNKS[name]
    return [
        (cls, path, field)
        for cls, path in objects(msgspec.inspect.type_info(kind))
        for field in fields_of(cls)
        if field not in NEEDED
    ]


BASES: dict[str, dict[str, Any]] = {
    "openai": {
        "id": "1",
        "choices": [
            {
                "index": 0,
                "delta": {
                    "content": "text",
                    "tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{}"}}],
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    },
    "gemini": {
        "candidates": [
            {
                "content": {"parts": [{"text": "text"}, {"functionCall": {"name": "f", "args": {}}}]},
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
    },
}
BASES["groq"] = BASES["openai"]
TYPED: dict[str, list[dict[str, Any]]] = {
    "anthropic": [
        {
            "type": "message_start",
            "message": {
                "id": "m",
                "content": [{"type": "text", "text": "text"}, {"type": "tool_use", "id": "c", "name": "f", "input": {}}],
                "usage": {"input_tokens": 1, "output_tokens": 2},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "text"}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "c", "name": "f", "input": {}},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "text"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"input_tokens": 1, "output_tokens": 2},
        },
    ],
    "responses": [
        {"type": "response.output_text.delta", "delta": "text", "output_index": 0},
        {"type": "response.function_call_arguments.delta", "delta": "{}", "output_index": 0},
        {"type": "response.custom_tool_call_input.delta", "delta": "{}", "output_index": 0},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        },
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": {"type": "message", "content": [{"type": "output_text", "text": "text"}]},
        },
        {
            "type": "response.completed",
            "response": {
                "status": "completed",
                "output": [
                    {"type": "message", "content": [{"type": "output_text", "text": "text"}]},
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                ],
                "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
            },
        },
    ],
}


def changed(value: Any, kind: Any, name: str, wrong: object) -> Iterator[dict[str, Any]]:
    """Return `value`, a JSON object that is a `kind`, with the field `name` of each object in it changed."""
    raise NotImplementedError

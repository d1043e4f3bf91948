"""A chat completion chunk for those who read by hand: as many fields as ours, and none of our imports."""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import Any

from msgspec import Struct


class Delta(Struct, frozen=True, kw_only=True, gc=False):
    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    reasoning_details: tuple[Any, ...] = ()
    content_parts: tuple[Any, ...] = ()
    tool_calls: tuple[Any, ...] = ()
    function_call: Any = None
    audio: Any = None
    annotations: tuple[Any, ...] = ()
    executed_tools: tuple[Any, ...] = ()
    extra_content: Any = None
    images: tuple[Any, ...] = ()
    channel: str | None = None


class Choice(Struct, frozen=True, kw_only=True, gc=False):
    index: int = 0
    delta: Delta
    finish_reason: str | None = None
    logprobs: Any = None
    native_finish_reason: str | None = None
    stop_reason: int | str | None = None
    matched_stop: Any = None
    token_ids: tuple[int, ...] = ()
    content_filter_results: Any = None
    content_filter_offsets: Any = None
    error: Any = None


class ChatCompletionChunk(Struct, frozen=True, kw_only=True, gc=False):
    id: str = ""
    object: str = ""
    created: int | float = 0
    model: str = ""
    choices: tuple[Choice, ...] = ()
    usage: Any = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: str | None = None
    moderation: Any = None
    x_groq: Any = None
    provider: str | None = None
    citations: Any = None
    prompt_filter_results: Any = None
    timings: Any = None
    prompt_token_ids: tuple[int, ...] = ()
    error: Any = None

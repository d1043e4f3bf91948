"""An answer of OpenAI's Responses, and how many tokens it took."""

# No `from __future__ import annotations`: msgspec evaluates each string, 4 ms at import.
from typing import Any

from ...reading.message import ShortRepr
from .items import OutputItem


class CacheWriteTokensDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens went into the cache, by how long they stay."""

    ttl_30m_tokens: int = 0
    ttl_12h_tokens: int = 0


class InputTokensDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the request had."""

    cached_tokens: int = 0
    cache_write_tokens: int | None = None
    cache_write_tokens_details: CacheWriteTokensDetails | None = None


class OutputTokensDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the answer had."""

    reasoning_tokens: int = 0


class Usage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens the request and its answer took."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: InputTokensDetails | None = None
    output_tokens_details: OutputTokensDetails | None = None
    num_sources_used: int | None = None
    """xAI."""
    num_server_side_tools_used: int | None = None
    """xAI."""
    server_side_tool_usage_details: Any = None
    """xAI."""
    cost_in_usd_ticks: int | None = None
    """xAI."""
    context_details: Any = None
    """xAI."""
    cost: Any = None
    """OpenRouter."""
    cost_details: Any = None
    """OpenRouter."""
    is_byok: bool | None = None
    """OpenRouter."""


class IncompleteDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """Why the answer is not whole."""

    reason: str | None = None


class Response(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A whole answer, as it comes when it is not streamed; times are Unix seconds."""

    ESSENTIAL = frozenset({"output", "status"})

    id: str = ""
    object: str = "response"
    created_at: float = 0
    completed_at: float | None = None
    status: str | None = None
    model: str = ""
    output: tuple[OutputItem, ...] = ()
    error: Any = None
    incomplete_details: IncompleteDetails | None = None
    usage: Usage | None = None
    access_programs: Any = None
    background: bool | None = None
    content_filters: Any = None
    """Azure."""
    conversation: Any = None
    frequency_penalty: float | None = None
    image: Any = None
    input_transformations: Any = None
    instructions: Any = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, Any] | None = None
    moderation: Any = None
    parallel_tool_calls: bool | None = None
    presence_penalty: float | None = None
    previous_response_id: str | None = None
    prompt: Any = None
    prompt_cache_diagnostics: Any = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    reasoning: Any = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    temperature: float | None = None
    text: Any = None
    tool_choice: Any = None
    tools: Any = None
    tool_usage: Any = None
    top_logprobs: int | None = None
    top_p: float | None = None
    truncation: str | None = None
    user: str | None = None

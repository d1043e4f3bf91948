"""An interaction of Gemini's, and how many tokens it took."""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import Any

from ...reading.message import ShortRepr
from .steps import Output, Step


class ModalityTokens(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens of one kind."""

    modality: str | None = None
    tokens: int | None = None


class GroundingToolCount(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How often a tool was called."""

    type: str | None = None
    count: int | None = None


class Usage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens the request and its answer took."""

    total_input_tokens: int | None = None
    """Of the request, with those from the cache."""
    total_output_tokens: int | None = None
    """Of the answer, without what the model thought."""
    total_thought_tokens: int | None = None
    total_reasoning_tokens: int | None = None
    """The same, as the first documentation had it."""
    total_tool_use_tokens: int | None = None
    total_cached_tokens: int | None = None
    total_tokens: int | None = None  # pyright: ignore[reportIncompatibleMethodOverride]
    initial_input_tokens: int | None = None
    input_tokens_by_modality: tuple[ModalityTokens, ...] = ()
    output_tokens_by_modality: tuple[ModalityTokens, ...] = ()
    cached_tokens_by_modality: tuple[ModalityTokens, ...] = ()
    tool_use_tokens_by_modality: tuple[ModalityTokens, ...] = ()
    grounding_tool_count: tuple[GroundingToolCount, ...] = ()

    @property
    def input_tokens(self) -> int | None:
        """Of the request, with those from the cache and with what the tools on the server brought."""
        return added(self.total_input_tokens, self.total_tool_use_tokens)

    @property
    def output_tokens(self) -> int | None:
        """Of the answer, with what the model thought."""
        return added(self.total_output_tokens, self.total_thought_tokens or self.total_reasoning_tokens)


class Interaction(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A whole answer, as it comes when it is not streamed; times are by RFC 3339.

    What it repeats of the request is left as JSON.
    """

    ESSENTIAL = frozenset({"steps", "outputs", "status"})

    id: str = ""
    object: str | None = None
    status: str = ""
    model: str | None = None
    agent: str | None = None
    role: str | None = None
    created: str | None = None
    updated: str | None = None
    steps: tuple[Step, ...] = ()
    outputs: tuple[Output, ...] = ()
    """What it had in place of steps until 2026."""
    usage: Usage | None = None
    errors: Any = None
    continuation_token: str | None = None
    """What a request needs to go on with an interaction that took too long."""
    continuation_ids: Any = None
    previous_interaction_id: str | None = None
    environment_id: str | None = None
    service_tier: str | None = None
    output_text: str | None = None
    output_audio: Any = None
    output_image: Any = None
    output_video: Any = None
    agent_config: Any = None
    cached_content: str | None = None
    environment: Any = None
    generation_config: Any = None
    input: Any = None
    labels: Any = None
    response_format: Any = None
    response_mime_type: str | None = None
    response_modalities: Any = None
    safety_settings: Any = None
    system_instruction: Any = None
    tools: Any = None
    webhook_config: Any = None


def added(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)

"""Reads the chunks of servers that send null for a list, or a list for a text.

SGLang and Qwen have `"tool_calls": null` in every chunk, vLLM `"token_ids": null`, OpenAI's `logprobs` one
list that is null; and the reasoning of Mistral's models comes as a list of parts. The structs here take that
at msgspec's speed, and then replace it by what `chunks` promises: no list is null, and text is a string.
"""

# No `from __future__ import annotations`: msgspec evaluates each string.
# mypy: disable-error-code="assignment"
# pyright: reportIncompatibleVariableOverride=false
# Fields may hold null until `__post_init__` replaces it, hence the disabled check.
from typing import Any, TypeAlias, cast

import msgspec

from ...events.items import Event
from ..shared.provider_errors import NOT_JSON, api_error_from, find_error, invalid_chunk
from ..shared.repaired_json import repaired_json
from .chunks import ChatCompletionChunk, Choice, Delta, Logprobs, TokenLogprob, ToolCallDelta

Part: TypeAlias = dict[str, Any] | str


class TolerantDelta(Delta, frozen=True, kw_only=True, gc=False):
    """A `Delta`."""

    content: str | tuple[Any, ...] | None = None
    tool_calls: tuple[ToolCallDelta, ...] | None = ()


class TolerantLogprobs(Logprobs, frozen=True, kw_only=True, gc=False):
    """`Logprobs`."""

    content: tuple[TokenLogprob, ...] | None = ()
    refusal: tuple[TokenLogprob, ...] | None = ()


class TolerantChoice(Choice, frozen=True, kw_only=True, gc=False):
    """A `Choice`."""

    delta: TolerantDelta | None = None
    logprobs: TolerantLogprobs | None = None
    token_ids: tuple[int, ...] | None = ()


class TolerantChunk(ChatCompletionChunk, frozen=True, kw_only=True, gc=False):
    """A `ChatCompletionChunk`."""

    choices: tuple[TolerantChoice, ...] = ()
    prompt_token_ids: tuple[int, ...] | None = ()

    def __post_init__(self) -> None:
        if self.prompt_token_ids is None:
            set_field(self, "prompt_token_ids", ())
        for choice in self.choices:
            if choice.token_ids is None:
                set_field(choice, "token_ids", ())
            logprobs = choice.logprobs
            if logprobs is not None:
                if logprobs.content is None:
                    set_field(logprobs, "content", ())
                if logprobs.refusal is None:
                    set_field(logprobs, "refusal", ())
            delta = choice.delta
            if delta is not None:
                if delta.tool_calls is None:
                    set_field(delta, "tool_calls", ())
                if isinstance(delta.content, tuple):
                    join_parts(delta, delta.content)


def join_parts(delta: TolerantDelta, parts: tuple[Part, ...]) -> None:
    """Put the text of content that is a list of parts into the fields where other servers have it."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, dict):
            if "text" in part:
                add_text(part["text"], texts)
            if "thinking" in part:
                add_text(part["thinking"], thoughts)
        else:
            add_text(part, texts)
    set_field(delta, "content_parts", parts)
    set_field(delta, "content", "".join(texts))
    if delta.reasoning is None:
        set_field(delta, "reasoning", "".join(thoughts))


def add_text(value: str | list[Part] | None, texts: list[str]) -> None:
    """Add the text in a string or, in reasoning, a list of parts; any other value adds nothing."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list):
        for part in value:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                texts.append(text)


def read_anything(event: Event) -> ChatCompletionChunk:
    """Read a chunk with other nulls, numbers as strings, arguments that are not text, or invalid JSON.

    Raises InvalidChunk if it is no chunk, and ApiError if it is an error.
    """
    try:
        value = msgspec.json.decode(repaired_json(event))
        arguments_as_text(value)
        return msgspec.convert(without_nulls(value), TolerantChunk, strict=False)
    except NOT_JSON as exc:
        if find_error(event.raw) is not None:  # in an array, or beside fields that are no chunk
            raise api_error_from(event.raw) from None
        raise invalid_chunk(event, exc) from exc


def without_nulls(value: Any) -> Any:
    """Drop each null from every object in a JSON value: in a chunk, null and absent mean the same."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: without_nulls(item) for name, item in fields.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast("list[object]", value)]
    return value


def arguments_as_text(chunk: object) -> None:
    """Replace arguments that are a JSON value, as in Ollama's own interface, with their JSON text."""
    for choice in items(field(chunk, "choices")):
        delta = field(choice, "delta")
        functions = [field(call, "function") for call in items(field(delta, "tool_calls"))]
        for function in (*functions, field(delta, "function_call")):
            arguments = field(function, "arguments")
            if not isinstance(arguments, str | None):
                function["arguments"] = msgspec.json.encode(arguments).decode()


def field(value: object, name: str) -> Any:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


set_field = msgspec.structs.force_setattr
decode = msgspec.json.Decoder(TolerantChunk).decode

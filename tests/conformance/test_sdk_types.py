"""Our structs have every field and every type of event that the types in the providers' own SDKs have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args, get_origin

import anthropic.types as anthropic_types
import anthropic.types.beta as anthropic_beta
import cohere as cohere_sdk
import google.genai.interactions as interactions_types
import groq.types.chat as groq_types
import msgspec
import openai as openai_sdk
import openai.types.chat as openai_types
import openai.types.responses as responses_types
import pytest

from sse_core.dialects import anthropic, cohere, completions, groq, interactions, openai, responses
from support.sdks import describe_sdk

PAIRS: list[tuple[Any, Any]] = [
    (openai_types.ChatCompletionChunk, openai.ChatCompletionChunk),
    (openai_types.ChatCompletion, openai.ChatCompletion),
    (openai_sdk.types.Completion, completions.Completion),
    (groq_types.ChatCompletionChunk, groq.ChatCompletionChunk),
    (groq_types.ChatCompletion, groq.ChatCompletion),
    (anthropic_types.RawMessageStreamEvent, anthropic.MessageStreamEvent),
    (anthropic_beta.BetaRawMessageStreamEvent, anthropic.MessageStreamEvent),
    (responses_types.ResponseStreamEvent, responses.ResponseStreamEvent),
    (cohere_sdk.V2ChatStreamResponse, cohere.ChatStreamEvent),
    (cohere_sdk.V2ChatResponse, cohere.ChatResponse),
    (interactions_types.InteractionSSEEvent, interactions.InteractionStreamEvent),
    (interactions_types.Interaction, interactions.Interaction),
]
OTHERWISE = {"error", "response.failed", "UNKNOWN"}
"""Types of events that are errors, and no chunks; and what Google's SDK makes of those it does not know."""

OF_ANOTHER_TYPE = {
    "cohere<content-start>.delta.message.content<text>.thinking",
    "cohere<content-start>.delta.message.content<thinking>.text",
}
"""Fields of an SDK's class that stands for several types, where the type has none such."""


def models(kind: Any) -> list[Any]:
    """The SDK's classes in an annotation."""
    if hasattr(kind, "model_fields"):
        return [kind]
    inside = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    return [model for each in inside for model in models(each)]


def structs(kind: Any) -> list[type[msgspec.Struct]]:
    """Ours in one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [struct for each in get_args(kind) for struct in structs(each)]


def tags(model: Any, tag_field: str | None) -> tuple[str, ...]:
    """The values that the SDK knows for the field that says what it is."""
    kind = model.model_fields[tag_field].annotation if tag_field in model.model_fields else None
    literals = [each for each in (kind, *get_args(kind)) if get_origin(each) is Literal]
    return get_args(literals[0]) if literals else ()


def missing(theirs: list[Any], ours: list[type[msgspec.Struct]], path: str, seen: set[Any]) -> Iterator[str]:
    """Say what our structs lack, by its place."""
    by_tag = {struct.__struct_config__.tag: struct for struct in ours}
    tag_field = next(iter(ours)).__struct_config__.tag_field
    for model in theirs:
        for tag in tags(model, tag_field) or (None,):
            struct = by_tag.get(tag) or by_tag.get(None)
            if struct is None and tag not in OTHERWISE:
                yield f"{path}: {tag}"
            elif struct is not None and (model, struct) not in seen:
                seen.add((model, struct))
                yield from missing_fields(model, struct, f"{path}<{tag}>" if tag else path, seen)


def missing_fields(model: Any, struct: type[msgspec.Struct], path: str, seen: set[Any]) -> Iterator[str]:
    ours = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    for name, field in model.model_fields.items():
        wire = field.alias or name
        if wire == struct.__struct_config__.tag_field:
            continue
        if wire not in ours:
            yield f"{path}.{wire}"
        elif inside := structs(ours[wire]):  # what is left as JSON has everything
            yield from missing(models(field.annotation), inside, f"{path}.{wire}", seen)


@pytest.mark.parametrize(("theirs", "ours"), PAIRS, ids=lambda kind: getattr(kind, "__module__", ""))
def test_nothing_is_missing(theirs: Any, ours: Any) -> None:
    sdk = models(theirs)[0].__module__.partition(".")[0].replace("google", "google-genai")
    lacking = set(missing(models(theirs), structs(ours), sdk, set())) - OF_ANOTHER_TYPE
    assert not lacking, f"{describe_sdk(sdk)} knows more"

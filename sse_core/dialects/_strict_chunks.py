"""The chunks exactly as documented, derived from the structs that read them leniently."""

from __future__ import annotations

from functools import cache, reduce
from types import GenericAlias
from typing import Any, Literal, cast, get_args, get_origin

import msgspec
from msgspec import Struct


@cache
def documented(kind: type[Struct]) -> type[Struct]:
    """Return a struct with the fields of `kind`: no other is allowed, and those in `REQUIRED` must be there.

    The others may be null.
    """
    required = REQUIRED.get(kind.__name__, {})
    fields: list[Any] = []
    for field in msgspec.structs.fields(kind):
        if field.name in required:
            fields.append((field.name, required[field.name] or strictly(field.type)))
        else:
            fields.append((field.name, strictly(field.type) | None, None))
    return msgspec.defstruct(kind.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def strictly(kind: Any) -> Any:
    """Return a field's type with the structs in it as documented."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        return documented(kind)
    inner: list[Any] = [strictly(argument) for argument in get_args(kind)]
    if get_origin(kind) is tuple:
        return GenericAlias(tuple, tuple(inner))
    return reduce(lambda one, other: one | other, inner or [cast("Any", kind)])


REQUIRED: dict[str, dict[str, Any]] = {
    "ChatCompletionChunk": {
        "id": None,
        "object": Literal["chat.completion.chunk"],
        "created": int,
        "model": None,
        "choices": None,
    },
    "Choice": {"index": None, "delta": None, "finish_reason": None},
    "ToolCallDelta": {"index": int},
    "Usage": {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
    "TokenLogprob": {"token": None, "logprob": float},
    "TopLogprob": {"token": None, "logprob": float},
    "Annotation": {"type": None},
    "ExecutedTool": {"index": int, "type": None, "arguments": None},
}
"""The fields that OpenAI and Groq document as always there, with their type where it is narrower."""

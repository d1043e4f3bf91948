"""Content that is a list of parts, as Mistral's reasoning models have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, TypeAlias

Part: TypeAlias = dict[str, Any] | str


def texts_in(parts: Sequence[Part]) -> tuple[str, str]:
    """Return the text and the reasoning in a list of parts."""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in parts:
        if isinstance(part, dict):
            add_text(part.get("text"), texts)
            add_text(part.get("thinking"), thoughts)
        else:
            add_text(part, texts)
    return "".join(texts), "".join(thoughts)


def add_text(value: str | list[Part] | None, texts: list[str]) -> None:
    """Add the text in a string or, in reasoning, a list of parts; any other value adds nothing."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, list):
        for part in value:
            text = part.get("text") if isinstance(part, dict) else part
            if isinstance(text, str):
                texts.append(text)


def join_parts(parts: Iterable[Any]) -> list[Any]:
    """Return parts as they are without streaming: one for all consecutive text, and one for all reasoning."""
    whole: list[Any] = []
    for kind, some in groupby((part for part in parts if part != EMPTY), key=kind_of):
        group = list(some)
        if kind == "text":
            whole.append({"type": "text", "text": "".join([part["text"] for part in group])})
        elif kind == "thinking":
            inner = [each for part in group for each in part["thinking"]]
            fields = {name: value for part in group for name, value in part.items()}
            whole.append({**fields, "thinking": join_parts(inner)})
        else:
            whole += group
    return whole


def kind_of(part: Any) -> str:
    """Return the type of a part that can be joined with the next of its type; empty if it cannot."""
    match part:
        case {"type": "text", "text": str(), **rest} if not rest:
            return "text"
        case {"type": "thinking", "thinking": [*_]}:
            return "thinking"
        case _:
            return ""


EMPTY = {"type": "text", "text": ""}

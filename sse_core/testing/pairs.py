"""Whether an answer that was put together from a stream is like one that came whole.

Both answer the same request, and are JSON. A model says something else with every call, so what has to be
alike is which keys there are, the type of every value, and the values that do not depend on the call.
"""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct

__all__ = ["Recorded", "unlike"]


class Recorded(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the same request got when it was sent without `stream`, as it was recorded.

    At the places in `differs`, such as `$.choices[0].message.content`, the streamed answer has another
    value of the same type: an identifier, a time, or what the model says. What is at the places in
    `unsaid` is in the recorded answer alone, since no event says it.
    """

    answer: Any
    differs: list[str] = []
    unsaid: list[str] = []


def unlike(ours: object, recorded: Recorded) -> str | None:
    """Return the first place where `ours` is not like the recorded answer, and how; None if there is none.

    Null and an empty array are the same as nothing, and 1 is 1.0.
    """
    return unlike_at("$", ours, recorded.answer, recorded)


def unlike_at(place: str, ours: object, theirs: object, recorded: Recorded) -> str | None:
    if place in recorded.unsaid:
        theirs = None
    if is_nothing(ours) and is_nothing(theirs):
        return None
    if kind(ours) is kind(theirs):
        if place in recorded.differs:
            return None
        inside, others = parts(ours), parts(theirs)
        for step in {**inside, **others}:
            found = unlike_at(place + step, inside.get(step), others.get(step), recorded)
            if found is not None:
                return found
        if inside or others or ours == theirs:
            return None
    return f"{place} is {ours!r}, not {theirs!r}"


def is_nothing(value: object) -> bool:
    return value is None or value == []


def kind(value: object) -> type:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float if is_number else value.__class__


def parts(value: object) -> dict[str, object]:
    """Return what a value consists of, by the step that leads there."""
    if isinstance(value, dict):
        return {f".{name}": item for name, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return {f"[{at}]": item for at, item in enumerate(cast("list[object]", value))}
    return {}

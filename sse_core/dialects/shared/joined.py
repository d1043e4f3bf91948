"""Joins JSON values that a provider says in several chunks."""

from __future__ import annotations

from typing import Any, cast


def joined(old: Any, new: Any, *, cumulative: bool = True) -> Any:
    """Return `old` with what `new` adds; `old` is changed, and must be a result of this function or None.

    Objects are merged, arrays appended, and other values replaced, though not by null. If arrays may be
    `cumulative`, one that begins with all of the old one replaces it.
    """
    if isinstance(new, dict):
        whole = cast("dict[str, Any]", old) if isinstance(old, dict) else {}
        for name, value in cast("dict[str, Any]", new).items():
            whole[name] = joined(whole.get(name), value, cumulative=cumulative)
        return whole
    if isinstance(new, list):
        items: list[Any] = old if isinstance(old, list) else []
        more: list[Any] = new
        if cumulative and more[: len(items)] == items:
            more = more[len(items) :]
        items += [joined(None, item) for item in more]
        return items
    return old if new is None else new

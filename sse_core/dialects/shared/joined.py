"""Joins JSON values that a provider says in several chunks."""

from __future__ import annotations

from typing import Any

from .lenient import fields_in, items_in


def joined(old: Any, new: Any, *, cumulative: bool = True) -> Any:
    """Return `old` with what `new` adds; `old` is changed, and must be a result of this function or None.

    Objects are merged, arrays appended, and other values replaced, though not by null. If arrays may be
    `cumulative`, one that begins with all of the old one replaces it.
    """
    fields, items = fields_in(new), items_in(new)
    if fields is not None:
        whole = fields_in(old) or {}
        for name, value in fields.items():
            whole[name] = joined(whole.get(name), value, cumulative=cumulative)
        return whole
    if items is not None:
        already = items_in(old) or []
        if cumulative and items[: len(already)] == already:
            items = items[len(already) :]
        already += [joined(None, item) for item in items]
        return already
    return old if new is None else new

"""Makes a dialect strict, and imports what that takes only then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from ...reading.dialect import Dialect

T = TypeVar("T")
Documented: TypeAlias = tuple[tuple[type[Struct], str, Any], ...]
"""Structs, names of their fields, and the types that these are documented with: see `strict_dialect`."""


def dialect_for(
    dialect: Callable[[], Dialect[T]], documented: Documented, strict: bool
) -> Callable[[], Dialect[T]]:
    """Return `dialect`, or if `strict`, a dialect that reads as it does but takes only what is documented."""
    if not strict:
        return dialect
    from .strict_dialect import StrictDialect  # only those who test servers need it

    return partial(StrictDialect[T], dialect, documented)

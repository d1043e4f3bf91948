"""Makes a dialect strict, and imports what that takes only then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from msgspec import Struct

from ...reading.dialect import Dialect

T = TypeVar("T")


def dialect_for(
    dialect: Callable[[], Dialect[T]], documented: tuple[tuple[type[Struct], str, Any], ...], strict: bool
) -> Callable[[], Dialect[T]]:
    """Return `dialect`, or if `strict`, a dialect that reads as it does but takes only what is documented.

    `documented` is the dialect's table of exceptions: see `strict_dialect`.
    """
    if not strict:
        return dialect
    from .strict_dialect import StrictDialect  # only those who test servers need it

    return partial(StrictDialect[T], dialect, documented)

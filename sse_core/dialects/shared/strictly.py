"""Asks for a dialect to be read strictly, and imports what does that only then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

from ...reading.dialect import Dialect

T = TypeVar("T")
Otherwise: TypeAlias = tuple[tuple[type[Struct], str, Any], ...]
"""Structs, names of their fields, and the types that these are documented with."""


def strictly(dialect: Callable[[], Dialect[T]], otherwise: Otherwise) -> Callable[[], Dialect[T]]:
    """Return what makes a dialect that reads as `dialect` does, but takes only what is documented.

    `otherwise` is what is documented otherwise than the structs say: see `_strict_chunks`.
    """
    from .strict import StrictDialect  # who does not test servers need not import it

    return partial(StrictDialect[T], dialect, otherwise)

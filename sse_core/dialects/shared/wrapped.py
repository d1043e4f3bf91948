"""A dialect around another dialect."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Generic, TypeVar

from ...errors import StreamError
from ...events.items import UnknownField
from ...http.response import Response
from ...reading.dialect import Dialect

T = TypeVar("T")
U = TypeVar("U")


class WrappedDialect(Dialect[U], Generic[T, U]):
    """Reads as `inner` does, except for what a subclass overrides. Every attribute is `inner`'s."""

    may_end: Any = property(attrgetter("inner.may_end"))
    ended: Any = property(attrgetter("inner.ended"))
    ends_with_body: Any = property(attrgetter("inner.ends_with_body"))
    accepts_document: Any = property(attrgetter("inner.accepts_document"))
    document: Any = property(attrgetter("inner.document"))
    accepts_any_type: Any = property(attrgetter("inner.accepts_any_type"))
    cursor: Any = property(attrgetter("inner.cursor"))

    def __init__(self, inner: Dialect[T]) -> None:
        self.inner = inner

    def premature_end(self, reason: str, data: bytes = b"") -> StreamError:
        return self.inner.premature_end(reason, data)

    def unknown_field(self, field: UnknownField) -> None:
        self.inner.unknown_field(field)

    def error_for(self, response: Response, body: bytes) -> StreamError:
        return self.inner.error_for(response, body)

"""Answers that are one JSON document: those of a request that does not ask for a stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, NoReturn, TypeVar

import msgspec
from msgspec import Struct

from ...errors import InvalidChunk
from ...events.items import Event
from ...http.response import Response
from .lenient import convert_leniently, fields_of
from .provider_dialect import ProviderDialect
from .provider_errors import NOT_JSON, ErrorObject, api_error, error_in_value, find_error, invalid_chunk
from .repaired_json import repaired_json

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


class DocumentDialect(ProviderDialect[T], Generic[T]):
    """Reads an answer that is one JSON document, with `decode`, which raises one of `NOT_JSON` for any other.

    A document that `decode` refuses is an error if it says that it is one. No body, as in a 204, is null.
    """

    document = True
    accepts_document = True

    def __init__(self, decode: Callable[[bytes], T]) -> None:
        self._decode = decode

    def read(self, event: Event) -> NoReturn:
        raise InvalidChunk("an event came, though one document was asked for", event.raw)

    def read_document(self, response: Response, body: bytes) -> Sequence[T]:
        text = body.removeprefix(BYTE_ORDER_MARK)
        try:
            return (self.read_text(response, text),)
        except NOT_JSON as exc:
            raise invalid_chunk(Event(body), exc) from exc

    def read_text(self, response: Response, text: bytes) -> T:
        """Return what a JSON text says. Raises ApiError, or one of `NOT_JSON`."""
        try:
            return self._decode(text or b"null")
        except NOT_JSON:
            error = find_error(text, explicit=True)
            if error is None:
                raise
            raise api_error(error, text, response) from None


class ProviderDocumentDialect(DocumentDialect[S], Generic[S]):
    """Reads a provider's document as tolerantly as its events, as a `kind`.

    `normalise` changes a JSON value that is not as documented to one that is.
    """

    def __init__(self, kind: type[S], normalise: Callable[[Any], None] | None = None) -> None:
        self._kind = kind
        self._normalise = normalise

    def read_text(self, response: Response, text: bytes) -> S:
        value: Any = msgspec.json.decode(repaired_json(Event(text)))
        error = self.error_in(value)
        if error is not None:
            raise api_error(error, text, response)
        if self._normalise is not None:
            self._normalise(value)
        document: S = convert_leniently(value, self._kind)
        if not any(name in value for name, (_, essential) in fields_of(self._kind).items() if essential):
            raise msgspec.ValidationError(f"this is no {self._kind.__name__}")
        return document

    def error_in(self, value: object) -> ErrorObject | None:
        """Return the error that a JSON value reports in place of a document, or None."""
        return error_in_value(value)


BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DOCUMENT_HEADERS = (("Accept", "application/json"),)
"""The header of a request that asks for a document."""

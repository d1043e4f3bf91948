"""A response that is no event stream: an answer in one piece, or as much as it takes to say what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from ..errors import EventTooLarge, InvalidChunk, StatusError
from ..http.exchange import Exchange
from ..http.response import Response
from .dialect import Dialect, T
from .limits import Limits


class Document(Generic[T]):
    """Collects the body that `exchange` receives. `unfollowed` says why a redirect was not followed."""

    def __init__(self, exchange: Exchange, dialect: Dialect[T], limits: Limits, unfollowed: str = "") -> None:
        self._exchange = exchange
        self._dialect = dialect
        self._limit = limits.max_event_size if dialect.accepts_document else limits.max_error_body
        self._unfollowed = unfollowed
        self._body = bytearray()
        self._seen = 0

    def add(self, body: bytes) -> None:
        """Take the next part of the body."""
        self._body += body[: self._limit - len(self._body)]
        self._seen += len(body)

    @property
    def is_answer(self) -> bool:
        """Whether it may be the answer: what is missing of it is then missing of the answer."""
        return self._dialect.accepts_document and self._response.status == 200

    @property
    def is_enough(self) -> bool:
        """Whether the body has ended, or is too long to wait for its end."""
        exchange = self._exchange
        return len(self._body) >= self._limit or exchange.ended or exchange.error is not None

    def read(self) -> Sequence[T]:
        """Return the chunks in it. Raises the StreamError that it is, if it is no answer."""
        response, body = self._response, self._decoded
        if self._unfollowed:
            message = f"the redirect was not followed: {self._unfollowed}"
            raise StatusError(message, response=response, raw=body)
        if self.is_answer and self._exchange.error is not None:
            raise self._exchange.error
        if self._dialect.accepts_document and (self._exchange.ended or self._seen >= self._limit):
            chunks = self._single(response, body)
            if chunks is not None:
                return chunks
        raise self._dialect.error_for(response, body)

    def _single(self, response: Response, body: bytes) -> Sequence[T] | None:
        try:
            return self._dialect.read_document(response, body)
        except InvalidChunk:
            seen = max(self._seen, len(body))
            if seen < self._limit:
                raise
            raise EventTooLarge(self._limit, seen, what="a document in place of events") from None

    @property
    def _response(self) -> Response:
        assert self._exchange.response is not None  # or there would be no body
        return self._exchange.response

    @property
    def _decoded(self) -> bytes:
        from ..http.codings import readable  # 1.5 ms

        return readable(self._response.header("content-encoding"), bytes(self._body), self._limit)

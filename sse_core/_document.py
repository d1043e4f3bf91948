"""A response that is no event stream: as much of it as it takes to say what it is."""

from __future__ import annotations

from typing import Any

from ._codings import readable
from ._errors import StatusError, StreamError
from ._exchange import Exchange
from ._limits import Limits
from ._request import Dialect


class Document:
    """Collects the body that `exchange` receives. `unfollowed` says why a redirect was not followed."""

    def __init__(self, exchange: Exchange, limits: Limits, unfollowed: str = "") -> None:
        self._exchange = exchange
        self._limit = limits.max_error_body
        self._unfollowed = unfollowed
        self._body = bytearray()

    def add(self, body: bytes) -> None:
        """Take the next part of the body."""
        self._body += body[: self._limit - len(self._body)]

    @property
    def is_enough(self) -> bool:
        """Whether the body has ended, or is too long to wait for its end."""
        exchange = self._exchange
        return len(self._body) >= self._limit or exchange.ended or exchange.error is not None

    def explained(self, dialect: Dialect[Any]) -> StreamError:
        """Let the dialect find words for it."""
        response = self._exchange.response
        assert response is not None  # or there would be no body
        body = readable(response.header("content-encoding"), bytes(self._body), self._limit)
        if self._unfollowed:
            message = f"the redirect was not followed: {self._unfollowed}"
            return StatusError(message, response=response, raw=body)
        return dialect.refusal(response, body)

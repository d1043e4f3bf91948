"""The body of a response that another HTTP client receives."""

from __future__ import annotations

from ..errors import StreamError
from ..http.response import Response


class FetchedBody:
    """A body that comes without framing and content coding, as the body of an Exchange does."""

    __slots__ = ("ended", "error", "response")

    def __init__(self, response: Response) -> None:
        self.response: Response | None = response
        self.ended: bool = False
        self.error: StreamError | None = None

    def receive(self, data: bytes) -> bytes:
        """Return the same bytes; `b""` says that the body has ended."""
        self.ended = not data
        return data

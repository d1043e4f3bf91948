"""What receives the body of a response."""

from __future__ import annotations

from typing import Protocol

from ..errors import StreamError
from .response import Response


class BodySource(Protocol):
    """Receives the body of one response. `Exchange` does, and `DecodedBody` around any other source."""

    @property
    def response(self) -> Response | None:
        """The head of the response, once it is complete."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the body is complete."""
        ...

    @property
    def error(self) -> StreamError | None:
        """Why nothing more can be received, unless it is because the body has ended."""
        ...

    def receive(self, data: bytes) -> bytes:
        """Return the body bytes in `data`, what was received; `b""` says that the peer has ended."""
        ...

"""The head of a response, whoever received it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response. Header names are in lower case; values are decoded as ISO-8859-1."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    http_version: str = "1.1"

    def header(self, name: str) -> str | None:
        """The value of a header field, with several lines of it joined by commas (RFC 9110, 5.3), or None."""
        name = name.lower()
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def request_id(self) -> str | None:
        """The provider's name for the request, from `x-request-id` or `request-id`."""
        return self.header("x-request-id") or self.header("request-id")

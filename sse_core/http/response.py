"""The head of a response, whoever received it."""

from __future__ import annotations

from dataclasses import dataclass

from ..checks import check_count, check_pairs, check_type


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response. Header names are in lower case; values are decoded as ISO-8859-1."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    http_version: str = "1.1"

    def __post_init__(self) -> None:
        check_count("Response.status", self.status, least=100)
        check_type("Response.reason", self.reason, str, "a str")
        check_pairs("Response.headers", self.headers)
        for name, _ in self.headers:
            if name != name.lower():
                raise ValueError(f"the names in Response.headers have to be in lower case, not {name!r:.50}")

    def header(self, name: str) -> str | None:
        """The value of a header field, with several lines of it joined by commas (RFC 9110, 5.3), or None."""
        name = name.lower()
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None

    @property
    def request_id(self) -> str | None:
        """The provider's name for the request, from `x-request-id` or `request-id`."""
        return self.header("x-request-id") or self.header("request-id")

"""Where a redirect leads, and what may go there (RFC 9110, 15.4)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from urllib.parse import urljoin

from msgspec import Struct

from .response import Response
from .url import URL


class PreparedRequest(Struct, frozen=True):
    """A request to one server, ready to be sent. `headers` are without Host."""

    url: URL
    target: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def __repr__(self) -> str:  # headers, body and query may hold credentials
        return f"<PreparedRequest {self.method} {self.url.scheme}://{self.url.authority}{self.target.partition('?')[0]}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields

    def without_body(self, method: str) -> PreparedRequest:
        """Return this request with another method, without its body and the fields that describe it."""
        fields = tuple(field for field in self.headers if not field[0].lower().startswith("content-"))
        return PreparedRequest(self.url, self.target, method, fields, b"")


class Redirects:
    """Follows the redirects of one request, up to `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._followed = 0

    def follow(self, prepared: PreparedRequest, response: Response) -> tuple[PreparedRequest | None, str]:
        """Return the request to make next, if any, and why a redirect is not followed, or `""`."""
        if not is_redirect(response):
            return None, ""
        if self._followed == self._limit:
            return None, f"it is one more than {self._limit}"
        self._followed += 1
        try:
            return request_after(prepared, response), ""
        except ValueError as exc:
            return None, str(exc)


def is_redirect(response: Response) -> bool:
    return response.status in (301, 302, 303, 307, 308) and response.header("location") is not None


def request_after(prepared: PreparedRequest, response: Response) -> PreparedRequest:
    """Return the request that follows a redirect.

    307 and 308 repeat the request. 303 says that the answer is elsewhere, and asks for it with GET
    and without a body (RFC 9110, 15.4.4). After 301 and 302, browsers do the same in place of a POST,
    so that it is not answered; it is not followed here. Other methods are repeated.

    Another origin gets the headers of `CROSS_ORIGIN_HEADERS` only: any other might be a credential.

    Raises ValueError for a redirect that must not be followed; the message says why.
    """
    url = URL.parse(
        urljoin(f"{prepared.url.scheme}://{prepared.url.authority}{prepared.target}", location_of(response))
    )
    if (prepared.url.scheme, url.scheme) == ("https", "http"):
        raise ValueError("it leads from https to http")
    if response.status in (301, 302) and prepared.method == "POST":
        raise ValueError(f"after a POST, {response.status} asks with GET and without the body")
    if response.status == 303:
        prepared = prepared.without_body("GET")
    headers = prepared.headers
    if not may_have_credentials(prepared.url, url):
        headers = tuple(field for field in headers if field[0].lower() in CROSS_ORIGIN_HEADERS)
    return PreparedRequest(url, url.target(""), prepared.method, headers, prepared.body)


def location_of(response: Response) -> str:
    """Return the value of the Location field. Raises ValueError if there are several."""
    locations = [value for name, value in response.headers if name == "location"]
    if len(locations) > 1:
        raise ValueError("it has more than one Location")
    with suppress(UnicodeDecodeError):  # it should be ASCII; servers that send anything else send UTF-8
        return locations[0].encode("latin-1").decode()
    return locations[0]


def may_have_credentials(here: URL, there: URL) -> bool:
    """Whether a redirect stays at its origin, or leads to the same host by https in place of http."""
    if (there.scheme, there.host, there.port) == (here.scheme, here.host, here.port):
        return True
    upgraded = (here.scheme, there.scheme) == ("http", "https") and here.host == there.host
    return upgraded and (here.port == there.port or (here.port, there.port) == (80, 443))


CROSS_ORIGIN_HEADERS = (
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-type",
    "last-event-id",
    "user-agent",
)

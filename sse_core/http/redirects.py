"""Where a redirect leads, and what may go there (RFC 9110, 15.4)."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urljoin

from msgspec import Struct

from .response import Response
from .url import URL


class Sent(Struct, frozen=True):
    """A request as it goes to one server; `headers` without Host."""

    url: URL
    target: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def without_body(self, method: str) -> Sent:
        """The same with another method and no body, nor the fields that describe one."""
        fields = tuple(field for field in self.headers if not field[0].lower().startswith("content-"))
        return Sent(self.url, self.target, method, fields, b"")


class Redirects:
    """Follows the redirects of one request, up to `most` of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._followed = 0

    def follow(self, sent: Sent, response: Response) -> tuple[Sent | None, str]:
        """Return the next request; or None, and why not if the response is a redirect."""
        if not is_redirect(response):
            return None, ""
        if self._followed == self._most:
            return None, f"it is one more than {self._most}"
        self._followed += 1
        try:
            return redirected(sent, response), ""
        except ValueError as exc:
            return None, str(exc)


def is_redirect(response: Response) -> bool:
    return response.status in (301, 302, 303, 307, 308) and response.header("location") is not None


def redirected(sent: Sent, response: Response) -> Sent:
    """Return the request that follows a redirect.

    307 and 308 repeat the request. 303, and for a POST also 301 and 302, ask with GET
    and no body, as browsers do (RFC 9110, 15.4.2 and 15.4.3, allow it). Another origin
    gets the headers of `ALLOWLIST` only: any other might be a credential.

    Raises ValueError, which says why, for one that must not be followed.
    """
    here = f"{sent.url.scheme}://{sent.url.authority}{sent.target}"
    location = response.header("location") or ""
    with suppress(UnicodeDecodeError):  # it should be ASCII, and is sent as UTF-8 where it is not
        location = location.encode("latin-1").decode()
    url = URL.parse(urljoin(here, location))
    if (sent.url.scheme, url.scheme) == ("https", "http"):
        raise ValueError("it leads from https to http")
    if response.status == 303 or (response.status in (301, 302) and sent.method == "POST"):
        sent = sent.without_body("GET")
    headers = sent.headers
    if (url.scheme, url.host, url.port) != (sent.url.scheme, sent.url.host, sent.url.port):
        headers = tuple(field for field in headers if field[0].lower() in ALLOWLIST)
    return Sent(url, url.target(""), sent.method, headers, sent.body)


ALLOWLIST = (
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-type",
    "last-event-id",
    "user-agent",
)

"""Where a redirect leads, and what may go there (RFC 9110, 15.4)."""

from __future__ import annotations

from urllib.parse import urljoin

from msgspec import Struct

from ._exchange import Response
from ._request import URL


class Sent(Struct, frozen=True):
    """A request as it goes to one server; `headers` without Host."""

    url: URL
    target: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def is_redirect(response: Response) -> bool:
    return response.status in (301, 302, 303, 307, 308) and response.header("location") is not None


def redirected(sent: Sent, response: Response) -> Sent:
    """Return the request that follows a redirect.

    307 and 308 repeat the request. 303, and for a POST also 301 and 302, ask with GET
    and no body, as browsers do (RFC 9110, 15.4.2 and 15.4.3, allow it). Another origin
    gets `UNTELLING` headers only: any other might be a credential.

    Raises ValueError, which says why, for one that must not be followed.
    """
    here = f"{sent.url.scheme}://{sent.url.authority}{sent.target}"
    url = URL.parse(urljoin(here, response.header("location") or ""))
    if (sent.url.scheme, url.scheme) == ("https", "http"):
        raise ValueError("it leads from https to http")
    method, headers, body = sent.method, sent.headers, sent.body
    if response.status == 303 or (response.status in (301, 302) and method == "POST"):
        method, body = "GET", b""
        headers = tuple(field for field in headers if not field[0].lower().startswith("content-"))
    if (url.scheme, url.host, url.port) != (sent.url.scheme, sent.url.host, sent.url.port):
        headers = tuple(field for field in headers if field[0].lower() in UNTELLING)
    return Sent(url, url.target(""), method, headers, body)


UNTELLING = (
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-type",
    "last-event-id",
    "user-agent",
)

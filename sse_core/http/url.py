"""URLs, and the host names in them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct


class URL(Struct, frozen=True):
    """A base URL, in the parts that a connection and a request need (RFC 9110, 4.2)."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @classmethod
    def parse(cls, url: str) -> URL:
        """Parse an absolute http or https URL.

        Raises ValueError for any other URL, and for one with user information.
        """
        try:
            parts = urlsplit(url)
        except ValueError:  # its message might show credentials
            raise ValueError("not a URL") from None
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("not an absolute http or https URL")
        if "@" in parts.netloc:
            raise ValueError("credentials in a URL are not supported (RFC 9110, 4.2.4): use a header")
        try:
            port = parts.port
        except ValueError:  # the same: a colon may be what is left of them
            raise ValueError("the port is not a number up to 65535") from None
        host = decode_zone(to_ascii(parts.hostname))
        if not HOST.fullmatch(host):
            raise ValueError("the host has characters that are not allowed (RFC 3986, 3.2.2)")
        return cls(
            scheme=parts.scheme,
            host=host,
            port=DEFAULT_PORTS[parts.scheme] if port is None else port,
            path=quote(parts.path, safe=UNQUOTED),
            query=quote(parts.query, safe=UNQUOTED),
        )

    def __repr__(self) -> str:
        return f"<URL {self.scheme}://{self.authority}{self.path}>"  # credentials may be in the query

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields

    @property
    def authority(self) -> str:
        """Host and port; without the port if it is the scheme's default."""
        return self._authority(self.host)

    @property
    def host_field(self) -> str:
        """The value of the Host field: without a zone, which means nothing to others (RFC 6874, 4)."""
        return self._authority(strip_zone(self.host))

    @property
    def server_name(self) -> str:
        """The host as its certificate names it."""
        return certificate_name(self.host)

    def target(self, path: str) -> str:
        """The request target for `path`, which may have a query, below this URL's own path and query."""
        whole = (self.path.rstrip("/") + quote(path, safe=UNQUOTED) if path else self.path) or "/"
        if not self.query:
            return whole
        return f"{whole}{'&' if '?' in whole else '?'}{self.query}"

    def _authority(self, host: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def to_ascii(host: str) -> str:
    """Return a host name in ASCII (RFC 5891). Raises ValueError if a label is empty or too long."""
    if host.isascii() and all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        return host  # the codec below would return the same, but importing its tables takes time
    return host.encode("idna").decode("ascii")


def decode_zone(host: str) -> str:
    """Return a host with the `%25` before the zone of an IPv6 address decoded (RFC 6874, 2)."""
    return host.replace("%25", "%", 1) if ":" in host else host


def strip_zone(host: str) -> str:
    """Return a host without the zone of an IPv6 address, which only this machine knows."""
    return host.partition("%")[0] if ":" in host else host


def certificate_name(host: str) -> str:
    """Return a host as in its certificate: without a zone and without a final dot (RFC 6066, 3)."""
    return strip_zone(host).removesuffix(".")


DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._~!$&'()*+,;=%:-]+", re.IGNORECASE)
UNQUOTED = "%/:=&?~!$'()*+,;@[]"
"""Characters that stay as they are in a path and query: reserved ones, and `%` of existing escapes."""

"""URLs, and the names of hosts in them."""

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
        """Raises ValueError unless it is an absolute http or https URL without user information."""
        try:
            parts = urlsplit(url)
        except ValueError:  # whose message might show credentials
            raise ValueError("not a URL") from None
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError("not an absolute http or https URL")
        if "@" in parts.netloc:
            raise ValueError("credentials in a URL are not supported (RFC 9110, 4.2.4): use a header")
        try:
            port = parts.port
        except ValueError:  # the same: a colon may be what is left of them
            raise ValueError("the port is not a number up to 65535") from None
        host = with_zone(in_ascii(parts.hostname))
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
        """Host and port, the port only where it is not the scheme's own."""
        return self._authority(self.host)

    @property
    def host_field(self) -> str:
        """The value of the Host field: without a zone, which means nothing elsewhere (RFC 6874, 4)."""
        return self._authority(without_zone(self.host))

    @property
    def server_name(self) -> str:
        """The host as its certificate names it."""
        return certified(self.host)

    def target(self, path: str) -> str:
        """The request target for `path`, which may have a query, below this URL's own path and query."""
        whole = (self.path.rstrip("/") + quote(path, safe=UNQUOTED) if path else self.path) or "/"
        if not self.query:
            return whole
        return f"{whole}{'&' if '?' in whole else '?'}{self.query}"

    def _authority(self, host: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def in_ascii(host: str) -> str:
    """Return a host name in ASCII (RFC 5891). Raises ValueError if a label is empty or too long."""
    if host.isascii() and all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        return host  # as it is below too, where the tables take 1 ms to import
    return host.encode("idna").decode("ascii")


def with_zone(host: str) -> str:
    """Return a host as the system takes it: `%25` is before the zone of an IPv6 address (RFC 6874, 2)."""
    return host.replace("%25", "%", 1) if ":" in host else host


def without_zone(host: str) -> str:
    """Return a host as others know it: the zone of an IPv6 address is this machine's own."""
    return host.partition("%")[0] if ":" in host else host


def certified(host: str) -> str:
    """Return a host as a certificate names it: no zone, nor the dot of an absolute name (RFC 6066, 3)."""
    return without_zone(host).removesuffix(".")


DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._~!$&'()*+,;=%:-]+", re.IGNORECASE)
UNQUOTED = "%/:=&?~!$'()*+,;@[]"
"""What a URL's path and query may hold as it is: reserved characters, and escapes already there."""

"""URLs, and the host names in them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, urlsplit

from msgspec import Struct

from ..checks import check_type


class URL(Struct, frozen=True):
    """A base URL, in the parts that a connection and a request need (RFC 9110, 4.2)."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @classmethod
    def parse(cls, url: str) -> URL:
        """Parse an absolute http or https URL. White space around it is ignored.

        Raises ValueError for any other URL, and for one with user information or control characters.
        """
        check_type("a URL", url, str, "a str")
        url = url.strip()
        if CONTROL.search(url):  # `urlsplit` would leave out some, and join what they part
            raise ValueError("a URL with control characters")
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
        """Return the request target (RFC 9112, 3.2.1) for `path`, which may have a query.

        It begins with this URL's own path and ends with its own query. A slash before `path` is added
        if it is missing, unless `path` is a query alone.

        Raises ValueError for a `path` that is a URL, that begins with two slashes, since others may
        take what follows for a host, or that has control characters.
        """
        if ABSOLUTE.match(path):
            raise ValueError("a path is needed, not a URL: its start belongs to the URL of the server")
        if path.startswith("//"):
            raise ValueError("a path that begins with two slashes, which others may take for a host")
        if CONTROL.search(path):
            raise ValueError("a path with control characters")
        below = quote(path, safe=UNQUOTED)
        if path and not path.startswith("?"):
            target = f"{self.path.rstrip('/')}/{below.removeprefix('/')}"
        else:
            target = (self.path or "/") + below
        if self.query:
            target += ("&" if "?" in target else "?") + self.query
        return target if target.startswith("/") else f"/{target}"

    def _authority(self, host: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def to_ascii(host: str) -> str:
    """Return a host name in ASCII, as browsers do (UTS 46, non-transitional, without STD3 rules).

    Raises ValueError for a name that has no such form, and if a label is empty or too long.
    """
    if not host.isascii():
        host = encode_labels(host)
    if not all(0 < len(label) <= MAX_LABEL for label in host.removesuffix(".").split(".")):
        raise ValueError("a label of the host name is empty or too long")
    return host


def encode_labels(host: str) -> str:
    """Return a name with each label that is not ASCII encoded as `xn--...` (UTS 46, 4.2)."""
    if len(host) > MAX_NAME:
        raise ValueError("the host name is too long")
    try:
        import idna  # comes with anyio; lazily, since its tables take time to import
    except ImportError:
        raise ValueError("a host name that is not ASCII needs the package idna") from None

    def encode(label: str) -> str:
        if label.isascii():
            return label
        try:
            return idna.alabel(label).decode()
        except idna.InvalidCodepoint:  # a symbol, which IDNA 2008 leaves out, and UTS 46 takes
            return "xn--" + label.encode("punycode").decode()

    try:
        return ".".join(map(encode, idna.uts46_remap(host, std3_rules=False).split(".")))
    except idna.IDNAError as exc:
        raise ValueError(f"the host name has no form in ASCII: {exc}") from None


def decode_zone(host: str) -> str:
    """Return a host with the `%25` before the zone of an IPv6 address decoded (RFC 6874, 2)."""
    return host.replace("%25", "%", 1) if ":" in host else host


def strip_zone(host: str) -> str:
    """Return a host without the zone of an IPv6 address, which only this machine knows."""
    return host.partition("%")[0] if ":" in host else host


def certificate_name(host: str) -> str:
    """Return a host as in its certificate: without a zone and without a final dot (RFC 6066, 3)."""
    return strip_zone(host).removesuffix(".")


CONTROL = re.compile(r"[\x00-\x1f\x7f]")
ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
MAX_NAME = 254
"""Characters of a host name (RFC 1034, 3.1), with a dot at its end."""
MAX_LABEL = 63
"""Characters of each part of it."""
DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._~!$&'()*+,;=%:-]+", re.IGNORECASE)
UNQUOTED = "%/:=&?~!$'()*+,;@[]"
"""Characters that stay as they are in a path and query: reserved ones, and `%` of existing escapes."""

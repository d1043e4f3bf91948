"""What to ask for, where, and how the answer is to be read."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlsplit

from msgspec import Struct

from ..errors import NotAnEventStream, StatusError, StreamError
from ..events.items import Event, UnknownField
from ..http.exchange import Response
from ..session.reconnecting import Reconnects
from .message import Accumulator

T = TypeVar("T")


class Mark(Enum):
    """What an event means that is not a chunk."""

    END = "the stream's terminal marker"
    PING = "a keep-alive"


class Dialect(ABC, Generic[T]):
    """What a provider's events mean. One instance reads one stream."""

    finished: bool = False
    """Whether the stream may end here without its terminal marker: a finish reason has been seen."""
    ends_with_body: bool = False
    """Whether streams have no terminal marker, and end with the body, after a whole event."""

    complete: bool = False
    """Whether the chunk returned last is the stream's last: its own terminal marker."""
    reads_documents: bool = False
    """Whether the answer may come as one document in place of an event stream, for `single` to read."""
    cursor: str | int | None = None
    """Where the provider would take the stream up again, if it is not the last event ID that says so."""

    @abstractmethod
    def read(self, event: Event) -> T | Mark:
        """Return the chunk that an event carries, or what else it means.

        Raises InvalidChunk for data that is not what the dialect documents, and
        ApiError for an event in which the provider reports an error.
        """

    def read_plain(self, data: Sequence[bytes], chunks: list[T], type: str = "message") -> int:
        """Append the chunks of events of type `type` without an ID, up to one that is special.

        `data` has the `raw` of each. Returns how many were read; the others go to `read`. The
        short way, for dialects that have one: by default every event is special.
        """
        return 0

    def __init_subclass__(cls, *, keeps_short_way: bool = False) -> None:
        """Let a class that has a `read` of its own see every event, but if the short way does the same."""
        if "read" in vars(cls) and "read_plain" not in vars(cls) and not keeps_short_way:
            cls.read_plain = Dialect.read_plain  # type: ignore[method-assign]  # that is the point

    def accumulator(self) -> Accumulator[T] | None:
        """Return what puts this stream's chunks together, or None where they make no whole."""
        return None

    def unknown_field(self, field: UnknownField) -> None:
        """Look at a field that the event stream grammar ignores; by default, ignore it too.

        Raises ApiError for one in which the provider reports an error.
        """

    def single(self, response: Response, body: bytes) -> Sequence[T] | None:
        """Return the chunks in a whole body that is no event stream, or None if that is not to be.

        Called if the dialect `reads_documents`. Raises InvalidChunk for a body that is not what
        the dialect documents.
        """
        return None

    def refusal(self, response: Response, body: bytes) -> StreamError:
        """Describe a response that is not a 200 event stream, by its head and the start of its body."""
        if response.status != 200:
            return StatusError(response.reason, response=response, raw=body)
        names = ("content-type", "content-encoding")
        kind = ", ".join(value for name in names if (value := response.header(name))) or "of no type"
        message = f"the response, {kind}, is no event stream; it begins with {body[:SHOWN]!r}{likeness(body)}"
        return NotAnEventStream(message, response=response, body=body)


def likeness(body: bytes) -> str:
    """Say what the start of a body looks like."""
    text = body.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        return ", which looks like HTML"
    if text.startswith((b"{", b"[")):
        first, _, rest = text.partition(b"\n")
        lines = first.rstrip().endswith((b"}", b"]")) and rest.lstrip().startswith((b"{", b"["))
        return ", which looks like lines of JSON" if lines else ", which looks like JSON"
    return ", which looks like text" if text and text == text.translate(None, CONTROLS) else ""


class Request(Struct, Generic[T], frozen=True, kw_only=True):
    """One request, whose answer is a stream of `T`.

    `path` is added to the path of the client's base URL. `headers` come on top of the
    client's. `dialect` makes the reader of the answer.
    """

    dialect: Callable[[], Dialect[T]]
    method: str = "GET"
    path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    reconnects: Reconnects | None = None
    """When to take the stream up again where it broke off; None for never."""

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path.partition('?')[0]}>"  # credentials may be in the rest

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


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


CONTROLS = bytes([*range(0x09), *range(0x0E, 0x20)])
DEFAULT_PORTS = {"http": 80, "https": 443}
HOST = re.compile(r"[a-z0-9._~!$&'()*+,;=%:-]+", re.IGNORECASE)
UNQUOTED = "%/:=&?~!$'()*+,;@[]"
"""What a URL's path and query may hold as it is: reserved characters, and escapes already there."""

SHOWN = 200
"""Bytes of a body that a message shows."""

"""What to ask for, where, and how the answer is to be read."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any, Generic

from msgspec import Struct

from ..checks import check_callable, check_count, check_headers, check_seconds, check_token, check_type
from .dialect import Dialect, T


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

    def __post_init__(self) -> None:
        check_callable(
            "Request.dialect", self.dialect, "what makes a dialect for each stream, as its class does"
        )
        check_token("Request.method", self.method)
        check_type("Request.path", self.path, str, "a str")
        check_headers("Request.headers", self.headers)
        check_type("Request.body", self.body, bytes, "bytes")
        check_type("Request.reconnects", self.reconnects, (Reconnects, NoneType), "Reconnects or None")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path.partition('?')[0]}>"  # credentials may be in the rest

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


class Reconnects(Struct, frozen=True, kw_only=True):
    """When to connect again after a stream that ended, or could not be reached; times are in seconds.

    Another attempt follows every end but these: the dialect's terminal marker or a finish
    reason, status 204, a response that is no event stream, with a status other than `statuses`, an error
    that the server reported, broken rules, and `close`. It carries the last event ID, and comes after the
    time that the server's `retry` field asked for. Without an ID there is none once a part of an answer has
    come that would come again.
    """

    attempts: int | None = 5
    """How many may fail one after another; None for any number. Only progress starts the count anew: a chunk,
    with a new ID if any, or comments on a connection that lasted some seconds."""
    delay: float = 3.0
    """Before the first, unless the server asks for another; twice as long before each that follows,
    and twice as long as this at least."""
    max_delay: float = 300.0
    """The longest to wait, whatever the server asks for."""
    min_delay: float = 0.1
    """The shortest to wait, whatever the server asks for."""
    statuses: frozenset[int] = frozenset()
    """The statuses after which to connect again, after the time that `Retry-After` asks for, if the response
    has it. WHATWG HTML, 9.2.3, has none; `events.source` has those of a server that is being replaced."""
    method: str | None = None
    """The method of the further attempts, which have no body if it is another than the first's.

    None stands for the same request again. With another method, there is a further attempt
    only once the server has sent an ID. MCP up to 2025-11-25 asks for POST and then GET.
    """

    def __post_init__(self) -> None:
        check_count("Reconnects.attempts", self.attempts, optional=True)
        for name in ("delay", "max_delay", "min_delay"):
            check_seconds(f"Reconnects.{name}", getattr(self, name))
        check_type("Reconnects.statuses", self.statuses, (frozenset, set, tuple, list), "HTTP statuses")
        for status in self.statuses:
            check_count("each of Reconnects.statuses", status, least=100)
        if self.method is not None:
            check_token("Reconnects.method", self.method)


def resume_headers(last_event_id: str) -> tuple[tuple[str, str], ...]:
    """Return the header that asks for what came behind an event (WHATWG HTML, 9.2.3); none without an ID.

    The value is UTF-8, as header values are written here: one character for each of its bytes.
    """
    value = last_event_id.encode().decode("latin-1").strip(" \t")
    return (("Last-Event-ID", value),) if value else ()

"""What to ask for, where, and how the answer is to be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic

from msgspec import Struct

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

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path.partition('?')[0]}>"  # credentials may be in the rest

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


class Reconnects(Struct, frozen=True, kw_only=True):
    """When to connect again after a stream that ended, or could not be reached; times are in seconds.

    Another attempt follows every end but these: the dialect's terminal marker or a finish
    reason, status 204, a response that is no event stream, an error that the server reported,
    broken rules, and `close`. It carries the last event ID, and comes after the time that the
    server's `retry` field asked for. Without an ID there is none once a part of an answer has
    come that would come again.
    """

    attempts: int = 5
    """How many may fail one after another. Only a chunk starts the count anew, with a new ID if any."""
    delay: float = 3.0
    """Before the first, unless the server asks for another; twice as long before each that follows,
    and twice as long as this at least."""
    max_delay: float = 300.0
    """The longest to wait, whatever the server asks for."""
    method: str | None = None
    """The method of the further attempts, which have no body if it is another than the first's.

    None stands for the same request again. With another method, there is a further attempt
    only once the server has sent an ID. MCP up to 2025-11-25 asks for POST and then GET.
    """

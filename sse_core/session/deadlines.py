"""How long each part of a stream may take."""

from __future__ import annotations

from msgspec import Struct

from ..checks import check_seconds


class Deadlines(Struct, frozen=True, kw_only=True):
    """How long each part of a stream may take, in seconds. None means no limit.

    A deadline runs only while the peer is waited for: the time that the application
    spends on a chunk does not count, except in `total`. Those named `first_` run from
    the first byte of the request sent, those named `between_` from the last of their
    kind. Comments count as bytes, never as events or content.
    """

    pool: float | None = 60.0
    """To get a connection from the pool, or room for one, where the pool has a limit."""
    connect: float | None = 10.0
    """To resolve the name and open a connection; once more to get through a proxy."""
    tls: float | None = 10.0
    """To agree on TLS."""
    response_head: float | None = 120.0
    """For the whole response head."""
    first_byte: float | None = None
    """For the first byte of the response."""
    first_event: float | None = None
    """For the first event that is more than a keep-alive."""
    first_content: float | None = 600.0
    """For the first text, reasoning, refusal or tool call, where the dialect knows about these."""
    between_bytes: float | None = 120.0
    """For any byte of the body to come, after the head; a comment will do, since a keep-alive is one."""
    between_events: float | None = None
    """For the next event that is more than a keep-alive."""
    between_content: float | None = 300.0
    """For more text, reasoning, refusal or tool calls, where the dialect knows about these."""
    error_body: float | None = 5.0
    """For the start of a refused response's body, after its head."""
    total: float | None = None
    """For everything, from the start of the stream to its end, other attempts included."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            # Without any time for the pool, a connection is there at once or not at all.
            above_zero = name != "pool"
            check_seconds(f"Deadlines.{name}", getattr(self, name), above_zero=above_zero, optional=True)

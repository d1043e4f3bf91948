"""How long to wait, and how much to keep: frozen values, with defaults for a language model's answer."""

from __future__ import annotations

from msgspec import Struct


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


class Limits(Struct, frozen=True, kw_only=True):
    """How much a peer may send, in bytes, before it is an error or no longer kept."""

    max_event_size: int = 16 * 2**20
    """Of one event's data; more is EventTooLarge."""
    max_head_size: int = 64 * 2**10
    """Of the response head; more is a ProtocolError."""
    max_error_body: int = 64 * 2**10
    """Of a refused response's body that is kept for the error; the rest is not read."""
    max_answer_size: int = 64 * 2**20
    """Of a response's body, decoded, whose chunks are put together; of a longer one there is no message."""
    max_expansion: int = 1000
    """How many bytes one byte of a compressed body may stand for, past 2**20; more is a ProtocolError."""
    max_redirects: int = 10
    """How many redirects are followed, one after another; this one is no number of bytes."""

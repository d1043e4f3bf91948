"""Events in, bytes out: what a server sends. No text in an event can pass for another field or event.

A line end in data starts another `data` line; in a type or an ID, which cannot have one, it is
refused. So no text, wherever it comes from, can end the line that it was put in.

Decoding what was encoded gives the same event back, in whatever pieces the bytes come, with one
exception: CR, LF and CR LF are the same line end, and the lines of the data are joined by LF (WHATWG
HTML, 9.2.5 and 9.2.6), so a CR or CR LF in data arrives as LF. Text that must keep them has to be
encoded so that they are escaped, as JSON does.
"""

from __future__ import annotations

from ..checks import check_type
from .decoder import MAX_DIGITS
from .items import Event


def encode(event: Event, *, after: str = "") -> bytes:
    """Return the lines of an event, with the blank line that dispatches it (WHATWG HTML, 9.2.6).

    `after` is the last event ID that the receiver has so far. An ID lasts until the stream sets
    another, so an `id` line is written only if the event's ID differs; an empty `id` line unsets it.
    With the default, `""`, every event that has an ID states it. A sequence of events is decoded as
    it was if each is encoded `after` the `last_event_id` of the event before it.

    Raises ValueError if the type or the ID contains CR, LF or NUL or cannot be encoded as UTF-8, and
    if the type is empty, since that would be decoded as `"message"`.
    """
    check_type("event", event, Event, "an Event")
    check_type("Event.raw", event.raw, bytes, "bytes")
    if not event.type:
        raise ValueError("the type of an event cannot be empty: without one it is 'message'")
    lines: list[bytes] = []
    if event.last_event_id != after:
        lines.append(b"id: " + _one_line("ID", event.last_event_id))
    if event.type != "message":
        lines.append(b"event: " + _one_line("type", event.type))
    lines += [b"data: " + line for line in _lines(event.raw)]
    return b"\n".join(lines) + b"\n\n"


def comment(text: str = "") -> bytes:
    """Return a comment, with a line for each line of the text. Clients ignore it: it is a keep-alive.

    No blank line follows, so that it belongs to the next event: some clients take a blank line for an
    event whenever the stream has set an ID (WHATWG HTML, 9.2.5).

    Raises ValueError if the text cannot be encoded as UTF-8.
    """
    check_type("text", text, str, "a str")
    return b"".join(b": " + line + b"\n" for line in _lines(text.encode()))


def retry(milliseconds: int) -> bytes:
    """Return the line that sets the receiver's reconnection time (WHATWG HTML, 9.2.6).

    No blank line follows, so that it belongs to the next event: some clients take a block that has
    only a `retry` line for an event.

    Raises ValueError if the number is negative, or has more than `MAX_DIGITS` digits.
    """
    check_type("milliseconds", milliseconds, int, "a whole number")
    if not 0 <= milliseconds < 10**MAX_DIGITS:
        raise ValueError("a reconnection time has to be a number of milliseconds from 0 on")
    return b"retry: %d\n" % milliseconds


def _one_line(what: str, value: str) -> bytes:
    check_type(f"the {what} of an event", value, str, "a str")
    for character in "\r\n\0":
        if character in value:
            raise ValueError(f"the {what} of an event cannot have {character!r} in it: {value!r}")
    return value.encode()


def _lines(text: bytes) -> list[bytes]:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")

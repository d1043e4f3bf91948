"""What the dialects of all providers have in common, above all about errors that no event carries."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from ...errors import StatusError, StreamError
from ...events.items import Event, UnknownField
from ...http.response import Response
from ...reading.dialect import Dialect, Mark
from .provider_errors import api_error, error_in, find_error

T = TypeVar("T")


class ApiDialect(Dialect[T], Generic[T]):
    """A dialect of a provider that sends JSON, and reports its errors as such."""

    _printed: PrintedText | None = None

    def unknown_field(self, field: UnknownField) -> None:
        """Raises ApiError for an error in lines that belong to no event.

        That is a field named `error`, as llama.cpp has sent it (llama.cpp#16109), or JSON without
        `data:` before its lines, of which this may be one more.
        """
        if field.name == "error":
            raise error_in(field.raw)
        printed = self._printed or PrintedText()
        text = printed.add(line_of(field))
        self._printed = printed if text is None else None
        if text is not None:
            error = find_error(text)
            if error is not None:
                raise api_error(error, text)

    def refusal(self, response: Response, body: bytes) -> StreamError:
        error = find_error(body, bare=response.status != 200)
        if error is None:
            return super().refusal(response, body)
        if response.status == 200:
            return api_error(error, body)
        return StatusError(**msgspec.structs.asdict(error), response=response, raw=body)


def mark_of(event: Event) -> Mark | None:
    """Return what an event means that has no JSON, if it means anything."""
    data = event.raw.strip()
    if data.startswith((b"[DONE]", b'"[DONE]"')):
        return Mark.END
    return None if data else Mark.PING


class PrintedText:
    """A JSON text printed for people, line by line: brackets open at the end of one and close at a start."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._closers = b""  # of what the first line opens

    def add(self, line: bytes) -> bytes | None:
        """Return the text once it is whole but for what its first line opened.

        The line that closes that comes without a line end, so nobody sees it.
        """
        line = line.strip()
        opened = line[len(line.rstrip(OPENERS)) :]
        if not self._lines:
            if not line.startswith((b"{", b"[")):
                return None
            self._closers = opened.translate(CLOSER_OF)[::-1]
        self._lines.append(line)
        self._size += len(line) + 1
        closed = len(line) - len(line.lstrip(CLOSERS))
        self._depth += len(opened) - closed
        whole = self._depth == 0 or (closed and self._depth <= len(self._closers))
        if not whole and self._size <= MAX_PRINTED:
            return None
        return b"\n".join(self._lines).rstrip(b",") + self._closers[len(self._closers) - self._depth :]


def line_of(field: UnknownField) -> bytes:
    """Return the line that was taken for a field: a name, a colon and a value, or a name alone."""
    name = field.name.encode()
    return name + b": " + field.raw if field.raw else name


OPENERS = b"{["
CLOSERS = b"}]"
CLOSER_OF = bytes.maketrans(OPENERS, CLOSERS)
MAX_PRINTED = 64 * 1024
"""Bytes of a text outside events that are kept."""
JSON = (("Content-Type", "application/json"),)
"""The header of a request that has a body."""

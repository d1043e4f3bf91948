"""What the dialects of all providers have in common: how they report errors and the end."""

from __future__ import annotations

import re
from typing import Generic, TypeVar

import msgspec

from ...errors import StatusError, StreamError
from ...events.items import Event, UnknownField
from ...http.response import Response
from ...reading.dialect import Control, Dialect
from .provider_errors import api_error, api_error_from, find_error, find_message
from .repaired_json import JSONRepair

T = TypeVar("T")


class ProviderDialect(Dialect[T], Generic[T]):
    """A dialect of a provider that sends JSON, also to report errors."""

    accepts_any_type = True
    _unframed: UnframedJSON | None = None
    _repair: JSONRepair | None = None

    _unread = b""
    """The data of the last event that was nothing of an answer: it may tell why the answer ended early."""

    def premature_end(self, reason: str, data: bytes = b"") -> StreamError:
        """As every dialect's, unless the last event that was not understood has an error's message."""
        error = find_message(self._unread)
        return super().premature_end(reason, data) if error is None else api_error(error, self._unread)

    def unknown_field(self, field: UnknownField) -> None:
        """Raises ApiError for an error in lines that belong to no event.

        That is a field named `error` (llama.cpp#16109), or JSON whose lines have no `data:` before
        them: each such line is taken for a field by the event stream grammar.
        """
        if field.name == "error":
            raise api_error_from(field.raw)
        unframed = self._unframed or UnframedJSON()
        text = unframed.add(line_of(field))
        self._unframed = unframed if text is None else None
        if text is not None:
            error = find_error(text)
            if error is not None:
                raise api_error(error, text)

    def repaired(self, event: Event) -> str:
        """Return an event's data as JSON that can be decoded; characters cut in two by events are joined."""
        self._repair = self._repair or JSONRepair()
        return self._repair.repair(event)

    def error_for(self, response: Response, body: bytes) -> StreamError:
        error = find_error(body, any_object=response.status != 200)
        if error is None:
            return super().error_for(response, body)
        if response.status == 200:
            return api_error(error, body, response)
        return StatusError(**msgspec.structs.asdict(error), response=response, raw=body)


def control_of(event: Event) -> Control | None:
    """Return the Control that an event is by its data, or None if the data has to be decoded."""
    data = event.raw.strip()
    if data.startswith((b"[DONE]", b'"[DONE]"')):
        return Control.END
    if not data:
        return Control.PING
    return Control.NOISE if is_heartbeat_data(data) else None


def is_heartbeat_data(data: bytes) -> bool:
    """Return whether data without space around it is a heartbeat: a time, a word, a number, null, true."""
    return bool(HEARTBEAT.fullmatch(data)) and b"error" not in data.lower()


def is_heartbeat(type: str) -> bool:
    """Return whether a type, of an event or in its data, says that it is a keep-alive."""
    return "".join(filter(str.isalnum, type[:LONGEST_TYPE].lower())) in HEARTBEATS


class UnframedJSON:
    """Collects a JSON text that is printed for people, line by line.

    In such a text, brackets are opened at the end of a line and closed at the start of one.
    """

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0
        self._depth = 0
        self._closers = b""  # for the brackets that the first line opens

    def add(self, line: bytes) -> bytes | None:
        """Return the text once it is complete except for the brackets that its first line opened.

        The last line, which closes them, may come without a line end, and is then never reported.
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
        complete = self._depth == 0 or (closed and self._depth <= len(self._closers))
        if not complete and self._size <= MAX_UNFRAMED:
            return None
        return b"\n".join(self._lines).rstrip(b",") + self._closers[len(self._closers) - self._depth :]


def line_of(field: UnknownField) -> bytes:
    """Return the line that was read as a field: a name, a colon and a value, or a name alone."""
    name = field.name.encode()
    return name + b": " + field.raw if field.raw else name


OPENERS = b"{["
CLOSERS = b"}]"
CLOSER_OF = bytes.maketrans(OPENERS, CLOSERS)
HEARTBEAT = re.compile(
    rb'"[^"\\]{0,60}"|null|true|false|none|keep alive'
    rb"|[-+]?[0-9][0-9.eE:TZ+-]{0,40}|[\w.:+,/ -]{0,30}[0-9]:[0-9][0-9][\w.:+,/ -]{0,30}"
    rb"|[a-z_.-]{0,20}(ping|pong|beat|alive|live|idle|tick|noop|wait|ok|pending|processing)[a-z_.-]{0,20}",
    re.IGNORECASE,
)
"""A JSON string, a constant, a number, a time, or a word that says so."""
HEARTBEATS = ("ping", "pong", "heartbeat", "keepalive")
LONGEST_TYPE = 40
"""How many characters of a type are looked at."""
MAX_UNFRAMED = 64 * 1024
"""How many bytes of such a text are kept."""
JSON_HEADERS = (("Content-Type", "application/json"),)
"""The header of a request that has a JSON body."""

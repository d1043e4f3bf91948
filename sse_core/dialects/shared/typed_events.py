"""Dialects whose events are JSON objects with a `type` that says what they are.

msgspec decodes a union of tagged structs in one pass, but refuses a type that is not among them.
Providers add types every month, so an object that it refuses is decoded once more, to plain values,
which are then made to fit. That is slow, and rare.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, 2.2 ms at import.
from abc import abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeVar, get_args

import msgspec
from msgspec import Struct, field

from ...errors import ApiError
from ...events.items import Event
from ...reading.dialect import Control
from ...reading.message import ShortRepr, TokenCounts
from .fast_dialect import FastDialect
from .lenient import UNKNOWN, Fields, convert_leniently
from .provider_dialect import control_of, is_heartbeat
from .provider_errors import NOT_JSON, ErrorObject, api_error, find_error, invalid_chunk, is_bare

T = TypeVar("T")
S = TypeVar("S", bound=Struct)


class Tagged(ShortRepr, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """An object whose `type` says what it is."""

    @property
    def type(self) -> str:
        """The name of its type, as the provider writes it."""
        return str(self.__struct_config__.tag)


class Unknown(Tagged, frozen=True, kw_only=True, gc=False, tag=UNKNOWN):
    """An object of a type that has no struct here, with all its fields."""

    name: str = ""
    fields: Fields = field(default_factory=Fields)

    @property
    def type(self) -> str:
        """The name of its type, as the provider writes it."""
        return self.name


class ToolCallDelta(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a tool call; `arguments` is a fragment of JSON text, to be put together."""

    index: int | None = None
    id: str | None = None
    name: str | None = None
    arguments: str | None = None


class TaggedEvent(Tagged, frozen=True, kw_only=True, gc=False):
    """An event of a stream, with the properties that every dialect's chunks have."""

    @property
    def text(self) -> str:
        """What it adds to the text."""
        return ""

    @property
    def reasoning(self) -> str:
        """What it adds to the reasoning."""
        return ""

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What it adds to the calls of tools that the caller is to run."""
        return ()

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, if it says so."""
        return None

    @property
    def usage(self) -> TokenCounts | None:
        """How many tokens it has been so far, if it says so."""
        return None


class UnknownEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag=UNKNOWN):
    """An event of a type that has no struct here, with all its fields."""

    name: str = ""
    fields: Fields = field(default_factory=Fields)

    @property
    def type(self) -> str:
        """The name of its type, as the provider writes it."""
        return self.name


class Ping(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="ping"):
    """A keep-alive."""


class Keepalive(Ping, frozen=True, kw_only=True, gc=False, tag="keepalive"):
    """The same, as OpenAI spells it."""


class Error(TaggedEvent, frozen=True, kw_only=True, gc=False, tag="error"):
    """An error, whose fields are found by `find_error`."""

    def reported(self, event: Event) -> ApiError:
        """Return the error that the event reports."""
        return reported_error(event)


class TypedEventDialect(FastDialect[T], Generic[T]):
    """Reads events as members of a union of tagged structs.

    `every` decodes all events, `Ping` and `Error` too; `ordinary`, those that are chunks and mean nothing
    else.
    """

    names_events = True
    """Whether the documentation has the type in the event's own `event:` line as well."""

    def __init__(self, every: msgspec.json.Decoder[Any], ordinary: msgspec.json.Decoder[Any]) -> None:
        self._every = every
        self._decode: Callable[[bytes], T | Ping | Error] = every.decode
        self.decode_ordinary: Callable[[bytes], T] = ordinary.decode

    def read_special(self, event: Event) -> T | Control:
        try:
            chunk: T | Ping | Error | Control = self._decode(event.raw)
        except NOT_JSON:
            chunk = self._read_leniently(event)
        match chunk:
            case Ping():
                return Control.PING
            case Error():
                raise chunk.reported(event)
            case Control():
                return chunk
            case _:
                return self.track(chunk, event)

    @abstractmethod
    def track(self, chunk: T, event: Event) -> T | Control:
        """Update the dialect's state by a chunk that is not ordinary, and return what comes of it.

        Raises InvalidChunk for one that does not belong into the stream.
        """

    def read_whole(self, fields: Fields) -> T | None:
        """Return the chunk for an object that is a whole answer, or None if it is none.

        Raises one of `NOT_JSON` if it cannot be read.
        """
        return None

    def _read_leniently(self, event: Event) -> T | Ping | Error | Control:
        """Read an event that the decoder has refused. An object without a type gets that of its event."""
        if event.type == "error":
            raise reported_error(event)
        if event.type in PINGS:
            return Control.PING
        if is_heartbeat(event.type):
            return Control.NOISE
        control = control_of(event)
        if control is not None:
            return control
        try:
            fields: Fields = msgspec.json.decode(self.repaired(event), type=Fields)
            whole = self.read_whole(fields)
            if whole is not None:
                return whole
            kinds = event_types(self._every)
            unknown: Any = kinds[UNKNOWN]
            tag_field = str(unknown.__struct_config__.tag_field)
            if tag_field not in fields:
                if "error" in fields or is_bare(fields):
                    raise reported_error(event)
                fields[tag_field] = event.type
            name = str(fields[tag_field])
            if is_heartbeat(name):
                return Control.NOISE
            kind: Any = kinds.get(name, unknown)
            if kind is unknown:
                self._unread = event.raw
                event_of_another_type: T = unknown(name=name, fields=fields)
                return event_of_another_type
            chunk: T = convert_leniently(fields, kind)
            return chunk
        except NOT_JSON as exc:
            raise invalid_chunk(event, exc) from exc


@cache
def event_types(decoder: msgspec.json.Decoder[Any]) -> dict[str, type[Struct]]:
    """Map each type name to its struct: converting to one struct is far faster than to the union."""
    return {str(kind.__struct_config__.tag): kind for kind in get_args(decoder.type)}


def reported_error(event: Event) -> ApiError:
    """Return the error that an event reports. Its `type` is that of the error, not of the event."""
    error = find_error(event.raw, any_object=True) or ErrorObject(event.data)
    if error.type == "error":
        error = msgspec.structs.replace(error, type=None)
    return api_error(error, event.raw)


def merged(old: S, new: Struct) -> S:
    """Return `old` with every field that `new` has a value for."""
    fields = {name: value for name, value in msgspec.structs.asdict(new).items() if value not in (None, "")}
    return msgspec.structs.replace(old, **fields)


PINGS = ("ping", "keepalive")

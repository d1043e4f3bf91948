"""JSON objects whose `type` says what they are, and reading those of types not known here.

msgspec decodes a union of such structs in one pass, but refuses a type that is not among
them. Providers add types every month, so what it refuses is decoded once more, to plain
values, and made to fit. That is slow, and rare.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, 2.2 ms at import.
from abc import abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Any, Generic, TypeAlias, TypeVar, cast, get_args

import msgspec
from msgspec import Struct, field, inspect

from ...errors import ApiError
from ...events.items import Event
from ...reading.dialect import Mark
from ...reading.message import Sparse, TokenCounts
from .fast_dialect import PlainDialect
from .json_text import json_text
from .provider_dialect import mark_of
from .provider_errors import NOT_JSON, ErrorObject, api_error, find_error, invalid_chunk, is_bare

T = TypeVar("T")
S = TypeVar("S", bound=Struct)
Fields: TypeAlias = dict[str, Any]

UNKNOWN = ""
"""The tag that stands for every type that is not known here."""


class Tagged(Sparse, frozen=True, kw_only=True, gc=False, tag_field="type"):
    """An object whose `type` says what it is."""

    @property
    def type(self) -> str:
        """The name of its type, as the provider writes it."""
        return str(self.__struct_config__.tag)


class Unknown(Tagged, frozen=True, kw_only=True, gc=False, tag=UNKNOWN):
    """An object of a type that is not known here, with all its fields."""

    name: str = ""
    fields: Fields = field(default_factory=Fields)

    @property
    def type(self) -> str:
        """The name of its type, as the provider writes it."""
        return self.name


class ToolCallDelta(Sparse, frozen=True, kw_only=True, gc=False):
    """A part of a tool call; `arguments` is a fragment of JSON text, to be put together."""

    index: int | None = None
    id: str | None = None
    name: str | None = None
    arguments: str | None = None


class TaggedEvent(Tagged, frozen=True, kw_only=True, gc=False):
    """An event of a stream, with what every dialect's chunks have."""

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
    """An event of a type that is not known here, with all its fields."""

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


class TaggedDialect(PlainDialect[T], Generic[T], keeps_short_way=True):
    """Reads events as members of a union of tagged structs.

    `every` decodes all of them, `Ping` and `Error` too; `plain` those that mean nothing but a chunk.
    """

    def __init__(self, every: msgspec.json.Decoder[Any], plain: msgspec.json.Decoder[Any]) -> None:
        self._every = every
        self._decode: Callable[[bytes], T | Ping | Error] = every.decode
        self.plain = plain.decode

    def read(self, event: Event) -> T | Mark:
        plain = self.plain  # to call it without a name costs 10 ns more, for CPython looks for a method
        try:
            return plain(event.raw)
        except NOT_JSON:
            return self.read_special(event)

    def read_special(self, event: Event) -> T | Mark:
        """Read what `plain` refuses. Raises as `read` does."""
        try:
            chunk: T | Ping | Error | Mark = self._decode(event.raw)
        except NOT_JSON:
            chunk = self._read_leniently(event)
        match chunk:
            case Ping():
                return Mark.PING
            case Error():
                raise chunk.reported(event)
            case Mark():
                return chunk
            case _:
                return self.noted(chunk)

    @abstractmethod
    def noted(self, chunk: T) -> T:
        """Return a chunk that may mean more, having noted what."""

    def _read_leniently(self, event: Event) -> T | Ping | Error | Mark:
        """Read what the decoder has refused.

        An object without a type has that of its event. Raises as `read` does.
        """
        if event.type == "error":
            raise reported_error(event)
        if event.type in PINGS:
            return Mark.PING
        mark = mark_of(event)
        if mark is not None:
            return mark
        try:
            fields: Fields = msgspec.json.decode(json_text(event), type=Fields)
            kinds = kinds_in(self._every)
            unknown: Any = kinds[UNKNOWN]
            tag_field = str(unknown.__struct_config__.tag_field)
            if tag_field not in fields:
                if "error" in fields or is_bare(fields):
                    raise reported_error(event)
                fields[tag_field] = event.type
            name = str(fields[tag_field])
            kind: Any = kinds.get(name, unknown)
            chunk: T = unknown(name=name, fields=fields) if kind is unknown else converted(fields, kind)
            return chunk
        except NOT_JSON as exc:
            raise invalid_chunk(event, exc) from exc


@cache
def kinds_in(decoder: msgspec.json.Decoder[Any]) -> dict[str, type[Struct]]:
    """Return the types of events, for to convert a value to all of them takes msgspec 50 us."""
    return {str(kind.__struct_config__.tag): kind for kind in get_args(decoder.type)}


def reported_error(event: Event) -> ApiError:
    """Return the error that an event reports. Its `type` is the error's own, not the event's."""
    error = find_error(event.raw, bare=True) or ErrorObject(event.data)
    if error.type == "error":
        error = msgspec.structs.replace(error, type=None)
    return api_error(error, event.raw)


def converted(value: object, kind: Any) -> Any:
    """Turn a JSON value into a type as far as that can be done. Raises msgspec.ValidationError."""
    return msgspec.convert(fitted(value, type_info(kind)), kind, strict=False)


def fitted(value: object, kind: inspect.Type) -> object:
    """Make a JSON value fit a type, as far as that can be done.

    A member of a union that is not known becomes `Unknown`, and a null goes where the type has none.
    """
    match kind, value:
        case inspect.UnionType(types=types), dict():
            members = {member.tag: member for member in types if isinstance(member, inspect.StructType)}
            fields = cast("Fields", value)
            tag = fields.get("type")
            if isinstance(tag, str) and tag in members and tag != UNKNOWN:
                return fitted(fields, members[tag])
            if UNKNOWN in members:
                return {"type": UNKNOWN, "name": str(tag), "fields": fields}
            return fitted(fields, next(iter(members.values()))) if members else fields
        case inspect.UnionType(types=types), list():
            items = cast("list[object]", value)
            return next((fitted(items, of) for of in types if isinstance(of, inspect.VarTupleType)), items)
        case inspect.VarTupleType(item_type=of), list():
            return [fitted(item, of) for item in cast("list[object]", value)]
        case inspect.StructType(), dict():
            types_of = {field.encode_name: field.type for field in kind.fields}
            return {
                name: fitted(item, types_of[name]) if name in types_of else item
                for name, item in cast("Fields", value).items()
                if item is not None or name not in types_of or takes_null(types_of[name])
            }
        case _:
            return value


def takes_null(kind: inspect.Type) -> bool:
    match kind:
        case inspect.AnyType() | inspect.NoneType():
            return True
        case inspect.UnionType(includes_none=includes):
            return includes
        case _:
            return False


def updated(old: S, new: Struct) -> S:
    """Return `old` with every field that `new` has a value for."""
    fields = {name: value for name, value in msgspec.structs.asdict(new).items() if value not in (None, "")}
    return msgspec.structs.replace(old, **fields)


type_info: Callable[[Any], inspect.Type] = cache(inspect.type_info)
PINGS = ("ping", "keepalive")

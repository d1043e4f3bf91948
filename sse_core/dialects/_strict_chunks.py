"""Chunks exactly as documented, for those who test servers.

The structs that read chunks leniently say what is documented as well: a field that takes no null and is no
list is always there, and any other may be null or left out. Where a provider documents otherwise, its
dialect says so in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import partial, reduce
from types import GenericAlias, UnionType
from typing import Any, Generic, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from .._errors import InvalidChunk, StreamError
from .._events import Event, UnknownField
from .._exchange import Response
from .._message import Accumulator
from .._request import Dialect, Mark
from ._provider_errors import NOT_JSON, invalid_chunk
from ._tagged import UNKNOWN, Tagged

T = TypeVar("T")


class Presence(Enum):
    """When a field is in an object."""

    ALWAYS = "in each"
    SOMETIMES = "in some, where it may be null"
    NEVER = "in none: it is the dialect's own"


class Documented:
    """What a provider documents.

    `otherwise` has the fields that are not as the rule above has it, by the struct or a base of it. A
    type in place of a `Presence` means that the field is always there and of this type.
    """

    def __init__(self, otherwise: Mapping[type[Struct], Mapping[str, Any]]) -> None:
        self._otherwise = otherwise
        self._structs: dict[type[Struct], type[Struct]] = {}
        self._decoders: dict[type[Struct], msgspec.json.Decoder[Any]] = {}

    def only(self, dialect: Callable[[], Dialect[T]]) -> Callable[[], Dialect[T]]:
        """Return what makes a dialect that reads as `dialect` does, and takes nothing else."""
        return partial(StrictDialect, dialect, self)

    def check(self, chunk: object, data: bytes) -> None:
        """Raise InvalidChunk unless the JSON text that `chunk` was read from is as documented."""
        kind: Any = type(chunk)
        decoder = self._decoders.get(kind)
        if decoder is None:
            struct: Any = self.struct(kind)
            is_tagged = struct.__struct_config__.tag is not None
            decoder = self._decoders[kind] = msgspec.json.Decoder(struct | Other if is_tagged else struct)
        try:
            decoder.decode(data)
        except NOT_JSON as exc:
            raise invalid_chunk(Event(data), exc) from exc

    def struct(self, kind: type[Struct]) -> type[Struct]:
        """Return a struct with the fields that are documented for `kind`, which takes no others."""
        found = self._structs.get(kind)
        if found is None:
            tag, tag_field = kind.__struct_config__.tag, kind.__struct_config__.tag_field
            found = self._structs[kind] = msgspec.defstruct(
                kind.__name__,
                self._fields(kind),
                kw_only=True,
                forbid_unknown_fields=True,
                tag=tag,
                tag_field=tag_field,
            )
        return found

    def _fields(self, kind: type[Struct]) -> list[Any]:
        otherwise: dict[str, Any] = {}
        for base in reversed(kind.__mro__):
            otherwise |= self._otherwise.get(base, {})
        fields: list[Any] = []
        for field in msgspec.structs.fields(kind):
            presence = otherwise.pop(field.name, usual_presence(field.type))
            if presence is Presence.SOMETIMES:
                optional = msgspec.field(name=field.encode_name, default=None)
                fields.append((field.name, self._strictly(field.type) | None, optional))
            elif presence is not Presence.NEVER:
                of = field.type if presence is Presence.ALWAYS else presence
                fields.append((field.name, self._strictly(of), msgspec.field(name=field.encode_name)))
        return [*fields, *otherwise.items()]

    def _strictly(self, kind: Any) -> Any:
        """Return a field's type with the structs in it as documented, but for those of unknown types."""
        if is_struct(kind):
            return self.struct(kind)
        inner = [self._strictly(each) for each in get_args(kind) if not stands_for_unknown(each)]
        match get_origin(kind):
            case origin if origin is tuple:
                return GenericAlias(tuple, tuple(inner))
            case origin if origin is Union or origin is UnionType:
                return reduce(either, inner)
            case _:
                return kind


def usual_presence(kind: Any) -> Presence:
    """When a field of this type is there, where nothing else is said."""
    takes_null = kind is Any or type(None) in get_args(kind)
    return Presence.SOMETIMES if takes_null or get_origin(kind) is tuple else Presence.ALWAYS


def either(one: Any, other: Any) -> Any:
    return one | other


def stands_for_unknown(kind: Any) -> bool:
    return is_struct(kind) and kind.__struct_config__.tag == UNKNOWN


def is_struct(kind: Any) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


class Other(Struct, tag_field="type", tag="\0"):
    """Nothing that anybody sends: in a union with it, an object has to have a type."""


class StrictDialect(Dialect[T], Generic[T]):
    """Reads as `dialect` does, and takes no chunk that is not exactly as documented.

    One that has an unknown field or type, lacks a documented field or has one of another type is an
    InvalidChunk, and so is one in an event of another type. Keep-alives and errors are read as ever.
    """

    def __init__(self, dialect: Callable[[], Dialect[T]], documented: Documented) -> None:
        self._dialect = dialect()
        self._documented = documented
        self.ends_with_body = self._dialect.ends_with_body
        self.reads_documents = self._dialect.reads_documents

    def read(self, event: Event) -> T | Mark:
        chunk = self._dialect.read(event)
        if not isinstance(chunk, Mark):
            self._documented.check(chunk, event.raw)
            if isinstance(chunk, Tagged) and chunk.type != event.type:
                message = f"an event of type {event.type!r} has data of type {chunk.type!r}"
                raise InvalidChunk(message, event.raw)
        self.finished, self.complete = self._dialect.finished, self._dialect.complete
        self.cursor = self._dialect.cursor
        return chunk

    def single(self, response: Response, body: bytes) -> Sequence[T] | None:
        chunks = self._dialect.single(response, body)
        for chunk in chunks or ():
            self._documented.check(chunk, body)
        return chunks

    def unknown_field(self, field: UnknownField) -> None:
        self._dialect.unknown_field(field)

    def refusal(self, response: Response, body: bytes) -> StreamError:
        return self._dialect.refusal(response, body)

    def accumulator(self) -> Accumulator[T] | None:
        return self._dialect.accumulator()

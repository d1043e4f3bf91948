"""Chunks exactly as documented, for those who test servers.

The structs that read chunks leniently say what is documented as well: a field that takes no null and is no
list is always there, and any other may be null or left out. Where a provider documents otherwise, its
dialect has a table of structs, fields and types: a field is always there if it is in that table, unless its
type there has `UnsetType` in it, or is `Never`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from types import GenericAlias, NoneType, UnionType
from typing import Any, Generic, Never, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, UnsetType

from ...errors import InvalidChunk, StreamError
from ...events.items import Event, UnknownField
from ...http.response import Response
from ...reading.dialect import Dialect, Mark
from ...reading.message import Accumulator
from .provider_errors import NOT_JSON, invalid_chunk
from .typed_events import UNKNOWN, Tagged

T = TypeVar("T")


class Documented:
    """What a provider documents; `otherwise` is the table of what is not as the rule above has it."""

    def __init__(self, otherwise: Sequence[tuple[type[Struct], str, Any]]) -> None:
        self._otherwise = otherwise
        self._structs: dict[type[Struct], type[Struct]] = {}
        self._decoders: dict[type[Struct], msgspec.json.Decoder[Any]] = {}

    def check(self, chunk: object, data: bytes) -> None:
        """Raise InvalidChunk unless the JSON text that `chunk` was read from is as documented."""
        kind: Any = type(chunk)
        decoder = self._decoders.get(kind)
        if decoder is None:
            struct: Any = self.struct(kind)
            tag_field = struct.__struct_config__.tag_field
            decoder = self._decoders[kind] = msgspec.json.Decoder(
                struct if tag_field is None else struct | other(tag_field)
            )
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
        otherwise = {name: of for struct, name, of in self._otherwise if issubclass(kind, struct)}
        fields: list[Any] = []
        for field in msgspec.structs.fields(kind):
            of = otherwise.pop(field.name, usual(field.type))
            if of is not Never:
                default = UNSET if UnsetType in get_args(of) else NODEFAULT
                default = msgspec.field(name=field.encode_name, default=default)
                fields.append((field.name, self._strictly(of), default))
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


def usual(kind: Any) -> Any:
    """What is documented for a field of this type, where nothing else is said."""
    takes_null = kind is Any or NoneType in get_args(kind)
    return kind | None | UnsetType if takes_null or get_origin(kind) is tuple else kind


def either(one: Any, other: Any) -> Any:
    return one | other


def stands_for_unknown(kind: Any) -> bool:
    return is_struct(kind) and kind.__struct_config__.tag == UNKNOWN


def is_struct(kind: Any) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


documented = cache(Documented)


def other(tag_field: str) -> Any:
    """Return a type that nobody sends: in a union with it, an object has to have a type in `tag_field`."""
    return msgspec.defstruct("Other", (), tag_field=tag_field, tag="\0")


class StrictDialect(Dialect[T], Generic[T]):
    """Reads as `dialect` does, and takes no chunk that is not exactly as documented.

    One that has an unknown field or type, lacks a documented field or has one of another type is an
    InvalidChunk, and so is one in an event of another type. Keep-alives and errors are read as ever.
    """

    def __init__(
        self, dialect: Callable[[], Dialect[T]], otherwise: Sequence[tuple[type[Struct], str, Any]]
    ) -> None:
        self._dialect = dialect()
        self._documented = documented(otherwise)
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

"""Reads only chunks that are exactly as documented, for those who test servers.

The strict structs are derived from those that read chunks leniently. The rule: a field whose type has
neither null nor a tuple is required; every other field may be null or left out. Where a provider documents
otherwise, its dialect has a table of exceptions, with a struct, a field and its documented type in each row.
A field in that table is required, unless its type has `UnsetType` in it; `Never` stands for a field that
may not be there at all. For example,

    (Usage, "total_tokens", int)               required, though the struct has `int | None`
    (Token, "token_count", int | UnsetType)    may be left out, though the struct has `int`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, reduce
from types import GenericAlias, NoneType, UnionType
from typing import Any, Generic, Never, TypeAlias, TypeGuard, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Struct, UnsetType

from ...errors import InvalidChunk
from ...events.items import Event
from ...http.response import Response
from ...reading.dialect import Control, Dialect
from ...reading.message import Accumulator
from .lenient import UNKNOWN
from .provider_errors import NOT_JSON, invalid_chunk
from .typed_events import Tagged
from .wrapped import WrappedDialect

T = TypeVar("T")
Documented: TypeAlias = tuple[tuple[type[Struct], str, Any], ...]
"""Structs, names of their fields, and the types that these are documented with."""


class StrictStructs:
    """The strict structs of one dialect; `documented` is its table of exceptions to the rule."""

    def __init__(self, documented: Documented) -> None:
        self._documented = documented
        self._structs: dict[type[Struct], type[Struct]] = {}
        self._decoders: dict[type[Struct], msgspec.json.Decoder[Any]] = {}

    def check(self, chunk: object, data: bytes) -> None:
        """Raise InvalidChunk unless `data`, the JSON text that `chunk` was read from, is as documented."""
        kind: Any = type(chunk)
        decoder = self._decoders.get(kind)
        if decoder is None:
            struct: Any = self.struct(kind)
            tag_field = struct.__struct_config__.tag_field
            decoder = self._decoders[kind] = msgspec.json.Decoder(
                struct if tag_field is None else struct | any_other_tag(tag_field)
            )
        try:
            decoder.decode(data)
        except NOT_JSON as exc:
            raise invalid_chunk(Event(data), exc) from exc

    def struct(self, kind: type[Struct]) -> type[Struct]:
        """Return a struct that has the fields documented for `kind`, and refuses all others."""
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
        exceptions = {name: of for struct, name, of in self._documented if issubclass(kind, struct)}
        fields: list[Any] = []
        for field in msgspec.structs.fields(kind):
            of = exceptions.pop(field.name, default_type(field.type))
            if of is not Never:
                default = UNSET if UnsetType in get_args(of) else NODEFAULT
                default = msgspec.field(name=field.encode_name, default=default)
                fields.append((field.name, self._strict_type(of), default))
        return [*fields, *exceptions.items()]

    def _strict_type(self, kind: Any) -> Any:
        """Return a field's type with strict structs in it, and without the struct for unknown types."""
        if is_struct(kind):
            return self.struct(kind)
        inner = [self._strict_type(each) for each in get_args(kind) if not stands_for_unknown(each)]
        match get_origin(kind):
            case origin if origin is tuple:
                return GenericAlias(tuple, tuple(inner))
            case origin if origin is Union or origin is UnionType:
                return reduce(union, inner)
            case _:
                return kind


def default_type(kind: Any) -> Any:
    """Return the documented type of a field that has the type `kind` and is in no table: see the rule."""
    may_be_null = kind is Any or NoneType in get_args(kind)
    return kind | None | UnsetType if may_be_null or get_origin(kind) is tuple else kind


def union(one: Any, other: Any) -> Any:
    return one | other


def stands_for_unknown(kind: Any) -> bool:
    return is_struct(kind) and kind.__struct_config__.tag == UNKNOWN


def is_struct(kind: Any) -> TypeGuard[type[Struct]]:
    return isinstance(kind, type) and issubclass(kind, Struct)


strict_structs: Callable[[Documented], StrictStructs] = cache(StrictStructs)
"""The structs are made once for each table."""


def any_other_tag(tag_field: str) -> Any:
    """Return a type that nobody sends. In a union with it, msgspec requires that an object has a type."""
    return msgspec.defstruct("AnyOtherTag", (), tag_field=tag_field, tag="\0")


class StrictDialect(WrappedDialect[T, T], Generic[T]):
    """Reads as another dialect does, and then refuses a chunk that is not exactly as documented.

    InvalidChunk is raised for an unknown field or type, for a field that is missing or of another type, and
    for an event whose own type is not that of its data. Documented keep-alives and errors are read as ever.
    """

    accepts_any_type: Any = False

    def __init__(self, dialect: Callable[[], Dialect[T]], documented: Documented) -> None:
        super().__init__(dialect())
        self._structs = strict_structs(documented)

    def read(self, event: Event) -> T | Control:
        chunk = self.inner.read(event)
        if chunk is Control.NOISE:
            raise invalid_chunk(event, ValueError("the event is neither a chunk nor a documented keep-alive"))
        if not isinstance(chunk, Control):
            self._structs.check(chunk, event.raw)
            if isinstance(chunk, Tagged) and not self._is_named(event, chunk.type):
                message = f"an event of type {event.type!r} has data of type {chunk.type!r}"
                raise InvalidChunk(message, event.raw)
        return chunk

    def _is_named(self, event: Event, type: str) -> bool:
        unnamed = event.type == "message" and not getattr(self.inner, "names_events", True)
        return unnamed or event.type == type

    def read_document(self, response: Response, body: bytes) -> Sequence[T] | None:
        chunks = self.inner.read_document(response, body)
        for chunk in chunks or ():
            self._structs.check(chunk, body)
        return chunks

    def accumulator(self) -> Accumulator[T] | None:
        return self.inner.accumulator()

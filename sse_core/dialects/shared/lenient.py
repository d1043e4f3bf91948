"""Converts JSON values to structs as far as possible, for chunks that are not as documented.

A field whose value is of another type is dropped, as if it were absent, so that a field nobody needs does not
cost the stream. The exceptions are the fields in a struct's `ESSENTIAL`: for those, such a value is an error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import UNSET, Struct, inspect

Fields: TypeAlias = dict[str, Any]

UNKNOWN = ""
"""The tag of the struct that stands for every type without a struct."""


def convert_leniently(value: object, kind: Any) -> Any:
    """Convert a JSON value to `kind`. Raises msgspec.ValidationError if that, or an essential field, fails.

    Numbers may be in strings and strings may be numbers, null is the same as absent, and an object of a type
    that has no struct becomes `Unknown`.
    """
    return msgspec.convert(coerce(value, type_info(kind), keep=True), kind, strict=False)


def coerce(value: object, kind: inspect.Type, *, keep: bool) -> object:
    """Return a value that fits the type, or UNSET; or, to `keep` a value that does not fit, the value."""
    if isinstance(kind, inspect.AnyType):
        return value
    if isinstance(kind, inspect.UnionType):
        fitted = coerce_to_union(value, kind, keep=keep)
    elif value is None:
        return UNSET
    elif isinstance(kind, inspect.StructType):
        fields = fields_in(value)
        fitted = UNSET if fields is None else coerce_fields(fields, kind)
    elif isinstance(kind, inspect.VarTupleType):
        fitted = coerce_items(value, kind.item_type, keep=keep)
    elif isinstance(kind, inspect.DictType):
        fields = fields_in(value)
        fitted = UNSET if fields is None else fields
    else:
        fitted = coerce_scalar(value, kind)
    return value if keep and fitted is UNSET and value is not None else fitted


def coerce_fields(fields: Fields, kind: inspect.StructType) -> Fields:
    known = fields_of(kind.cls)
    fitted: Fields = {}
    for name, value in fields.items():
        if name in known:
            of, essential = known[name]
            value = coerce(value, of, keep=essential)
            if value is UNSET:
                continue
        fitted[name] = value
    return fitted


def coerce_items(value: object, of: inspect.Type, *, keep: bool) -> object:
    items = items_in(value)
    if items is not None:
        fitted = [coerce(item, of, keep=keep) for item in items]
        return [item for item in fitted if item is not UNSET]
    return UNSET if value else []  # PHP and Lua write {} for a list that is empty


def coerce_to_union(value: object, kind: inspect.UnionType, *, keep: bool) -> object:
    if value is None:
        return None if kind.includes_none else UNSET
    fields = fields_in(value)
    if fields is not None:
        members = {
            of.tag: of for of in kind.types if isinstance(of, inspect.StructType) and of.tag is not None
        }
        if members:
            tag = fields.get("type")
            if isinstance(tag, str) and tag in members and tag != UNKNOWN:
                return coerce_fields(fields, members[tag])
            return {"type": UNKNOWN, "name": str(tag), "fields": fields}
    types = [of for of in kind.types if not isinstance(of, inspect.NoneType)]
    exact = [of for of in types if type(value) in JSON_TYPES.get(type(of), ())]
    for of in exact or types:
        fitted = coerce(value, of, keep=keep and bool(exact))
        if fitted is not UNSET:
            return fitted
    return UNSET


def coerce_scalar(value: object, kind: inspect.Type) -> object:
    target = SCALARS.get(type(kind))
    if target is None:
        return value
    if fields_in(value) is not None or items_in(value) is not None:
        return UNSET
    if target is str and not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    try:
        return msgspec.convert(value, target, strict=False)
    except msgspec.ValidationError:
        return UNSET


def fields_in(value: object) -> Fields | None:
    return cast("Fields", value) if isinstance(value, dict) else None


def items_in(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None


@cache
def fields_of(kind: type[Struct]) -> dict[str, tuple[inspect.Type, bool]]:
    """Map the name of each field in JSON to its type, and to whether it is essential."""
    info = type_info(kind)
    assert isinstance(info, inspect.StructType)
    essential: frozenset[str] = getattr(kind, "ESSENTIAL", frozenset())
    return {field.encode_name: (field.type, field.name in essential) for field in info.fields}


type_info: Callable[[Any], inspect.Type] = cache(inspect.type_info)
SCALARS: dict[type[inspect.Type], Any] = {
    inspect.StrType: str,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.BoolType: bool,
}
JSON_TYPES: dict[type[inspect.Type], tuple[type, ...]] = {
    inspect.StrType: (str,),
    inspect.IntType: (int,),
    inspect.FloatType: (float, int),
    inspect.BoolType: (bool,),
    inspect.StructType: (dict,),
    inspect.DictType: (dict,),
    inspect.VarTupleType: (list,),
}
"""The types of the JSON values that fit each type exactly."""

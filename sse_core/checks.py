"""Checks of what callers pass, made where they pass it.

An error names the argument, what was given, and what is meant: a TypeError for a value of another type, a
ValueError for one that makes no sense. Of what was given it shows the type, or a number; any other value may
be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isnan
from typing import Any, cast


def check_type(name: str, value: object, kind: type | tuple[type, ...], meant: str) -> None:
    """Raise TypeError unless a value is of the type that is `meant`. No bool passes for a number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise wrong_type(name, value, meant)


def check_callable(name: str, value: object, meant: str) -> None:
    """Raise TypeError unless a value can be called."""
    if not callable(value):
        raise wrong_type(name, value, meant)


def wrong_type(name: str, value: object, meant: str) -> TypeError:
    """Return the error for a value of another type than is `meant`."""
    given = "None" if value is None else type(value).__name__
    if isinstance(value, type):
        given = f"the class {value.__name__}"
    return TypeError(f"{name} has to be {meant}, not {given}")


def as_bytes(name: str, data: object) -> bytes:
    """Return bytes, a bytearray or a memoryview as bytes. Raises TypeError for anything else."""
    check_type(name, data, (bytes, bytearray, memoryview), "bytes")
    return bytes(cast("bytes | bytearray | memoryview", data))


# Numbers.


def check_seconds(owner: object, *names: str, above_zero: bool = False, optional: bool = False) -> None:
    """Check attributes that are times in seconds: not negative, or `above_zero`; None too if `optional`."""
    for name, value in numbers(owner, names, (int, float), "a number of seconds", optional):
        if isnan(value) or value < 0 or (above_zero and not value):
            raise ValueError(f"{name} has to be {'above 0' if above_zero else '0 or more'}, not {value}")


def check_counts(owner: object, *names: str, least: int = 0, optional: bool = False) -> None:
    """Check attributes that are whole numbers from `least` on; None too if `optional`."""
    for name, value in numbers(owner, names, int, "a whole number", optional):
        if value < least:
            raise ValueError(f"{name} has to be {least} or more, not {value}")


def numbers(
    owner: object, names: Iterable[str], kind: type | tuple[type, ...], meant: str, optional: bool
) -> Iterator[tuple[str, float]]:
    """Yield the full names and values of attributes that are numbers. Raises TypeError for any other."""
    for name in names:
        value: Any = getattr(owner, name)
        if not (optional and value is None):
            name = f"{type(owner).__name__}.{name}"
            check_type(name, value, kind, f"{meant} or None" if optional else meant)
            yield name, value


# Header fields.


def check_pairs(name: str, pairs: object) -> None:
    """Raise TypeError unless a value is a tuple of pairs of str."""
    check_type(name, pairs, tuple, "a tuple of pairs of names and values")
    for pair in cast("tuple[Any, ...]", pairs):
        check_type(f"each of {name}", pair, tuple, "a tuple of a name and a value")
        if len(pair) != 2:
            raise TypeError(f"each of {name} has to be a tuple of a name and a value, not of {len(pair)}")
        check_type(f"a name in {name}", pair[0], str, "a str")
        check_type(f"the value of {pair[0]!r:.50} in {name}", pair[1], str, "a str")


def check_headers(name: str, headers: object) -> None:
    """Check the header fields of a request, a tuple of pairs of str.

    Raises TypeError for anything else, and ValueError for a name or value that no header can carry (RFC
    9110, 5.1 and 5.5) and for a credential that is empty, since it was not set.
    """
    check_pairs(name, headers)
    for field, value in cast("tuple[tuple[str, str], ...]", headers):
        if not field or not TOKEN.issuperset(field):
            raise ValueError(f"{name} has a name that no header can have: {field!r:.50}")
        if field.lower() in CREDENTIALS and has_no_key(value):
            raise ValueError(f"the value of {field!r} in {name} has no key in it")
        if not can_carry(value):
            raise ValueError(f"the value of {field!r:.50} in {name} has characters that no header can carry")


def has_no_key(value: str) -> bool:
    """Whether this is what is left of a credential that was not set, such as "Bearer" or "Bearer None"."""
    words = value.lower().split()
    return (words[1:] if words and words[0] in SCHEMES else words) in ([], ["none"])


def can_carry(value: str) -> bool:
    """Whether a header can carry a value, each character of which stands for a byte (RFC 9110, 5.5)."""
    return value == value.strip(" \t") and CONTROLS.isdisjoint(value) and max(value, default="") <= "\xff"


def header_fields(name: str, headers: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of names and values as a tuple, checked as `check_headers` does.

    Raises TypeError for a mapping too, since to iterate over it gives its names alone.
    """
    meant = "pairs of names and values"
    if isinstance(headers, Mapping):
        raise TypeError(f"{name} has to be {meant}, not {type(headers).__name__}: pass its .items()")
    if isinstance(headers, str | bytes) or not isinstance(headers, Iterable):
        raise wrong_type(name, headers, meant)
    fields = tuple(cast("Iterable[tuple[str, str]]", headers))
    check_headers(name, fields)
    return fields


# Sets in place of patterns, which would take long to compile whenever the package is imported.
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""The characters of a field name (RFC 9110, 5.6.2)."""
CONTROLS = frozenset(map(chr, (*range(0x09), *range(0x0A, 0x20), 0x7F)))
"""The characters in the range of ISO-8859-1 that a field value cannot have (RFC 9110, 5.5)."""
CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})
"""The headers that carry the providers' keys."""
SCHEMES = frozenset({"basic", "bearer", "token"})

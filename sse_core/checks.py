"""Checks of what callers pass, made where they pass it.

An error names the argument, what was given, and what is meant: a TypeError for a value of another type, a
ValueError for one that makes no sense. Of what was given it shows the type, or a number; any other value may
be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def check_seconds(name: str, value: object, *, above_zero: bool = False, optional: bool = False) -> None:
    """Check a time in seconds: 0 or more, or `above_zero`; None too if it is `optional`."""
    if optional and value is None:
        return
    check_type(name, value, (int, float), "a number of seconds" + (" or None" if optional else ""))
    seconds = cast("float", value)
    if isnan(seconds) or seconds < 0 or (above_zero and not seconds):
        raise ValueError(f"{name} has to be {'above 0' if above_zero else '0 or more'}, not {seconds}")


def check_count(name: str, value: object, *, least: int = 0, optional: bool = False) -> None:
    """Check a whole number, `least` or more; None too if it is `optional`."""
    if optional and value is None:
        return
    check_type(name, value, int, "a whole number" + (" or None" if optional else ""))
    if cast("int", value) < least:
        raise ValueError(f"{name} has to be {least} or more, not {value}")


# What a request has.


def check_token(name: str, value: object) -> None:
    """Check a token (RFC 9110, 5.6.2), such as a method or the name of a header field."""
    check_type(name, value, str, "a str")
    text = cast("str", value)
    wrong = next((character for character in text if character not in TOKEN), "")
    if wrong or not text:
        what = f"without {wrong!r}" if wrong else "not empty"
        raise ValueError(f"{name} has to be a token (RFC 9110, 5.6.2), {what}")


def check_pairs(name: str, pairs: object) -> None:
    """Raise TypeError unless a value is a tuple of pairs of str."""
    check_type(name, pairs, tuple, "a tuple of pairs of names and values")
    found: Any = pairs
    for pair in found:
        match pair:
            case (str(), str()) if isinstance(pair, tuple):
                continue
            case _:
                pass
        check_type(f"each of {name}", pair, tuple, "a tuple of a name and a value")
        if len(pair) != 2:
            raise TypeError(f"each of {name} has to be a tuple of a name and a value, not of {len(pair)}")
        check_type(f"a name in {name}", pair[0], str, "a str")
        check_type(f"the value of {pair[0]!r:.50} in {name}", pair[1], str, "a str")


def as_pairs(name: str, headers: object) -> tuple[tuple[str, str], ...]:
    """Return any iterable of pairs of str as a tuple.

    Raises TypeError for anything else, and for a mapping, since to iterate over it gives its names alone.
    """
    given = headers
    if isinstance(headers, Mapping | str | bytes) or not isinstance(headers, Iterable):
        raise wrong_type(name, given, "pairs of names and values, such as the .items() of a dict")
    pairs = tuple(cast("Iterable[tuple[str, str]]", headers))
    check_pairs(name, pairs)
    return pairs


def check_headers(name: str, headers: object) -> None:
    """Check the header fields of a request, a tuple of pairs of str.

    Raises TypeError for anything else, and ValueError for a name or value that no header can carry (RFC
    9110, 5.1 and 5.5) and for a credential that is empty, since it was not set.
    """
    check_pairs(name, headers)
    for field, value in cast("tuple[tuple[str, str], ...]", headers):
        check_token(f"each name in {name}", field)
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


# Sets in place of patterns, which would take long to compile whenever the package is imported.
TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""The characters of a token (RFC 9110, 5.6.2)."""
CONTROLS = frozenset(map(chr, (*range(0x09), *range(0x0A, 0x20), 0x7F)))
"""The characters in the range of ISO-8859-1 that a field value cannot have (RFC 9110, 5.5)."""
CREDENTIALS = frozenset({"authorization", "api-key", "x-api-key", "x-goog-api-key"})
"""The headers that carry the providers' keys."""
SCHEMES = frozenset({"basic", "bearer", "token"})

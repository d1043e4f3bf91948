"""Reads a JSON text of which only the beginning has arrived."""

from __future__ import annotations

import re
from math import isfinite


def close_json(text: str) -> str:
    """Return the longest prefix of `text` that begins a JSON text (RFC 8259), closed so that it is one.

    Returns "" if no value has begun. A string may be cut short, but not inside an escape. A number is kept
    only if something follows it, since more digits could come; a member's name, only with its value.
    A value nested more deeply than `DEPTH` is left out, with everything that follows. Time is linear.
    """
    closers: list[str] = []
    string_end = ""  # the quote that closes a string which is cut short
    valid_up_to = 0  # the text up to here, `string_end` and the closers are JSON together
    at = after_space(text, 0)
    is_empty = True  # the innermost array or object has no value yet, or the text has none
    while at < len(text):
        char = text[at]
        if closers and char == closers[-1]:
            closers.pop()
            at = valid_up_to = at + 1
            is_empty = False
        else:
            if not is_empty:
                if char != "," or not closers:
                    break
                at = after_space(text, at + 1)
            if closers and closers[-1] == "}":
                colon = COLON(text, after_characters(text, at + 1)) if text.startswith('"', at) else None
                if colon is None:
                    break
                at = colon.end()
            value = VALUE(text, at)
            if value is None:
                break
            if value["open"]:
                if len(closers) == DEPTH:
                    break
                closers.append(CLOSER[value["open"]])
                is_empty = True
            elif value["number"] and not isfinite(float(value["number"])):
                break
            else:
                is_empty = False
            at = valid_up_to = value.end()
            if value["quote"]:
                valid_up_to = after_characters(text, at)
                if not text.startswith('"', valid_up_to):
                    string_end = '"'
                    break
                at = valid_up_to = valid_up_to + 1
        at = after_space(text, at)
    return text[:valid_up_to] + string_end + "".join(reversed(closers))


def after_space(text: str, at: int) -> int:
    match = SPACE(text, at)
    assert match  # it also matches no space
    return match.end()


def after_characters(text: str, at: int) -> int:
    """Return the end of the valid string characters from `at` on; escaped surrogates come in pairs."""
    while characters := CHARACTERS(text, at):
        at = characters.end()
    return at


CHARACTERS = re.compile(
    r'(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\["\\/bfnrt]'
    r"|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
    r"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})){1,100}"
).match
"""A run of a string's characters; limited, since the matcher stores a position for each repetition."""
SPACE = re.compile(r"[ \t\n\r]*+").match
COLON = re.compile(r'"[ \t\n\r]*+:[ \t\n\r]*+').match
"""The quote that ends a member's name, and the colon before its value."""
VALUE = re.compile(
    r'(?P<open>[\[{])|(?P<quote>")|true|false|null'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?=[ \t\n\r,\]}])"
).match
CLOSER = {"[": "]", "{": "}"}
DEPTH = 200
"""How deeply objects and arrays may be nested; JSON decoders raise RecursionError not far beyond."""

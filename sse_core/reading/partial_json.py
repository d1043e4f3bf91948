"""Reading JSON that has not all come yet."""

from __future__ import annotations

import re
from math import isfinite


def completed(text: str) -> str:
    """Return the longest prefix of `text` that begins a JSON text (RFC 8259), closed so that it is one.

    It is "" where nothing has begun. Strings may be cut short, but not in the middle of an escape;
    a number counts once something follows it, since more digits could; a name counts with its value.
    What is nested more deeply than `DEPTH` is left out with all that follows. Time is linear.
    """
    closers: list[str] = []
    kept = ""  # what ends a value that is cut short
    end = 0  # where the prefix ends that needs only `kept` and the closers to be JSON
    at = after_space(text, 0)
    fresh = True  # nothing is in what was opened last
    while at < len(text):
        char = text[at]
        if closers and char == closers[-1]:
            closers.pop()
            at = end = at + 1
            fresh = False
        else:
            if not fresh:
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
                fresh = True
            elif value["number"] and not isfinite(float(value["number"])):
                break
            else:
                fresh = False
            at = end = value.end()
            if value["quote"]:
                end = after_characters(text, at)
                if not text.startswith('"', end):
                    kept = '"'
                    break
                at = end = end + 1
        at = after_space(text, at)
    return text[:end] + kept + "".join(reversed(closers))


def after_space(text: str, at: int) -> int:
    match = SPACE(text, at)
    assert match  # with nothing, if need be
    return match.end()


def after_characters(text: str, at: int) -> int:
    """Return where those characters end that may stand in a string; escaped surrogates only in pairs."""
    while characters := CHARACTERS(text, at):
        at = characters.end()
    return at


CHARACTERS = re.compile(
    r'(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\["\\/bfnrt]'
    r"|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
    r"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})){1,100}"
).match
"""Some of the characters of a string: what matches a group remembers each time that it did."""
SPACE = re.compile(r"[ \t\n\r]*+").match
COLON = re.compile(r'"[ \t\n\r]*+:[ \t\n\r]*+').match
"""The end of a name, and what stands before its value."""
VALUE = re.compile(
    r'(?P<open>[\[{])|(?P<quote>")|true|false|null'
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?=[ \t\n\r,\]}])"
).match
CLOSER = {"[": "]", "{": "}"}
DEPTH = 200
"""How deeply objects and arrays may be nested; decoders give up not far beyond."""

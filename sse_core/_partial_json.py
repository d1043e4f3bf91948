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
                name = NAME(text, at)
                if name is None:
                    break
                at = name.end()
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
            if value["string"]:
                if not text.startswith('"', at):
                    kept = '"'
                    break
                at = end = at + 1
        at = after_space(text, at)
    return text[:end] + kept + "".join(reversed(closers))


def after_space(text: str, at: int) -> int:
    match = SPACE(text, at)
    assert match  # with nothing, if need be
    return match.end()


STRING = (
    r'"(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\["\\/bfnrt]'
    r"|\\u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}"
    r"|[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))*"
)
"""A string without its end, or as much of it as has come; surrogates in pairs only.

A group is never repeated possessively here: before 3.11.5, CPython got that wrong.
"""
SPACE = re.compile(r"[ \t\n\r]*+").match
NAME = re.compile(rf'{STRING}"[ \t\n\r]*+:[ \t\n\r]*+').match
VALUE = re.compile(
    rf"(?P<open>[\[{{])|(?P<string>{STRING})|true|false|null"
    r"|(?P<number>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?=[ \t\n\r,\]}])"
).match
CLOSER = {"[": "]", "{": "}"}
DEPTH = 200
"""How deeply objects and arrays may be nested; decoders give up not far beyond."""

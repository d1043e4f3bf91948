"""Repairs JSON texts that hold what JSON has no form for."""

from __future__ import annotations

import re
from math import isfinite

from ...events.items import Event


def repaired_json(event: Event) -> str:
    """Return an event's data as JSON that can be decoded.

    Numbers that are not finite, or too large, become null, and invalid characters U+FFFD: Python's encoder
    writes NaN and Infinity, which RFC 8259 (6) does not allow, and JavaScript's writes half of a surrogate
    pair if a text is cut between its halves (8.2).
    """
    return JSONRepair(joins=False).repair(event)


class JSONRepair:
    """Repairs the data of one stream's events, as `repaired_json` does.

    If it `joins`, the first half of a surrogate pair at the end of a string is held back until a string
    begins with the other half, in a later event.
    """

    def __init__(self, *, joins: bool = True) -> None:
        self._joins = joins
        self._held = ""  # the escape of a first half, at the end of a string in an earlier event
        self._next = ""  # the same, after this event

    def repair(self, event: Event) -> str:
        """Return an event's data as JSON that can be decoded."""
        text = event.data
        if "\\u" in text or "NaN" in text or "Infinity" in text or LARGE.search(text):
            self._next = self._held
            text = TOKEN.sub(self._repair_token, text)
            self._held = self._next
        return text

    def _repair_token(self, token: re.Match[str]) -> str:
        text = token.group()
        if not token["string"]:
            return text if isfinite(float(text)) else "null"
        if self._held and SECOND_HALF.match(text):
            text = f'"{self._held}{text[1:]}'
            self._next = ""
        end = len(text) - text.endswith('"')

        def repair_escape(escape: re.Match[str]) -> str:
            if not escape["half"]:
                return escape.group()
            if self._joins and escape["first"] and escape.end() == end:
                self._next = escape.group()
                return ""
            return "\\ufffd"

        return ESCAPE.sub(repair_escape, text)


LARGE = re.compile(r"-?[0-9][0-9.]*+[eE]\+?[0-9]{3}[0-9]*+")
"""A number that may be too large for a double, which msgspec refuses."""
TOKEN = re.compile(rf'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"?)|-?Infinity|NaN|{LARGE.pattern}', re.DOTALL)
"""A string, even if it is cut off, or a number that is not finite."""
HEX = "[0-9a-fA-F]"
ESCAPE = re.compile(
    rf"\\(?:u[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}}"
    rf"|(?P<half>(?P<first>u[dD][89abAB]{HEX}{{2}})|u[dD][c-fC-F]{HEX}{{2}})|.)",
    re.DOTALL,
)
"""A surrogate pair, half of one, or any other escape."""
SECOND_HALF = re.compile(rf'"\\u[dD][c-fC-F]{HEX}{{2}}')
"""The start of a string that begins with the second half of a pair."""

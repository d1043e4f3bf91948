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
    text = event.data
    if "\\u" in text or "NaN" in text or "Infinity" in text or LARGE.search(text):
        return TOKEN.sub(repair, text)
    return text


def repair(token: re.Match[str]) -> str:
    text = token.group()
    if token["string"]:
        return ESCAPE.sub(lambda escape: "\\ufffd" if escape["half"] else escape.group(), text)
    return text if isfinite(float(text)) else "null"


LARGE = re.compile(r"-?[0-9][0-9.]*+[eE]\+?[0-9]{3}[0-9]*+")
"""A number that may be too large for a double, which msgspec refuses."""
TOKEN = re.compile(rf'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"?)|-?Infinity|NaN|{LARGE.pattern}', re.DOTALL)
"""A string, even if it is cut off, or a number that is not finite."""
HEX = "[0-9a-fA-F]"
ESCAPE = re.compile(
    rf"\\(?:u[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}}|(?P<half>u[dD][89a-fA-F]{HEX}{{2}})|.)",
    re.DOTALL,
)
"""A surrogate pair, half of one, or any other escape."""

"""Repairs JSON texts that hold what JSON has no form for."""

from __future__ import annotations

import re

from ...events.items import Event


def repaired_json(event: Event) -> str:
    """Return an event's data with null for numbers that are not finite, and U+FFFD for invalid characters.

    Python's encoder writes NaN and Infinity, which RFC 8259 (6) does not allow. JavaScript's writes half of
    a surrogate pair if a text is cut between its halves (8.2). And the bytes may not be UTF-8.
    """
    text = event.data
    if "\\u" in text or "NaN" in text or "Infinity" in text:
        return TOKEN.sub(repair, text)
    return text


def repair(token: re.Match[str]) -> str:
    text = token.group()
    return (
        ESCAPE.sub(lambda escape: "\\ufffd" if escape["half"] else escape.group(), text)
        if token["string"]
        else "null"
    )


TOKEN = re.compile(r'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"?)|-?Infinity|NaN', re.DOTALL)
"""A string, even if it is cut off, or a number that is not finite."""
HEX = "[0-9a-fA-F]"
ESCAPE = re.compile(
    rf"\\(?:u[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}}|(?P<half>u[dD][89a-fA-F]{HEX}{{2}})|.)",
    re.DOTALL,
)
"""A surrogate pair, half of one, or any other escape."""

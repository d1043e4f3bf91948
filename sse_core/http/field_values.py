"""What the values of header fields have in common: lists, parameters and quoted strings (RFC 9110, 5.6)."""

from __future__ import annotations

import re


def split_outside_quotes(value: str, separator: str) -> list[str]:
    """Split at a separator, of one character, unless it is in a quoted string; strip white space."""
    parts = [""]
    for piece in QUOTED_OR_NOT.findall(value):
        if piece.startswith('"'):
            parts[-1] += piece
        else:
            first, *others = piece.split(separator)
            parts[-1] += first
            parts += others
    return [part.strip(" \t\r\n") for part in parts]


def without_quotes(text: str) -> str:
    """Return the content of a quoted string (RFC 9110, 5.6.4), or the text itself if it is none."""
    quoted = QUOTED.match(text)
    return text if quoted is None else ESCAPED.sub(r"\1", quoted[1])


QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)')
QUOTED_OR_NOT = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^"]++')
"""Whether a quoted string has its end or not. Nothing here goes back over what it has matched."""
ESCAPED = re.compile(r"\\(.)")

"""Names in paths."""

from __future__ import annotations

from urllib.parse import quote


def path_segment(name: object, what: str) -> str:
    """Return a name as one segment of a path (RFC 3986, 3.3), where no character of it means anything else.

    Raises TypeError if it is no str, and ValueError if it is empty or a dot-segment (RFC 3986, 3.3): those
    lead elsewhere, even if they are quoted.
    """
    if not isinstance(name, str):
        raise TypeError(f"{what} is a str, not {name!r:.100}")
    if name in ("", ".", ".."):
        raise ValueError(f"{what} cannot be {name!r} in a path")
    return quote(name, safe="@")

"""Media types, read from the head of a response as browsers do (WHATWG Fetch, "extract a MIME type")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .field_values import split_outside_quotes, without_quotes
from .response import Response


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type (WHATWG MIME Sniffing, 4)."""

    essence: str
    """Type and subtype, in lower case: `text/event-stream`."""
    charset: str | None = None
    """The character encoding, as the server has written it."""


def media_type(response: Response) -> MediaType | None:
    """Return the media type of a response's body, or None if it states none that can be read.

    Of several, in one Content-Type field or more, the last one counts. Those that cannot be read and
    `*/*` are passed over, and a charset lasts as long as the essence is the same.
    """
    stated = response.header("content-type") or ""
    if ESSENCE.fullmatch(stated) and stated != "*/*":  # as most are, without parameters
        return MediaType(stated.lower())
    found: MediaType | None = None
    for value in split_outside_quotes(stated, ","):
        parsed = parse_media_type(value)
        if parsed is None or parsed.essence == "*/*":
            continue
        if found is None or parsed.essence != found.essence or parsed.charset is not None:
            found = parsed
    return found


def parse_media_type(value: str) -> MediaType | None:
    """Return a single media type (WHATWG MIME Sniffing, 4.4), or None if it cannot be read."""
    essence, *parameters = split_outside_quotes(value, ";")
    if not ESSENCE.fullmatch(essence):
        return None
    charset = None
    for parameter in parameters:
        name, _, text = parameter.partition("=")
        if name.lower() == "charset" and charset is None:
            charset = without_quotes(text) or None
    return MediaType(essence.lower(), charset)


TOKEN = r"[-!#$%&'*+.^_`|~0-9A-Za-z]++"  # RFC 9110, 5.6.2
ESSENCE = re.compile(f"{TOKEN}/{TOKEN}")

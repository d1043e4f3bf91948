"""Finds the time that a provider asks to wait before the next request, where it says so in an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast


def retry_after_in(error: Mapping[str, Any], message: str) -> float | None:
    """Return how many seconds an error's object, its details or its message ask to wait; None if none does.

    Google's details have a `retryDelay` such as `"20s"`, other objects a `retry_after` in seconds or a
    `retry_after_ms`, and messages "try again in 1m20s", or "retry after 20 seconds".
    """
    for fields in (error, *objects_in(error)):
        for name, unit in FIELDS.items():
            seconds = seconds_of(fields.get(name))
            if seconds is not None:
                return seconds * unit
    asked = ASKED.search(message[:LONGEST])
    return None if asked is None else seconds_of(asked[1])


def objects_in(error: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the objects in an error's `details` and `metadata`, and its own headers there."""
    details = error.get("details")
    several = cast("list[object]", details) if isinstance(details, list) else [details]
    metadata = error.get("metadata")
    if isinstance(metadata, dict):
        several += [metadata, cast("dict[str, object]", metadata).get("headers")]
    return [cast("dict[str, Any]", each) for each in several[:MOST] if isinstance(each, dict)]


def seconds_of(value: object) -> float | None:
    """Return the seconds in a number, or in a text such as `20`, `1m20.5s`, `450ms` or `2 minutes`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value < FOREVER else None
    if not isinstance(value, str) or not TIME.fullmatch(value[:LONGEST].strip()):
        return None
    parts = PART.findall(value[:LONGEST].lower())
    return min(
        sum(float(number) * UNITS[unit[:2] if unit[:2] == "ms" else unit[:1]] for number, unit in parts),
        FOREVER,
    )


FIELDS = {
    **dict.fromkeys(("retry_after", "retryAfter", "retry_after_seconds", "retryDelay", "retry-after"), 1.0),
    **dict.fromkeys(("retry_delay", "Retry-After", "retry_after_secs", "retryAfterSeconds"), 1.0),
    **dict.fromkeys(("retry_after_ms", "retryAfterMs", "retry-after-ms"), 0.001),
}
"""The fields that say how long to wait, and their unit in seconds."""
UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
UNIT = "ms|msecs?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?"
TIME = re.compile(rf"(?:{NUMBER} ?(?:{UNIT}) ?){{1,4}}|{NUMBER}", re.IGNORECASE)
PART = re.compile(rf"({NUMBER}) ?({UNIT}|)", re.IGNORECASE)
ASKED = re.compile(
    rf"(?:(?:try|retry)(?: again| your request)?(?: in| after)|wait(?: for)?) "
    rf"((?:{NUMBER} ?(?:{UNIT})(?![a-z]) ?){{1,4}})",
    re.IGNORECASE,
)
LONGEST = 2000
"""How many characters of a message are looked at."""
MOST = 20
"""How many details are looked at."""
FOREVER = 1e9

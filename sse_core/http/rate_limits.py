"""How much more a provider will take, as the headers of its response say."""

from __future__ import annotations

import re

from msgspec import Struct

from .dates import sent_at, timestamp
from .response import Response


class RateLimit(Struct, frozen=True, kw_only=True):
    """A limit on requests, tokens or whatever the provider counts; None for what it does not say."""

    limit: int | None = None
    """How many there may be in the provider's period."""
    remaining: int | None = None
    """How many there may still be in this one."""
    reset: float | None = None
    """In how many seconds, from the response on, all of them may be used again; never below 0."""


def rate_limits(response: Response, wall: float | None = None) -> dict[str, RateLimit]:
    """Return the limits that a response tells of, by the provider's name for what they are on.

    Understood are `x-ratelimit-limit-requests` and its like, of OpenAI, Azure, Groq and others,
    `anthropic-ratelimit-input-tokens-limit` and its like, and `ratelimit-limit` with or without
    `x-`, which has no name: it is under `""`.

    A reset that is a point in time counts from the response's own Date, or else from `wall`, the
    time now in Unix seconds. What cannot be read is None.
    """
    now = sent_at(response, wall)
    found: dict[str, dict[str, str]] = {}
    for name, value in response.headers:
        if match := ANTHROPIC.fullmatch(name) or COMMON.fullmatch(name):
            found.setdefault(match["name"] or "", {})[match["what"]] = value
    return {
        name: RateLimit(
            limit=count(values.get("limit", "")),
            remaining=count(values.get("remaining", "")),
            reset=until(values.get("reset", ""), now),
        )
        for name, values in found.items()
    }


def count(value: str) -> int | None:
    """Read a number, behind which a policy may stand, as in `100, 100;w=60`."""
    match = COUNT.match(value)
    return int(match[0]) if match else None


def until(value: str, now: float | None) -> float | None:
    """Read a reset: seconds, a duration such as `1m30.5s`, or a point in time."""
    if SECONDS.fullmatch(value):
        seconds = float(value)
        # As seconds that is 31 years, as milliseconds 31,000: so it is a point in time, in Unix time.
        if seconds < 1e9:
            return seconds
        moment: float | None = seconds if seconds < 1e12 else seconds / 1000
    elif DURATION.fullmatch(value):
        return sum(float(number) * UNITS[unit] for number, unit in PART.findall(value))
    else:
        moment = timestamp(value)
    return None if moment is None or now is None else max(moment - now, 0.0)


ANTHROPIC = re.compile(r"anthropic-ratelimit-(?P<name>.+)-(?P<what>limit|remaining|reset)")
COMMON = re.compile(r"(x-)?ratelimit-(?P<what>limit|remaining|reset)(-(?P<name>.+))?")
COUNT = re.compile(r"[0-9]{1,18}(?=$|[ ,;])")
SECONDS = re.compile(r"[0-9]{1,18}(\.[0-9]*)?")
PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]*)?)(h|ms|m|s)")
DURATION = re.compile(rf"({PART.pattern})+")
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3}

"""Rate limits: how much more a provider accepts, by the headers of its response."""

from __future__ import annotations

import re

from msgspec import Struct

from .dates import response_time, timestamp
from .response import Response


class RateLimit(Struct, frozen=True, kw_only=True):
    """A limit on requests, tokens or anything else that a provider counts. None is what it did not say."""

    limit: int | None = None
    """How many are allowed in one period."""
    remaining: int | None = None
    """How many are left in the present period."""
    reset: float | None = None
    """Seconds from the response until the limit is reset, 0 or more."""


def rate_limits(response: Response, unix_now: float | None = None) -> dict[str, RateLimit]:
    """Return the limits in the head of a response, by the provider's name for what is limited.

    Understood are `x-ratelimit-limit-requests` and its like, of OpenAI, Azure, Groq and others,
    `anthropic-ratelimit-input-tokens-limit` and its like, and `ratelimit-limit` with or without
    `x-`, which has no name: it is under `""`.

    A reset that is a point in time counts from the response's own Date, or else from `unix_now`, the
    time now in Unix seconds. What cannot be read is None.
    """
    now = response_time(response, unix_now)
    found: dict[str, dict[str, str]] = {}
    for name, value in response.headers:
        if match := ANTHROPIC.fullmatch(name) or COMMON.fullmatch(name):
            found.setdefault(match["name"] or "", {})[match["what"]] = value
    return {
        name: RateLimit(
            limit=parse_count(values.get("limit", "")),
            remaining=parse_count(values.get("remaining", "")),
            reset=parse_reset(values.get("reset", ""), now),
        )
        for name, values in found.items()
    }


def parse_count(value: str) -> int | None:
    """Return a number, which a policy may follow, as in `100, 100;w=60`; None for anything else."""
    match = COUNT.match(value)
    return int(match[0]) if match else None


def parse_reset(value: str, now: float | None) -> float | None:
    """Return seconds until a reset, given as seconds, a duration such as `1m30.5s`, or a point in time."""
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

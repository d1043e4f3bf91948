"""Rate limits: how much more a provider accepts, by the headers of its response."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from .dates import http_date, response_time, timestamp
from .field_values import split_outside_quotes, without_quotes
from .response import Response


class RateLimit(Struct, frozen=True, kw_only=True):
    """A limit on requests, tokens or anything else that a provider counts. None is what it did not say."""

    limit: int | None = None
    """How many are allowed in one period."""
    remaining: int | None = None
    """How many are left in the present period."""
    reset: float | None = None
    """Seconds from the response until the limit is reset, 0 or more."""
    period: float | None = None
    """Seconds of a period."""
    utilization: float | None = None
    """The part of the limit that has been used, 1 for all of it."""


def rate_limits(response: Response, unix_now: float | None = None) -> dict[str, RateLimit]:
    """Return the limits in the head of a response, by the provider's name for what is limited.

    These spellings are read:

    - `x-ratelimit-limit-requests` and its like, of OpenAI, Azure, Groq and others, also without `x-`
      and as `rate-limit`; without a name at its end, the limit is under `""`;
    - `anthropic-ratelimit-input-tokens-limit` and its like; those of other tiers, as
      `anthropic-priority-input-tokens-limit`, are under the name `priority-input-tokens`;
    - `RateLimit` and `RateLimit-Policy` of the IETF's draft (draft-ietf-httpapi-ratelimit-headers-10).

    A reset that is a point in time counts from the response's own Date, or else from `unix_now`, the
    time now in Unix seconds. What cannot be read is None.
    """
    now = response_time(response, unix_now)
    found: dict[str, dict[str, str]] = {}
    for field, value in response.headers:
        if field in ("ratelimit", "ratelimit-policy"):
            for name, values in structured(value):
                known = found.setdefault(name, {})
                found[name] = known | values if field == "ratelimit" else values | known
        elif match := ANTHROPIC.fullmatch(field):
            tier = "" if match["tier"] == "ratelimit" else f"{match['tier']}-"
            found.setdefault(tier + match["name"], {})[match["what"]] = value
        elif match := COMMON.fullmatch(field):
            found.setdefault(match["name"] or "", {})[match["what"]] = value
    return {
        name: RateLimit(
            limit=parse_count(values.get("limit", "")),
            remaining=parse_count(values.get("remaining", "")),
            reset=parse_reset(values.get("reset", ""), now),
            period=parse_duration(values.get("renewalperiod", "")),
            utilization=parse_number(values.get("utilization", "")),
        )
        for name, values in found.items()
    }


def structured(value: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the members of a list as the IETF's draft has it: the name of a policy, and its values.

    Such a list is `"default";r=50;t=30` (RFC 9651, 3.1), or `limit=100, remaining=50` and `100;w=60`
    as up to draft 07, of which the members have no name.
    """
    for member in split_outside_quotes(value, ","):
        key, *parameters = split_outside_quotes(member, ";")
        values = {}
        for parameter in parameters:
            name, _, number = parameter.partition("=")
            if name in PARAMETERS:
                values[PARAMETERS[name]] = number
        name, _, number = key.partition("=")
        if name in PARAMETERS.values():
            yield "", {name: number}
        elif values:
            yield ("", {"limit": key} | values) if key.isdigit() else (without_quotes(key), values)


def parse_count(value: str) -> int | None:
    """Return a whole number; None for anything else.

    It may have separators of thousands, a fraction, which is left out, or `k` or `M` at its end. A
    policy may follow, as in `100, 100;w=60`.
    """
    value = value.strip()
    if GROUPED.fullmatch(value):
        value = SEPARATOR.sub("", value)
    match = COUNT.match(value)
    if match is None:
        return None
    whole, fraction, scale = match.groups("")
    return int(float(whole + fraction) * SCALES[scale.lower()]) if scale else int(whole)


def parse_reset(value: str, now: float | None) -> float | None:
    """Return seconds until a reset, given as seconds, a duration such as `1m30.5s`, or a point in time."""
    moment = parse_number(value)
    if moment is None:
        seconds = parse_duration(value)
        if seconds is not None:
            return seconds
        moment = next((date for read in (timestamp, http_date) if (date := read(value)) is not None), None)
    # As seconds this is 31 years, as milliseconds 31,000: so it is a point in time, in Unix time.
    elif moment < 1e9:
        return moment
    elif moment >= 1e12:
        moment /= 1000
    return None if moment is None or now is None else max(moment - now, 0.0)


def parse_duration(value: str) -> float | None:
    """Return the seconds of a duration, given as seconds or with units; None for anything else."""
    if not DURATION.fullmatch(value):
        return parse_number(value)
    return sum(float(number) * UNITS[unit] for number, unit in PART.findall(value))


def parse_number(value: str) -> float | None:
    """Return a number of 0 or more; None for anything else."""
    return float(value) if NUMBER.fullmatch(value) else None


WHAT = r"(?P<what>limit|remaining|reset|renewalperiod|utilization)"
ANTHROPIC = re.compile(rf"anthropic-(?P<tier>ratelimit|priority|fast)-(?P<name>.+)-{WHAT}")
COMMON = re.compile(rf"(x-)?rate-?limit-{WHAT}(-(?P<name>.+))?")
PARAMETERS = {"q": "limit", "r": "remaining", "t": "reset", "w": "renewalperiod"}
GROUPED = re.compile(r"[0-9]{1,3}([,_' \xa0][0-9]{3}){1,5}|[0-9]{1,3}(\.[0-9]{3}){2,5}")
SEPARATOR = re.compile(r"[^0-9]")
COUNT = re.compile(r"([0-9]{1,18})(\.[0-9]*+)?([kKM]?)(?=$|[ ,;])")
SCALES = {"": 1, "k": 1000, "m": 1000_000}
NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]*+)?")
PART = re.compile(r"([0-9]{1,18}(?:\.[0-9]*+)?) ?(ms|us|\xb5s|\xc2\xb5s|ns|[dhms]) ?")
DURATION = re.compile(rf"({PART.pattern})+")
UNITS = {
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "ns": 1e-9,
    **dict.fromkeys(("us", "\xb5s", "\xc2\xb5s"), 1e-6),
}
"""Those of Go, of which `\xb5s` is two bytes on the wire and two characters in a Response, and days."""

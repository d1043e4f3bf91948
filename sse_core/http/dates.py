"""Dates in header fields, as Unix seconds: those of HTTP (RFC 9110, 5.6.7) and of RFC 3339."""

from __future__ import annotations

import re
from calendar import timegm

from .response import Response


def http_date(text: str) -> float | None:
    """Return the Unix time of a date in one of HTTP's three formats, or None for anything else.

    A year of two digits is taken to be between 1969 and 2068, as in POSIX. RFC 9110 would compare it
    to the present year, but there is no clock here.
    """
    for form in HTTP_DATES:
        if match := form.fullmatch(text):
            break
    else:
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 1900 if year >= 69 else 2000
    month = MONTHS.index(match["month"]) // 3 + 1
    return float(timegm((year, month, int(match["day"]), *time_of(match))))


def timestamp(text: str) -> float | None:
    """Return the Unix time of a date in the format of RFC 3339, 5.6, or None for anything else."""
    match = RFC_3339.fullmatch(text)
    if match is None:
        return None
    day = (int(match["year"]), int(match["month"]), int(match["day"]))
    seconds = timegm((*day, *time_of(match))) + float(match["fraction"] or 0)
    if match["sign"] is None:
        return seconds
    offset = int(match["hours"]) * 3600 + int(match["minutes"]) * 60
    return seconds - offset if match["sign"] == "+" else seconds + offset


def time_of(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match["hour"]), int(match["minute"]), int(match["second"])


def response_time(response: Response, unix_now: float | None) -> float | None:
    """Return when a response was sent, by its Date field (RFC 9110, 6.6.1), or else `unix_now`.

    The times in a response are by the server's clock, which may differ from ours.
    """
    date = http_date(response.header("date") or "")
    return unix_now if date is None else date


MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
YEAR = r"(?P<year>(?!0000)[0-9]{4})"
MONTH = r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DAY = r"(?P<day>0[1-9]|[12][0-9]|3[01])"
TIME = r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
HTTP_DATES = (
    re.compile(rf"[A-Z][a-z]{{2}}, {DAY} {MONTH} {YEAR} {TIME} GMT"),
    re.compile(rf"[A-Z][a-z]{{5,8}}, {DAY}-{MONTH}-(?P<year>[0-9]{{2}}) {TIME} GMT"),
    re.compile(rf"[A-Z][a-z]{{2}} {MONTH} (?P<day> [1-9]|[12][0-9]|3[01]) {TIME} {YEAR}"),
)
RFC_3339 = re.compile(
    rf"{YEAR}-(?P<month>0[1-9]|1[0-2])-{DAY}[Tt ]{TIME}(?P<fraction>\.[0-9]+)?"
    r"([Zz]|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3]):(?P<minutes>[0-5][0-9]))"
)

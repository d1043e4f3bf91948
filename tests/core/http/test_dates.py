"""Dates in header fields: three formats of HTTP's, one of RFC 3339's, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Response
from sse_core.http.dates import http_date, response_time, timestamp
from support.core import unhurried

EXAMPLE = 784111777.0  # of RFC 9110, 5.6.7


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE),
        ("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE),
        ("Sun Nov  6 08:49:37 1994", EXAMPLE),
        ("Wed Nov 16 08:49:37 1994", EXAMPLE + 10 * 86400),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Wednesday, 01-Jan-69 00:00:00 GMT", -365.0 * 86400),
        ("Sunday, 01-Jan-68 00:00:00 GMT", 3092601600.0),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800.0),
    ],
)
def test_a_date_has_one_of_three_formats(text: str, seconds: float) -> None:
    assert http_date(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nix 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov \u0661\u0669\u0669\u0664 08:49:37 GMT",
        "Sun Nov 06 08:49:37 1994",
        "1994-11-06T08:49:37Z",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1994-11-06T08:49:37Z", EXAMPLE),
        ("1994-11-06t08:49:37z", EXAMPLE),
        ("1994-11-06 08:49:37.25Z", EXAMPLE + 0.25),
        ("1994-11-06T09:49:37+01:00", EXAMPLE),
        ("1994-11-06T00:19:37.5-08:30", EXAMPLE + 0.5),
    ],
)
def test_a_timestamp_has_its_offset(text: str, seconds: float) -> None:
    assert timestamp(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1994-11-06",
        "1994-11-06T08:49:37",
        "1994-13-06T08:49:37Z",
        "1994-11-06T08:49:37+24:00",
        "0000-11-06T08:49:37Z",
    ],
)
def test_what_is_no_timestamp_is_none(text: str) -> None:
    assert timestamp(text) is None


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_every_date_is_what_the_standard_library_makes_of_it(moment: datetime) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    seconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    assert http_date(format_datetime(moment, usegmt=True)) == seconds
    assert timestamp(moment.isoformat()) == seconds


@unhurried
@given(st.text() | st.text(alphabet="SunNov, 0169:-TZ+GM.", max_size=40))
def test_no_text_raises_anything(text: str) -> None:
    http_date(text)
    timestamp(text)


def test_the_time_of_a_response_is_its_own_or_ours() -> None:
    dated = Response(200, headers=(("date", "Sun, 06 Nov 1994 08:49:37 GMT"),))
    assert (
        response_time(dated, 5.0),
        response_time(Response(200), 5.0),
        response_time(Response(200), None),
    ) == (
        EXAMPLE,
        5.0,
        None,
    )

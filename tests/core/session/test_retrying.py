"""Whether to try again, and after how long."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import BodyTruncated, CertificateRejected, DeadlineExceeded, Response, Retries, StreamClosed
from sse_core.session.retrying import retry_after, should_retry
from support.core import unhurried

DATE = ("date", "Sun, 06 Nov 1994 08:49:37 GMT")
NOW = 784111777.0


# What the server asks for.


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([("retry-after", "0")], 0.0),
        ([("retry-after", "120")], 120.0),
        ([("retry-after", "1.5")], 1.5),
        ([("retry-after", "9" * 400)], inf),
        ([("retry-after-ms", "1500")], 1.5),
        ([("retry-after-ms", "0.5"), ("retry-after", "9")], 0.0005),
        ([("retry-after-ms", "soon"), ("retry-after", "9")], 9.0),
        ([("retry-after", "-1")], None),
        ([("retry-after", "+1")], None),
        ([("retry-after", "1e3")], None),
        ([("retry-after", "inf")], None),
        ([("retry-after", "nan")], None),
        ([("retry-after", "1_0")], None),
        ([("retry-after", "\u00b2")], None),
        ([("retry-after", "1"), ("retry-after", "2")], None),
        ([("retry-after", "soon"), DATE], None),
        ([("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), DATE], 60.0),
        ([("retry-after", "Sunday, 06-Nov-94 08:50:37 GMT"), DATE], 60.0),
        ([("retry-after", "Sun Nov  6 08:50:37 1994"), DATE], 60.0),
        ([("retry-after", "Sun, 06 Nov 1994 08:48:37 GMT"), DATE], 0.0),
        ([("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], None),
        ([("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"), ("date", "today")], None),
    ],
)
def test_a_response_may_ask_to_wait(headers: list[tuple[str, str]], seconds: float | None) -> None:
    assert retry_after(Response(503, headers=tuple(headers))) == seconds


def test_a_date_counts_from_ours_where_the_response_has_none() -> None:
    asked = ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")
    assert retry_after(Response(503, headers=(asked,)), wall=NOW - 40) == 100.0
    assert retry_after(Response(503, headers=(asked, DATE)), wall=NOW - 40) == 60.0


@unhurried
@given(st.text(), st.text(), st.text())
def test_no_headers_raise_anything(date: str, asked: str, milliseconds: str) -> None:
    headers = (("date", date), ("retry-after", asked), ("retry-after-ms", milliseconds))
    seconds = retry_after(Response(503, headers=headers), wall=NOW)
    assert seconds is None or seconds >= 0


# What the caller allows.


def test_the_wait_doubles_up_to_its_cap() -> None:
    retries = Retries(attempts=7)
    waits = [retries.delay(attempt, entropy=0.5) for attempt in range(8)]
    assert waits == [0.375, 0.75, 1.5, 3.0, 6.0, 6.0, 6.0, None]


def test_half_of_the_wait_is_random() -> None:
    assert Retries().delay(0, entropy=0.0) == 0.25
    assert Retries().delay(0, entropy=0.5) == 0.375
    assert Retries(base=4, cap=4).delay(1, entropy=0.75) == 3.5


def test_the_server_gets_what_it_asks_for_up_to_a_limit() -> None:
    retries = Retries(max_retry_after=60)
    assert retries.delay(0, 0.9, asked=60) == 60
    assert retries.delay(0, 0.9, asked=0.001) == 0.001
    assert retries.delay(0, 0.9, asked=60.1) is None
    assert retries.delay(0, 0.9, asked=inf) is None
    assert retries.delay(0, 0.0, asked=0) == 0.25
    assert retries.delay(2, 0.9, asked=1) is None


def test_no_attempt_is_made_behind_the_budget() -> None:
    retries = Retries(budget=10)
    assert retries.delay(0, 0.0, elapsed=9.75) == 0.25
    assert retries.delay(0, 0.0, elapsed=9.76) is None
    assert retries.delay(0, 0.0, asked=9) == 9
    assert retries.delay(0, 0.0, asked=9, elapsed=2) is None


def test_there_may_be_none_at_all_or_any_number() -> None:
    assert Retries(attempts=0).delay(0, 0.5) is None
    assert Retries(attempts=10**9).delay(10**8, 0.5) == 6.0


@given(
    st.integers(0, 10**6), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 100), st.floats(0, 1e6)
)
def test_a_wait_is_never_negative_nor_above_its_limits(
    attempt: int, entropy: float, asked: float | None, elapsed: float
) -> None:
    seconds = Retries(attempts=10**7, budget=1e6).delay(attempt, entropy, asked, elapsed)
    assert seconds is None or 0 < seconds <= (asked or 8)
    assert seconds is None or elapsed + seconds <= 1e6


def test_an_error_says_whether_to_try_again_but_for_the_deadline_for_everything() -> None:
    assert should_retry(BodyTruncated("cut"))
    assert should_retry(DeadlineExceeded("connect", 1.0))
    assert not should_retry(DeadlineExceeded("total", 1.0))
    assert not should_retry(CertificateRejected("no"))
    assert not should_retry(StreamClosed("closed"))

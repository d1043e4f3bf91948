"""How much more a provider will take, in each spelling of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import RateLimit, Response, rate_limits
from support.core import unhurried

DATE = ("date", "Sun, 06 Nov 1994 08:49:37 GMT")
NOW = 784111777.0


def of(*headers: tuple[str, str], unix_now: float | None = None) -> dict[str, RateLimit]:
    return rate_limits(Response(200, headers=headers), unix_now)


def reset(value: str, *headers: tuple[str, str], unix_now: float | None = None) -> float | None:
    return of(("x-ratelimit-reset-requests", value), *headers, unix_now=unix_now)["requests"].reset


def test_openai_and_its_like_have_durations() -> None:
    assert of(
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-limit-tokens", "160000"),
        ("x-ratelimit-limit-tokens_usage_based", "160000"),
        ("x-ratelimit-remaining-requests", "4999"),
        ("x-ratelimit-remaining-tokens", "159976"),
        ("x-ratelimit-reset-requests", "12ms"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("x-request-id", "req_1"),
    ) == {
        "requests": RateLimit(limit=5000, remaining=4999, reset=0.012),
        "tokens": RateLimit(limit=160000, remaining=159976, reset=360.0),
        "tokens_usage_based": RateLimit(limit=160000),
    }


def test_anthropic_has_timestamps_by_the_servers_clock() -> None:
    headers = [
        ("anthropic-ratelimit-requests-limit", "1000"),
        ("anthropic-ratelimit-requests-remaining", "999"),
        ("anthropic-ratelimit-requests-reset", "1994-11-06T08:49:36Z"),
        ("anthropic-ratelimit-input-tokens-limit", "80000"),
        ("anthropic-ratelimit-input-tokens-reset", "1994-11-06T08:50:07Z"),
    ]
    assert of(*headers, DATE, unix_now=0.0) == {
        "requests": RateLimit(limit=1000, remaining=999, reset=0.0),
        "input-tokens": RateLimit(limit=80000, reset=30.0),
    }
    assert of(*headers)["input-tokens"].reset is None
    assert of(*headers, unix_now=NOW)["input-tokens"].reset == 30.0


@pytest.mark.parametrize("prefix", ["x-ratelimit", "ratelimit"])
def test_a_limit_may_have_no_name(prefix: str) -> None:
    headers = [(f"{prefix}-limit", "100, 100;w=60"), (f"{prefix}-remaining", "99"), (f"{prefix}-reset", "30")]
    assert of(*headers) == {"": RateLimit(limit=100, remaining=99, reset=30.0)}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("1,000,000", 1_000_000),
        ("1_000_000", 1_000_000),
        ("1'000'000", 1_000_000),
        ("1 000 000", 1_000_000),
        ("1\xa0000", 1_000),
        ("1.000.000", 1_000_000),
        ("12,500", 12_500),
        ("100, 100;w=60", 100),
        ("100,100;w=60", 100),
        ("1.5", 1),
        ("1000.0", 1000),
        ("40k", 40_000),
        ("1.5M", 1_500_000),
        (" 7 ", 7),
        ("9" * 18, 10**18 - 1),
    ],
)
def test_a_number_is_read_as_people_write_it(value: str, number: int) -> None:
    """C9: `1,000,000` was 1."""
    assert of(("x-ratelimit-limit-tokens", value)) == {"tokens": RateLimit(limit=number)}


@pytest.mark.parametrize(
    ("headers", "limits"),
    [
        (
            [("ratelimit", '"default";r=50;t=30')],
            {"default": RateLimit(remaining=50, reset=30.0)},
        ),
        (
            [
                ("ratelimit-policy", '"burst";q=100;w=60, "daily";q=1000;qu="requests";w=86400;pk=:dHJpYWw:'),
                ("ratelimit", '"burst" ; r=99 ; t=59 , "daily";r=998'),
            ],
            {
                "burst": RateLimit(limit=100, remaining=99, reset=59.0, period=60.0),
                "daily": RateLimit(limit=1000, remaining=998, period=86400.0),
            },
        ),
        ([("ratelimit", '"a, b;r=1";r=2')], {"a, b;r=1": RateLimit(remaining=2)}),
        (
            [("ratelimit", "limit=100, remaining=50, reset=5"), ("ratelimit-policy", "10;w=1, 100;w=60")],
            {"": RateLimit(limit=100, remaining=50, reset=5.0, period=1.0)},
        ),
        ([("ratelimit", '"default", x;y=1, , "open')], {}),
    ],
)
def test_the_structured_fields_of_the_ietfs_draft(
    headers: list[tuple[str, str]], limits: dict[str, RateLimit]
) -> None:
    """C9: draft-ietf-httpapi-ratelimit-headers-10, and before it 07."""
    assert of(*headers) == limits


def test_azure_says_how_long_a_period_is() -> None:
    """C9. It has sent -1 for what it did not know (openai/openai-dotnet#838)."""
    assert of(
        ("x-ratelimit-limit-requests", "20000"),
        ("x-ratelimit-renewalperiod-requests", "60"),
        ("x-rate-limit-reset-tokens", "55"),  # openai/openai-python#937
        ("x-ratelimit-limit-tokens", "-1"),
    ) == {"requests": RateLimit(limit=20000, period=60.0), "tokens": RateLimit(reset=55.0)}


def test_anthropic_has_tiers_and_shares() -> None:
    """C9. Those of a subscription have parts of 1 in place of numbers (anomalyco/opencode#49653)."""
    assert of(
        ("anthropic-ratelimit-input-tokens-limit", "80000"),
        ("anthropic-priority-input-tokens-limit", "10000"),
        ("anthropic-priority-input-tokens-reset", "1994-11-06T08:50:07Z"),
        ("anthropic-fast-output-tokens-remaining", "6000"),
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("anthropic-ratelimit-unified-5h-utilization", "0.42"),
        ("anthropic-ratelimit-unified-5h-reset", "1784111800"),
        unix_now=NOW,
    ) == {
        "input-tokens": RateLimit(limit=80000),
        "priority-input-tokens": RateLimit(limit=10000, reset=30.0),
        "fast-output-tokens": RateLimit(remaining=6000),
        "unified-5h": RateLimit(utilization=0.42, reset=1784111800 - NOW),
    }


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17ms", 0.017),
        ("7.66s", 7.66),
        ("2m59.56s", 179.56),
        ("1h2m3.5s", 3723.5),
        ("24h0m0s", 86400.0),
        ("0s", 0.0),
        ("0", 0.0),
        ("1", 1.0),
        ("59.5", 59.5),
        ("86400", 86400.0),
        ("784111800", None),
        ("1784111800", 1784111800 - NOW),
        ("1784111800000", 1784111800 - NOW),
        ("1994-11-06T08:50:37Z", 60.0),
        ("1994-11-06T08:50:37.5+00:00", 60.5),
        # C9
        ("1d", 86400.0),
        ("1d2h", 93600.0),
        ("1h 2m", 3720.0),
        ("30 s", 30.0),
        ("850\xc2\xb5s", 0.00085),  # as Go writes it, in UTF-8
        ("850\xb5s", 0.00085),
        ("5us10ns", 5.01e-6),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("1970-01-01T00:00:00Z", 0.0),
    ],
)
def test_a_reset_is_a_duration_seconds_or_a_point_in_time(value: str, seconds: float | None) -> None:
    expected = float(value) if seconds is None else seconds
    assert reset(value, DATE) == pytest.approx(expected)
    assert reset(value, unix_now=NOW) == pytest.approx(expected)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-1s",
        "-1",
        "1w",
        "s",
        "1h  2m",
        "1.5.5s",
        "1s2",
        "inf",
        "nan",
        "9" * 400,
        "9" * 400 + "s",
        "\u0661s",
    ],
)
def test_a_reset_that_cannot_be_read_is_none(value: str) -> None:
    assert reset(value, DATE) is None


@pytest.mark.parametrize("value", ["", "many", "-1", "1_0", "0x1", "\u00b2", "9" * 400, "1.5.5"])
def test_a_number_that_cannot_be_read_is_none(value: str) -> None:
    assert of(("x-ratelimit-limit-requests", value)) == {"requests": RateLimit()}


@pytest.mark.parametrize(
    "name",
    [
        "x-ratelimit",
        "ratelimit",
        "x-ratelimit-used",
        "anthropic-ratelimit-limit",
        "my-x-ratelimit-limit",
        "ratelimit-limit-",
    ],
)
def test_other_fields_say_nothing(name: str) -> None:
    assert of((name, "1")) == {}


values = st.text() | st.text(alphabet='0123456789.hms-:TZ ,;"\\rt=', max_size=30)


@unhurried
@given(values, values, values, st.none() | st.floats(0, 1e10))
def test_no_values_raise_anything(limit: str, remaining: str, until: str, unix_now: float | None) -> None:
    for form in ("x-ratelimit-{}-requests", "anthropic-ratelimit-tokens-{}", "ratelimit-{}"):
        headers = zip(("limit", "remaining", "reset"), (limit, remaining, until), strict=True)
        (found,) = of(*((form.format(what), value) for what, value in headers), unix_now=unix_now).values()
        assert found.reset is None or found.reset >= 0
    of(("ratelimit", limit), ("ratelimit-policy", remaining), unix_now=unix_now)

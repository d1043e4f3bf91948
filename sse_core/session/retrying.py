"""Whether to try again, and after how long: what the server asks for, and what the caller allows."""

from __future__ import annotations

import re

from msgspec import Struct

from ..checks import check_count, check_seconds
from ..errors import DeadlineExceeded, StreamError
from ..http.response import Response


class Retries(Struct, frozen=True, kw_only=True):
    """How often a request may be made again, and how long it waits before that, in seconds."""

    attempts: int = 2
    """How many requests may follow the first."""
    budget: float | None = None
    """From the start of the first request, how late the last may be made; None means no limit."""
    base: float = 0.5
    """What the wait begins with; it doubles with each attempt."""
    cap: float = 8.0
    """What it does not grow beyond."""
    max_retry_after: float = 60.0
    """How long a wait the server may ask for. If it asks for more, there is no other attempt: one
    that comes sooner would only be refused again."""

    def __post_init__(self) -> None:
        check_count("Retries.attempts", self.attempts)
        check_seconds("Retries.budget", self.budget, above_zero=True, optional=True)
        for name in ("base", "cap", "max_retry_after"):
            check_seconds(f"Retries.{name}", getattr(self, name))

    def delay(
        self, attempt: int, entropy: float, asked: float | None = None, elapsed: float = 0.0
    ) -> float | None:
        """Return how many seconds to wait before the next attempt, or None if there is to be none.

        `attempt` is the number of attempts that followed the first request so far, `asked` what
        the server asked for, and `elapsed` the time since the first request began, both in
        seconds. `entropy` is a random number, at least 0 and below 1.

        What the server asks for is what it gets, unless that is 0. Otherwise half of the wait is
        fixed and half of it is random ("equal jitter"): clients that failed together do not come
        back together, and none comes back at once.
        """
        if attempt >= self.attempts:
            return None
        if asked is not None and asked > self.max_retry_after:
            return None
        wait = min(self.cap, self.base * 2.0 ** min(attempt, 64))
        seconds = asked or wait / 2 + wait / 2 * entropy
        if self.budget is not None and elapsed + seconds > self.budget:
            return None
        return seconds


def should_retry(error: StreamError) -> bool:
    """Whether the same request may fare better, as far as the error can tell.

    Not after the deadline for everything: it has no time left.
    """
    return error.retryable and not (isinstance(error, DeadlineExceeded) and error.which == "total")


def asked_wait(error: StreamError) -> float | None:
    """Return how many seconds the server asks to wait before another request, wherever it says so.

    That is in the head of its response, in the error that it reports, or, if a limit on the rate was
    reached (429), in the time until that is reset.
    """
    response = error.response
    asked = None if response is None else retry_after(response)
    if asked is None:
        asked = error.retry_after
    if asked is None and response is not None and response.status == 429:
        from ..http.rate_limits import rate_limits  # which takes time to import

        limits = rate_limits(response).values()
        resets = [limit.reset for limit in limits if limit.remaining == 0 and limit.reset is not None]
        asked = max(resets, default=None)
    return asked


def retry_after(response: Response, wall: float | None = None) -> float | None:
    """Return how many seconds a response asks to wait, or None; never less than 0.

    By `retry-after-ms`, in milliseconds, or else Retry-After (RFC 9110, 10.2.3), in seconds or as
    a date. A date counts from the response's own Date, or else from `wall`, the time now in Unix
    seconds; without either it says nothing. Neither does a value that is none of these.
    """
    milliseconds = response.header("retry-after-ms") or ""
    if NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    value = response.header("retry-after") or ""
    if NUMBER.fullmatch(value):
        return float(value)
    from ..http.dates import http_date, response_time  # 3 ms, with `calendar` and its own patterns

    date, now = http_date(value), response_time(response, wall)
    return None if date is None or now is None else max(date - now, 0.0)


NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?")
"""RFC 9110 has whole seconds only; fractions are sent all the same."""

"""How long to wait before a stream is resumed where it broke off (WHATWG HTML, 9.2.3)."""

from __future__ import annotations

from ..reading.request import Reconnects


def resume_delay(policy: Reconnects, failures: int, retry: int | None, random: float) -> float:
    """Return how many seconds to wait after `failures` attempts.

    `retry` is what the server asks for, in milliseconds. `random`, from 0 to 1, adds
    up to a quarter to waits that grow, so that clients that lost the same server do not come back together.
    """
    first = policy.delay if retry is None else min(retry, policy.max_delay * 1000) / 1000
    if failures > 1:
        first = max(first, policy.delay) * 2.0 ** min(failures - 1, 64) * (1 + random / 4)
    return min(max(first, policy.min_delay), policy.max_delay)

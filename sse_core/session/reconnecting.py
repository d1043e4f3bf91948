"""Taking a stream up again where it broke off (WHATWG HTML, 9.2.3)."""

from __future__ import annotations

from msgspec import Struct


class Reconnects(Struct, frozen=True, kw_only=True):
    """When to connect again after a stream that ended, or could not be reached; times are in seconds.

    Another attempt follows every end but these: the dialect's terminal marker or a finish
    reason, status 204, a response that is no event stream, an error that the server reported,
    broken rules, and `close`. It carries the last event ID, and comes after the time that the
    server's `retry` field asked for. Without an ID there is none once a part of an answer has
    come that would come again.
    """

    attempts: int = 5
    """How many may fail one after another. Only a chunk starts the count anew, with a new ID if any."""
    delay: float = 3.0
    """Before the first, unless the server asks for another; twice as long before each that follows,
    and twice as long as this at least."""
    max_delay: float = 300.0
    """The longest to wait, whatever the server asks for."""
    method: str | None = None
    """The method of the further attempts, which have no body if it is another than the first's.

    None stands for the same request again. With another method, there is a further attempt
    only once the server has sent an ID. MCP up to 2025-11-25 asks for POST and then GET.
    """

    def wait(self, failures: int, asked: int | None, entropy: float) -> float:
        """How long to wait after `failures` attempts; `asked` is the server's, in milliseconds.

        `entropy`, from 0 to 1, adds up to a quarter to waits that grow, so that clients that
        lost the same server do not come back together.
        """
        first = self.delay if asked is None else min(asked, self.max_delay * 1000) / 1000
        if failures == 1:
            return min(first, self.max_delay)
        grown = max(first, self.delay) * 2.0 ** min(failures - 1, 64)
        return min(grown * (1 + entropy / 4), self.max_delay)

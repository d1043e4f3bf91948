"""A decoder for testing servers: it gives the same events, and reports what the standard tolerates."""

from __future__ import annotations

from .decoder import MAX_DIGITS, MAX_IGNORED, EventDecoder
from .items import Flaw, Item, Violation


class StrictEventDecoder(EventDecoder):
    """As `EventDecoder`, but `feed_all` also returns a `Violation` for each flaw, before what has it.

    Unknown fields are items already. An event that the end of the stream cuts off is never tolerated:
    `eof` reports it.
    """

    def _whole_blocks(self, data: bytes) -> None:
        """Switch the fast path off, so that `_interpret` sees every line."""

    def _interpret(self, text: bytes, items: list[Item]) -> None:
        for line in text.split(b"\n")[:-1]:
            violations = [Violation(flaw, line[:MAX_IGNORED]) for flaw in flaws(line)]
            if not line and self._type and not self._data:
                violations.append(Violation(Flaw.TYPE_WITHOUT_DATA, self._type.encode()))
            items += violations
            self._non_events = self._non_events or bool(violations)
            super()._interpret(line + b"\n", items)
            if self.error is not None:
                break


def flaws(line: bytes) -> list[Flaw]:
    """Return the flaws of a single line."""
    found: list[Flaw] = []
    try:
        line.decode()
    except UnicodeDecodeError:
        found.append(Flaw.INVALID_UTF8)
    name, _, value = line.partition(b":")
    value = value.removeprefix(b" ")
    if name == b"id" and b"\0" in value:
        found.append(Flaw.NUL_IN_ID)
    if name == b"retry":
        if not value.isdigit():
            found.append(Flaw.RETRY_NOT_DIGITS)
        elif len(value.lstrip(b"0")) > MAX_DIGITS:
            found.append(Flaw.RETRY_TOO_LARGE)
    return found

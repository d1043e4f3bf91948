"""A decoder for those who test servers: it decodes as the lenient one does, and says what it forgave."""

from __future__ import annotations

from .decoder import KEPT, MAX_DIGITS, EventDecoder
from .items import Flaw, Forgiven, Item


class StrictEventDecoder(EventDecoder):
    """As `EventDecoder`, but `feed_all` also gives a `Forgiven` for each flaw, before what it concerns.

    Unknown fields are items of their own already. What is never forgiven is an event
    that the end of the stream cuts off: `eof` reports it.
    """

    def _bulk(self, data: bytes) -> None:
        """Look at every line."""

    def _lines(self, text: bytes, items: list[Item]) -> None:
        for line in text.split(b"\n")[:-1]:
            forgiven = [Forgiven(flaw, line[:KEPT]) for flaw in flaws(line)]
            if not line and self._type and not self._data:
                forgiven.append(Forgiven(Flaw.TYPE_WITHOUT_DATA, self._type.encode()))
            items += forgiven
            self._extras = self._extras or bool(forgiven)
            super()._lines(line + b"\n", items)
            if self.error is not None:
                break


def flaws(line: bytes) -> list[Flaw]:
    """Return the flaws that a line has by itself."""
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

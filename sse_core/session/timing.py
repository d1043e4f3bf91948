"""Which deadlines run, and when what came. All times are in seconds, on the clock of whoever says `now`."""

from __future__ import annotations

from math import inf

from ..errors import DeadlineExceeded
from .deadlines import Deadlines
from .stats import Stats


class Timing:
    """The deadlines and the statistics of one stream.

    Three kinds of progress are waited for, bytes, events and content: the first of each, and then
    each after the last. That clock stands still while the application has something to do.
    """

    __slots__ = (
        "_awaited", "_bytes_since", "_bytes_wait", "_content_since", "_content_wait", "_deadlines", "_due",
        "_events_since", "_events_wait", "_since", "_started", "_total", "_which", "away", "left", "now",
        "stats",
    )  # fmt: skip

    def __init__(self, deadlines: Deadlines) -> None:
        self.stats = Stats()
        self.now = 0.0
        self._deadlines = deadlines
        self._started = 0.0
        self._total = inf  # when that deadline passes
        self._which = ""  # the deadline that was set last, or the kind of progress it is for
        self._since = 0.0  # when it began to run, unless it is for a kind of progress
        self._due = inf
        self.left = 0.0
        """When the application was last given something, from when on the peer is not waited for."""
        self.away = 0.0
        """How long the application has spent on what it was given."""
        self._awaited: tuple[str, ...] = ()  # the kinds of which the first has not come yet
        # Each kind has two attributes, which every event looks at: since when, and for how long.
        self._bytes_since = self._events_since = self._content_since = 0.0
        self._bytes_wait = self._events_wait = self._content_wait = inf

    def start(self, now: float) -> None:
        """The stream begins."""
        self.now = self._started = now
        if self._deadlines.total is not None:
            self._total = now + self._deadlines.total

    @property
    def elapsed(self) -> float:
        """How long ago the stream began."""
        return self.now - self._started

    def ask(self) -> None:
        """A request goes out."""
        self._awaited = KINDS
        self._bytes_since = self._events_since = self._content_since = self.now - self.away
        self._bytes_wait = wait(self._deadlines.first_byte)
        self._events_wait = wait(self._deadlines.first_event)
        self._content_wait = wait(self._deadlines.first_content)

    def limit(self, which: str, seconds: float | None) -> float | None:
        """Set a deadline of `seconds` from now, and return it, or the total one if that is sooner."""
        self._which, self._since = which, self.now
        self._due = self.now + wait(seconds)
        return self._within_total()

    def limit_head(self, *, knows_content: bool) -> float | None:
        """Set the deadline for more of the response head, and return it."""
        limits = [("response_head", wait(self._deadlines.response_head)), (EVENTS, self._events_wait)]
        if BYTES in self._awaited:  # bytes of the head put off nothing
            limits.append((BYTES, self._bytes_wait))
        if knows_content:
            limits.append((CONTENT, self._content_wait))
        self._since = self._events_since + self.away  # they began together
        self._which, seconds = min(limits, key=lambda limit: limit[1])
        self._due = self._since + seconds
        return self._within_total()

    def limit_stream(self, knows_content: bool) -> float | None:
        """Set the deadline for more of the stream, and return it."""
        which, due = BYTES, self._bytes_since + self._bytes_wait
        if (events := self._events_since + self._events_wait) < due:
            which, due = EVENTS, events
        if (content := self._content_since + self._content_wait) < due and knows_content:
            which, due = CONTENT, content
        self._which = which
        self._due = due = due + self.away
        return due if due < self._total else self._within_total()

    def deadline(self) -> float | None:
        """The deadline that was set last, once more."""
        return None if self._due == inf else self._due

    def is_over(self) -> bool:
        """Whether the deadline that was set last has passed."""
        return self.now >= self._due

    def has_room_for(self, seconds: float) -> bool:
        """Whether the total deadline lets anyone wait so long."""
        return self.now + seconds < self._total

    def exceeded(self) -> DeadlineExceeded:
        """The error for the deadline that was set last."""
        which, since = self._which, self._since
        if which in KINDS:
            kinds = {BYTES: self._bytes_since, EVENTS: self._events_since, CONTENT: self._content_since}
            first, between = NAMES[which]
            which, since = first if which in self._awaited else between, kinds[which] + self.away
        return DeadlineExceeded(which, self.now - since)

    def came(self, size: int, chunks: int, content: int) -> None:
        """So many bytes have come, and so many chunks, and so many of these have content."""
        stats, now = self.stats, self.now
        waited = now - self.away
        if self._awaited:
            self._came_first(size, chunks, content)
        if size:
            stats.bytes += size
            self._bytes_since = waited
        if chunks:
            stats.events += chunks
            self._events_since = waited
        if content:
            stats.content_events += content
            self._content_since = waited
            at = now - self._started
            gap = at - (stats.to_last_content or 0.0)
            if gap > stats.longest_gap:
                stats.longest_gap = gap
            stats.to_last_content = at

    def _came_first(self, size: int, chunks: int, content: int) -> None:
        """The same, as long as there has not been one of each kind."""
        stats, at = self.stats, self.elapsed
        if size and stats.to_first_byte is None:
            stats.to_first_byte = at
        if chunks and stats.to_first_event is None:
            stats.to_first_event = at
        if content and stats.to_first_content is None:
            stats.to_first_content = stats.to_last_content = at
        if size:
            self._bytes_wait = wait(self._deadlines.between_bytes)
        if chunks:
            self._events_wait = wait(self._deadlines.between_events)
        if content:
            self._content_wait = wait(self._deadlines.between_content)
        came = {BYTES: size, EVENTS: chunks, CONTENT: content}
        self._awaited = tuple(kind for kind in self._awaited if not came[kind])

    def _within_total(self) -> float | None:
        if self._total < self._due:
            self._which, self._since, self._due = "total", self._started, self._total
        return self.deadline()


def wait(seconds: float | None) -> float:
    """Return how long a deadline lets anyone wait."""
    return inf if seconds is None else seconds


BYTES, EVENTS, CONTENT = KINDS = ("bytes", "events", "content")
NAMES = {
    BYTES: ("first_byte", "between_bytes"),
    EVENTS: ("first_event", "between_events"),
    CONTENT: ("first_content", "between_content"),
}
"""The deadlines of each kind of progress: for the first, and for each after it."""

"""Which deadlines run, and when what came. All times are in seconds, on the clock of whoever says `now`."""

from __future__ import annotations

from math import inf

from ._errors import DeadlineExceeded
from ._limits import Deadlines
from ._stats import Stats


class Timing:
    """The deadlines and the statistics of one stream."""

    def __init__(self, deadlines: Deadlines) -> None:
        self.stats = Stats()
        self.now = 0.0
        self._deadlines = deadlines
        self._started = 0.0
        self._total = inf  # when that deadline passes
        self._which = ""  # the deadline that was set last
        self._since = 0.0
        self._due = inf
        self.left = 0.0
        """When the application was last given something, from when on the peer is not waited for."""
        self.away = 0.0
        """How long the application has spent on what it was given."""
        self._head = Watch(HEAD, deadlines.response_head, None)
        self._bytes = Watch(BYTES, deadlines.first_byte, deadlines.between_bytes)
        self._events = Watch(EVENTS, deadlines.first_event, deadlines.between_events)
        self._content = Watch(CONTENT, deadlines.first_content, deadlines.between_content)
        self._awaits_first = True  # of bytes, events or content

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
        waited = self.now - self.away
        self._awaits_first = True
        for watch in (self._head, self._bytes, self._events, self._content):
            watch.begin(waited)

    def limit(self, which: str, seconds: float | None) -> float | None:
        """Set a deadline of `seconds` from now, and return it, or the total one if that is sooner."""
        self._which, self._since = which, self.now
        self._due = inf if seconds is None else self.now + seconds
        return self._within_total()

    def limit_head(self, *, knows_content: bool) -> float | None:
        """Set the deadline for more of the response head, and return it."""
        watches = [self._head, self._events]
        if self._bytes.is_first:  # bytes of the head put off nothing
            watches.append(self._bytes)
        if knows_content:
            watches.append(self._content)
        # They began together.
        watch = min(watches, key=lambda watch: watch.seconds)
        self._which, self._since = watch.name, watch.since + self.away
        self._due = self._since + watch.seconds
        return self._within_total()

    def limit_stream(self, knows_content: bool) -> float | None:
        """Set the deadline for more of the stream, and return it."""
        watch, events, content = self._bytes, self._events, self._content
        due = watch.since + watch.seconds
        if events.since + events.seconds < due:
            watch, due = events, events.since + events.seconds
        if content.since + content.seconds < due and knows_content:
            watch = content
        self._which, self._since = watch.name, watch.since + self.away
        self._due = due = self._since + watch.seconds
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
        return DeadlineExceeded(self._which, self.now - self._since)

    def came(self, size: int, chunks: int, content: int) -> None:
        """So many bytes have come, and so many chunks, and so many of these have content."""
        stats = self.stats
        waited, at = self.now - self.away, self.now - self._started
        if self._awaits_first:
            self._came_first(at, size, chunks, content)
        if size:
            stats.bytes += size
            self._bytes.since = waited
        if chunks:
            stats.events += chunks
            self._events.since = waited
        if content:
            stats.content_events += content
            gap = at - (stats.to_last_content or 0.0)
            if gap > stats.longest_gap:
                stats.longest_gap = gap
            stats.to_last_content = at
            self._content.since = waited

    def _came_first(self, at: float, size: int, chunks: int, content: int) -> None:
        """The same, as long as there has not been one of each kind."""
        stats = self.stats
        if size and stats.to_first_byte is None:
            stats.to_first_byte = at
        if chunks and stats.to_first_event is None:
            stats.to_first_event = at
        if content and stats.to_first_content is None:
            stats.to_first_content = stats.to_last_content = at
        self._awaits_first = False
        for number, watch in ((size, self._bytes), (chunks, self._events), (content, self._content)):
            if number:
                watch.go_on()
            self._awaits_first = self._awaits_first or watch.is_first

    def _within_total(self) -> float | None:
        if self._total < self._due:
            self._which, self._since, self._due = "total", self._started, self._total
        return self.deadline()


class Watch:
    """One kind of progress: the first is waited for, and then each after the last.

    `names` are those of the two deadlines. The clock stands still while the application has
    something to do.
    """

    __slots__ = ("_between", "_first", "_names", "is_first", "name", "seconds", "since")

    def __init__(self, names: tuple[str, str], first: float | None, between: float | None) -> None:
        self._names = names
        self._first = inf if first is None else first
        self._between = inf if between is None else between
        self.begin(0.0)

    def begin(self, at: float) -> None:
        """Wait for the first."""
        self.is_first = True
        self.name, _ = self._names
        self.seconds = self._first
        self.since = at

    def go_on(self) -> None:
        """The first has come: wait for the next, and from then on only set `since`."""
        self.is_first = False
        _, self.name = self._names
        self.seconds = self._between


HEAD = ("response_head", "")
BYTES = ("first_byte", "between_bytes")
EVENTS = ("first_event", "between_events")
CONTENT = ("first_content", "between_content")

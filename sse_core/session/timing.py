"""Which deadlines run, and when what came. All times are in seconds, on the clock of whoever says `now`."""

from __future__ import annotations

from math import inf
from typing import Literal, TypeAlias

from ..errors import DeadlineExceeded
from .deadlines import Deadlines
from .stats import Stats

Name: TypeAlias = Literal["pool", "connect", "tls", "response_head", "error_body", "total"]
"""A deadline that runs from the moment it is started: a field of Deadlines."""


class Timing:
    """The deadlines and the statistics of one stream.

    Three kinds of progress are waited for, bytes, events and content: the first of each, from the first
    request of an attempt, and then each after the last. With `first_event=5` and `between_events=2`, a
    stream whose first event comes after 4 s has until 6 s for the second. Time that the caller spends
    between Deliver and asking for more is subtracted.
    """

    __slots__ = (
        "_bytes_since", "_bytes_wait", "_content_since", "_content_wait", "_deadlines", "_events_since",
        "_events_wait", "_expires_at", "_first_awaited", "_name", "_requested_at", "_started", "_started_at",
        "_total", "app_time", "delivered_at", "now", "stats",
    )  # fmt: skip

    def __init__(self, deadlines: Deadlines) -> None:
        self.stats: Stats = Stats()
        self.now: float = 0.0
        self._deadlines = deadlines
        self._started = 0.0
        self._total = inf  # when that deadline passes
        self._name = ""  # the deadline that was set last, or the kind of progress it is for
        self._started_at = 0.0  # when it began to run, unless it is for a kind of progress
        self._expires_at = inf
        self.delivered_at: float = 0.0
        """When the application was last given something, from when on the peer is not waited for."""
        self.app_time: float = 0.0
        """How long the application has spent on what it was given."""
        self._requested_at: float | None = None  # the last request of this attempt
        self._first_awaited: tuple[str, ...] = ()  # the kinds of which the first has not come yet
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

    def begin_attempt(self) -> None:
        """The next request is the first of an attempt; those after it follow redirects."""
        self._requested_at = None
        self.stats.attempts += 1

    def request_sent(self) -> None:
        """A request goes out."""
        if self._requested_at is None:
            self._first_awaited = KINDS
            self._bytes_since = self._events_since = self._content_since = self.now - self.app_time
            self._bytes_wait = or_infinity(self._deadlines.first_byte)
            self._events_wait = or_infinity(self._deadlines.first_event)
            self._content_wait = or_infinity(self._deadlines.first_content)
        self._requested_at = self.now

    def start_deadline(self, name: Name) -> float | None:
        """Start a deadline now, and return when it passes, or the total one if that is sooner."""
        seconds: float | None = None if name == "total" else getattr(self._deadlines, name)
        self._name, self._started_at = name, self.now
        self._expires_at = self.now + or_infinity(seconds)
        return self._within_total()

    def start_head_deadline(self, detects_content: bool) -> float | None:
        """Set the deadline for more of the response head, and return it.

        Bytes of the head do not restart it; the first of them satisfies `first_byte`.
        """
        assert self._requested_at is not None  # or nobody would answer
        self._name, self._started_at = "response_head", self._requested_at
        due = self._requested_at + or_infinity(self._deadlines.response_head)
        waits = {
            EVENTS: self._events_since + self._events_wait,
            BYTES: self._bytes_since + self._bytes_wait if BYTES in self._first_awaited else inf,
            CONTENT: self._content_since + self._content_wait if detects_content else inf,
        }
        for kind, wait in waits.items():
            if wait + self.app_time < due:
                self._name, due = kind, wait + self.app_time
        self._expires_at = due
        return self._within_total()

    def start_body_deadline(self, detects_content: bool) -> float | None:
        """Set the deadline for more of the stream, and return it."""
        which, due = BYTES, self._bytes_since + self._bytes_wait
        if (events := self._events_since + self._events_wait) < due:
            which, due = EVENTS, events
        if (content := self._content_since + self._content_wait) < due and detects_content:
            which, due = CONTENT, content
        self._name = which
        self._expires_at = due = due + self.app_time
        return due if due < self._total else self._within_total()

    def start_error_body_deadline(self) -> None:
        """Start the deadline for the body of a refusal, unless it runs already."""
        if self._name != "error_body":
            self.start_deadline("error_body")

    def current_deadline(self) -> float | None:
        """The deadline that was set last, once more."""
        return None if self._expires_at == inf else self._expires_at

    def expired(self) -> bool:
        """Whether the deadline that was set last has passed."""
        return self.now >= self._expires_at

    def allows(self, seconds: float) -> bool:
        """Whether the total deadline lets anyone wait so long."""
        return self.now + seconds < self._total

    def expiry_error(self) -> DeadlineExceeded:
        """The error for the deadline that was set last."""
        which, since = self._name, self._started_at
        if which in KINDS:
            kinds = {BYTES: self._bytes_since, EVENTS: self._events_since, CONTENT: self._content_since}
            first, between = NAMES[which]
            which, since = first if which in self._first_awaited else between, kinds[which] + self.app_time
        return DeadlineExceeded(which, self.now - since)

    def record_head(self) -> None:
        """A response head has come whose size is not known."""
        self._record_first(1, 0, 0)
        self._bytes_since = self.now - self.app_time

    def record(self, size: int, chunks: int, content: int) -> None:
        """So many bytes have come, and so many chunks, and so many of these have content."""
        stats, now = self.stats, self.now
        waited = now - self.app_time
        if self._first_awaited:
            self._record_first(size, chunks, content)
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

    def _record_first(self, size: int, chunks: int, content: int) -> None:
        """The same, as long as there has not been one of each kind."""
        stats, at = self.stats, self.elapsed
        if size and stats.to_first_byte is None:
            stats.to_first_byte = at
        if chunks and stats.to_first_event is None:
            stats.to_first_event = at
        if content and stats.to_first_content is None:
            stats.to_first_content = stats.to_last_content = at
        if size:
            self._bytes_wait = or_infinity(self._deadlines.between_bytes)
        if chunks:
            self._events_wait = or_infinity(self._deadlines.between_events)
        if content:
            self._content_wait = or_infinity(self._deadlines.between_content)
        came = {BYTES: size, EVENTS: chunks, CONTENT: content}
        self._first_awaited = tuple(kind for kind in self._first_awaited if not came[kind])

    def _within_total(self) -> float | None:
        if self._total < self._expires_at:
            self._name, self._started_at, self._expires_at = "total", self._started, self._total
        return self.current_deadline()


def or_infinity(seconds: float | None) -> float:
    """Return how long a deadline lets anyone wait."""
    return inf if seconds is None else seconds


BYTES, EVENTS, CONTENT = KINDS = ("bytes", "events", "content")
NAMES = {
    BYTES: ("first_byte", "between_bytes"),
    EVENTS: ("first_event", "between_events"),
    CONTENT: ("first_content", "between_content"),
}
"""The deadlines of each kind of progress: for the first, and for each after it."""

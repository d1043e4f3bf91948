"""Whether a request is made again: after a failure, or to resume the stream where it broke off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from ..errors import StatusError, StreamError
from ..http.redirects import PreparedRequest
from ..reading.reader import Reader
from ..reading.request import Reconnects, resume_headers
from ..reading.verdict import Verdict
from .hop import merge_headers
from .reconnecting import resume_delay
from .retrying import Retries, should_retry
from .timing import Timing


class Attempts:
    """Counts the attempts at one stream, and decides about the next."""

    __slots__ = (
        "_began_at", "_failures", "_original", "_random", "_reconnection_time", "_reconnects", "_retried",
        "_retries", "_timing", "gave_up_because", "last_event_id", "may_resume", "may_retry", "request",
    )  # fmt: skip

    def __init__(
        self,
        original: PreparedRequest,
        retries: Retries | None,
        reconnects: Reconnects | None,
        random: Callable[[], float],
        timing: Timing,
    ) -> None:
        self.request: PreparedRequest = original
        """What to ask for in the next attempt."""
        self.last_event_id: str = ""
        """Where the next attempt resumes the stream."""
        self.may_resume: bool = reconnects is not None
        """Whether the stream is resumed when it breaks off."""
        self.may_retry: bool = False
        """Whether this attempt may be followed by another from the start."""
        self.gave_up_because: str = ""
        """Why the stream is not resumed, though it broke off."""
        self._original = original
        self._retries = retries
        self._reconnects = reconnects
        self._random = random
        self._timing = timing
        self._retried = 0
        self._failures = 0  # attempts that brought nothing new, one after another
        self._began_at = 0.0
        self._reconnection_time: int | None = None

    def begin(self) -> None:
        """The next attempt begins."""
        self._timing.begin_attempt()
        self._began_at = self._timing.now
        retries = None if self.may_resume else self._retries
        self.may_retry = retries is not None and self._retried < retries.attempts

    def delay_before_next(
        self, verdict: Verdict, error: StreamError | None, reader: Reader[Any]
    ) -> float | None:
        """Return how many seconds to wait after an attempt that ended so, or None if it was the last."""
        if self._reconnects is not None:
            return self._resume(self._reconnects, verdict, error, reader)
        if error is None or not should_retry(error):
            return None
        if self._retries is not None and self.may_retry and not reader.content:
            return self._retry(self._retries, error)
        return None

    def _retry(self, retries: Retries, error: StreamError) -> float | None:
        delay = retries.delay(self._retried, self._random(), error.retry_after, self._timing.elapsed)
        self._retried += 1
        return None if delay is None or not self._timing.allows(delay) else delay

    def _resume(
        self, policy: Reconnects, verdict: Verdict, error: StreamError | None, reader: Reader[Any]
    ) -> float | None:
        busy = isinstance(error, StatusError) and error.status in policy.statuses
        if error is not None and not (should_retry(error) or busy):
            return None
        finished = verdict is Verdict.FINISHED and reader.dialect.may_end
        if not (verdict in RESUMABLE or busy) or finished:
            return None
        self._failures = 0 if self._is_progress(reader) else self._failures
        self._failures += 1
        self.last_event_id = reader.last_event_id
        if reader.reconnection_time is not None:
            self._reconnection_time = reader.reconnection_time
        same_method = policy.method in (None, self._original.method)
        if not self.last_event_id and not (same_method and not reader.would_repeat):
            return None
        asked = None if error is None else error.retry_after
        retry = self._reconnection_time if asked is None else round(asked * 1000)
        delay = resume_delay(policy, self._failures, retry, self._random())
        headers = resume_headers(self.last_event_id)
        if policy.attempts is not None and self._failures > policy.attempts:
            self.gave_up_because = f"{self._failures} attempts in a row brought nothing new"
        elif not all(HEADER_VALUE.fullmatch(value) for _, value in headers):
            self.gave_up_because = "the last event ID has characters that no header can carry"
        elif not self._timing.allows(delay):
            self.gave_up_because = "the total deadline leaves no time for another attempt"
        else:
            self.request = self._resuming(policy.method or self._original.method, headers)
            return delay
        return None

    def _is_progress(self, reader: Reader[Any]) -> bool:
        """Whether this attempt starts the count of failures anew: not by connecting alone.

        It brought something new; or the server kept it alive by comments, and did not end it at once.
        """
        if reader.content:
            return not reader.last_event_id or reader.last_event_id != self.last_event_id
        return reader.comments > 0 and self._timing.now - self._began_at >= LASTING

    def _resuming(self, method: str, headers: tuple[tuple[str, str], ...]) -> PreparedRequest:
        """Return the request for what came behind an event."""
        request = self._original
        if method != request.method:
            request = request.without_body(method)
        return msgspec.structs.replace(request, headers=tuple(merge_headers(request.headers, headers)))


RESUMABLE = {
    *(Verdict.FINISHED, Verdict.UNFINISHED, Verdict.EVENT_CUT, Verdict.BODY_CUT),
    *(Verdict.UNREACHABLE, Verdict.DEADLINE),
}
"""The ends after which a stream is resumed (WHATWG HTML, 9.2.3: "reestablish the connection")."""
HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
"""RFC 9110, 5.5."""
LASTING = 3.0
"""Seconds from which on a connection that was kept alive is no failure: a server that refuses is faster."""
MAX_HELD_BACK = 100
"""Chunks without content that are held back at most, as long as the request may be made again."""

"""Whether a request is made again: after a failure, or to take the stream up where it broke off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from ..errors import StreamError
from ..http.redirects import PreparedRequest
from ..reading.reader import Body
from ..reading.request import Reconnects
from ..reading.verdict import Verdict
from .hop import merged
from .reconnecting import resume_delay
from .retrying import Retries, retry_after, should_retry
from .timing import Timing


class Attempts:
    """Counts the attempts at one stream, and decides about the next."""

    __slots__ = (
        "_entropy", "_failures", "_original", "_reconnection_time", "_reconnects", "_retried", "_retries",
        "_timing", "gave_up", "last_event_id", "may_reconnect", "may_start_over", "request",
    )  # fmt: skip

    def __init__(
        self,
        original: PreparedRequest,
        retries: Retries | None,
        reconnects: Reconnects | None,
        entropy: Callable[[], float],
        timing: Timing,
    ) -> None:
        self.request = original
        """What to ask for in the next attempt."""
        self.last_event_id = ""
        """Where the next attempt takes the stream up."""
        self.may_reconnect = reconnects is not None
        """Whether the stream is taken up again when it breaks off."""
        self.may_start_over = False
        """Whether this attempt may be followed by another from the start."""
        self.gave_up = ""
        """Why the stream is not taken up again, though it broke off."""
        self._original = original
        self._retries = retries
        self._reconnects = reconnects
        self._entropy = entropy
        self._timing = timing
        self._retried = 0
        self._failures = 0  # attempts that brought nothing new, one after another
        self._reconnection_time: int | None = None

    def begin(self) -> None:
        """The next attempt begins."""
        self._timing.stats.attempts += 1
        retries = None if self.may_reconnect else self._retries
        self.may_start_over = retries is not None and self._retried < retries.attempts

    def after(self, verdict: Verdict, error: StreamError | None, body: Body[Any]) -> float | None:
        """Return how many seconds to wait after an attempt that ended so, or None if it was the last."""
        if error is not None and not should_retry(error):
            return None
        if self._reconnects is not None:
            return self._reconnect(self._reconnects, verdict, body)
        if self._retries is not None and error is not None and self.may_start_over and not body.content:
            return self._retry(self._retries, error)
        return None

    def _retry(self, retries: Retries, error: StreamError) -> float | None:
        asked = None if error.response is None else retry_after(error.response)
        pause = retries.delay(self._retried, self._entropy(), asked, self._timing.elapsed)
        self._retried += 1
        return None if pause is None or not self._timing.has_room_for(pause) else pause

    def _reconnect(self, policy: Reconnects, verdict: Verdict, body: Body[Any]) -> float | None:
        if verdict not in BROKEN_OFF or body.finished:
            return None
        if body.content and (not body.last_event_id or body.last_event_id != self.last_event_id):
            self._failures = 0
        self._failures += 1
        self.last_event_id = body.last_event_id
        if body.reconnection_time is not None:
            self._reconnection_time = body.reconnection_time
        same_method = policy.method in (None, self._original.method)
        if not self.last_event_id and not (same_method and body.may_begin_again):
            return None
        pause = resume_delay(policy, self._failures, self._reconnection_time, self._entropy())
        value = self.last_event_id.encode().decode("latin-1").strip(" \t")  # UTF-8 (9.2.4)
        if self._failures > policy.attempts:
            self.gave_up = f"{self._failures} attempts in a row brought nothing new"
        elif not CARRIED.fullmatch(value):
            self.gave_up = "the last event ID has characters that no header can carry"
        elif not self._timing.has_room_for(pause):
            self.gave_up = "the total deadline leaves no time for another attempt"
        else:
            self.request = self._taking_up(policy.method or self._original.method, value)
            return pause
        return None

    def _taking_up(self, method: str, last_event_id: str) -> PreparedRequest:
        """Return the request for what came behind an event."""
        request = self._original
        if method != request.method:
            request = request.without_body(method)
        if not last_event_id:
            return request
        headers = merged(request.headers, [("Last-Event-ID", last_event_id)])
        return msgspec.structs.replace(request, headers=tuple(headers))


BROKEN_OFF = {
    *(Verdict.FINISHED, Verdict.UNFINISHED, Verdict.EVENT_CUT, Verdict.BODY_CUT),
    *(Verdict.UNREACHABLE, Verdict.DEADLINE),
}
"""The ends after which a stream is taken up again (WHATWG HTML, 9.2.3: "reestablish the connection")."""
CARRIED = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
"""RFC 9110, 5.5."""
MAX_HELD = 100
"""Chunks without content that are held back at most, as long as the request may be made again."""

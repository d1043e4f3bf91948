"""How a stream ended."""

from __future__ import annotations

from enum import Enum

from ..errors import (
    ApiError,
    BodyTruncated,
    ConnectionFailed,
    DeadlineExceeded,
    EventTooLarge,
    InvalidChunk,
    NotAnEventStream,
    ProtocolError,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    UnsupportedCoding,
)


class Verdict(Enum):
    """How a stream ended."""

    COMPLETE = "the stream said that it was done"
    FINISHED = "the body ended where the stream may end: after a finish reason, or for plain events anywhere"
    NO_CONTENT = "the server said, by status 204, that there is no more to come"
    UNFINISHED = "the body ended with neither a terminal marker nor a finish reason"
    EVENT_CUT = "the body ended inside an event"
    BODY_CUT = "the connection ended inside the body"
    ERROR_EVENT = "the provider reported an error inside the stream"
    REFUSED = "the response's status was not 200, or it was no event stream"
    UNREACHABLE = "there was no connection, or none that lasted until the response"
    INVALID = "what came broke the rules of HTTP, of the event stream or of the dialect"
    DEADLINE = "a deadline passed"
    GAVE_UP = "it broke off, and was not taken up again"
    CANCELLED = "this side closed the stream"


def verdict_of(error: StreamError) -> Verdict:
    """The verdict that an error stands for."""
    return next(verdict for kind, verdict in VERDICTS if isinstance(error, kind))


VERDICTS: tuple[tuple[type[StreamError], Verdict], ...] = (
    (StatusError, Verdict.REFUSED),
    (NotAnEventStream, Verdict.REFUSED),
    (UnsupportedCoding, Verdict.REFUSED),
    (ApiError, Verdict.ERROR_EVENT),
    (ConnectionFailed, Verdict.UNREACHABLE),
    (BodyTruncated, Verdict.BODY_CUT),
    (StreamIncomplete, Verdict.UNFINISHED),
    (DeadlineExceeded, Verdict.DEADLINE),
    (StreamClosed, Verdict.CANCELLED),
    (ProtocolError, Verdict.INVALID),
    (EventTooLarge, Verdict.INVALID),
    (InvalidChunk, Verdict.INVALID),
    (StreamError, Verdict.INVALID),
)
"""The verdict that each error stands for; the first that fits."""

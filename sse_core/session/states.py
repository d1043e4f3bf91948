"""The states of a session, the legal moves between them, and how a life can end."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    """What the session is waiting for."""

    IDLE = "not started"
    ACQUIRING = "looking for a connection, or room for one"
    OPENING = "opening a connection"
    SECURING = "agreeing on TLS"
    GREETING = "sending to the proxy"
    TUNNELLING = "awaiting the proxy's answer"
    SENDING = "sending the request"
    AWAITING = "awaiting the response head"
    REJECTING = "collecting a body that is no event stream"
    STREAMING = "receiving the event stream"
    DELIVERING = "handing over chunks"
    RELEASING = "giving the connection back"
    WAITING = "waiting before another attempt"
    STOPPED = "at the end"

    __hash__ = object.__hash__  # Enum's own is a function in Python, and takes longer than the look-up


EDGES: Mapping[State, frozenset[State]] = {
    State.IDLE: frozenset({State.ACQUIRING, State.STOPPED}),
    State.ACQUIRING: frozenset({State.OPENING, State.SENDING, State.RELEASING}),
    State.OPENING: frozenset({State.SECURING, State.GREETING, State.SENDING, State.RELEASING}),
    State.SECURING: frozenset({State.GREETING, State.SENDING, State.RELEASING}),
    State.GREETING: frozenset({State.TUNNELLING, State.RELEASING}),
    State.TUNNELLING: frozenset(
        {State.TUNNELLING, State.GREETING, State.SECURING, State.SENDING, State.RELEASING}
    ),
    State.SENDING: frozenset({State.AWAITING, State.RELEASING}),
    State.AWAITING: frozenset({State.AWAITING, State.REJECTING, State.DELIVERING, State.RELEASING}),
    State.REJECTING: frozenset({State.REJECTING, State.DELIVERING, State.RELEASING}),
    State.STREAMING: frozenset({State.STREAMING, State.DELIVERING, State.RELEASING}),
    State.DELIVERING: frozenset({State.STREAMING, State.DELIVERING, State.RELEASING}),
    State.RELEASING: frozenset({State.ACQUIRING, State.WAITING, State.STOPPED}),
    State.WAITING: frozenset({State.ACQUIRING, State.STOPPED}),
    State.STOPPED: frozenset(),
}
"""Every legal move. The diagram in the documentation is drawn from it."""


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

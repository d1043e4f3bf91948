"""The states of a session, and the legal moves between them."""

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

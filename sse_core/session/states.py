"""The states of a session, and the legal moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING


class State(Enum):
    """What the session is waiting for."""

    IDLE = "not started"
    AUTHORIZING = "asking for credentials"
    ACQUIRING = "looking for a connection, or room for one"
    OPENING = "opening a connection"
    SECURING = "agreeing on TLS"
    ASKING_PROXY = "sending to the proxy"
    AWAITING_PROXY = "awaiting the proxy's answer"
    FETCHING = "awaiting the response of another HTTP client"
    SENDING = "sending the request"
    AWAITING = "awaiting the response head"
    COLLECTING = "collecting a body that is no event stream"
    STREAMING = "receiving the event stream"
    DECODING = "decoding what has come"
    DELIVERING = "handing over chunks"
    RELEASING = "giving the connection back"
    WAITING = "waiting before another attempt"
    STOPPED = "at the end"

    if not TYPE_CHECKING:
        __hash__ = object.__hash__  # Enum's own is a function in Python, and takes longer than the look-up


BEGINNING = {State.AUTHORIZING, State.ACQUIRING, State.FETCHING}
"""The states that an attempt can begin in."""
BODY = {State.COLLECTING, State.STREAMING, State.DECODING, State.DELIVERING, State.RELEASING}
"""The states that may follow when a body is read."""
EDGES: Mapping[State, frozenset[State]] = {
    State.IDLE: frozenset({*BEGINNING, State.STOPPED}),
    State.AUTHORIZING: frozenset({State.ACQUIRING, State.FETCHING, State.WAITING, State.STOPPED}),
    State.ACQUIRING: frozenset({State.OPENING, State.SENDING, State.RELEASING}),
    State.OPENING: frozenset({State.SECURING, State.ASKING_PROXY, State.SENDING, State.RELEASING}),
    State.SECURING: frozenset({State.ASKING_PROXY, State.SENDING, State.RELEASING}),
    State.ASKING_PROXY: frozenset({State.AWAITING_PROXY, State.RELEASING}),
    State.AWAITING_PROXY: frozenset(
        {State.AWAITING_PROXY, State.ASKING_PROXY, State.SECURING, State.SENDING, State.RELEASING}
    ),
    State.SENDING: frozenset({State.AWAITING, State.RELEASING}),
    State.AWAITING: frozenset({State.AWAITING, *BODY} - {State.STREAMING}),
    State.FETCHING: frozenset(BODY - {State.STREAMING, State.DECODING}),
    State.COLLECTING: frozenset(BODY - {State.STREAMING}),
    State.STREAMING: frozenset(BODY - {State.COLLECTING}),
    State.DECODING: frozenset(BODY),
    State.DELIVERING: frozenset(BODY - {State.COLLECTING}),
    State.RELEASING: frozenset({State.AUTHORIZING, State.ACQUIRING, State.WAITING, State.STOPPED}),
    State.WAITING: frozenset({*BEGINNING, State.STOPPED}),
    State.STOPPED: frozenset(),
}
"""Every legal move. The diagram in the documentation is drawn from it."""

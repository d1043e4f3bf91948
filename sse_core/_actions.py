"""What passes between a session and the adapter that performs its I/O: plain values.

An action says what to do next, an outcome what came of it. There is one outstanding
action at any moment. All are frozen, tagged Structs, so that a life can be written down
as JSON, replayed and compared. A `deadline` is a moment on the adapter's own clock, the
one behind `now`, in seconds; None means no limit.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, TypeAlias

from msgspec import Struct


class Open(Struct, frozen=True, tag=True):
    """Connect to `host`, a name or an address, at `port`. Answered by Opened or Failed."""

    host: str
    port: int
    deadline: float | None


class StartTLS(Struct, frozen=True, tag=True):
    """Speak TLS from here on, with the peer proving to be `server_name`. Answered by Done or Failed."""

    server_name: str
    deadline: float | None


class Send(Struct, frozen=True, tag=True):
    """Send all of `data`. Answered by Done or Failed."""

    data: bytes
    deadline: float | None

    def __repr__(self) -> str:
        return f"Send(<{len(self.data)} bytes>, deadline={self.deadline})"  # credentials are among them


class Receive(Struct, frozen=True, tag=True):
    """Receive at least one byte, or the end. Answered by Received or Failed."""

    deadline: float | None


class Deliver(Struct, frozen=True, tag=True):
    """Hand `chunks` over, and answer Done when more are wanted.

    The first comes as soon as the response has turned out to be a stream, even without
    chunks.
    """

    chunks: list[Any]


class Release(Struct, frozen=True, tag=True):
    """Close the connection, if there is one. Answered by Done.

    Comes exactly once after an Open, whatever became of it.
    """


class Stop(Struct, frozen=True, tag=True):
    """There is nothing more to do; the session's `verdict` and `error` say how it ended."""


Action: TypeAlias = Open | StartTLS | Send | Receive | Deliver | Release | Stop


class Done(Struct, frozen=True, tag=True):
    """It is done."""


class Opened(Struct, frozen=True, tag=True):
    """The connection is there."""


class Received(Struct, frozen=True, tag=True):
    """`data` has come; `b""` says that the peer has ended, and properly so under TLS."""

    data: bytes


class Reason(Enum):
    """Why an action failed."""

    NETWORK = "network"
    """The network, or the peer, did not do its part."""
    DEADLINE = "deadline"
    """The action's deadline passed."""
    CERTIFICATE = "certificate"
    """The peer's certificate was not accepted."""
    CANCELLED = "cancelled"
    """The caller wants no more. Answers any action."""


class Failed(Struct, frozen=True, tag=True):
    """The action was not carried out; `message` is for people."""

    reason: Reason
    message: str = ""


Outcome: TypeAlias = Done | Opened | Received | Failed

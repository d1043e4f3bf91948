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


class Acquire(Struct, frozen=True, tag=True):
    """Get a connection that may be used for `origin`. Answered by Acquired or Failed.

    One that is kept open from an earlier request will do, unless `fresh`. Otherwise a new
    one will be opened next; wait until there may be one more.
    """

    origin: str
    fresh: bool
    deadline: float | None


class Open(Struct, frozen=True, tag=True):
    """Connect to `host`, a name or an address, at `port`. Answered by Done or Failed."""

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

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


class Receive(Struct, frozen=True, tag=True, gc=False):
    """Receive at least one byte, or the end. Answered by Received or Failed."""

    deadline: float | None


class Deliver(Struct, frozen=True, tag=True, gc=False):
    """Hand `chunks` over, and answer Done when more are wanted.

    The first comes as soon as the response has turned out to be a stream, even without
    chunks.
    """

    chunks: list[Any]


class Release(Struct, frozen=True, tag=True):
    """Give the connection back, if there is one; close it unless `reuse`. Answered by Done.

    With `reuse` the connection may be kept for another request to the same origin; what
    is left of this response is the session's `exchange` to read. Comes exactly once after
    an Acquire, whatever became of it.
    """

    reuse: bool


class Sleep(Struct, frozen=True, tag=True):
    """Do nothing until `deadline`. Answered by Done, or by Failed if the caller wants no more."""

    deadline: float


class Stop(Struct, frozen=True, tag=True):
    """There is nothing more to do; the session's `verdict` and `error` say how it ended."""


Action: TypeAlias = Acquire | Open | StartTLS | Send | Receive | Deliver | Release | Sleep | Stop


class Done(Struct, frozen=True, tag=True, gc=False):
    """It is done."""


class Acquired(Struct, frozen=True, tag=True):
    """There is a connection if `reused`; otherwise there is room for one."""

    reused: bool


class Received(Struct, frozen=True, tag=True, gc=False):
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


class Failed(Struct, frozen=True, tag=True, gc=False):
    """The action was not carried out; `message` is for people."""

    reason: Reason
    message: str = ""


Outcome: TypeAlias = Done | Acquired | Received | Failed

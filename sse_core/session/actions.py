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

from ..checks import check_headers, check_type
from ..http.response import Response


class Acquire(Struct, frozen=True, tag=True):
    """Get a connection to `origin`, through `proxy` if there is one. Answered by Acquired or Failed.

    `origin` is that of the URL (RFC 6454, 6.2), and `proxy` the proxy's, without credentials. A connection
    that is kept open from an earlier request will do, unless `fresh`. Otherwise a new one will be opened
    next; wait until there may be one more.
    """

    origin: str
    fresh: bool
    deadline: float | None
    proxy: str | None = None

    @property
    def pool_key(self) -> str:
        """What connections that may be used for one another have in common."""
        return self.origin if self.proxy is None else f"{self.origin} through {self.proxy}"


class Authorize(Struct, frozen=True, tag=True):
    """Get the headers that carry the credentials. Answered by Authorized or Failed.

    Comes before each attempt, numbered from 1. `refused` is the response with status 401 that the
    attempt before it got, if it did; then older credentials will not do.
    """

    attempt: int
    refused: Response | None
    deadline: float | None


class Fetch(Struct, frozen=True, tag=True):
    """Get the response to a request, by whatever speaks HTTP. Answered by Fetched or Failed.

    It stands for Acquire, Open, StartTLS, Send and the Receives of a response head: connecting, TLS,
    proxies, redirects, content codings and pooling are the other side's. `headers` are without Host and
    Content-Length. Received then brings the body, without framing and content coding, and Release lets go.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    deadline: float | None

    def __repr__(self) -> str:  # credentials are in the headers, and may be in the query
        url = self.url.partition("?")[0]
        return f"Fetch({self.method} {url}, <{len(self.body)} bytes>, deadline={self.deadline})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


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

    The first Deliver is sent once the head is accepted as a stream's, and may be empty.
    """

    chunks: list[Any]


class Release(Struct, frozen=True, tag=True):
    """Give the connection back, if there is one; close it unless `reuse`. Answered by Done.

    With `reuse` the connection may be kept for another request with the same `pool_key`; what
    is left of this response is the session's `exchange` to read. Comes exactly once after
    an Acquire or a Fetch, whatever became of it; after a Fetch it closes the response.
    """

    reuse: bool


class Yield(Struct, frozen=True, tag=True):
    """Let others run, and answer Done at once: work on what has come goes on behind this.

    An event loop has other tasks, and deadlines are compared with each new `now`.
    """


class Sleep(Struct, frozen=True, tag=True):
    """Do nothing until `deadline`. Answered by Done, or by Failed if the caller wants no more."""

    deadline: float


class Stop(Struct, frozen=True, tag=True):
    """There is nothing more to do; the session's `verdict` and `error` say how it ended."""


Action: TypeAlias = (
    Acquire | Authorize | Fetch | Open | StartTLS | Send | Receive | Deliver | Release | Yield | Sleep | Stop
)


class Done(Struct, frozen=True, tag=True, gc=False):
    """It is done."""


class Acquired(Struct, frozen=True, tag=True):
    """There is a connection if `reused`; otherwise there is room for one."""

    reused: bool


class Authorized(Struct, frozen=True, tag=True):
    """The headers to add to the request; one of the same name is replaced. They are never shown."""

    headers: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        check_headers("Authorized.headers", self.headers)

    def __repr__(self) -> str:
        return f"Authorized(<{len(self.headers)} headers>)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


class Fetched(Struct, frozen=True, tag=True):
    """The head of the response has come; its body follows."""

    response: Response

    def __post_init__(self) -> None:
        check_type("Fetched.response", self.response, Response, "a Response")


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


Outcome: TypeAlias = Done | Acquired | Authorized | Fetched | Received | Failed

"""One request to one server: how to get there, and what became of it. A redirect leads to the next hop."""

from __future__ import annotations

from collections.abc import Iterable

from .._version import __version__
from ..errors import BodyTruncated, CertificateRejected, ConnectionFailed, ProxyError, StreamError
from ..http.exchange import Exchange
from ..http.proxies import Proxies
from ..http.redirects import PreparedRequest
from ..reading.limits import Limits
from .actions import Failed, Reason
from .states import State


class Hop:
    """`sent`, made ready to be sent by the way that `proxies` says; `fresh` asks for a new connection.

    Raises ValueError for a request that HTTP/1.1 cannot carry.
    """

    __slots__ = (
        "answered", "exchange", "fresh", "intact", "lost", "origin", "peer", "proxy", "reused", "sent",
        "tunnelled", "url",
    )  # fmt: skip

    def __init__(
        self, sent: PreparedRequest, proxies: Proxies, limits: Limits, *, fresh: bool = False
    ) -> None:
        self.sent = sent
        self.fresh = fresh
        self.url = sent.url
        self.proxy = proxies.for_url(sent.url)
        self.tunnelled = self.proxy is not None and (self.proxy.is_socks or sent.url.scheme == "https")
        """Whether the proxy only leads to the server, and does not see the request."""
        self.peer = sent.url.authority
        """Who is at the other end, in words for people."""
        self.reused = False
        """Whether it goes over a connection that was used before."""
        self.answered = False
        """Whether any of the answer has come."""
        self.intact = True
        """Whether the connection has come to no harm."""
        self.lost = ""
        """What went wrong while the request was sent."""
        target, fields = sent.target, merged([("Host", sent.url.host_field)], sent.headers)
        if self.proxy is not None:
            self.peer += f" through {self.proxy.scheme}://{self.proxy.host}:{self.proxy.port}"
        self.origin = f"{sent.url.scheme}://{self.peer}"
        """What a connection must lead to so that this request may go over it."""
        if self.proxy is not None and not self.tunnelled:
            target = f"http://{sent.url.host_field}{sent.target}"  # RFC 9112, 3.2.2
            if self.proxy.authorization is not None:
                fields.append(("Proxy-Authorization", self.proxy.authorization))
        self.exchange = Exchange(sent.method, target, fields, sent.body, max_head_size=limits.max_head_size)

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request, once the rest of the response has come."""
        return self.intact and not self.lost and self.exchange.keep_alive

    @property
    def stale(self) -> bool:
        """Whether the connection was used before and has brought nothing of this answer.

        If it ends now, the request was not read, in all likelihood (RFC 9112, 9.3.1).
        """
        return self.reused and not self.answered

    def failure(self, outcome: Failed, state: State) -> StreamError:
        """The error for an action that failed in a state, other than by a deadline or the caller's wish."""
        if outcome.reason is Reason.CERTIFICATE:
            return CertificateRejected(f"{self.peer}: {outcome.message}")
        if state in (State.STREAMING, State.REJECTING):
            return BodyTruncated(f"the connection was lost: {outcome.message}")
        message = f"{self.peer}, {state.value}: {outcome.message}"
        if state in (State.GREETING, State.TUNNELLING):
            return ProxyError(message, retryable=True)
        return ConnectionFailed(self.lost or message)


def merged(*sections: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put header sections together: a name in a later one replaces those before it."""
    fields: dict[str, list[tuple[str, str]]] = {}
    for section in sections:
        own: dict[str, list[tuple[str, str]]] = {}
        for field in section:
            own.setdefault(field[0].lower(), []).append(field)
        fields.update(own)
    return [field for same_name in fields.values() for field in same_name]


DEFAULT_HEADERS = (
    ("User-Agent", f"sse-core/{__version__}"),
    ("Accept", "text/event-stream"),
    ("Accept-Encoding", "identity"),  # proxies that compress hold events back, so it is for the caller to ask
    ("Cache-Control", "no-cache"),
)

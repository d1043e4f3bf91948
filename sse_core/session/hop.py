"""One request to one server: how to get there, and what became of it.

A stream takes one hop for each request that is made: the first, those that follow redirects, and those of
further attempts.
"""

from __future__ import annotations

from collections.abc import Iterable

from .._version import __version__
from ..errors import BodyTruncated, CertificateRejected, ConnectionFailed, ProxyError, StreamError
from ..http.exchange import Exchange
from ..http.proxies import Proxies, Proxy
from ..http.redirects import PreparedRequest
from ..http.url import URL
from ..reading.limits import Limits
from .actions import Failed, Reason
from .states import State


class Hop:
    """`prepared`, made ready to be sent by the way that `proxies` says; `fresh` asks for a new connection.

    Raises ValueError for a request that HTTP/1.1 cannot carry.
    """

    __slots__ = (
        "exchange",
        "fresh",
        "origin",
        "peer",
        "prepared",
        "proxy",
        "proxy_error",
        "proxy_origin",
        "response_begun",
        "reused",
        "send_error",
        "tunnelled",
        "undamaged",
        "url",
    )  # fmt: skip

    def __init__(
        self, prepared: PreparedRequest, proxies: Proxies, limits: Limits, *, fresh: bool = False
    ) -> None:
        self.prepared: PreparedRequest = prepared
        self.fresh: bool = fresh
        self.url: URL = prepared.url
        self.proxy: Proxy | None = None
        self.proxy_error: ProxyError | None = None
        """Why the proxy that should lead to the server cannot be used. Then nothing is to be connected."""
        try:
            self.proxy = proxies.for_url(prepared.url)
        except ProxyError as error:
            self.proxy_error, self.fresh = error, True
        is_secure = prepared.url.scheme == "https"
        self.tunnelled: bool = self.proxy is not None and (self.proxy.is_socks or is_secure)
        """Whether the proxy only leads to the server, and does not see the request."""
        self.peer: str = prepared.url.authority
        """Who is at the other end, in words for people."""
        self.reused: bool = False
        """Whether it goes over a connection that was used before."""
        self.response_begun: bool = False
        """Whether any of the answer has come."""
        self.undamaged: bool = True
        """Whether the connection has come to no harm."""
        self.send_error: str = ""
        """What went wrong while the request was sent."""
        target, fields = prepared.target, merge_headers([("Host", prepared.url.host_field)], prepared.headers)
        self.origin: str = f"{prepared.url.scheme}://{prepared.url.authority}"
        """The origin of the URL (RFC 6454, 6.2)."""
        self.proxy_origin: str | None = None
        """That of the proxy, if there is one."""
        if self.proxy is not None:
            self.proxy_origin = f"{self.proxy.scheme}://{self.proxy.host}:{self.proxy.port}"
            self.peer += f" through {self.proxy_origin}"
        if self.proxy is not None and not self.tunnelled:
            target = f"http://{prepared.url.host_field}{prepared.target}"  # RFC 9112, 3.2.2
            if self.proxy.authorization is not None:
                fields.append(("Proxy-Authorization", self.proxy.authorization))
        self.exchange: Exchange = Exchange(
            prepared.method,
            target,
            fields,
            prepared.body,
            max_head_size=limits.max_head_size,
            max_header_fields=limits.max_header_fields,
            max_interim_responses=limits.max_interim_responses,
        )

    @property
    def shown_url(self) -> str:
        """The URL without its query, in which credentials may be."""
        return self.origin + self.prepared.target.partition("?")[0]

    @property
    def forwarded(self) -> bool:
        """Whether a proxy sees the request, and may answer in place of the server."""
        return self.proxy is not None and not self.tunnelled

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request, once the rest of the response has come."""
        return self.undamaged and not self.send_error and self.exchange.keep_alive

    @property
    def stale(self) -> bool:
        """Whether the connection was used before and has brought nothing of this answer.

        If it ends now, the request was not read, in all likelihood (RFC 9112, 9.3.1).
        """
        return self.reused and not self.response_begun

    def failure(self, outcome: Failed, state: State) -> StreamError:
        """The error for an action that failed in a state, other than by a deadline or the caller's wish."""
        if outcome.reason is Reason.CERTIFICATE:
            return CertificateRejected(f"{self.peer}: {outcome.message}")
        if state in (State.STREAMING, State.COLLECTING):
            return BodyTruncated(f"the connection was lost: {outcome.message}")
        message = f"{self.peer}, {state.value}: {outcome.message}"
        if state in (State.ASKING_PROXY, State.AWAITING_PROXY):
            return ProxyError(message, retryable=True)
        return ConnectionFailed(self.send_error or message)


def merge_headers(*sections: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
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

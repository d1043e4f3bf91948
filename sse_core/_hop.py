"""One request to one server: how to get there, and what became of it. A redirect leads to the next hop."""

from __future__ import annotations

from collections.abc import Iterable

from ._exchange import Exchange
from ._limits import Limits
from ._proxies import Proxies
from ._redirects import Sent


class Hop:
    """`sent`, made ready to be sent by the way that `proxies` says; `fresh` asks for a new connection.

    Raises ValueError for a request that HTTP/1.1 cannot carry.
    """

    def __init__(self, sent: Sent, proxies: Proxies, limits: Limits, *, fresh: bool = False) -> None:
        self.sent = sent
        self.fresh = fresh
        self.url = sent.url
        self.proxy = proxies.for_url(sent.url)
        self.tunnelled = self.proxy is not None and (self.proxy.is_socks or sent.url.scheme == "https")
        """Whether the proxy only leads to the server, and does not see the request."""
        self.origin = f"{sent.url.scheme}://{sent.url.authority}"
        """What a connection must lead to so that this request may go over it."""
        self.reused = False
        """Whether it goes over a connection that was used before."""
        self.answered = False
        """Whether any of the answer has come."""
        self.intact = True
        """Whether the connection has come to no harm."""
        self.lost = ""
        """What went wrong while the request was sent."""
        target, fields = sent.target, merged([("Host", sent.url.authority)], sent.headers)
        if self.proxy is not None:
            self.origin += f" through {self.proxy.scheme}://{self.proxy.host}:{self.proxy.port}"
        if self.proxy is not None and not self.tunnelled:
            target = f"http://{sent.url.authority}{sent.target}"  # RFC 9112, 3.2.2
            if self.proxy.authorization is not None:
                fields.append(("Proxy-Authorization", self.proxy.authorization))
        self.exchange = Exchange(sent.method, target, fields, sent.body, max_head_size=limits.max_head_size)

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request, once the rest of the response has come."""
        return self.intact and self.exchange.persistent

    @property
    def stale(self) -> bool:
        """Whether the connection was used before and has brought nothing of this answer.

        If it ends now, the request was not read, in all likelihood (RFC 9112, 9.3.1).
        """
        return self.reused and not self.answered


def merged(*sections: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Put header sections together: a name in a later one replaces those before it."""
    fields: dict[str, list[tuple[str, str]]] = {}
    for section in sections:
        own: dict[str, list[tuple[str, str]]] = {}
        for name, value in section:
            own.setdefault(name.lower(), []).append((name, value))
        fields.update(own)
    return [field for same_name in fields.values() for field in same_name]

"""Handshakes with proxies: CONNECT (RFC 9110, 9.3.6), and SOCKS5 in `socks.py`.

A tunnel speaks over a connection to the proxy until that connection leads to the server:

    tunnel = tunnel_through(proxy, host, port)
    while not tunnel.established and tunnel.error is None:
        send(tunnel.data_to_send())  # unless that is b""
        tunnel.receive(data)  # what was received

Then this side speaks first, to begin TLS or to send the request. Bytes that come before that are an
error, since they might be taken for the server's.
"""

from __future__ import annotations

from typing import Protocol

from ..errors import Fault, ProxyError
from .exchange import Exchange
from .proxies import CLOSED, UNEXPECTED_DATA, Proxy


class Tunnel(Protocol):
    """The interface of both kinds of tunnel."""

    @property
    def established(self) -> bool:
        """Whether the connection leads to the server now."""
        ...

    @property
    def error(self) -> ProxyError | None:
        """Why there is no tunnel, and will be none."""
        ...

    def data_to_send(self) -> bytes:
        """Return the bytes to send to the proxy next, once; `b""` if it is the proxy's turn."""
        ...

    def receive(self, data: bytes) -> None:
        """Take the bytes that the proxy sent; `b""` says that it has closed the connection."""
        ...


def tunnel_through(proxy: Proxy, host: str, port: int, *, max_head_size: int = 64 * 1024) -> Tunnel:
    """Return a tunnel that asks `proxy` for a connection to `host` and `port`.

    `max_head_size` limits the head of an HTTP proxy's response, in bytes.

    Raises ProxyError for a host name that is too long for SOCKS5, and for SOCKS5 if socksio is not
    installed.
    """
    if not proxy.is_socks:
        return HTTPTunnel(proxy, host, port, max_head_size=max_head_size)
    try:
        from .socks import SOCKS5Tunnel
    except ImportError:
        message = "a SOCKS5 proxy needs socksio: pip install 'sse-core[socks]'"
        raise ProxyError(message, fault=Fault.CALLER) from None
    return SOCKS5Tunnel(proxy, host, port)


class HTTPTunnel:
    """A tunnel through an HTTP proxy."""

    def __init__(self, proxy: Proxy, host: str, port: int, *, max_head_size: int) -> None:
        self.error: ProxyError | None = None
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"  # RFC 9112, 3.2.3
        headers = [("Host", target)]
        if proxy.authorization is not None:
            headers.append(("Proxy-Authorization", proxy.authorization))
        self._exchange = Exchange("CONNECT", target, headers, max_head_size=max_head_size)

    @property
    def established(self) -> bool:
        return self._exchange.response is not None and self.error is None

    def data_to_send(self) -> bytes:
        return self._exchange.data_to_send()

    def receive(self, data: bytes) -> None:
        if self.error is not None:
            return
        self._exchange.receive(data)
        response, error = self._exchange.response, self._exchange.error
        if response is not None and not 200 <= response.status < 300:
            self.error = refused(response.status, response.reason)
        elif not data:
            self.error = ProxyError(CLOSED, retryable=True)
        elif error is not None:
            self.error = ProxyError(f"the proxy's answer is not HTTP/1.1: {error}")
        elif self._exchange.excess_data:
            self.error = ProxyError(UNEXPECTED_DATA)


def refused(status: int, reason: str) -> ProxyError:
    """Return the error for a response to CONNECT that is not 2xx."""
    return ProxyError(
        f"the proxy answered {status} {reason[:SHOWN]}".rstrip(),
        status=status,
        fault=Fault.CALLER if status in (401, 407) else Fault.NETWORK,  # 401: tinyproxy, wrong password
        retryable=status in (408, 429, 500, 502, 503, 504),
    )


SHOWN = 100
"""Characters of a reason phrase that a message shows."""

"""The options of clients, as typed keyword arguments, and what an observer is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict

from sse_core import URL, Action, Deadlines, Limits, Outcome, PoolLimits, Proxies, Response, Retries, Session

from .sockets import SocketOption, SocketOptions, UnixPath

if TYPE_CHECKING:
    import ssl

__all__ = ["Auth", "FetchOptions", "NetworkOptions", "Observer", "Options", "StreamOptions"]


class Observer(Protocol):
    """Is told about each step of a stream, by whichever thread or task reads or closes it.

    An exception that it raises ends the stream; then it is told no more.
    """

    def action(self, action: Action, now: float) -> None:
        """Called with each action of the session, and the time in seconds on the transport's clock."""
        ...

    def outcome(self, outcome: Outcome, now: float) -> None:
        """Called with the outcome of that action."""
        ...


Auth: TypeAlias = Callable[[int, Response | None], Mapping[str, str] | Awaitable[Mapping[str, str]]]
"""Returns the headers that carry the credentials. On asynchronous clients it may be a coroutine function.

It is called before each attempt at a request with the number of the attempt, from 1, and with the response
whose status 401 refused the attempt before, if there was one.
"""


class StreamOptions(TypedDict, total=False):
    """The options of one request. Each replaces the client's, but for headers, which come on top of them."""

    headers: Mapping[str, str]
    """Sent with the request, in place of others of the same name."""
    deadlines: Deadlines
    limits: Limits
    retries: Retries | None
    """When to retry a request that failed before any content arrived; by default never."""
    observe: Callable[[Session[Any]], Observer] | None
    """Called with the session of each stream, and returns its observer."""


class FetchOptions(StreamOptions, total=False):
    """The options of every client."""

    auth: Auth | None
    """Asked for credentials before each attempt, and once more after a response with status 401."""


class Options(FetchOptions, total=False):
    """The options of clients that have connections of their own."""

    pool: PoolLimits
    proxies: Proxies | None
    """By default those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; `Proxies()` for none."""


class NetworkOptions(Options, total=False):
    """The options of clients that open network connections."""

    ssl_context: ssl.SSLContext | None
    """Whom to trust over https, by default whom the system trusts; may hold a client certificate.

    A certificate is shown to the origin of the base URL alone: to no proxy, and after no redirect.
    Its `OP_IGNORE_UNEXPECTED_EOF` is cleared, so that a connection that is cut is noticed.
    """
    server_hostname: str | None
    """The name for which the certificate of the base URL's host has to be valid, if not that host."""
    uds: UnixPath | None
    """The path of a Unix socket to connect to, in place of every host."""
    local_address: str | None
    """The IP address to connect from; by default the system chooses."""
    socket_options: Sequence[SocketOption]
    """Arguments of `socket.setsockopt`, called on each socket before it connects.

    They come after TCP_NODELAY and TCP keep-alive, which is on by default, with a probe each minute.
    """


class SessionOptions(TypedDict):
    """The options of one session."""

    headers: tuple[tuple[str, str], ...]
    deadlines: Deadlines
    limits: Limits
    proxies: Proxies
    retries: Retries | None
    random: Callable[[], float]
    authorize: bool
    fetch: bool


class TransportOptions(TypedDict):
    """The options of one transport."""

    ssl_context: ssl.SSLContext | None
    server_names: Mapping[str, str]
    own: URL | None
    sockets: SocketOptions


def split_options(base_url: str, options: NetworkOptions) -> tuple[TransportOptions, Options]:
    """Split a client's options into those of its transports and those of every client.

    Raises ValueError if the URL is not http or https, and as `require_verifying` does.
    """
    context = require_verifying(options.pop("ssl_context", None))
    url = URL.parse(base_url)
    name = options.pop("server_hostname", None)
    names = NO_OVERRIDES if name is None else {url.server_name: name}
    sockets = SocketOptions(
        uds=options.pop("uds", None),
        local_address=options.pop("local_address", None),
        options=tuple(options.pop("socket_options", ())),
    )
    if sockets.uds is not None:
        options.setdefault("proxies", Proxies())
    return TransportOptions(ssl_context=context, server_names=names, own=url, sockets=sockets), options


def require_verifying(context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Return the context. Raises ValueError if it verifies no certificate, and nobody turned that off.

    That is a context which does not check host names and whose protocol is not PROTOCOL_TLS_CLIENT, such
    as `ssl.SSLContext()`, which trusts everyone by default.
    """
    if context is None or context.check_hostname:
        return context
    import ssl  # which whoever made the context has imported already

    if context.protocol is not ssl.PROTOCOL_TLS_CLIENT:
        raise ValueError(
            f"an SSLContext of {context.protocol.name} verifies nobody: use ssl.create_default_context()"
        )
    return context


NO_HEADERS: Mapping[str, str] = MappingProxyType({})
NO_OVERRIDES: Mapping[str, str] = MappingProxyType({})

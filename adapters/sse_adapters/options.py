"""The options of clients and of single requests, as typed keyword arguments, and the checks of them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypedDict, TypeVar, cast

from sse_core import URL, Action, Deadlines, Limits, Outcome, PoolLimits, Proxies, Response, Retries, Session
from sse_core.checks import check_callable, check_headers, check_type

from .sockets import SocketOption, SocketOptions, UnixPath

if TYPE_CHECKING:
    import ssl

__all__ = ["AsyncAuth", "Auth", "FetchOptions", "NetworkOptions", "Observer", "Options", "StreamOptions"]


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


Auth: TypeAlias = Callable[[int, Response | None], Mapping[str, str]]
"""Returns the headers that carry the credentials, which replace others of the same name.

It is called before each attempt at a request, with the number of the attempt, from 1, and with the response
whose status 401 refused the attempt before, if there was one. An OSError that it raises fails the attempt, as
a ConnectionFailed; any other exception ends the stream, and its reader gets it. It should not wait for ever,
since neither a deadline nor `close` interrupts it: they end the stream once it returns.
"""
AsyncAuth: TypeAlias = Callable[[int, Response | None], Mapping[str, str] | Awaitable[Mapping[str, str]]]
"""The same for asynchronous clients, where it may be a coroutine function. Cancelling its task ends it."""
A = TypeVar("A")


class StreamOptions(TypedDict, total=False):
    """The options of one request. Each replaces the client's, but for headers, which come on top of them."""

    headers: Mapping[str, str]
    """Sent with the request, in place of others of the same name."""
    deadlines: Deadlines
    limits: Limits
    retries: Retries | None
    """When to retry a request that failed before any content arrived; by default never.

    A request that `reconnects` is never retried: a client's `retries` do not concern it.
    """
    observe: Callable[[Session[Any]], Observer] | None
    """Called with the session of each stream, and returns its observer."""


class FetchOptions(StreamOptions, Generic[A], total=False):
    """The options of every client. `A` is Auth, or AsyncAuth for asynchronous clients."""

    auth: A | None
    """Asked for credentials before each attempt, and once more after a response with status 401."""


class Options(FetchOptions[A], Generic[A], total=False):
    """The options of clients that have connections of their own."""

    pool: PoolLimits
    proxies: Proxies | None
    """By default those of HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY; `Proxies()` for none."""


class NetworkOptions(Options[A], Generic[A], total=False):
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


def split_options(base_url: str, options: NetworkOptions[A]) -> tuple[TransportOptions, Options[A]]:
    """Split a client's options into those of its transports and those of every client.

    Raises ValueError if the URL is not http or https, and as `check_options` and `require_verifying` do.
    """
    check_options(options, NetworkOptions.__optional_keys__, "a client")
    context = require_verifying(options.pop("ssl_context", None))
    url = parse_base_url(base_url)
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


def parse_base_url(base_url: object) -> URL:
    """Return the base URL of a client. Raises TypeError for anything but a str, and as `URL.parse` does."""
    check_type("base_url", base_url, str, "a str")
    return URL.parse(cast("str", base_url))


def check_options(
    options: Mapping[str, object], known: Collection[str], owner: str, others: str = ""
) -> None:
    """Check the options that a caller has given.

    Raises TypeError for one that its `owner` does not have, for it may be one of `others`, or that is of
    another type than is meant; and ValueError for headers that cannot be sent.
    """
    for name, value in options.items():
        if name not in known:
            hint = f"it is one of {others}" if name in CHECKS else HINTS.get(name)
            raise TypeError(f"{owner} has no option {name!r}" + (f": {hint}" if hint else ""))
        CHECKS[name](name, value)


def check_header_mapping(name: str, value: object) -> None:
    check_type(name, value, Mapping, "a mapping of names to values")
    check_headers(name, tuple(cast("Mapping[str, str]", value).items()))


def check_ssl_context(name: str, value: object) -> None:
    if value is not None:
        import ssl  # which whoever made a context has imported already

        meant = "an ssl.SSLContext, such as ssl.create_default_context(cafile=path), or None"
        check_type(name, value, ssl.SSLContext, meant)


def check_socket_options(name: str, value: object) -> None:
    check_type(name, value, (list, tuple), "a list of the arguments of socket.setsockopt")
    for option in cast("Sequence[object]", value):
        check_type(f"each of {name}", option, tuple, "a tuple of a level, an option and its value")


def a(kind: type | tuple[type, ...], meant: str) -> Check:
    return partial(check_type, kind=kind, meant=meant)


def a_function(meant: str) -> Check:
    def check(name: str, value: object) -> None:
        if value is not None:
            check_callable(name, value, f"{meant}, or None")

    return check


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

Check: TypeAlias = Callable[[str, object], None]
"""Raises TypeError or ValueError unless the option of this name may have this value."""
TEXT = a((str, NoneType), "a str or None")
CHECKS: Mapping[str, Check] = {
    "headers": check_header_mapping,
    "deadlines": a(Deadlines, "Deadlines, such as Deadlines(total=30)"),
    "limits": a(Limits, "Limits, such as Limits(max_event_size=2**20)"),
    "retries": a((Retries, NoneType), "Retries, such as Retries(attempts=3), or None"),
    "observe": a_function("a function that returns the observer of a session"),
    "auth": a_function("a function of the attempt's number and the refused response that returns headers"),
    "pool": a(PoolLimits, "PoolLimits, such as PoolLimits(max_connections=10)"),
    "proxies": a((Proxies, NoneType), "Proxies, such as Proxies(https=Proxy.parse(url)), or None"),
    "ssl_context": check_ssl_context,
    "server_hostname": TEXT,
    "uds": a((str, os.PathLike, NoneType), "a path or None"),
    "local_address": TEXT,
    "socket_options": check_socket_options,
}
"""How each option is checked. A caller learns of a mistake from the call that has it."""
HINTS = {
    "timeout": "use deadlines=Deadlines(...)",
    "max_retries": "use retries=Retries(attempts=...)",
    "api_key": "use headers= for a key, or auth= for one that changes",
    "verify": "use ssl_context=",
    "cert": "use ssl_context=",
    "proxy": "use proxies=Proxies(...)",
    "follow_redirects": "use limits=Limits(max_redirects=...)",
    "max_redirects": "use limits=Limits(max_redirects=...)",
}
"""What to use in place of options that other HTTP clients have."""

"""What a client can be told, by keyword."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from sse_core import URL, Action, Deadlines, Limits, Outcome, PoolLimits, Proxies, Retries, Session

from .sockets import UnixPath

if TYPE_CHECKING:
    import ssl


class Observer(Protocol):
    """Is told of each step of a stream, by whoever reads or closes it.

    What it raises ends the stream, and it is told no more.
    """

    def action(self, action: Action, now: float) -> None:
        """The session has asked for this, at a moment in seconds of the transport's clock."""
        ...

    def outcome(self, outcome: Outcome, now: float) -> None:
        """This is what came of it."""
        ...


class Options(TypedDict, total=False):
    """What every client can be told, by keyword."""

    headers: Mapping[str, str]
    """To go with every request: the credentials, for one."""
    deadlines: Deadlines
    limits: Limits
    retries: Retries | None
    """When a request is made again that failed before there was any content; by default never."""
    pool: PoolLimits
    proxies: Proxies | None
    """By default what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say; `Proxies()` for none."""
    observe: Callable[[Session[Any]], Observer] | None
    """Called for each stream, to return who is to be told of its steps."""


class NetworkOptions(Options, total=False):
    """What a client over a network can be told besides."""

    ssl_context: ssl.SSLContext | None
    """Whom to trust over https: by default whom the system trusts. Its `OP_IGNORE_UNEXPECTED_EOF`
    is cleared, so that a connection that is cut is noticed."""
    server_hostname: str | None
    """What the certificate of the base URL's host has to say, if that is not the host."""
    uds: UnixPath | None
    """The path of a Unix socket to connect to, whatever the host."""


class TransportOptions(TypedDict):
    """What each of its transports is told."""

    ssl_context: ssl.SSLContext | None
    server_names: Mapping[str, str]
    uds: UnixPath | None


def split(base_url: str, options: NetworkOptions) -> tuple[TransportOptions, Options]:
    """Split options into those for each transport, and those for the client.

    Raises ValueError for a URL that is not http or https, and as `checked` does.
    """
    context = checked(options.pop("ssl_context", None))
    name = options.pop("server_hostname", None)
    names = NO_NAMES if name is None else {URL.parse(base_url).server_name: name}
    uds = options.pop("uds", None)
    if uds is not None:
        options.setdefault("proxies", Proxies())
    return TransportOptions(ssl_context=context, server_names=names, uds=uds), options


def checked(context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """Return the context, unless it verifies nobody without having been told not to.

    Raises ValueError for a context of another protocol than PROTOCOL_TLS_CLIENT that does
    not check names: `ssl.SSLContext()` is one, and trusts everyone.
    """
    if context is None or context.check_hostname:
        return context
    import ssl  # which whoever made the context has done already

    if context.protocol is not ssl.PROTOCOL_TLS_CLIENT:
        raise ValueError(
            f"an SSLContext of {context.protocol.name} verifies nobody: use ssl.create_default_context()"
        )
    return context


NO_HEADERS: Mapping[str, str] = MappingProxyType({})
NO_NAMES: Mapping[str, str] = MappingProxyType({})

"""Which proxy leads to which URL, and how the environment says so.

No standard says what the variables mean. Where programs differ, this follows what curl, urllib and
requests have in common, so that a machine set up for those works here too; and it reads what desktops
and browsers write there.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from types import NoneType
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from ..checks import check_type
from ..errors import Fault, ProxyError
from .url import HOST, URL, decode_zone, to_ascii


class Proxy(Struct, frozen=True, kw_only=True):
    """A proxy, and the credentials for it.

    `scheme` is how it is spoken to: `http`, `https`, which is the same inside TLS, or `socks5` and
    `socks5h` (RFC 1928), which mean one thing here: it is the proxy that resolves host names.

    Raises ValueError for another scheme, for a port that is none, and for credentials that the
    scheme cannot carry. Neither the message nor `repr` shows a user name or a password.
    """

    scheme: str
    host: str
    port: int
    username: str | None = None
    password: str = ""

    def __post_init__(self) -> None:
        for name in ("scheme", "host", "password"):
            check_type(f"Proxy.{name}", getattr(self, name), str, "a str")
        check_type("Proxy.username", self.username, (str, NoneType), "a str or None")
        check_type("Proxy.port", self.port, int, "a whole number")
        if self.scheme not in PORTS:
            raise ValueError("the scheme of a proxy is http, https, socks5 or socks5h")
        if not 0 < self.port < 2**16:
            raise ValueError("the port of a proxy is a number from 1 to 65535")
        try:
            longest = max(len(text.encode()) for text in (self.username or "", self.password))
        except UnicodeEncodeError:
            raise ValueError("the credentials for a proxy are not valid Unicode") from None
        if self.is_socks and longest > 255:
            raise ValueError("SOCKS5 has room for a user name and a password of 255 bytes (RFC 1929)")
        if not self.is_socks and ":" in (self.username or ""):
            raise ValueError("a user name with a colon cannot be told to an HTTP proxy (RFC 7617, 2)")

    @classmethod
    def parse(cls, url: str) -> Proxy:
        """Read `scheme://user:password@host:port`, of which only the host must be there.

        The scheme is http unless given; `socks` is socks5, as for desktops and browsers. The port is
        80, 443 or 1080 unless given, as for Go, httpx and requests (curl alone has 1080 for http too).
        User name and password are percent-decoded. Quotes around it all are ignored, for shells and
        files of variables leave them there.

        Raises ValueError for anything else. The message shows nothing of the URL.
        """
        check_type("the URL of a proxy", url, str, "a str")
        url = unquoted(url)
        try:
            parts = urlsplit(url if "://" in url else f"http://{url}")
            host = decode_zone(to_ascii(parts.hostname or ""))
            port = parts.port
        except ValueError:  # its message might show credentials
            raise ValueError(NOT_A_PROXY) from None
        # A "/", "?" or "#" in a password would end it, and take the user's name for the host's.
        behind = parts.path not in ("", "/") or parts.query or parts.fragment
        if behind or not HOST.fullmatch(host):
            raise ValueError(NOT_A_PROXY)
        scheme = "socks5" if parts.scheme == "socks" else parts.scheme
        return cls(
            scheme=scheme,
            host=host,
            port=PORTS.get(scheme, 0) if port is None else port,
            username=None if parts.username is None else unquote(parts.username),
            password=unquote(parts.password or ""),
        )

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS5, and not HTTP."""
        return self.scheme in ("socks5", "socks5h")

    @property
    def authorization(self) -> str | None:
        """The value of Proxy-Authorization (RFC 9110, 11.7.2; RFC 7617), or None without a user name."""
        if self.username is None:
            return None
        return "Basic " + b2a_base64(f"{self.username}:{self.password}".encode(), newline=False).decode()

    def __repr__(self) -> str:
        user = "" if self.username is None else "***@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"<Proxy {self.scheme}://{user}{host}:{self.port}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []  # or rich would show all fields


class UnusableProxy(Struct, frozen=True):
    """A variable of the environment that should name a proxy, and why it does not."""

    variable: str
    reason: str


class NoProxy(Struct, frozen=True, kw_only=True):
    """Hosts that are reached without a proxy: a domain, a network, or names of some form."""

    domain: str
    """The domain, with all below it; with `*` in it, names of that form; `<local>`, names without a dot."""
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    @classmethod
    def parse(cls, entry: str) -> NoProxy:
        """Read one entry of NO_PROXY. One that makes no sense is a domain that no host is in.

        A dot or `*.` before a domain makes no difference: so it is for curl and urllib, while for Go
        and httpx the domain itself is then left out. A scheme and a path are ignored.
        """
        entry = unquoted(entry)
        if "://" in entry:
            entry = entry.partition("://")[2].partition("/")[0]
        parts = ENTRY.fullmatch(entry.removesuffix("/"))
        host, port = parts.group("host", "port") if parts else (entry, None)
        host = host.replace("[", "").replace("]", "").lower()
        if IPV4_PREFIX.fullmatch(host):  # as in `192.168.`
            host += "*"
        try:
            network = ip_network(host, strict=False)
        except ValueError:
            network = None
        name, _, path = host.partition("/")
        domain = host if path.isdigit() else name.removeprefix("*.").strip(".")  # or it is no network
        with suppress(ValueError):
            domain = to_ascii(domain)
        return cls(domain=domain, network=network, port=None if port is None else int(port))

    def covers(self, host: str, port: int) -> bool:
        """Whether a host, a name in lower case or an address, is one of these at this port."""
        if self.port not in (None, port):
            return False
        if self.network is not None:
            try:
                return ip_address(host) in self.network
            except ValueError:
                return False
        if self.domain == "<local>":  # as Windows has it
            return "." not in host and ":" not in host
        if "*" in self.domain:
            return matches(host, self.domain)
        return host == self.domain or host.endswith(f".{self.domain}")


class Proxies(Struct, frozen=True, kw_only=True):
    """Which proxy leads to URLs of either scheme, and which hosts are reached without."""

    http: Proxy | UnusableProxy | None = None
    https: Proxy | UnusableProxy | None = None
    no_proxy: tuple[NoProxy, ...] = ()

    def __post_init__(self) -> None:
        for name in ("http", "https"):
            kinds, meant = (Proxy, UnusableProxy, NoneType), "a Proxy, such as Proxy.parse(url), or None"
            check_type(f"Proxies.{name}", getattr(self, name), kinds, meant)
        check_type("Proxies.no_proxy", self.no_proxy, tuple, "a tuple of NoProxy")
        for entry in self.no_proxy:
            check_type("each of Proxies.no_proxy", entry, NoProxy, "a NoProxy, such as NoProxy.parse(host)")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Proxies:
        """Read HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. Never raises: `for_url` does, if need be.

        A name in lower case goes before the same in upper case, even if it is empty. ALL_PROXY stands
        in if there is none for the scheme. HTTP_PROXY in upper case is ignored beside REQUEST_METHOD,
        that is in a CGI program, where the sender of a header `Proxy` sets it (CVE-2016-5385, "httpoxy").

        NO_PROXY is a list, parted by commas, semicolons, bars or white space: `*` for every host;
        names and addresses with or without a port, with `*` for any characters; networks; and `<local>`
        for names without a dot. Nothing else is exempt, not even localhost; so it is for curl, requests
        and httpx, though not for Go.
        """
        check_type("the environment", environment, Mapping, "a mapping, such as os.environ")
        named = dict(environment)  # os.environ does not tell one case from the other on Windows
        if "REQUEST_METHOD" in named:
            named.pop("HTTP_PROXY", None)

        def spelled(name: str) -> str:
            return name if name in named else name.upper()

        def value(name: str) -> str:
            return unquoted(named.get(spelled(name), ""))

        def proxy(*names: str) -> Proxy | UnusableProxy | None:
            name = next(filter(value, names), "")
            try:
                return Proxy.parse(value(name)) if name else None
            except ValueError as exc:
                return UnusableProxy(spelled(name), str(exc))

        entries = filter(None, SEPARATORS.split(value("no_proxy")))
        return cls(
            http=proxy("http_proxy", "all_proxy"),
            https=proxy("https_proxy", "all_proxy"),
            no_proxy=tuple(map(NoProxy.parse, entries)),
        )

    def for_url(self, url: URL) -> Proxy | None:
        """Return the proxy that leads to `url`, or None if there is none.

        Raises ProxyError for one that cannot be used. The message names the variable that should name
        it, and does not show its value.
        """
        host = url.host.lower().rstrip(".")
        if any(entry.covers(host, url.port) for entry in self.no_proxy):
            return None
        proxy = self.https if url.scheme == "https" else self.http
        if isinstance(proxy, UnusableProxy):
            raise ProxyError(f"{proxy.variable}: {proxy.reason}", fault=Fault.CALLER)
        return proxy


def unquoted(text: str) -> str:
    """Return `text` without white space and quotes around it."""
    return text.strip().strip("\"'").strip()


def matches(host: str, pattern: str) -> bool:
    """Whether `host` is of the form `pattern`, in which `*` stands for any characters. Takes linear time."""
    first, *others, last = pattern.split("*")
    if len(host) < len(first) + len(last) or not (host.startswith(first) and host.endswith(last)):
        return False
    at, end = len(first), len(host) - len(last)
    for part in others:
        at = host.find(part, at, end)
        if at < 0:
            return False
        at += len(part)
    return True


PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
NOT_A_PROXY = "a proxy is scheme://user:password@host:port, with user and password percent-encoded"
SEPARATORS = re.compile(r"[,;|\s]")
ENTRY = re.compile(r"(?P<host>\[[^]]*\](/[0-9]+)?|[^:]*)(:(?P<port>[0-9]{1,5}))?")
IPV4_PREFIX = re.compile(r"([0-9]{1,3}\.){1,3}")
CLOSED = "the proxy closed the connection"
UNEXPECTED_DATA = "the proxy sent more than its answer, which might be taken for the server's"

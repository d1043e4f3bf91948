"""A tunnel through a SOCKS5 proxy (RFC 1928, RFC 1929).

socksio writes and reads the messages, but only complete ones. This module collects them, and checks
their order. It imports socksio, which is optional, so it is itself imported only if it is needed.
"""

from __future__ import annotations

from enum import Enum
from ipaddress import ip_address

from socksio import SOCKSError, socks5

from ..errors import Fault, ProxyError
from .proxies import CLOSED, UNEXPECTED_DATA, Proxy


class Step(Enum):
    """What the proxy was asked for last."""

    METHOD = "which authentication method to use"
    LOGIN = "to accept user name and password"
    CONNECTION = "to connect to the server"


class SOCKS5Tunnel:
    """A tunnel through a SOCKS5 proxy. The proxy gets a host name as it is, and resolves it.

    Raises ProxyError for a name of more than 255 bytes.
    """

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        self.established: bool = False
        self.error: ProxyError | None = None
        self._proxy = proxy
        self._connect = connect(host, port)
        self._step = Step.METHOD
        self._received = b""
        methods = [socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED]
        if proxy.username is not None:
            methods.append(socks5.SOCKS5AuthMethod.USERNAME_PASSWORD)
        self._to_send = socks5.SOCKS5AuthMethodsRequest(methods).dumps()

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def receive(self, data: bytes) -> None:
        if self.error is not None:
            return
        try:
            self._receive(data)
        except ProxyError as error:
            self.error = error
        except SOCKSError:
            self.error = ProxyError(f"the proxy's answer is not SOCKS5: {self._received[:SHOWN]!r}")
        if self.error is not None:
            self.established, self._to_send = False, b""

    def _receive(self, data: bytes) -> None:
        if not data:
            raise ProxyError(CLOSED, retryable=True)
        if self.established or self._to_send:
            raise ProxyError(UNEXPECTED_DATA)
        self._received += data
        size = self._expected_length(self._received)
        if len(self._received) > size:
            raise ProxyError(UNEXPECTED_DATA)
        if len(self._received) == size:
            self._read(self._received)
            self._received = b""

    def _expected_length(self, begun: bytes) -> int:
        """Return the length of the message that begins with `begun`, or a lower bound for it."""
        if begun[0] != (1 if self._step is Step.LOGIN else 5):
            raise SOCKSError
        if self._step is not Step.CONNECTION or len(begun) == 1:
            return 2
        if begun[1] != 0:  # some proxies send nothing after the code
            raise refused(begun[1])
        if len(begun) < 5:
            return 5
        addresses = {1: 4, 3: 1 + begun[4], 4: 16}  # RFC 1928, 5
        if begun[3] not in addresses:
            raise SOCKSError
        return 4 + addresses[begun[3]] + 2

    def _read(self, answer: bytes) -> None:
        """Read a complete message, and prepare the next request."""
        match self._step:
            case Step.METHOD:
                self._choose_method(socks5.SOCKS5AuthReply.loads(answer).method)
            case Step.LOGIN:
                if not socks5.SOCKS5UsernamePasswordReply.loads(answer).success:
                    raise ProxyError("the proxy refused the user name or the password", fault=Fault.CALLER)
                self._to_send, self._step = self._connect, Step.CONNECTION
            case _:  # the connection is there; the address in it is the proxy's own
                self.established = True

    def _choose_method(self, method: socks5.SOCKS5AuthMethod) -> None:
        match method:
            case socks5.SOCKS5AuthMethod.NO_AUTH_REQUIRED:
                self._to_send, self._step = self._connect, Step.CONNECTION
            case socks5.SOCKS5AuthMethod.USERNAME_PASSWORD if self._proxy.username is not None:
                login = (self._proxy.username.encode(), self._proxy.password.encode())
                self._to_send = socks5.SOCKS5UsernamePasswordRequest(*login).dumps()
                self._step = Step.LOGIN
            case _:
                known = "a user name" if self._proxy.username is None else "more than a user name"
                raise ProxyError(f"the proxy wants {known} and a password", fault=Fault.CALLER)


def connect(host: str, port: int) -> bytes:
    """Return the CONNECT request (RFC 1928, 4)."""
    try:
        address = ip_address(host)
        octets = address.packed
        kind = socks5.SOCKS5AType.IPV4_ADDRESS if address.version == 4 else socks5.SOCKS5AType.IPV6_ADDRESS
    except ValueError:
        octets = host.encode()
        kind = socks5.SOCKS5AType.DOMAIN_NAME
    if len(octets) > 255:
        raise ProxyError("SOCKS5 has room for a host name of 255 bytes (RFC 1928, 5)", fault=Fault.CALLER)
    return socks5.SOCKS5CommandRequest(socks5.SOCKS5Command.CONNECT, kind, octets, port).dumps()


def refused(code: int) -> ProxyError:
    """Return the error for a reply code that is not 0 (RFC 1928, 6)."""
    words = REFUSALS.get(code, f"reply code {code}")
    return ProxyError(f"the proxy made no connection: {words}", retryable=code in TEMPORARY)


REFUSALS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}
TEMPORARY = (1, 3, 4, 5, 6)
SHOWN = 16

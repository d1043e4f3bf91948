"""The steps to a connection: TCP to the server or its proxy, the proxy handshake, and TLS."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias

from ..http.tunnel import tunnel_through
from ..http.url import certificate_name, strip_zone
from ..reading.limits import Limits
from .actions import Action, Done, Open, Receive, Received, Send, StartTLS
from .hop import Hop
from .states import State
from .timing import Timing

ConnectSteps: TypeAlias = Generator[tuple[State, Action], Done | Received | None, None]
"""Gives each action with the state that it is done in, and takes its outcome."""


def connect_steps(hop: Hop, limits: Limits, timing: Timing) -> ConnectSteps:
    """Connect to where the request can be sent. Raises ProxyError if the proxy does not lead there."""
    if hop.proxy_error is not None:
        raise hop.proxy_error
    url, proxy = hop.url, hop.proxy
    peer = proxy or url
    yield State.OPENING, Open(peer.host, peer.port, timing.start_deadline("connect"))
    if proxy is not None and proxy.scheme == "https":
        yield State.SECURING, StartTLS(certificate_name(proxy.host), timing.start_deadline("tls"))
    if proxy is not None and hop.tunnelled:
        tunnel = tunnel_through(proxy, strip_zone(url.host), url.port, max_head_size=limits.max_head_size)
        deadline = timing.start_deadline("connect")
        while not tunnel.established:
            if data := tunnel.data_to_send():
                yield State.ASKING_PROXY, Send(data, deadline)
            outcome = yield State.AWAITING_PROXY, Receive(deadline)
            assert isinstance(outcome, Received)  # nothing else answers Receive
            tunnel.receive(outcome.data)
            if tunnel.error is not None:
                raise tunnel.error
    if url.scheme == "https":
        yield State.SECURING, StartTLS(url.server_name, timing.start_deadline("tls"))

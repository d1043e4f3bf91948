"""Checks for transports and fetchers: whatever passes them will do for the clients here.

The checks need a function that makes a transport. For an asynchronous one they also need a function that runs
a coroutine function, on asyncio or trio, or an `EventLoop`, which can be any other:

    check_transport(MyTransport)
    check_transport(MyAsyncTransport, run=trio.run)
    check_transport(MyAsyncTransport, loop=MyEventLoop())

In pytest, each check is a test:

    @pytest.mark.parametrize("check", checks(MyTransport), ids=str)
    def test_my_transport(check):
        check()

`check_fetcher` and `fetcher_checks` are the same for fetchers. The servers are plain sockets on 127.0.0.1.
The checks of TLS need `tls`: the SSLContext of a server, and a function that makes a transport which
trusts it as `localhost`.
"""

from __future__ import annotations

from .fetchers import Cannot, check_fetcher, fetcher_checks
from .loops import EventLoop
from .transports import Check, TransportFailures, check_transport, checks

__all__ = [
    "Cannot",
    "Check",
    "EventLoop",
    "TransportFailures",
    "check_fetcher",
    "check_transport",
    "checks",
    "fetcher_checks",
]

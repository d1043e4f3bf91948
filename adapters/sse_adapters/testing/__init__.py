"""Checks for transports: whatever passes them will do for the clients here.

A transport that blocks is checked by what makes one, an asynchronous one also by what runs
a coroutine function, on asyncio or trio:

    check_transport(MyTransport)
    check_transport(MyAsyncTransport, run=trio.run)
    check_transport(MyAsyncTransport, run=anyio.run)

In pytest, each check is a test:

    @pytest.mark.parametrize("check", checks(MyTransport), ids=str)
    def test_my_transport(check):
        check()

The servers are plain sockets on 127.0.0.1. For the checks of TLS, say with `tls` what
context a server has and what makes a transport that trusts it as `localhost`.
"""

from __future__ import annotations

from .transports import Check, TransportFailures, check_transport, checks

__all__ = ["Check", "TransportFailures", "check_transport", "checks"]

"""Every transport here against the checks that are shipped for anyone's."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import pytest
import trio

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.portal
import sse_adapters.threads
from sse_adapters.testing import Check, checks
from support.tls import Authority

AUTHORITY = Authority.found()
PORTALS: list[sse_adapters.portal.EventLoop] = []


@pytest.fixture(scope="module", autouse=True)
def portal() -> Iterator[None]:
    """One for all checks; another one if the tests of this module are taken up again by a worker."""
    PORTALS.append(sse_adapters.portal.EventLoop("asyncio"))
    yield
    PORTALS.pop().stop()


def over_portal(context: ssl.SSLContext | None = None) -> sse_adapters.portal.Transport:
    return sse_adapters.portal.Transport(PORTALS[-1], sse_adapters.anyio.Transport(context))


def on_asyncio(main: Any) -> None:
    asyncio.run(main())


def on_uvloop(main: Any) -> None:
    uvloop = pytest.importorskip("uvloop")
    uvloop.run(main())


def checked(name: str, make: Callable[..., Any], run: Any = None) -> list[Any]:
    tls = (AUTHORITY.server_for("localhost"), partial(make, AUTHORITY.client))
    return [pytest.param(check, id=f"{name}-{check}") for check in checks(make, run=run, tls=tls)]


@pytest.mark.parametrize(
    "check",
    [
        *checked("threads", sse_adapters.threads.Transport),
        *checked("portal", over_portal),
        *checked("asyncio", sse_adapters.anyio.Transport, anyio.run),
        *checked("uvloop", sse_adapters.anyio.Transport, on_uvloop),
        *checked("trio", sse_adapters.anyio.Transport, trio.run),
        *checked("native-asyncio", sse_adapters.asyncio.Transport, on_asyncio),
        *checked("native-uvloop", sse_adapters.asyncio.Transport, on_uvloop),
    ],
)
def test_a_transport_keeps_its_contract(check: Check) -> None:
    check()

"""Runs the checks of transports, one by one or all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import anyio

from .. import async_loop, sync_loop
from . import deadlines, leaving, tls, traffic
from .loops import AnyioLoop, EventLoop, Main
from .subject import HangError, Subject, TransportCheck, cause

Run: TypeAlias = Callable[[Main], object]
Factory: TypeAlias = Callable[[], sync_loop.Transport] | Callable[[], async_loop.Transport]


class TransportFailures(AssertionError):
    """What a transport or a fetcher does wrong: `failures` has the exception for each check's name."""

    def __init__(self, failures: dict[str, BaseException]) -> None:
        self.failures = failures
        super().__init__("".join(f"\n{name}: {explained(exc)}" for name, exc in failures.items()))


@dataclass(frozen=True)
class Check:
    """One thing that a transport or a fetcher has to do. Calling it raises an exception if it does not."""

    contract: TransportCheck
    subject: Subject

    def __str__(self) -> str:
        return self.contract.__name__

    def __call__(self) -> None:
        try:
            self.subject.loop.run(partial(self.subject.check, self.contract))
        except BaseExceptionGroup as group:
            raise cause(group) from None


def checks(
    transport: Factory,
    *,
    run: Run | None = None,
    loop: EventLoop | None = None,
    tls: tuple[Any, Factory] | None = None,
) -> list[Check]:
    """Return the checks for the transports that `transport` makes.

    Asynchronous ones need what runs a coroutine function on asyncio or trio, or any other event `loop`.
    """
    blocking = run is None and loop is None
    loop = loop or AnyioLoop(RUNNERS.get(run, run) or anyio.run)
    plain = Subject(transport, loop, blocking)
    found = [Check(contract, plain) for contract in CHECKS]
    if tls is not None:
        context, trusting = tls
        secure = Subject(trusting, loop, blocking, context)
        found += [Check(contract, secure) for contract in TLS_CHECKS]
    return found


def check_transport(
    transport: Factory,
    *,
    run: Run | None = None,
    loop: EventLoop | None = None,
    tls: tuple[Any, Factory] | None = None,
) -> None:
    """Make all the checks, until too many hang. Raises TransportFailures, with everything that went wrong."""
    make_all(checks(transport, run=run, loop=loop, tls=tls))


def make_all(checks: Iterable[Check]) -> None:
    """Make checks, until too many hang. Raises TransportFailures, with everything that went wrong."""
    failures: dict[str, BaseException] = {}
    hangs = 0
    for check in checks:
        if hangs == MOST_HANGS:
            failures[str(check)] = AssertionError("was not made, nor any after it: too many hang")
            break
        try:
            check()
        except Exception as exc:
            failures[str(check)] = exc
            hangs += isinstance(exc, HangError)
    if failures:
        raise TransportFailures(failures)


def explained(exc: BaseException) -> str:
    return str(exc) if isinstance(exc, AssertionError) else repr(exc)


MOST_HANGS = 2
"""Each takes half a minute, and one that ignores deadlines hangs in dozens of them."""
RUNNERS: dict[object, Run] = {asyncio.run: anyio.run}
"""What runs a coroutine, and what runs a function that returns one."""
CHECKS: list[TransportCheck] = [*traffic.CHECKS, *deadlines.CHECKS, *leaving.CHECKS]
TLS_CHECKS: list[TransportCheck] = tls.CHECKS
"""What a transport has to do, each thing a coroutine function that fails if it does not.

Written once for both kinds: a transport that blocks is called from threads.
"""

"""What holds for all tests: that they take no longer than need be."""

from __future__ import annotations

import faulthandler
import gc
import os
from collections.abc import Iterator
from importlib import import_module

import coverage
import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

# Before anything is frozen: it looks for who refers to trio's random numbers, and would find nobody.
import_module("hypothesis")

# The one module that is imported when it is needed. Were an `unmeasured` test the first to need it, its
# first lines would count as never run.
import_module("sse_core.http.socks")


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end: it would pass half a million objects each time.

    And measure no program that a test starts: some run a copy of the packages.
    """
    gc.collect()
    gc.freeze()
    os.environ.pop("COVERAGE_PROCESS_START", None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Let a hang end here as well: pytest calls its timer off when a test fails."""
    seconds = float(item.config.getini("faulthandler_timeout"))
    file = item.config.stash.get(fault_handler_stderr_fd_key, None)
    if seconds > 0 and file is not None:
        faulthandler.dump_traceback_later(seconds, exit=True, file=file)


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """For modules that take twice as long where coverage is measured, of code that others cover."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
    yield
    if measuring is not None:
        measuring.start()

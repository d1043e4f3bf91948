"""What holds for all tests: that they take no longer than need be."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from importlib import import_module

import coverage
import pytest

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


@pytest.fixture(scope="module")
def unmeasured() -> Iterator[None]:
    """For modules that take twice as long where coverage is measured, of code that others cover."""
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.stop()
    yield
    if measuring is not None:
        measuring.start()

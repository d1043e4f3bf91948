"""What stands for time in tests: something that can be counted, and is the same on every machine."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType


def calls(function: Callable[[], object]) -> int:
    """Count the calls of functions written in Python."""
    found = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal found
        found += event == "call"

    before = sys.getprofile()
    gc.disable()  # or its callbacks and other people's finalisers would be counted too
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
        gc.enable()
    return found - 1  # the function itself


def most_memory(function: Callable[[], object]) -> int:
    """Count the bytes that are allocated at once, at most."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

"""What stands for time in tests: something that can be counted, and is the same on every machine."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


def calls(function: Callable[[], object], *, of_c: bool = False) -> int:
    """Count the calls of functions written in Python, and if `of_c` also of those written in C."""
    found = 0
    events = ("call", "c_call") if of_c else ("call",)

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal found
        found += event in events

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
    with measured_memory() as memory:
        function()
    return memory.most


@dataclass
class Memory:
    """What was allocated in a block of code."""

    kept: int = 0
    """Bytes that are still there at its end."""
    most: int = 0
    """Bytes that were there at once, at most."""


@contextmanager
def measured_memory() -> Generator[Memory]:
    """Measure what a block allocates, and not what a debugger or a measurement of coverage does meanwhile."""
    memory, tracer = Memory(), sys.gettrace()
    sys.settrace(None)
    tracemalloc.start()
    try:
        yield memory
        memory.kept, memory.most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        sys.settrace(tracer)


def tracked_objects() -> int:
    """Count the objects that the garbage collector looks at."""
    gc.collect()
    return len(gc.get_objects())

"""The command line, `sse`."""

from .commands import main

__all__ = [
    "main",
]

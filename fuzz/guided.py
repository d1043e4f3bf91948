"""Runs one target under atheris, with libFuzzer's arguments: `python fuzz/guided.py any_chunking folder`.

Apart from `run`, as nothing of the library may be imported before atheris watches its imports.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main(target: str, arguments: list[str]) -> None:
    """Fuzz until libFuzzer ends the process: with 0, or with another code and the input that fails."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["sse_core"]):
        check: Any = importlib.import_module(f"fuzz.{target}").check
    atheris.Setup([sys.argv[0], *arguments], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

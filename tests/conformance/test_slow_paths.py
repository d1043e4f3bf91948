"""The vectors once more, with every fast path off."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
VECTORS = [
    "conformance/test_session_vectors.py",
    "conformance/test_dialect_fixtures.py::test_our_dialect_makes_of_it_what_is_expected",
]
"""Those of the decoder and of exchanges run both ways by themselves."""


def test_the_vectors_without_fast_paths() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "support.slow_paths", *VECTORS]
    ran = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert "fast paths: off" in ran.stdout

"""Makes the environments that the contenders run in: `python -m benchmarks.environments`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .harness import ROOT

PEERS = ROOT / ".venv" / "peers"
URLLIB3_FUTURE = ROOT / ".venv" / "urllib3-future"
APART = {"urllib3-future": "2.25.904", "niquests": "3.21.2"}
"""Versions of what replaces urllib3, and of what brings that."""


def python(name: str) -> str:
    """Return the interpreter of the environment that has a client or a decoder."""
    folder = URLLIB3_FUTURE if any(name.startswith(package) for package in APART) else PEERS
    return str(folder / "bin" / "python")


def make() -> None:
    requirements = ["-r", str(Path(__file__).with_name("requirements.txt"))]
    for folder, packages in (
        (PEERS, requirements),
        (URLLIB3_FUTURE, [f"{package}=={version}" for package, version in APART.items()]),
    ):
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--editable", str(ROOT), "hypothesis", *packages], check=True)


if __name__ == "__main__":
    make()

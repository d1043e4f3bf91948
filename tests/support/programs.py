"""Programs that others wrote, each a process of its own for the length of a block."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.servers import GENEROUS, eventually


def find_program(name: str, *, optional: bool = False) -> str:
    """Where a program is. Skips the test where it is not installed.

    Unless it is `optional`, that is a failure if REQUIRE_PEERS is set.
    """
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    program = shutil.which(name, path=path)
    if program is None:
        explain = pytest.fail if os.environ.get("REQUIRE_PEERS") and not optional else pytest.skip
        explain(f"{name} is not installed")
    return program


def free_port() -> int:
    """A port on 127.0.0.1 that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[Any], port: int, folder: Path, **options: Any) -> Generator[None]:
    """Run a program that listens on a port of 127.0.0.1; what it says goes to a file in `folder`."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **options,
        )
    try:
        eventually(lambda: process.poll() is not None or accepts("127.0.0.1", port))
        yield
    finally:
        early = process.poll()
        process.terminate()
        try:
            process.wait(GENEROUS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
    assert early is None, log.read_text()


def accepts(host: str, port: int) -> bool:
    """Whether something listens there."""
    try:
        socket.create_connection((host, port)).close()
    except ConnectionRefusedError:
        return False
    return True

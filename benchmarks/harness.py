"""How clients and decoders are measured: each time in a new process, all in turns, on a core of its own.

A shared machine is slower at one moment than at another, so only what was measured in turns is
compared, and by medians.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any, TypeAlias

ROOT = Path(__file__).parent.parent
Figures: TypeAlias = dict[str, float]


def cpu_time() -> float:
    """Return the seconds of CPU time of this process, all its threads, the system's part included."""
    if sys.platform == "win32":
        return time.process_time()
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_memory() -> float:
    """Return the largest size that this process has had, in MiB, or 0 where that is not told."""
    status = Path("/proc/self/status")  # getrusage counts what the process was before it became this program
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / 1024


def raise_limit_of_files() -> None:
    """Let this process open as many files as it may, where there is a limit to raise."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(python: str, module: str, *arguments: str, timeout: float = 300) -> Figures:
    """Run a module in a process of its own, pinned to the last core, and return the figures it prints."""
    command = [*pinned((os.cpu_count() or 1) - 1), python, "-W", "ignore", "-m", module, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=timeout)
    if result.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {result.stderr}")
    figures: Figures = json.loads(result.stdout)
    return figures


def compile_ours() -> None:
    """Compile what is measured here, as installing it would: a start from sources takes twice as long."""
    folders = [str(ROOT / folder) for folder in ("sse_core", "adapters/sse_adapters", "benchmarks")]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)


@contextmanager
def serving(module: str) -> Generator[str]:
    """Run a server on the first core, and give its port."""
    command = [*pinned(0), sys.executable, "-m", module]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def pinned(core: int) -> list[str]:
    return ["taskset", "-c", str(core)] if which("taskset") else []


def in_turns(names: list[str], rounds: int) -> Iterator[str]:
    """Give every name once in each round, each round beginning with another."""
    for turn in range(rounds):
        first = turn * max(1, len(names) // max(1, rounds)) % len(names)
        yield from names[first:]
        yield from names[:first]


class Results:
    """All figures of all turns."""

    def __init__(self) -> None:
        self._all: dict[tuple[Any, ...], list[Figures]] = {}

    def add(self, *key: Any, figures: Figures) -> None:
        self._all.setdefault(key, []).append(figures)

    def middle(self, *key: Any, figure: str) -> float | None:
        values = self._values(key, figure)
        return median(values) if values else None

    def range(self, *key: Any, figure: str) -> tuple[float, float] | None:
        values = self._values(key, figure)
        return (min(values), max(values)) if values else None

    def ratio(self, key: tuple[Any, ...], base: tuple[Any, ...], figure: str) -> float | None:
        """Return the median of one divided by that of another."""
        own, other = self.middle(*key, figure=figure), self.middle(*base, figure=figure)
        return None if own is None or not other else own / other

    def _values(self, key: tuple[Any, ...], figure: str) -> list[float]:
        return [figures[figure] for figures in self._all.get(key, []) if figure in figures]


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float | None) -> str:
    """Show a figure with as many digits as make sense."""
    if value is None:
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"

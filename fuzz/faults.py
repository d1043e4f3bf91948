"""Streams under random faults, for as long as you like: `python fuzz/faults.py --seconds 300`.

No hang, no leak, and every stream ends with all of the text, or with a documented error and all that
came before it, and nothing twice. `tests/support/faults.py` says what the faults are.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.faults import live, random_plan
from support.runners import NETWORK_RUNNERS, REARRANGED, NetworkRunner


def main(arguments: Sequence[str] | None = None) -> int:
    """Live on every runtime in turn. Return 0 if nothing was wrong, and else 1."""
    parser = argparse.ArgumentParser(description="Break streams in every way that a network can.")
    parser.add_argument("--seconds", type=float, default=60, help="in all (%(default)s)")
    parser.add_argument("--lives", type=int, default=100, help="side by side (%(default)s)")
    parser.add_argument("--seed", type=int, help="for the same faults again (random)")
    options = parser.parse_args(arguments)
    runners: list[NetworkRunner] = [parameter.values[0] for parameter in (*NETWORK_RUNNERS, *REARRANGED)]
    seed = random.randrange(2**31) if options.seed is None else options.seed
    ends: Counter[str] = Counter()
    files = None  # that are open; those of the first round may be there to stay
    end = time.monotonic() + options.seconds
    while files is None or time.monotonic() < end:
        for runner in runners:
            try:
                ends += batch(runner, options.lives, seed)
                assert files is None or open_files() <= files, "a file is still open"
            except AssertionError as failure:
                print(f"{runner.name}: FAILED, seed {seed}: {failure}")
                return 1
        files = files or open_files()
        seed += 1
    print(f"{ends.total()} lives without a failure, up to seed {seed - 1}: {dict(ends.most_common())}")
    return 0


def batch(runner: NetworkRunner, lives: int, seed: int) -> Counter[str]:
    """Live side by side on one runtime, and count how the lives ended."""
    dice = random.Random(seed)
    with runner.running():
        results = live(runner, [random_plan(dice) for _ in range(lives)], seed)
    return Counter(str(result.verdict and result.verdict.name) for result in results)


def open_files() -> int:
    """How many files are open, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


if __name__ == "__main__":
    sys.exit(main())

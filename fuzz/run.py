"""Runs the fuzz targets: `python fuzz/run.py --seconds 60` gives each of them a minute.

With atheris installed, which has wheels for some Pythons on Linux, it is what looks for new
inputs, guided by coverage. Without it, inputs are random, or mutations of the corpus.

The corpus is the decoder's vectors, and `corpus.json`: inputs that once found something, or stand
for a kind that no vector does. There one character is one byte.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import count, islice
from pathlib import Path
from typing import Any

from sse_core.testing.adversarial import adversarial_stream, mutate
from sse_core.testing.shrinking import shrink
from sse_core.testing.vectors import load

TARGETS = (
    "any_chunking",
    "fast_equals_reference",
    "decode_after_encode",
    "only_event_too_large",
    "memory_within_limit",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the targets one after another. Return 0 if none failed, and else 1."""
    parser = argparse.ArgumentParser(description="Fuzz the decoder and the encoder.")
    parser.add_argument("targets", nargs="*", metavar="target", help=f"of {', '.join(TARGETS)} (all)")
    parser.add_argument("--seconds", type=float, default=60, help="for each target (%(default)s)")
    parser.add_argument("--seed", type=int, help="for the same inputs again (random)")
    parser.add_argument("--without-atheris", action="store_true", help="even if it is installed")
    options = parser.parse_args(arguments)
    with_atheris = find_spec("atheris") is not None and not options.without_atheris
    seed = random.randrange(2**31) if options.seed is None else options.seed
    run = guided if with_atheris else unguided
    right = [run(target, options.seconds, seed) for target in options.targets or TARGETS]
    return 0 if all(right) else 1


def guided(target: str, seconds: float, seed: int) -> bool:
    """Run a target under atheris, in a process of its own, as libFuzzer ends the one it is in."""
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(corpus()):
            (Path(folder) / str(number)).write_bytes(data)
        flags = [f"-max_total_time={seconds:.0f}", f"-seed={seed}", "-max_len=4096", "-verbosity=0"]
        command = [sys.executable, str(Path(__file__).parent / "guided.py"), target, *flags, folder]
        right = subprocess.run(command, cwd=folder, check=False).returncode == 0
    print(f"{target}: {'no failure' if right else 'FAILED'}, guided by atheris, seed {seed}", flush=True)
    return right


def unguided(target: str, seconds: float, seed: int, *, most: int | None = None) -> bool:
    """Run a target on random inputs, `most` of them; print the smallest failure, or that there is none."""
    check = check_of(target)
    began = time.monotonic()
    tried = 0
    for tried, data in enumerate(islice(inputs(seed), most), 1):
        if fails(check, data):
            smallest = b"".join(shrink([data], lambda chunks: fails(check, b"".join(chunks))))
            print(f"{target}: FAILED, seed {seed}, input {tried}; made as small as it can be: {smallest!r}")
            return False
        if time.monotonic() - began >= seconds:
            break
    print(f"{target}: {tried} inputs without a failure, seed {seed}", flush=True)
    return True


def inputs(seed: int) -> Iterator[bytes]:
    """Inputs without end: the corpus, then mutations and combinations of it, and adversarial streams."""
    known = corpus()
    yield from known
    dice = random.Random(seed)
    for _ in count():
        match dice.randrange(4):
            case 0:
                yield adversarial_stream(dice)
            case 1:
                yield mutate(dice.choice(known), dice)
            case 2:
                yield mutate(dice.choice(known) + dice.choice(known), dice)
            case _:
                yield b"|".join(mutate(adversarial_stream(dice), dice) for _ in range(dice.randint(1, 4)))


def corpus() -> list[bytes]:
    """What to begin with."""
    own: list[str] = json.loads((Path(__file__).parent / "corpus.json").read_text())
    return [vector.octets for vector in load()] + [text.encode("latin-1") for text in own]


def check_of(target: str) -> Callable[[bytes], None]:
    """The `check` of a target. Its module's docstring is the invariant."""
    module: Any = importlib.import_module(f"fuzz.{target}")
    check: Callable[[bytes], None] = module.check
    return check


def fails(check: Callable[[bytes], None], data: bytes) -> bool:
    """Whether a check raises anything."""
    try:
        check(data)
    except Exception:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())

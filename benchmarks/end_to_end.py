"""From a connection to the text of the answer: every client, over the loopback.

    python -m benchmarks.environments
    python -m benchmarks.end_to_end

CPU time is that of the client's process for an event, in microseconds, from the request to the
end of the answer, once imports are done. "First token" is from before the imports to the text of
an answer of one event, and then once more, in milliseconds of real time; all is compiled before, as
by an installer. A measurement counts only if the text was right.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import urllib.request
from time import perf_counter

from .answer import EVENTS, PACED_EVENTS, text
from .clients import CLIENTS, FLOORS
from .environments import python
from .harness import (
    Figures,
    Results,
    compile_ours,
    cpu_time,
    in_turns,
    number,
    peak_memory,
    run,
    serving,
    table,
)

MODES = ("64", "1", "coalesced", "paced")


def measure(name: str, mode: str, port: str) -> Figures:
    read = CLIENTS[name]
    base = f"http://127.0.0.1:{port}"
    start = perf_counter()
    read(f"{base}/first/", [])
    cold = perf_counter()
    read(f"{base}/first/", [])
    warm = perf_counter()
    texts: list[str] = []
    before = cpu_time()
    read(f"{base}/{mode}/", texts)
    took = cpu_time() - before
    events = PACED_EVENTS if mode == "paced" else EVENTS
    if name not in FLOORS:
        found, right = "".join(texts), text(events)
        assert hashlib.sha256(found.encode()).digest() == hashlib.sha256(right.encode()).digest()
    return {
        "cpu": took / events * 1e6,
        "cold": (cold - start) * 1e3,
        "warm": (warm - cold) * 1e3,
        "memory": peak_memory(),
    }


def server_time(port: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/cpu") as response:
        return float(response.read())


def measure_all(names: list[str], modes: list[str], rounds: int) -> Results:
    results = Results()
    compile_ours()
    with serving("benchmarks.server") as port:
        for name in in_turns(names, rounds):
            for mode in modes:
                before = server_time(port)
                figures = run(python(name), "benchmarks.end_to_end", "--one", name, mode, port)
                events = PACED_EVENTS if mode == "paced" else EVENTS
                figures["server"] = (server_time(port) - before) / events * 1e6
                results.add(name, mode, figures=figures)
                print(f"{name}, {mode}: {figures['cpu']:.2f}", file=sys.stderr)
    return results


def report(results: Results, names: list[str], modes: list[str]) -> str:
    """Return two tables in Markdown: CPU time, and the rest."""

    def cell(name: str, mode: str, figure: str) -> str:
        middle = results.middle(name, mode, figure=figure)
        low, high = results.range(name, mode, figure=figure) or (0.0, 0.0)
        return "" if middle is None else f"{number(middle)} ({number(low)} to {number(high)})"

    cpu = [[name, *(cell(name, mode, "cpu") for mode in modes)] for name in names]
    server = [number(results.middle("recv", mode, figure="server")) for mode in modes]
    rest = [
        [name, *(number(results.middle(name, modes[0], figure=each)) for each in ("cold", "warm", "memory"))]
        for name in names
    ]
    return "\n\n".join(
        (
            table(["client", *modes], [*cpu, ["the server itself", *server]]),
            table(["client", "first token, cold, ms", "warm, ms", "peak memory, MiB"], rest),
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(CLIENTS), help="names of clients")
    parser.add_argument("--modes", nargs="*", default=list(MODES), choices=MODES)
    parser.add_argument("--one", nargs=3, metavar=("NAME", "MODE", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one)))
        return
    print(report(measure_all(options.only, options.modes, options.rounds), options.only, options.modes))


if __name__ == "__main__":
    main()

"""From a connection to the text of the answer: every client, over the loopback.

    python -m benchmarks.environments
    python -m benchmarks.end_to_end

CPU time is that of the client's process for an event, in microseconds, once imports are done, and
without making the client and one short answer: what those take is measured with an answer of one
event, and subtracted. "First token" is from before the client's imports to the end of an answer of
one event, and then once more, in milliseconds of real time; all is compiled before, as by an
installer. Peak memory has in it the few MiB of what measures. A measurement counts only if the
text was right.
"""

from __future__ import annotations

import argparse
import sys
import urllib.request

from .answer import EVENTS, PACED_EVENTS
from .clients import CLIENTS
from .environments import python
from .harness import Results, compile_ours, in_turns, number, run, serving, table

MODES = ("64", "1", "coalesced", "paced")


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
                figures = run(python(name), "benchmarks.one", name, mode, port)
                events = PACED_EVENTS if mode == "paced" else EVENTS
                figures["server"] = (server_time(port) - before) / events * 1e6
                results.add(name, mode, figures=figures)
                # How a client starts has nothing to do with the mode: that many more times it was measured.
                results.add(name, figures={figure: figures[figure] for figure in ("cold", "warm")})
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
        [
            name,
            *(number(results.middle(name, figure=each)) for each in ("cold", "warm")),
            number(results.middle(name, modes[0], figure="memory")),
        ]
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
    options = parser.parse_args()
    print(report(measure_all(options.only, options.modes, options.rounds), options.only, options.modes))


if __name__ == "__main__":
    main()

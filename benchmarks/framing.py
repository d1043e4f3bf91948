"""What the framing of a chunked body costs, with the short way around h11 and without.

    python -m benchmarks.framing

Nanoseconds of CPU time for a chunk of 275 bytes, the median of some turns, and the ratio.
"""

from __future__ import annotations

from statistics import median
from time import process_time_ns

from sse_core import Exchange, Response

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DATA = b"x" * 275
CHUNK = b"%x\r\n%b\r\n" % (len(DATA), DATA)
CHUNKS = 6400


class PlainExchange(Exchange):
    """h11 alone."""

    def _short_way(self, response: Response) -> None:
        return None


def measure(kind: type[Exchange], together: int) -> float:
    exchange = kind("GET", "/", [("Host", "localhost")])
    exchange.receive(HEAD)
    piece = CHUNK * together
    received = 0
    start = process_time_ns()
    for _ in range(CHUNKS // together):
        received += len(exchange.receive(piece))
    took = process_time_ns() - start
    assert received == CHUNKS * len(DATA)
    return took / CHUNKS


def main() -> None:
    print("| chunks in a read | h11 | sse-core | ratio |\n|---|---|---|---|")
    for together in (64, 1):
        turns = [(measure(PlainExchange, together), measure(Exchange, together)) for _ in range(7)]
        plain, ours = (median(times) for times in zip(*turns, strict=True))
        print(f"| {together} | {plain:,.0f} | {ours:,.0f} | {ours / plain:.2f} |")


if __name__ == "__main__":
    main()

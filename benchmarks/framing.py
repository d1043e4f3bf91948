"""What the framing of a body costs, with the short ways around h11 and without.

    python -m benchmarks.framing

Nanoseconds of CPU time for 275 bytes, which are a chunk of their own in a chunked body; the
median of some turns, and the ratio.
"""

from __future__ import annotations

from statistics import median
from time import process_time_ns

from sse_core import Exchange, Response

DATA = b"x" * 275
EVENTS = 6400
HEAD = b"HTTP/1.1 200 OK\r\n"
BODIES = {
    "chunked": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n%b\r\n" % (len(DATA), DATA)),
    "with extensions": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        b"%x;a=b\r\n%b\r\n" % (len(DATA), DATA),
    ),
    "of known length": (HEAD + b"Content-Length: %d\r\n\r\n" % (EVENTS * len(DATA) + 1), DATA),
    "until it closes": (HEAD + b"\r\n", DATA),
}


class PlainExchange(Exchange):
    """h11 alone."""

    def _short_way(self, response: Response) -> None:
        return None


def measure(kind: type[Exchange], body: str, together: int) -> float:
    head, piece = BODIES[body]
    exchange = kind("GET", "/", [("Host", "localhost")])
    exchange.receive(head)
    piece *= together
    received = 0
    start = process_time_ns()
    for _ in range(EVENTS // together):
        received += len(exchange.receive(piece))
    took = process_time_ns() - start
    assert received == EVENTS * len(DATA)
    return took / EVENTS


def both(body: str, together: int) -> tuple[float, float]:
    """Return nanoseconds for h11 alone, and for ours."""
    kinds = (PlainExchange, Exchange)
    turns = [[measure(kind, body, together) for kind in kinds] for _ in range(7)]
    plain, ours = (median(times) for times in zip(*turns, strict=True))
    return plain, ours


def main() -> None:
    print("| body | in a read | h11 | sse-core | ratio |\n|---|---|---|---|---|")
    for body in BODIES:
        for together in (64, 1):
            plain, ours = both(body, together)
            print(f"| {body} | {together} | {plain:,.0f} | {ours:,.0f} | {ours / plain:.2f} |")


if __name__ == "__main__":
    main()

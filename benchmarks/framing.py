"""What the framing of a body costs, with the short ways around h11 and with h11 alone.

    python -m benchmarks.framing

Nanoseconds of CPU time for 275 bytes, which are a chunk of their own in a chunked body; the
median of some turns, and the ratio.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time_ns

import h11

from sse_core import Exchange

from .harness import table

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


def ours(head: bytes) -> Callable[[bytes], int]:
    """Begin a body, and return what takes more of it and says how much there was."""
    exchange = Exchange("GET", "/", [("Host", "localhost")])
    exchange.receive(head)
    return lambda piece: len(exchange.receive(piece))


def plain(head: bytes) -> Callable[[bytes], int]:
    """The same, with h11 alone."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "localhost")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(head)
    connection.next_event()

    def receive(piece: bytes) -> int:
        connection.receive_data(piece)
        size = 0
        while isinstance(event := connection.next_event(), h11.Data):
            size += len(event.data)
        return size

    return receive


def measure(begin: Callable[[bytes], Callable[[bytes], int]], body: str, together: int) -> float:
    head, piece = BODIES[body]
    receive = begin(head)
    piece *= together
    received = 0
    start = process_time_ns()
    for _ in range(EVENTS // together):
        received += receive(piece)
    took = process_time_ns() - start
    assert received == EVENTS * len(DATA)
    return took / EVENTS


def both(body: str, together: int) -> tuple[float, float]:
    """Return nanoseconds for h11 alone, and for ours."""
    turns = [[measure(begin, body, together) for begin in (plain, ours)] for _ in range(7)]
    alone, own = (median(times) for times in zip(*turns, strict=True))
    return alone, own


def report() -> str:
    """Return a table in Markdown."""
    rows: list[list[str]] = []
    for body in BODIES:
        for together in (64, 1):
            alone, own = both(body, together)
            rows.append([body, str(together), f"{alone:,.0f}", f"{own:,.0f}", f"{own / alone:.2f}"])
    return table(["body", "in a read", "h11", "sse-core", "ratio"], rows)


if __name__ == "__main__":
    print(report())

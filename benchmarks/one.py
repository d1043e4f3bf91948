"""One client's turn, in a process of its own: `python -m benchmarks.one NAME MODE PORT`.

Prints the figures of `end_to_end`. Whatever a client needs is imported once the clock runs, and
what only the measurement needs after the first answer. (What Python itself needs to start such a
module is there before: functools and contextlib, say.)
"""

import sys
from time import perf_counter


def main() -> None:
    name, mode, port = sys.argv[1:]
    first, url = (f"http://127.0.0.1:{port}/{each}/" for each in ("first", mode))
    texts: list[str] = []

    start = perf_counter()
    from .clients import CLIENTS, FLOORS

    read = CLIENTS[name]
    read(first, [])
    cold = perf_counter()
    read(first, [])
    warm = perf_counter()

    import hashlib
    import json

    from .answer import EVENTS, PACED_EVENTS, text
    from .harness import cpu_time, peak_memory

    begun = before = cpu_time()
    for _ in range(3):  # the last counts: what was just imported has driven much out of the caches
        begun = cpu_time()
        read(first, [])
        before = cpu_time()
    read(url, texts)
    took = cpu_time() - before - (before - begun)
    events = PACED_EVENTS if mode == "paced" else EVENTS
    if name not in FLOORS:
        found, right = "".join(texts), text(events)
        assert hashlib.sha256(found.encode()).digest() == hashlib.sha256(right.encode()).digest()
    figures = {
        "cpu": took / events * 1e6,
        "cold": (cold - start) * 1e3,
        "warm": (warm - cold) * 1e3,
        "memory": peak_memory(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

"""Scores any decoder of event streams: `python -m sse_core.testing package.module:callable`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from functools import reduce
from typing import cast

import msgspec

from sse_core.testing.reporting import report
from sse_core.testing.scoring import measure
from sse_core.testing.subjects import NotADecoder


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a decoder and print the result. Return 0 if it is right in everything, and else 1.

    Raises SystemExit with 2 if there is no such decoder.
    """
    parser = argparse.ArgumentParser(
        prog="python -m sse_core.testing",
        description="Score a decoder of event streams against the WHATWG HTML standard, 9.2.5 and 9.2.6.",
        epilog=ADAPTERS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("decoder", metavar="package.module:callable", help="what to score, see below")
    parser.add_argument("--seed", type=int, default=1, help="of the random streams and cuts (%(default)s)")
    parser.add_argument("--streams", type=int, default=2000, help="how many random streams (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print the score as JSON")
    parser.add_argument("--all", action="store_true", help="show every failure, not only the smallest")
    options = parser.parse_args(arguments)
    try:
        score = measure(_load(options.decoder), seed=options.seed, streams=options.streams)
    except (ImportError, AttributeError, ValueError, NotADecoder) as error:
        parser.error(f"{options.decoder}: {error}")
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(score)).decode())
    else:
        print(report(score, every_failure=options.all))
    return 0 if score.ok else 1


def _load(name: str) -> Callable[..., object]:
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError("give a module and a callable in it, as in package.module:callable")
    return cast("Callable[..., object]", reduce(getattr, path.split("."), importlib.import_module(module)))


ADAPTERS = """\
The callable either takes an iterable of bytes and returns an iterable of events,

    def decode(chunks):
        response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=chunks)
        return httpx_sse.EventSource(response).iter_sse()

or takes nothing and returns an object with feed(bytes), which returns the events that these
bytes complete; eof(), if there, is called at the end. Events have `data`, and may have a type
(`type`, `event`) and a last event ID (`last_event_id`, `id`). What they do not have is not scored.
"""

if __name__ == "__main__":
    sys.exit(main())

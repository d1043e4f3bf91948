"""What each ring costs by itself, in one process, by the size of what it is fed.

    python -m benchmarks.rings

Nanoseconds of CPU time for an event of about 275 bytes, the medians of some turns; all take turns.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from functools import partial
from statistics import median
from time import process_time_ns
from typing import Any, TypeAlias

import msgspec

from sse_core import URL, Acquire, Acquired, Deliver, Done, EventDecoder, Reader, Received, Session, State
from sse_core.dialects import groq

from .answer import HEAD, MESSAGES, chat_chunk, events, http_chunk, text_of
from .harness import table

EVENTS = 6_400
FEEDS = {"64 KiB": 1 << 16, "1 KiB": 1 << 10, "one event": 0}
ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}
Ring: TypeAlias = Callable[[list[bytes]], object]

decode = msgspec.json.Decoder(groq.ChatCompletionChunk).decode
dialect = groq.chat(model="m", messages=MESSAGES).dialect
data = [chat_chunk(text_of(number)) for number in range(EVENTS)]
chunks = [decode(each) for each in data]
at_once = [chunks[at : at + 64] for at in range(0, EVENTS, 64)]


def cut(stream: bytes, feed: str, one_by_one: list[bytes]) -> list[bytes]:
    size = FEEDS[feed]
    return [stream[at : at + size] for at in range(0, len(stream), size)] if size else one_by_one


def split(pieces: list[bytes]) -> None:
    for piece in pieces:
        piece.split(b"\n\n")


def decoder(pieces: list[bytes]) -> None:
    feed = EventDecoder().feed
    for piece in pieces:
        feed(piece)


def exchange(pieces: list[bytes]) -> None:
    receive = streaming().exchange.receive
    for piece in pieces:
        receive(piece)


def session(pieces: list[bytes]) -> None:
    life = streaming()
    for piece in pieces:
        if isinstance(life.step(Received(piece), 1.0), Deliver):
            life.step(Done(), 1.0)
    assert life.stats.events == EVENTS


def typed(pieces: list[bytes]) -> None:
    """From the bytes of the body to typed chunks, and no more: neither put together nor timed."""
    decoder, reader = EventDecoder(), dialect()
    decoder.feed(b":\n\n")  # for the first bytes might be a byte order mark, and go the long way
    count = 0
    for piece in pieces:
        chunks: list[Any] = []
        batch = decoder.feed_batch(piece)
        if batch is None:
            chunks += map(reader.read, decoder.feed(piece))
        else:
            reader.read_batch(batch[1], chunks)
        count += len(chunks)
    assert count == EVENTS


def body(pieces: list[bytes]) -> None:
    """The same, put together: the reader alone, without a session around it."""
    reader = Reader(groq.chat(model="m", messages=MESSAGES))
    for piece in pieces:
        reader.feed(piece)
    assert reader.chunks == EVENTS


def streaming() -> Session[groq.ChatCompletionChunk]:
    """A session that has received the head of the response."""
    session = Session(groq.chat(model="m", messages=MESSAGES), URL.parse("http://localhost/"))
    action: Any = session.start(0.0)
    while session.state is not State.AWAITING:
        action = session.step(Acquired(False) if isinstance(action, Acquire) else Done(), 0.0)
    session.step(Received(HEAD), 0.0)
    session.step(Done(), 0.0)
    return session


def msgspec_alone(_: list[bytes]) -> None:
    for each in data:
        decode(each)


def plain(_: list[bytes]) -> None:
    """The data of events to chunks, as they come in many at once."""
    read = dialect().read_batch
    for at in range(0, EVENTS, 64):
        read(data[at : at + 64], [])


def accumulate(_: list[bytes]) -> None:
    accumulator = dialect().accumulator()
    assert accumulator is not None
    for each in at_once:
        accumulator.add(each)


def measure(rounds: int) -> dict[tuple[str, ...], float]:
    """Return nanoseconds for an event, by ring, feed and line end, and by part."""
    tasks: dict[tuple[str, ...], Callable[[], object]] = {}
    single = events(EVENTS)
    framed = [http_chunk(event) for event in single]
    for feed in FEEDS:
        pieces = cut(b"".join(single), feed, single)
        wire = cut(b"".join(framed), feed, framed)
        tasks["bytes.split", feed, "LF"] = partial(split, pieces)
        tasks["exchange", feed, "LF"] = partial(exchange, wire)
        tasks["bytes to typed chunks", feed, "LF"] = partial(typed, pieces)
        tasks["the same, put together", feed, "LF"] = partial(body, pieces)
        for name, end in ENDS.items():
            ended = [event.replace(b"\n", end) for event in single]
            framed_so = [http_chunk(event) for event in ended]
            tasks["decoder", feed, name] = partial(decoder, cut(b"".join(ended), feed, ended))
            tasks["session", feed, name] = partial(session, cut(b"".join(framed_so), feed, framed_so))
    tasks["msgspec alone",] = partial(msgspec_alone, [])
    tasks["chunk decoding",] = partial(plain, [])
    tasks["accumulator",] = partial(accumulate, [])
    times: dict[tuple[str, ...], list[float]] = {key: [] for key in tasks}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for key, task in tasks.items():
            start = process_time_ns()
            task()
            times[key].append((process_time_ns() - start) / EVENTS)
    gc.unfreeze()
    return {key: median(values) for key, values in times.items()}


def report(found: dict[tuple[str, ...], float]) -> str:
    """Return three tables in Markdown."""
    rings = ["bytes.split", "decoder", "exchange"]
    rings += ["bytes to typed chunks", "the same, put together", "session"]
    rows = [[ring, *(f"{found[ring, feed, 'LF']:,.0f}" for feed in FEEDS)] for ring in rings]
    ends = [
        [f"{ring}, {end}", *(f"{found[ring, feed, end]:,.0f}" for feed in FEEDS)]
        for ring in ("decoder", "session")
        for end in ENDS
    ]
    names = ("msgspec alone", "chunk decoding", "accumulator")
    parts = [[name, f"{found[name,]:,.0f}"] for name in names]
    return "\n\n".join(
        (
            table(["ring", *FEEDS], rows),
            table(["line ends", *FEEDS], ends),
            table(["part", "64 at once"], parts),
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    print(report(measure(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()

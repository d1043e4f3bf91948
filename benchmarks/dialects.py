"""From bytes to typed chunks in every dialect, beside msgspec alone into the same structs.

    python -m benchmarks.dialects

Nanoseconds of CPU time for an event that adds some text, the smallest of some turns, and ratios: an event's
data to its chunk where they come one by one and 64 at once; and a stream, framed as its provider does, in
reads of 64 KiB.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from time import process_time_ns
from typing import Any, NamedTuple

import msgspec

from sse_core import Dialect, Event, EventDecoder, Request
from sse_core.dialects import anthropic, gemini, groq, mcp, responses
from sse_core.dialects import json as json_events

from .answer import MESSAGES, chat_chunk, text_of
from .harness import table

EVENTS = 6_400
TOGETHER = 64
READ = 1 << 16


class Number(msgspec.Struct, frozen=True, gc=False):
    """What a user's own events may be."""

    number: int
    text: str
    created: float


class Case(NamedTuple):
    """A dialect, as `kind` of which msgspec alone decodes `data`, which comes in a `frame`."""

    request: Request[Any]
    kind: Any
    data: Callable[[int], bytes]
    frame: bytes


def encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def message(number: int) -> bytes:
    delta = {"type": "text_delta", "text": text_of(number)}
    return encoded({"type": "content_block_delta", "index": 0, "delta": delta})


def response(number: int) -> bytes:
    place = {"item_id": f"msg_{'0123456789abcdef' * 3}", "output_index": 0, "content_index": 0}
    delta = {"delta": text_of(number), "logprobs": [], "obfuscation": "0123456789"}
    return encoded({"type": "response.output_text.delta", **place, **delta, "sequence_number": number})


def content(number: int) -> bytes:
    parts = {"parts": [{"text": text_of(number)}], "role": "model"}
    details = [{"modality": "TEXT", "tokenCount": 4}]
    usage = {"promptTokenCount": 4, "totalTokenCount": number, "promptTokensDetails": details}
    return encoded(
        {"candidates": [{"content": parts, "index": 0}], "usageMetadata": usage}
        | {"modelVersion": "gemini-3-flash", "responseId": "0123456789abcdef"}
    )


def progress(number: int) -> bytes:
    params = {"progressToken": "t", "progress": number, "message": text_of(number)}
    return encoded({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})


def own(number: int) -> bytes:
    return encoded({"number": number, "text": text_of(number), "created": 1763800000.25})


CASES = {
    "chat": Case(
        groq.chat(model="m", messages=MESSAGES),
        groq.ChatCompletionChunk,
        lambda number: chat_chunk(text_of(number)),
        b"data: %b\n\n",
    ),
    "responses": Case(
        responses.create(model="m", input=""),
        responses.ResponseStreamEvent,
        response,
        b"event: response.output_text.delta\ndata: %b\n\n",
    ),
    "anthropic": Case(
        anthropic.messages(model="m", messages=MESSAGES, max_tokens=1),
        anthropic.MessageStreamEvent,
        message,
        b"event: content_block_delta\ndata: %b\n\n",
    ),
    "gemini": Case(
        gemini.generate(model="m", contents=[]),
        gemini.GenerateContentResponse,
        content,
        b"data: %b\r\n\r\n",
    ),
    "mcp": Case(
        mcp.post(mcp.JSONRPCRequest(id=1, method="tools/call")),
        mcp.JSONRPCNotification,
        progress,
        b"event: message\ndata: %b\n\n",
    ),
    "json": Case(json_events.request(Number), Number, own, b"data: %b\n\n"),
}


def alone(decode: Callable[[bytes], object], datas: list[bytes]) -> None:
    for data in datas:
        decode(data)


def one_by_one(dialect: Dialect[Any], events: list[Event]) -> None:
    read = dialect.read
    for event in events:
        read(event)


def at_once(dialect: Dialect[Any], datas: list[bytes]) -> None:
    for at in range(0, EVENTS, TOGETHER):
        chunks: list[Any] = []
        dialect.read_plain(datas[at : at + TOGETHER], chunks)
        if len(chunks) != TOGETHER:
            raise RuntimeError("a plain event is special")


def from_stream(dialect: Dialect[Any], reads: list[bytes]) -> None:
    decoder = EventDecoder()
    decoder.feed(b":\n\n")  # for the first bytes might be a byte order mark, and go the long way
    for data in reads:
        chunks: list[Any] = []
        plain = decoder.feed_plain(data)
        if plain is None or dialect.read_plain(plain, chunks, decoder.plain_type) < len(plain):
            raise RuntimeError("a plain event is special")


def measure(name: str, rounds: int) -> list[float]:
    """Return nanoseconds for an event: msgspec alone, one by one, 64 at once, from the stream."""
    case = CASES[name]
    datas = [case.data(number) for number in range(EVENTS)]
    events = [Event(data) for data in datas]
    stream = b"".join(case.frame % data for data in datas)
    reads = [stream[at : at + READ] for at in range(0, len(stream), READ)]
    decode = msgspec.json.Decoder(case.kind).decode
    tasks: list[Callable[[], None]] = [
        lambda: alone(decode, datas),
        lambda: one_by_one(case.request.dialect(), events),
        lambda: at_once(case.request.dialect(), datas),
        lambda: from_stream(case.request.dialect(), reads),
    ]
    times: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for task, taken in zip(tasks, times, strict=True):
            start = process_time_ns()
            task()
            taken.append((process_time_ns() - start) / EVENTS)
    return [min(taken) for taken in times]


def report(rounds: int) -> str:
    """Return a table in Markdown."""
    rows: list[list[str]] = []
    for name in CASES:
        base, *others = measure(name, rounds)
        rows.append([name, f"{base:,.0f}", *(f"{other:,.0f} ({other / base:.2f})" for other in others)])
    return table(["dialect", "msgspec alone", "one by one", "64 at once", "from stream bytes"], rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    print(report(parser.parse_args().rounds))


if __name__ == "__main__":
    main()

"""From an event to its typed chunk, and from chunks to the answer.

    python -m benchmarks.chunks

Nanoseconds of CPU time for a chunk, the median of some turns: msgspec alone into the same struct,
the dialect, and the ratio; then what it takes to put the chunks together, as they come in reads of 64
and one by one. Last, what one more chunk costs where the caller keeps all, and the garbage collector runs.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from time import process_time_ns
from typing import Any

import msgspec

from sse_core import Event
from sse_core.dialects import openai
from sse_core.dialects._strict_chunks import documented

CHUNKS = 20_000
TURNS = 9
KINDS: dict[str, Callable[[int], dict[str, Any]]] = {
    "text": lambda number: {"content": f" {number:05}"},
    "reasoning": lambda number: {"reasoning": f" {number:05}"},
    "tool arguments": lambda number: {
        "tool_calls": [{"index": 0, "function": {"arguments": f" {number:05}"}}]
    },
    "Ollama's text": lambda number: {"role": "assistant", "content": f" {number:05}"},
    "Mistral's thoughts": lambda number: {
        "content": [{"type": "thinking", "thinking": [{"type": "text", "text": f" {number:05}"}]}]
    },  # which no struct takes as it is: msgspec alone makes dicts of it
}


def event(delta: dict[str, Any]) -> Event:
    chunk = {
        "id": "chatcmpl-6f0f7c0e-4c5c-4f3e-9d4d-0123456789ab",
        "object": "chat.completion.chunk",
        "created": 1763800000,
        "model": "llama-3.3-70b-versatile",
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
    }
    return Event(json.dumps(chunk, separators=(",", ":")).encode())


def clocked(function: Callable[[Any], object], items: Sequence[object]) -> float:
    """Return what calling `function` with each of `items` takes, by the chunk."""
    start = process_time_ns()
    for item in items:
        function(item)
    return (process_time_ns() - start) / CHUNKS


def kept(events: Iterable[Event], decode: Callable[[bytes], object]) -> float:
    """Return what a chunk takes where all are kept."""
    gc.collect()
    start = process_time_ns()
    chunks = [decode(each.raw) for each in events]
    return (process_time_ns() - start) / len(chunks)


def row(kind: str) -> str:
    events = [event(KINDS[kind](number)) for number in range(CHUNKS)]
    datas = [each.raw for each in events]
    decode = msgspec.json.Decoder(Any if "Mistral" in kind else openai.ChatCompletionChunk).decode
    chunks: list[Any] = [openai.ChatDialect().read(each) for each in events]
    reads = [chunks[at : at + 64] for at in range(0, CHUNKS, 64)]
    single = [[chunk] for chunk in chunks]
    turns = [
        (
            clocked(decode, datas),
            clocked(openai.ChatDialect().read, events),
            clocked(openai.ChatAccumulator().add, reads),
            clocked(openai.ChatAccumulator().add, single),
        )
        for _ in range(TURNS)
    ]
    alone, read, together, one = (median(times) for times in zip(*turns, strict=True))
    return f"| {kind} | {alone:,.0f} | {read:,.0f} | {read / alone:.2f} | {together:,.0f} | {one:,.0f} |"


def main() -> None:
    print("| chunks | msgspec | dialect | ratio | adding, 64 a read | one a read |")
    print("|---" * 6 + "|")
    for kind in KINDS:
        print(row(kind))
    events = [event(KINDS["text"](number)) for number in range(2 * CHUNKS)]
    print("\n| chunks kept | nanoseconds |\n|---|---|")
    tracked = documented(openai.OTHERWISE).struct(openai.ChatCompletionChunk)
    for name, kind in (("ours", openai.ChatCompletionChunk), ("the same, tracked", tracked), ("dicts", Any)):
        decode = msgspec.json.Decoder(kind).decode
        print(f"| {name} | {median(kept(events, decode) for _ in range(TURNS)):,.0f} |")


if __name__ == "__main__":
    main()

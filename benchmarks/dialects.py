"""From bytes to typed chunks in every dialect, beside msgspec alone into the same structs.

    python -m benchmarks.dialects

Nanoseconds of CPU time for an event that adds some text, the smallest of some turns, and ratios: an event
to its chunk by `Dialect.read`; an event's data by `Dialect.read_batch`, in lists of one, as a session has
those that come one by one, and of 64; and a stream, framed as its provider does, in reads of 64 KiB.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from time import process_time_ns
from typing import Any, NamedTuple

import msgspec

from sse_core import Dialect, Event, EventDecoder, Request
from sse_core.dialects import anthropic, gemini, groq, mcp, openai, responses
from sse_core.dialects import json as json_events
from sse_core.dialects.chat.tolerant import TolerantChunk

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


class Choice(msgspec.Struct, frozen=True, gc=False):
    """What one of the choices of a `Completion` adds."""

    text: str
    index: int
    logprobs: None
    finish_reason: str | None


class Completion(msgspec.Struct, frozen=True, gc=False):
    """What they may also be, and many are: here OpenAI's completions, the ones before chat."""

    id: str
    object: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    system_fingerprint: str | None = None


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


def completion(number: int) -> bytes:
    choice = {"text": text_of(number), "index": 0, "logprobs": None, "finish_reason": None}
    fields = {"id": "cmpl-0123456789abcdef", "object": "text_completion", "created": 1763800000}
    model = {"model": "gpt-3.5-turbo-instruct", "system_fingerprint": "fp_0123456789"}
    return encoded({**fields, "choices": [choice], **model})


def with_nulls(number: int) -> bytes:
    delta = {"role": None, "content": text_of(number), "reasoning_content": None, "tool_calls": None}
    return chat_chunk_of(delta, matched_stop=None)


def with_parts(number: int) -> bytes:
    text = {"type": "text", "text": text_of(number)}
    return chat_chunk_of({"content": [{"type": "thinking", "thinking": [text]}]})


def chat_chunk_of(delta: object, **fields: object) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None, **fields}
    chunk = {"id": "chatcmpl-0123456789abcdef", "object": "chat.completion.chunk", "created": 1763800000}
    return encoded({**chunk, "model": "a-model-of-some-kind", "choices": [choice]})


def bare(kind: type[msgspec.Struct]) -> Any:
    """The same struct as far as msgspec reads it, without what ours does after that."""
    fields = [
        (field.name, field.type, msgspec.field(default=field.default))
        for field in msgspec.structs.fields(kind)
    ]
    return msgspec.defstruct(kind.__name__, fields, frozen=True, kw_only=True, gc=False)


CASES = {
    "chat": Case(
        groq.chat(model="m", messages=MESSAGES),
        groq.ChatCompletionChunk,
        lambda number: chat_chunk(text_of(number)),
        b"data: %b\n\n",
    ),
    "chat, null for lists": Case(
        openai.chat(model="m", messages=MESSAGES), bare(TolerantChunk), with_nulls, b"data: %b\n\n"
    ),
    "chat, text in parts": Case(
        openai.chat(model="m", messages=MESSAGES), bare(TolerantChunk), with_parts, b"data: %b\n\n"
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
    "mcp, CRLF": Case(
        mcp.post(mcp.JSONRPCRequest(id=1, method="tools/call")),
        mcp.JSONRPCNotification,
        progress,
        b"event: message\r\ndata: %b\r\n\r\n",
    ),
    "json": Case(json_events.request(Number), Number, own, b"data: %b\n\n"),
    "json, completions": Case(json_events.request(Completion), Completion, completion, b"data: %b\n\n"),
}


def alone(decode: Callable[[bytes], object], datas: list[bytes]) -> None:
    for data in datas:
        decode(data)


def one_by_one(dialect: Dialect[Any], events: list[Event]) -> None:
    read = dialect.read
    for event in events:
        read(event)


def in_lists(dialect: Dialect[Any], lists: list[list[bytes]]) -> None:
    read = dialect.read_batch
    for datas in lists:
        chunks: list[Any] = []
        if read(datas, chunks) < len(datas):
            raise RuntimeError("a plain event is special")


def from_stream(dialect: Dialect[Any], reads: list[bytes]) -> None:
    decoder = EventDecoder()
    decoder.feed(b":\n\n")  # for the first bytes might be a byte order mark, and go the long way
    for data in reads:
        chunks: list[Any] = []
        batch = decoder.feed_batch(data)
        if batch is None or dialect.read_batch(batch[1], chunks, batch[0]) < len(batch[1]):
            raise RuntimeError("a plain event is special")


def measure(name: str, rounds: int) -> list[float]:
    """Return nanoseconds for an event: msgspec alone, one by one, in lists of one and 64, from the stream."""
    case = CASES[name]
    datas = [case.data(number) for number in range(EVENTS)]
    events = [Event(data) for data in datas]
    stream = b"".join(case.frame % data for data in datas)
    reads = [stream[at : at + READ] for at in range(0, len(stream), READ)]
    decode = msgspec.json.Decoder(case.kind).decode
    lists = [[data] for data in datas]
    longer = [datas[at : at + TOGETHER] for at in range(0, EVENTS, TOGETHER)]

    def dialect() -> Dialect[Any]:
        """One that knows what its server is like."""
        begun = case.request.dialect()
        begun.read(events[0])
        return begun

    tasks: list[Callable[[], None]] = [
        lambda: alone(decode, datas),
        lambda: one_by_one(dialect(), events),
        lambda: in_lists(dialect(), lists),
        lambda: in_lists(dialect(), longer),
        lambda: from_stream(dialect(), reads),
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
    names = ["one by one", "lists of one", "lists of 64", "from stream bytes"]
    return table(["dialect", "msgspec alone", *names], rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    print(report(parser.parse_args().rounds))


if __name__ == "__main__":
    main()

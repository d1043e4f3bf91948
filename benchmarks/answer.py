"""The answer that every server here gives: chat chunks of about 275 bytes, made beforehand."""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it: importing typing takes time
if TYPE_CHECKING:
    from typing import Any

EVENTS = 20_000
PACED_EVENTS = 2_000
WORDS = (" the", " of", " stream", " token", ",", " receives", " und", "naïve", ' "quoted"', "\n", " 🙂", ".")
MESSAGES: Any = [{"role": "user", "content": "Talk."}]


def text_of(number: int) -> str:
    return WORDS[number % len(WORDS)] + (f" {number}" if number % 10 == 0 else "")


def text(events: int) -> str:
    """What the answer says."""
    return "".join(map(text_of, range(events)))


def chat_chunk(content: str) -> bytes:
    import json  # only here: clients import this module, and what they import is measured

    chunk = {
        "id": "chatcmpl-6f0f7c0e-4c5c-4f3e-9d4d-0123456789ab",
        "object": "chat.completion.chunk",
        "created": 1763800000,
        "model": "llama-3.3-70b-versatile",
        "system_fingerprint": "fp_0123456789",
        "choices": [{"index": 0, "delta": {"content": content}, "logprobs": None, "finish_reason": None}],
    }
    return json.dumps(chunk, separators=(",", ":")).encode()


def events(number: int) -> list[bytes]:
    """The events of an answer of so many chunks."""
    return [b"data: " + chat_chunk(text_of(each)) + b"\n\n" for each in range(number)]


def http_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
DONE = http_chunk(b"data: [DONE]\n\n")
END = b"0\r\n\r\n"

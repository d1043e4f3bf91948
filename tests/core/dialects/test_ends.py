"""A stream of another dialect ends in an error, or in what it says: FAULTS C1, an end is no success."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core import Reader, Response, StreamIncomplete, Verdict
from sse_core.testing.dialects import REQUESTS, Fixture, load

DIALECTS = sorted(REQUESTS.keys() - {"events", "json", "mcp"})
SERVED = Response(200, "OK", (("content-type", "text/event-stream"),))
ANSWERS = [
    fixture
    for fixture in load()
    if fixture.dialect in DIALECTS
    and fixture.expected.verdict in ("COMPLETE", "FINISHED")
    and fixture.expected.status == 200
    and fixture.expected.message.text
]
"""The streams that bring an answer with a text."""


def read(name: str, stream: bytes) -> Reader[Any]:
    reader: Reader[Any] = Reader(REQUESTS[name](), response=SERVED)
    reader.feed(stream)
    reader.close()
    return reader


ALIKE = {
    ("cohere", "anthropic/no-type-in-the-data"): "the type of an event is read as one of Cohere's",
    ("groq", "interactions/incomplete"): "a usage alone is an answer's",
    ("openai", "interactions/incomplete"): "a usage alone is an answer's",
    ("completions", "openai/next-to-nothing"): "choices without a text are an empty text",
    ("completions", "openai/null-everywhere"): "choices without a text are an empty text",
}
"""Pairs that cannot be told apart by what is there, and why."""


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("fixture", ANSWERS, ids=lambda fixture: fixture.name)
def test_a_stream_of_another_dialect_ends_in_an_error_or_in_what_it_says(name: str, fixture: Fixture) -> None:
    for ending in (b"", b"data: [DONE]\n\n"):
        reader = read(name, fixture.stream + ending)
        if reader.error is None:
            assert reader.message is not None
            alike = (name, fixture.name) in ALIKE
            assert (reader.message.text == fixture.expected.message.text) is not alike


INSTEAD = {
    "a page": b"data: <html><body>hello</body></html>\n\n",
    "another provider's chunk": b'data: {"type":"text_delta","text":"a"}\n\n',
    "lines of JSON": b'data: {"model":"m","message":{"content":"a"},"done":false}\n\n',
    "misspelled names": b'data: {"choices":[{"delta":{"contents":"a"}}]}\n\n',
    "a heartbeat": b"data: ping\n\n",
}


@pytest.mark.parametrize("what", INSTEAD)
@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_what_came_instead_of_an_answer_is_said(what: str, pieces: int) -> None:
    stream = INSTEAD[what] + b"data: [DONE]\n\n"
    reader: Reader[Any] = Reader(REQUESTS["openai"](), response=SERVED)
    for at in range(0, len(stream), pieces):
        if reader.verdict is None:
            reader.feed(stream[at : at + pieces])
    reader.close()
    assert reader.error is not None
    if what != "a page":  # which is no JSON at all
        assert reader.verdict is Verdict.UNFINISHED
        assert isinstance(reader.error, StreamIncomplete) and reader.error.retryable
        data = INSTEAD[what].strip().removeprefix(b"data: ")
        assert f"the first event's data begins with {data!r}" in str(reader.error)


def test_the_body_may_end_without_an_answer_too() -> None:
    reader = read("openai", INSTEAD["misspelled names"])
    assert "nothing of an answer was understood" in str(reader.error)
    reader = read("openai", b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n')
    assert str(reader.error) == Verdict.UNFINISHED.value


@pytest.mark.parametrize(
    "event",
    [
        b'{"choices":[{"delta":{},"finish_reason":"stop"}]}',
        b'{"choices":[],"usage":{"prompt_tokens":1}}',
        b'{"choices":[{"delta":{"refusal":"no"}}]}',
    ],
)
def test_an_answer_without_text_is_one(event: bytes) -> None:
    assert read("openai", b"data: " + event + b"\n\ndata: [DONE]\n\n").verdict is Verdict.COMPLETE


def test_an_end_marker_alone_is_an_end() -> None:
    assert read("openai", b": hello\n\ndata: [DONE]\n\n").verdict is Verdict.COMPLETE

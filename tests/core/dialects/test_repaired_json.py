"""What others' encoders write is JSON after all."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Event
from sse_core.dialects import anthropic, gemini, openai
from sse_core.dialects.shared.repaired_json import repaired_json
from support.core import unhurried


def value_of(text: str) -> Any:
    return msgspec.json.decode(repaired_json(Event(text.encode())))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[NaN, -Infinity, Infinity, 1]", [None, None, None, 1]),
        ('{"NaN": "-Infinity", "a": NaN}', {"NaN": "-Infinity", "a": None}),
        ('["\\ud83d\\ude00", "\\ud83d", "\\ude00\\ud83d"]', ["😀", "\ufffd", "\ufffd\ufffd"]),
        ('["\\ud83d\\n", "\\\\ud83d", "\\\\\\ude00", "\\u00e9"]', ["\ufffd\n", "\\ud83d", "\\\ufffd", "é"]),
        ('["\\ud83d\\ud83d\\ude00"]', ["\ufffd😀"]),
        ('["\\"NaN\\"", NaN]', ['"NaN"', None]),
    ],
)
def test_what_is_no_json_has_a_place_in_it(text: str, value: object) -> None:
    assert value_of(text) == value


def test_invalid_utf_8_is_replaced() -> None:
    assert repaired_json(Event(b'"caf\xe9 \\ud83d"')) == '"caf\ufffd \\ufffd"'


def expected(value: Any) -> Any:
    """The value, with what JSON and Unicode have not as it is to be read."""
    match value:
        case float():
            return value if abs(value) < float("inf") else None
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [expected(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


@unhurried
@given(st.lists(st.floats() | st.text(st.characters() | st.sampled_from('\\"uN\ud83d\ude00'))))
def test_whatever_python_encodes_is_read(value: list[object]) -> None:
    assert value_of(json.dumps(value)) == expected(value)


@unhurried
@given(st.text(st.sampled_from('"\\uNaInfity-d83de0 '), max_size=60))
def test_what_is_json_stays_as_it_is(text: str) -> None:
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        repaired_json(Event(text.encode()))  # which raises nothing
    else:
        assert value_of(text) == value


def test_every_dialect_reads_it() -> None:
    half = rb'"a \ud83d"'
    chat = b'{"choices":[{"delta":{"content":%b}}]}' % half
    delta = b'{"type":"content_block_delta","delta":{"type":"text_delta","text":%b}}' % half
    parts = b'{"candidates":[{"content":{"parts":[{"text":%b}]},"avgLogprobs":NaN}]}' % half
    chunks = [
        openai.chat(model="m", messages=[]).dialect().read(Event(chat)),
        anthropic.messages(model="m", messages=[], max_tokens=1).dialect().read(Event(delta)),
        gemini.generate(model="m", contents=[]).dialect().read(Event(parts)),
    ]
    assert [getattr(chunk, "text", None) for chunk in chunks] == ["a "] * 3

"""JSON that has not all come: every prefix is read as what it says of the whole."""

from __future__ import annotations

import json
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ToolCall
from sse_core.reading.partial_json import DEPTH, close_json
from support.core import unhurried
from support.counting import calls, most_memory


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        (" \n", ""),
        ("x", ""),
        ("{", "{}"),
        (" {", " {}"),
        ('{"a', "{}"),
        ('{"a" ', "{}"),
        ('{"a":', "{}"),
        ('{"a":tru', "{}"),
        ('{"a":true', '{"a":true}'),
        ('{"a":1', "{}"),
        ('{"a":1,', '{"a":1}'),
        ('{"a":-1.5e+3 ', '{"a":-1.5e+3}'),
        ('{"a":"', '{"a":""}'),
        ('{"a":"b', '{"a":"b"}'),
        ('{"a":"b\\', '{"a":"b"}'),
        ('{"a":"b\\u00e', '{"a":"b"}'),
        ('{"a":"\\ud83d\\ude', '{"a":""}'),
        ('{"a":"\\ud83d\\ude00', '{"a":"\\ud83d\\ude00"}'),
        ('{"a":"b"', '{"a":"b"}'),
        ('{"a":"b","c', '{"a":"b"}'),
        ('["a",[1,{"b":[', '["a",[1,{"b":[]}]]'),
        ('{"a":[]}', '{"a":[]}'),
        ('{"a":{}} ', '{"a":{}}'),
        ('"a', '"a"'),
        ("null", "null"),
        ("1", ""),
        ("1 ", "1"),
    ],
)
def test_the_longest_prefix_is_closed(text: str, expected: str) -> None:
    assert close_json(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{} {}", "{}"),
        ("1 2", "1"),
        ('{"a":1},{"b":2}', '{"a":1}'),
        ("[1,]", "[1]"),
        ("[1,,2]", "[1]"),
        ("[,1]", "[]"),
        ("[1}", "[1]"),
        ("[}", "[]"),
        ("{1:2}", "{}"),
        ('{"a" 1}', "{}"),
        ('{"a":1 "b":2}', '{"a":1}'),
        ('{"a":01}', "{}"),
        ('{"a":1e999,"b":1}', "{}"),
        ('{"a":"\\x","b":1}', '{"a":""}'),
        ('{"a":"line\nfeed"}', '{"a":"line"}'),
        ('{"a":"\\ud800","b":1}', '{"a":""}'),
        ('{"a":"\ud800"}', '{"a":""}'),
        ("[nul]", "[]"),
        ("[True]", "[]"),
    ],
)
def test_what_is_wrong_ends_it(text: str, expected: str) -> None:
    assert close_json(text) == expected


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=15,
)


def begins(part: object, whole: object, last: bool = True) -> bool:
    """Return whether `part` is what could be told of `whole` so far; only the `last` may be cut short."""
    match part, whole:
        case str(), str():
            return part == whole or (last and whole.startswith(part))
        case list(), list():
            some, every = cast("list[object]", part), cast("list[object]", whole)
            ends = len(some) - 1
            whole_enough = len(some) == len(every) or last
            return whole_enough and all(
                begins(a, b, last and at == ends) for at, (a, b) in enumerate(zip(some, every, strict=False))
            )
        case dict(), dict():
            few, all_ = cast("dict[str, object]", part), cast("dict[str, object]", whole)
            return list(few) == list(all_)[: len(few)] and begins(
                list(few.values()), list(all_.values()), last
            )
        case _:
            return part == whole


@unhurried
@given(value=json_values, ascii=st.booleans(), indent=st.none() | st.integers(0, 2), data=st.data())
def test_a_prefix_of_json_is_read_as_what_it_says_of_the_whole(
    value: object, ascii: bool, indent: int | None, data: st.DataObject
) -> None:
    text = json.dumps(value, ensure_ascii=ascii, indent=indent)
    cut = data.draw(st.integers(0, len(text)))
    found = close_json(text[:cut])
    assert not found or begins(json.loads(found), value)
    assert begins(msgspec.json.decode(found or '""'), value if found else "")
    again = close_json(text + " ")
    assert json.loads(again) == value


@unhurried
@given(text=st.text(st.sampled_from('{}[]",:\\u0123456789abcdeftrunls -.E\n\ud83d')) | st.text())
def test_any_text_is_completed_to_json_or_nothing(text: str) -> None:
    found = close_json(text)
    if found:
        json.loads(found)
        assert close_json(found + " ").strip() == found.strip()
    assert ToolCall(arguments=text).partial() is not ...


@pytest.mark.parametrize("start", ["[", '{"a":', '[{"b":[1,'])
def test_nesting_is_bounded(start: str) -> None:
    found = close_json(start * 100_000)
    msgspec.json.decode(found)
    assert found.count("[") + found.count("{") <= DEPTH


PIECES = ("\\n", "\\ud83d\\ude00", "a", "a\\n")
STARTS = ['{"a":"', '{"', '["a","']


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_string_takes_steps_and_memory_by_its_length(start: str, piece: str) -> None:
    def cost(times: int) -> tuple[int, int]:
        text = start + piece * times
        steps = calls(lambda: close_json(text), of_c=True)
        most = most_memory(lambda: close_json(text))
        return steps, most - 2 * len(text)  # what is returned, and what it is put together from

    (few, _), (many, room) = cost(20_000), cost(80_000)
    assert many <= 4 * few
    assert room <= 64 * 1024

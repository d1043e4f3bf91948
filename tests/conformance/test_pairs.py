"""When an answer is like another one to the same request."""

from __future__ import annotations

import pytest

from sse_core.testing.pairs import Recorded, unlike


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"a": 1, "b": [{"c": True}]}, {"b": [{"c": True}], "a": 1}),
        ({"a": None, "b": []}, {"c": None, "d": []}),
        ({"a": 1.0}, {"a": 1}),
        ({}, {}),
        (None, []),
    ],
)
def test_alike(ours: object, theirs: object) -> None:
    assert unlike(ours, Recorded(theirs)) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "says"),
    [
        ({"a": 1}, {"a": 2}, "$.a is 1, not 2"),
        ({"a": 1}, {}, "$.a is 1, not None"),
        ({}, {"a": ""}, "$.a is None, not ''"),
        ({"a": 1}, {"a": True}, "$.a is 1, not True"),
        ({"a": 1}, {"a": "1"}, "$.a is 1, not '1'"),
        ({"a": {}}, {"a": "1"}, "$.a is {}, not '1'"),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, "$.a[1].b is 2, not 3"),
        ({"a": [1, 2]}, {"a": [1]}, "$.a[1] is 2, not None"),
        (1, 2, "$ is 1, not 2"),
    ],
)
def test_unlike(ours: object, theirs: object, says: str) -> None:
    assert unlike(ours, Recorded(theirs)) == says


def test_where_values_differ_their_types_do_not() -> None:
    recorded = Recorded({"id": "a", "parts": [1, 2]}, differs=["$.id", "$.parts"])
    assert unlike({"id": "b", "parts": [3]}, recorded) is None
    assert unlike({"id": 5, "parts": [3]}, recorded) == "$.id is 5, not 'a'"
    assert unlike({"parts": [3]}, recorded) == "$.id is None, not 'a'"


def test_what_no_event_says_is_not_expected() -> None:
    recorded = Recorded({"a": 1, "b": {"payer": "me"}}, unsaid=["$.b"])
    assert unlike({"a": 1}, recorded) is None
    assert unlike({"a": 1, "b": {"payer": "me"}}, recorded) == "$.b is {'payer': 'me'}, not None"

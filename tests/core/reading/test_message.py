"""A tool call's arguments: read whole, and while they come."""

from __future__ import annotations

import msgspec
import pytest

from sse_core import InvalidArguments, ToolCall


class Where(msgspec.Struct):
    """The arguments of a function."""

    city: str
    days: int = 1


def test_arguments_are_read_whole() -> None:
    call = ToolCall(name="weather", arguments='{"city": "Paris"}')
    assert call.parsed() == call.partial() == {"city": "Paris"}
    assert call.arguments_as(Where) == Where("Paris")
    assert call.arguments_as(dict[str, str]) == {"city": "Paris"}


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_no_arguments_are_an_empty_object(nothing: str) -> None:
    call = ToolCall(name="now", arguments=nothing)
    assert call.parsed() == call.partial() == call.arguments_as(dict[str, int]) == {}


def test_arguments_are_read_while_they_come() -> None:
    call = ToolCall(name="weather", arguments='{"city": "Par')
    assert call.partial() == {"city": "Par"}
    with pytest.raises(
        InvalidArguments, match="the arguments of 'weather': Input data was truncated"
    ) as caught:
        call.parsed()
    assert caught.value.call is call


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ('{"city": 1}', r"Expected `str`, got `int` - at `\$.city`"),
        ("{}", "missing required field `city`"),
        ("Paris", "malformed"),
        ('{"x":' * 100_000, "recursion"),
        ("\ud800", "surrogates"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments: str, why: str) -> None:
    call = ToolCall(name="weather", arguments=arguments)
    with pytest.raises(InvalidArguments, match=why):
        call.arguments_as(Where)
    call.partial()

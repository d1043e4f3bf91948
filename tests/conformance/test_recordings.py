"""What providers did send, and what they answered to the same requests without streaming."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sse_core.dialects import responses
from sse_core.testing.dialects import REQUESTS, Fixture, Recorded, load, read
from sse_core.testing.pairs import unlike

FIXTURES = [fixture for fixture in load() if "/recorded-" in fixture.name]
PAIRS = [(fixture, fixture.expected.recorded) for fixture in FIXTURES if fixture.expected.recorded]


def put_together(fixture: Fixture) -> Any:
    """The answer that our dialect puts together from the stream, as JSON."""
    message = read(fixture, [fixture.stream]).message
    assert message is not None
    return msgspec.json.decode(msgspec.json.encode(message.native))


@pytest.mark.parametrize(("fixture", "recorded"), PAIRS, ids=lambda value: getattr(value, "name", ""))
def test_no_place_is_excepted_that_is_alike(fixture: Fixture, recorded: Recorded) -> None:
    ours = put_together(fixture)
    assert unlike(ours, recorded) is None
    for excepted in ("differs", "unsaid"):
        places: list[str] = getattr(recorded, excepted)
        for place in places:
            others = [other for other in places if other != place]
            assert unlike(ours, msgspec.structs.replace(recorded, **{excepted: others})), place


@pytest.mark.parametrize(
    "fixture",
    [fixture for fixture in FIXTURES if fixture.dialect == "responses" and fixture.expected.error is None],
    ids=lambda fixture: fixture.name,
)
def test_what_the_items_make_is_what_the_last_event_has(fixture: Fixture) -> None:
    *chunks, last = read(fixture, [fixture.stream]).chunks
    assert isinstance(last, responses.ResponseCompleted | responses.ResponseIncomplete)
    accumulator = REQUESTS["responses"]().dialect().accumulator()
    assert accumulator is not None
    accumulator.add(chunks)
    assert accumulator.message().native.output == last.response.output

"""What the dialects other than chat completions make of their streams, however these are cut."""

from __future__ import annotations

import json as stdlib_json
from itertools import islice
from typing import Any

import msgspec
import pytest

from other_fixtures import FIXTURES, REQUESTS, WHOLE, Expected, plain, read, shown, told
from sse_core import ApiError, InvalidChunk, StreamError, Verdict
from sse_core.dialects._tagged import converted
from support_core import Life, answer, cut_at, cuts

every_fixture = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda f: f"{f.dialect}-{f.name}")


def is_error(error: StreamError | None, expected: dict[str, Any] | None) -> bool:
    if error is None or expected is None:
        return error is None and expected is None
    if isinstance(error, InvalidChunk):
        return expected["message"] in str(error)
    assert isinstance(error, ApiError)
    assert error.raw
    return (error.message, error.type, error.code) == (
        expected["message"],
        expected["type"],
        expected["code"],
    )


@every_fixture
def test_every_way_to_cut_a_stream_gives_the_same(fixture: Expected) -> None:
    whole = read(fixture)
    assert [shown(chunk) for chunk in whole.chunks] == fixture.chunks
    assert whole.end == fixture.end
    assert is_error(whole.error, fixture.error), whole.error
    size = len(fixture.octets)
    some = [cut_at(fixture.octets, range(step, size, step)) for step in (2, 3, 7, 64)]
    for pieces in [*islice(cuts(fixture.octets), 2), *some]:
        reading = read(fixture, pieces)
        assert reading.chunks == whole.chunks
        assert (reading.end, str(reading.error)) == (whole.end, str(whole.error))


@every_fixture
def test_a_session_reads_the_same(fixture: Expected) -> None:
    if fixture.is_unframed:
        pytest.skip("an error outside events is for the session to hand over")
    life = Life(request=REQUESTS[fixture.dialect]).ask()
    response = answer(fixture.octets, "Content-Type: text/event-stream")
    life.receive(*(response[at : at + 100] for at in range(0, len(response), 100))).end()
    assert [shown(chunk) for chunk in life.chunks] == fixture.chunks
    if fixture.end != "COMPLETE":
        assert life.session.verdict is Verdict[fixture.end]
    if fixture.error is not None:
        assert is_error(life.session.error, fixture.error)


@every_fixture
def test_the_chunks_make_a_message(fixture: Expected) -> None:
    if fixture.message is None:
        assert fixture.dialect in ("mcp", "json")
        assert read(fixture).dialect.accumulator() is None
        return
    reading = read(fixture)
    accumulator = reading.dialect.accumulator()
    assert accumulator is not None
    content = [bool(chunk.text or chunk.reasoning or chunk.tool_calls) for chunk in reading.chunks]
    assert [accumulator.add([chunk]) for chunk in reading.chunks] == content
    message = accumulator.message()
    assert told(message) == fixture.message
    assert accumulator.message() == message
    again = reading.dialect.accumulator()
    assert again is not None
    assert again.add(reading.chunks) == sum(content)
    assert again.message() == message
    said = "".join(chunk.text for chunk in reading.chunks)
    assert said in ("", message.text)
    thought = "".join(sorted(chunk.reasoning for chunk in reading.chunks))
    assert sorted(thought) in ([], sorted(message.reasoning))


@every_fixture
def test_the_message_is_what_the_provider_would_have_answered(fixture: Expected) -> None:
    if fixture.answer is None:
        return
    reading = read(fixture)
    accumulator = reading.dialect.accumulator()
    assert accumulator is not None
    accumulator.add(reading.chunks)
    native = accumulator.message().native
    kind = WHOLE[fixture.dialect]
    assert isinstance(native, kind)
    data = stdlib_json.dumps(fixture.answer).encode()
    try:
        expected = msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:  # of types that are not known here
        assert fixture.name == "unknown-types"
        expected = converted(msgspec.json.decode(data), kind)
    assert as_wire(native) == as_wire(expected)


def as_wire(value: Any) -> Any:
    """A value as JSON, without what is null or empty: what was not sent and what was not set are one."""
    return without_nothing(plain(value))


def without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        slim = {name: without_nothing(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        return {name: item for name, item in slim.items() if item not in (None, [], {}, "", False)}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [without_nothing(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


ODD = {"nulls-and-strings", "unknown-types", "no-type-in-the-data"}


@every_fixture
def test_no_documented_field_is_lost(fixture: Expected) -> None:
    if fixture.name in ODD or fixture.dialect not in WHOLE:
        return
    reading = read(fixture)
    for chunk, event in zip(reading.chunks, reading.events, strict=True):
        encoded = without_nothing(plain(chunk))
        sent = without_nothing(stdlib_json.loads(event.raw))
        assert contained(sent, encoded), (sent, encoded)


def contained(part: Any, whole: Any) -> bool:
    match part, whole:
        case dict(), dict():
            return all(name in whole and contained(item, whole[name]) for name, item in part.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list(), list():
            return len(part) == len(whole) and all(map(contained, part, whole))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return bool(part == whole)


def test_each_dialect_has_fixtures_and_their_ends_are_verdicts() -> None:
    assert {fixture.dialect for fixture in FIXTURES} == set(REQUESTS)
    assert {fixture.end for fixture in FIXTURES} <= set(Verdict.__members__)
    assert len({(fixture.dialect, fixture.octets) for fixture in FIXTURES}) == len(FIXTURES)


def test_a_retry_makes_sense_where_the_provider_is_overloaded() -> None:
    verdicts = {
        f"{fixture.dialect}-{fixture.name}": error.retryable
        for fixture in FIXTURES
        if isinstance(error := read(fixture).error, ApiError)
    }
    assert {name for name, again in verdicts.items() if again} >= {
        "anthropic-overloaded",
        "gemini-error-as-chunk",
        "gemini-error-unframed",
        "responses-failed",
        "responses-error",
    }
    assert not verdicts["responses-error-wrapped"]


def test_streams_are_read_apart() -> None:
    by_name = {(fixture.dialect, fixture.name): fixture for fixture in FIXTURES}
    read(by_name["anthropic", "web-search"])
    tools = by_name["anthropic", "tools"]
    assert [shown(chunk) for chunk in read(tools).chunks] == tools.chunks

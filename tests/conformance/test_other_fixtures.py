"""What the dialects other than chat completions make of their fixtures, however these are cut."""

from __future__ import annotations

import gc
import json
from itertools import islice
from typing import Any

import msgspec
import pytest

from sse_core.dialects import responses
from sse_core.dialects.shared.lenient import convert_leniently
from sse_core.testing.dialects import Fixture, chunk_of, error_of, message_of
from support.core import cut_at, cuts
from support.other_fixtures import FIXTURES, WHOLE, Reading

every_fixture = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)


@every_fixture
def test_every_way_to_cut_a_stream_gives_what_is_expected(fixture: Fixture) -> None:
    some = [cut_at(fixture.stream, range(step, len(fixture.stream), step)) for step in (2, 3, 7, 64)]
    for pieces in [*islice(cuts(fixture.stream), 2), *some]:
        reading = Reading(fixture, pieces)
        assert [chunk_of(chunk) for chunk in reading.chunks] == fixture.expected.chunks
        assert reading.verdict == fixture.expected.verdict
        assert message_of(reading.message) == fixture.expected.message
        if reading.error is not None:
            assert error_of(reading.error) == fixture.expected.error


@every_fixture
def test_the_chunks_and_the_message_say_the_same(fixture: Fixture) -> None:
    reading = Reading(fixture)
    brought = [
        bool(chunk.text or chunk.reasoning or chunk.tool_calls or isinstance(chunk, responses.RefusalDelta))
        for chunk in reading.chunks
    ]
    assert reading.content == brought
    again = reading.dialect.accumulator()
    assert again is not None
    assert again.add(reading.chunks) == sum(brought)
    assert again.message() == again.message() == reading.message
    assert "".join(chunk.text for chunk in reading.chunks) in ("", reading.message.text)
    reasoning = sorted("".join(chunk.reasoning for chunk in reading.chunks))
    assert reasoning in ([], sorted(reading.message.reasoning))


@every_fixture
def test_the_garbage_collector_does_not_look_at_chunks(fixture: Fixture) -> None:
    assert not any(gc.is_tracked(chunk) for chunk in Reading(fixture).chunks)


@every_fixture
def test_the_answer_is_a_whole_one(fixture: Fixture) -> None:
    native = Reading(fixture).message.native
    kind = WHOLE[fixture.dialect]
    assert isinstance(native, kind)
    written = json.loads(msgspec.json.encode(native))
    assert contained(slim(fixture.expected.answer or {}), slim(written))
    assert msgspec.json.decode(msgspec.json.encode(native), type=kind) == native


ODD = {"nulls-and-strings", "unknown-types", "no-type-in-the-data"}
"""These do not send what is documented."""


@pytest.mark.parametrize(
    "fixture",
    [fixture for fixture in FIXTURES if fixture.name.partition("/")[2] not in ODD],
    ids=lambda fixture: fixture.name,
)
def test_nothing_documented_is_lost(fixture: Fixture) -> None:
    reading = Reading(fixture)
    for chunk, event in zip(reading.chunks, reading.events, strict=True):
        sent, kept = slim(json.loads(event.raw)), slim(json.loads(msgspec.json.encode(chunk)))
        assert contained(sent, kept), (sent, kept)


@pytest.mark.parametrize("dialect", WHOLE)
def test_no_fixture_has_only_documented_fields_by_chance(dialect: str) -> None:
    fixture = next(fixture for fixture in FIXTURES if fixture.name == f"{dialect}/text")
    reading = Reading(fixture)
    assert not contained({"unheard_of": 1}, slim(json.loads(msgspec.json.encode(reading.chunks[0]))))


@pytest.mark.parametrize(
    ("dialect", "tag_field"),
    [
        ("anthropic", "type"),
        ("cohere", "type"),
        ("interactions", "event_type"),
        ("responses", "type"),
    ],
)
def test_what_is_not_known_is_kept_raw(dialect: str, tag_field: str) -> None:
    fixture = next(fixture for fixture in FIXTURES if fixture.name == f"{dialect}/unknown-types")
    reading = Reading(fixture)
    for chunk, event in zip(reading.chunks, reading.events, strict=True):
        assert chunk.type == json.loads(event.raw)[tag_field] == event.type
        assert contained(slim(json.loads(event.raw)), slim(unwrapped(json.loads(msgspec.json.encode(chunk)))))


def unwrapped(value: Any) -> Any:
    """A written value with the fields of what is not known in their old places."""
    if isinstance(value, dict):
        if "" in (value.get("type"), value.get("event_type")):  # pyright: ignore[reportUnknownMemberType]
            return value["fields"]  # pyright: ignore[reportUnknownVariableType]
        return {name: unwrapped(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return [unwrapped(item) for item in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def slim(value: Any) -> Any:
    """A JSON value without what is null or empty: not sent and not set are one."""
    if isinstance(value, dict):
        fields = {name: slim(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
        return {name: item for name, item in fields.items() if item not in (None, [], {}, "", False)}  # pyright: ignore[reportUnknownVariableType]
    return [slim(item) for item in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def contained(part: Any, whole: Any) -> bool:
    """Whether all of a JSON value is in another, in the same places."""
    match part, whole:
        case dict(), dict():
            return all(name in whole and contained(item, whole[name]) for name, item in part.items())  # pyright: ignore[reportUnknownVariableType]
        case list(), list():
            return len(part) == len(whole) and all(map(contained, part, whole))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return bool(part == whole)


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [
        ("anthropic", "content"),
        ("interactions", "steps"),
        ("interactions", "outputs"),
        ("responses", "output"),
    ],
)
def test_a_whole_answer_may_have_unknown_types_too(dialect: str, kind: str) -> None:
    whole = convert_leniently({kind: [{"type": "hologram", "z": None}]}, WHOLE[dialect])
    (found,) = getattr(whole, kind)
    assert (found.type, found.fields) == ("hologram", {"type": "hologram", "z": None})

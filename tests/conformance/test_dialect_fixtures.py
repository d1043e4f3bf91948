"""Every fixture of every dialect, cut in many ways; and the files are what their README and schema say."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import sse_core
from sse_core.testing.dialects import (
    REQUESTS,
    Expected,
    ExpectedError,
    Fixture,
    Recorded,
    VerdictName,
    complaint,
    fixtures_folder,
    load,
    schema,
)

jsonschema: Any = import_module("jsonschema")  # which has no types
FOLDER = fixtures_folder()
FIXTURES = load()
by_name = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)


def cuts(stream: bytes) -> Iterator[list[bytes]]:
    """`stream` whole, byte by byte, and in two and in pieces at random."""
    yield [stream]
    yield [stream[at : at + 1] for at in range(len(stream))]
    dice = random.Random(len(stream))
    for _ in range(10):
        at, size = dice.randint(0, len(stream)), dice.randint(1, 100)
        yield [stream[:at], stream[at:]]
        yield [stream[start : start + size] for start in range(0, len(stream), size)]


@by_name
def test_our_dialect_makes_of_it_what_is_expected(fixture: Fixture) -> None:
    for pieces in cuts(fixture.stream):
        assert complaint(fixture, pieces) is None, pieces


@cache
def validator() -> Any:
    document: dict[str, Any] = json.loads((FOLDER / "schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


@by_name
def test_the_schema_has_it(fixture: Fixture) -> None:
    path = FOLDER / f"{fixture.name}.json"
    validator().validate(json.loads(path.read_bytes()))


def test_the_schema_is_current() -> None:
    assert (FOLDER / "schema.json").read_text() == schema()


@by_name
def test_each_says_why_in_one_sentence_and_where_from(fixture: Fixture) -> None:
    assert re.fullmatch(r"[^\n]+[^.\n]\.", fixture.expected.why)
    assert fixture.expected.learnt_from.startswith("https://")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*", fixture.name)


def test_every_dialect_has_fixtures_and_no_stream_is_there_twice() -> None:
    assert {fixture.dialect for fixture in FIXTURES} == REQUESTS.keys()
    streams = [(fixture.dialect, fixture.stream, fixture.expected.status) for fixture in FIXTURES]
    assert len(set(streams)) == len(streams)


def test_verdicts_and_errors_are_ours() -> None:
    assert set(get_args(VerdictName)) <= {verdict.name for verdict in sse_core.Verdict}
    kinds = msgspec.json.schema(ExpectedError)["$defs"]["ExpectedError"]["properties"]["error"]["enum"]
    assert all(issubclass(getattr(sse_core, kind), sse_core.StreamError) for kind in kinds)


def test_the_readme_shows_a_real_fixture_and_explains_every_key() -> None:
    text = (FOLDER / "README.md").read_text()
    shown = msgspec.json.decode(text.partition("```json\n")[2].partition("```")[0], type=Expected)
    assert shown in [fixture.expected for fixture in FIXTURES]
    keys = re.findall(r"^\| `(\w+)` \|", text.partition("## What deviates")[0], re.MULTILINE)
    structs = (Expected, Recorded)
    assert set(keys) == {field.encode_name for kind in structs for field in msgspec.structs.fields(kind)}
    assert all(f"`{name}`" in text for name in get_args(VerdictName))


def test_every_fixture_that_the_readme_names_is_there() -> None:
    table = (FOLDER / "README.md").read_text().partition("## What deviates")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+/[\w-]+)`", table))
    assert named <= {fixture.name for fixture in FIXTURES}
    assert {fixture.dialect for fixture in FIXTURES} - {name.partition("/")[0] for name in named} == {"json"}


def test_a_folder_without_fixtures(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no fixtures"):
        load(tmp_path)


def test_one_file_of_two(tmp_path: Path) -> None:
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "alone.json").write_text("{}")
    with pytest.raises(FileNotFoundError, match=r"alone\.sse"):
        load(tmp_path)


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "wrong.sse").write_bytes(b"")
    (tmp_path / "openai" / "wrong.json").write_text('{"why": 1}')
    with pytest.raises(msgspec.ValidationError, match=r"^openai/wrong\.json: .*`\$\.why`"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "complains"),
    [
        ({"verdict": "FINISHED"}, "verdict COMPLETE, not FINISHED"),
        ({"chunks": []}, "chunks "),
        ({"message": {"text": "x"}}, "message "),
        ({"error": {"error": "ApiError", "retryable": True}}, "error None, not "),
        ({"answer": {"id": "x"}}, "answer "),
        ({"recorded": {"answer": {"id": "x"}}}, "answer $.id is 'chatcmpl-"),
    ],
)
def test_complaints(wrong: dict[str, Any], complains: str) -> None:
    right = next(fixture for fixture in FIXTURES if fixture.name == "groq/text")
    expected = msgspec.convert(msgspec.to_builtins(right.expected) | wrong, Expected)
    complained = complaint(Fixture(right.name, right.stream, expected), [right.stream])
    assert complained is not None
    assert complained.startswith(complains)

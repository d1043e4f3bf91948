"""The files of the exchange's vectors are what their README and their schema say they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import sse_core
from sse_core import Exchange, StreamError
from sse_core.testing import vectors
from sse_core.testing.exchanges import ErrorName, ExchangeVector, complaint, load, schema, vectors_folder

jsonschema: Any = import_module("jsonschema")  # which has no types
FOLDER = vectors_folder()
FILES = sorted(path for path in FOLDER.glob("*.json") if path.name != "schema.json")
VECTORS = load()
RIGHT: dict[str, Any] = {
    "name": "empty",
    "why": "A body may be empty.",
    "clause": "RFC 9112, 6.3",
    "stream": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status": 200,
    "ended": True,
}


def test_the_schema_is_current() -> None:
    assert (FOLDER / "schema.json").read_text() == schema()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_validate(path: Path) -> None:
    document: dict[str, Any] = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(document)
    jsonschema.Draft202012Validator(document).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"stream_hex": "ff"},
        {"stream": None},
        {"body": "x", "body_hex": "ff"},
        {"name": "Not Like This"},
        {"clause": "6.3"},
        {"clause": "RFC 2616, 4.4"},
        {"error": "ValueError"},
        {"unheard_of": 1},
    ],
)
def test_the_schema_refuses(wrong: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    assert validator.is_valid([RIGHT])
    assert not validator.is_valid([RIGHT | wrong])
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(RIGHT | wrong, ExchangeVector)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"body_hex": "61"}, "this body is valid UTF-8"),
        ({"error": "BodyTruncated"}, "ends well or in an error"),
    ],
)
def test_what_the_schema_cannot_say(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"empty: .*{why}"):
        msgspec.convert(RIGHT | wrong, ExchangeVector)


def test_the_errors_are_ours() -> None:
    assert all(issubclass(getattr(sse_core, name), StreamError) for name in get_args(ErrorName))
    assert {vector.error for vector in VECTORS} == {None, *get_args(ErrorName)}


def test_names_and_responses_are_unique() -> None:
    names = Counter(vector.name for vector in VECTORS)
    responses = Counter((vector.method, vector.octets, vector.closed) for vector in VECTORS)
    assert [thing for count in (names, responses) for thing, times in count.items() if times > 1] == []


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_each_says_why_in_one_sentence(vector: ExchangeVector) -> None:
    assert re.fullmatch(r"[^\n]+[^.\n]\.", vector.why)


def test_the_readme_has_the_number_and_shows_a_real_vector() -> None:
    text = (FOLDER / "README.md").read_text()
    assert f"\n{len(VECTORS)} responses" in text
    shown = msgspec.json.decode(text.partition("```json\n")[2].partition("```")[0], type=ExchangeVector)
    assert shown in VECTORS
    keys = re.findall(r"^\| `(\w+)`", text, re.MULTILINE)
    assert set(keys) == {field.encode_name for field in msgspec.structs.fields(ExchangeVector)}


def test_an_installed_package_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec" / "exchange").mkdir(parents=True)
    monkeypatch.setattr(vectors, "__file__", str(tmp_path / "vectors.py"))
    assert vectors_folder() == tmp_path / "spec" / "exchange"


@pytest.mark.parametrize(
    ("wrong", "complains"),
    [
        ({}, None),
        ({"headers": {"content-length": "0"}}, None),
        (
            {"headers": {"content-length": "1"}},
            "headers {'content-length': '0'}, not {'content-length': '1'}",
        ),
        ({"headers": {"x-a": ""}}, "headers {'x-a': None}, not {'x-a': ''}"),
        ({"status": 201}, "status, body, end and error (200, b'', True, None), not (201, b'', True, None)"),
        ({"body": "x"}, "status, body, end and error (200, b'', True, None), not (200, b'x', True, None)"),
        ({"ended": False}, "status, body, end and error (200, b'', True, None), not (200, b'', False, None)"),
    ],
)
def test_complaints(wrong: dict[str, Any], complains: str | None) -> None:
    vector = msgspec.convert(RIGHT | wrong, ExchangeVector)
    exchange = Exchange(vector.method, "/", [("Host", "localhost")])
    assert complaint(exchange, vector, [vector.octets]) == complains

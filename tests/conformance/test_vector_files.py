"""The vector files are what their README and their schema say they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from sse_core.testing import vectors
from sse_core.testing.vectors import Clause, ExpectedEvent, Vector, chunkings, load, schema, vectors_folder

jsonschema: Any = import_module("jsonschema")  # which has no types
FOLDER = vectors_folder()
FILES = sorted(path for path in FOLDER.glob("*.json") if path.name != "schema.json")
VECTORS = load()


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
        {"name": "Not Like This"},
        {"clause": "9.2.7"},
        {"dropped": -1},
        {"unheard_of": 1},
    ],
)
def test_the_schema_refuses(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {
        "name": "lf",
        "why": "LF ends a line.",
        "clause": "9.2.5 line endings",
        "stream": "data: x\n\n",
        "events": [{"data": "x"}],
    }
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    assert validator.is_valid([right])
    assert not validator.is_valid([right | wrong])
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(right | wrong, Vector)


def test_text_goes_before_hexadecimal() -> None:
    with pytest.raises(ValueError, match="valid UTF-8"):
        Vector(name="x", why="x", clause="9.2.6 dispatch", events=[], stream_hex="61")
    with pytest.raises(ValueError, match="either stream or stream_hex"):
        Vector(name="x", why="x", clause="9.2.6 dispatch", events=[])


def test_names_are_unique() -> None:
    assert [name for name, times in Counter(v.name for v in VECTORS).items() if times > 1] == []


def test_no_stream_is_there_twice_under_one_clause() -> None:
    streams = Counter((v.octets, v.clause) for v in VECTORS)
    assert [stream for stream, times in streams.items() if times > 1] == []


def test_every_clause_is_covered() -> None:
    counts = Counter(vector.clause for vector in VECTORS)
    assert set(counts) == set(get_args(Clause))
    assert min(counts.values()) >= 10


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_each_says_why_in_one_sentence(vector: Vector) -> None:
    assert re.fullmatch(r"[^\n]+[^.\n]\.", vector.why)


def test_the_readme_has_the_number_and_shows_a_real_vector() -> None:
    text = (FOLDER / "README.md").read_text()
    assert f"\n{len(VECTORS)} streams" in text
    shown = msgspec.json.decode(text.partition("```json\n")[2].partition("```")[0], type=Vector)
    assert shown in VECTORS
    keys = re.findall(r"^\| `(?:events\[\]\.)?(\w+)`", text, re.MULTILINE)
    fields = [field.encode_name for of in (Vector, ExpectedEvent) for field in msgspec.structs.fields(of)]
    assert set(keys) == set(fields)


def test_a_folder_without_vectors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no vectors"):
        load(tmp_path)


def test_a_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text('[{"name": "x"}]')
    with pytest.raises(msgspec.ValidationError, match=r"^wrong\.json: .*`\$\[0\]`"):
        load(tmp_path)


def test_an_installed_package_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec" / "decoder").mkdir(parents=True)
    monkeypatch.setattr(vectors, "__file__", str(tmp_path / "vectors.py"))
    assert vectors_folder() == tmp_path / "spec" / "decoder"


def test_chunkings_put_the_stream_together_again() -> None:
    stream = b"data: x\n\n"
    cut = list(chunkings(stream, seed=3))
    assert all(b"".join(chunks) == stream for chunks in cut)
    assert cut == list(chunkings(stream, seed=3)) != list(chunkings(stream, seed=4))
    assert [len(chunks) for chunks in cut[:3]] == [1, 9, 2]
    assert any(b"" in chunks for chunks in cut)


def test_chunkings_of_nothing() -> None:
    assert all(b"".join(chunks) == b"" for chunks in chunkings(b"", seed=1))

"""The vector files are what their README and their schema say they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from sse_core import EventDecoder, Exchange
from sse_core.testing import exchanges, sessions, vectors

jsonschema: Any = import_module("jsonschema")  # which has no types


@dataclass(frozen=True)
class Suite:
    """Vectors of one kind: the `module` loads them, and `right` is one that any change in `wrong` spoils."""

    name: str
    module: ModuleType
    kind: type[msgspec.Struct]
    counted_as: str
    right: dict[str, Any]
    wrong: list[dict[str, Any]]

    @property
    def folder(self) -> Path:
        folder: Path = self.module.vectors_folder()
        return folder

    @cached_property
    def vectors(self) -> list[Any]:
        return list(self.module.load())

    @property
    def schema(self) -> str:
        return str(self.module.schema())


SUITES = [
    Suite(
        "decoder",
        vectors,
        vectors.Vector,
        "streams",
        {
            "name": "lf",
            "why": "LF ends a line.",
            "clause": "9.2.5 line endings",
            "stream": "data: x\n\n",
            "events": [{"data": "x"}],
        },
        [
            {"stream_hex": "ff"},
            {"stream": None},
            {"name": "Not Like This"},
            {"clause": "9.2.7"},
            {"dropped": -1},
            {"unheard_of": 1},
        ],
    ),
    Suite(
        "exchange",
        exchanges,
        exchanges.ExchangeVector,
        "responses",
        {
            "name": "empty",
            "why": "A body may be empty.",
            "clause": "RFC 9112, 6.3",
            "stream": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "status": 200,
            "ended": True,
        },
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
    ),
    Suite(
        "session",
        sessions,
        sessions.SessionVector,
        "lives",
        {
            "name": "short",
            "why": "An answer may be short.",
            "life": [{"type": "Received", "text": "HTTP/1.1 204 No Content\r\n\r\n"}],
            "verdict": "REFUSED",
        },
        [
            {"name": "Not Like This"},
            {"verdict": "FINE"},
            {"life": [{"type": "Hope"}]},
            {"life": [{"type": "Failed", "reason": "odd"}]},
            {"error": {"class": "ValueError"}},
            {"requests": [{"has": ["Host: a"]}]},
            {"dialect": "klingon"},
            {"unheard_of": 1},
        ],
    ),
]
each_suite = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


@each_suite
def test_the_schema_is_current(suite: Suite) -> None:
    assert (suite.folder / "schema.json").read_text() == suite.schema


@each_suite
def test_files_validate(suite: Suite) -> None:
    document: dict[str, Any] = json.loads(suite.schema)
    jsonschema.Draft202012Validator.check_schema(document)
    validator = jsonschema.Draft202012Validator(document)
    for path in suite.folder.glob("*.json"):
        if path.name != "schema.json":
            validator.validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    ("suite", "wrong"),
    [pytest.param(suite, wrong, id=f"{suite.name}-{wrong}") for suite in SUITES for wrong in suite.wrong],
)
def test_the_schema_refuses(suite: Suite, wrong: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(suite.schema))
    assert validator.is_valid([suite.right])
    assert not validator.is_valid([suite.right | wrong])
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(suite.right | wrong, suite.kind)


@each_suite
def test_names_are_unique(suite: Suite) -> None:
    names = Counter(vector.name for vector in suite.vectors)
    assert [name for name, times in names.items() if times > 1] == []


@each_suite
def test_each_says_why_in_one_sentence(suite: Suite) -> None:
    assert [v.name for v in suite.vectors if not re.fullmatch(r"[^\n]+[^.\n]\.", v.why)] == []


@each_suite
def test_the_readme_has_the_number_and_shows_a_real_vector(suite: Suite) -> None:
    text = (suite.folder / "README.md").read_text()
    assert f"\n{len(suite.vectors)} {suite.counted_as}" in text
    shown = msgspec.json.decode(text.partition("```json\n")[2].partition("```")[0], type=suite.kind)
    assert shown in suite.vectors


@each_suite
def test_the_readme_explains_each_field(suite: Suite) -> None:
    text = (suite.folder / "README.md").read_text()
    explained = re.findall(r"^\| `(?:events\[\]\.)?(\w+)` \|", text, re.MULTILINE)
    kinds = (suite.kind, vectors.ExpectedEvent) if suite.kind is vectors.Vector else (suite.kind,)
    fields = {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}
    assert set(explained) == fields


@each_suite
def test_a_folder_without_vectors(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no vectors"):
        suite.module.load(tmp_path)


@each_suite
def test_a_file_that_is_wrong_is_named(suite: Suite, tmp_path: Path) -> None:
    (tmp_path / "wrong.json").write_text('[{"name": "x"}]')
    with pytest.raises(msgspec.ValidationError, match=r"^wrong\.json: .*`\$\[0\]`"):
        suite.module.load(tmp_path)


# That vectors are met is tested without measuring coverage: these are the lines that it takes.


def test_a_decoder_that_meets_a_vector_gives_no_cause_for_complaint() -> None:
    vector = next(vector for vector in vectors.load() if vector.events and vector.octets.startswith(b"data"))
    vector = msgspec.structs.replace(
        vector, stream=f": only here\n\n{vector.octets.decode()}", stream_hex=UNSET
    )
    assert vectors.complaint(EventDecoder(), vector, [vector.octets]) is None


@pytest.mark.parametrize("closed", [True, False])
def test_an_exchange_that_meets_a_vector_gives_no_cause_for_complaint(closed: bool) -> None:
    vector = next(vector for vector in exchanges.load() if vector.closed is closed)
    exchange = Exchange(vector.method, "/", [("Host", "localhost")])
    assert exchanges.complaint(exchange, vector, [vector.octets]) is None

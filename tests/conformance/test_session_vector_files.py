"""The files of the session's vectors are what their README and their schema say they are."""

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
from sse_core import StreamError, Verdict
from sse_core.testing import vectors
from sse_core.testing.sessions import (
    ErrorName,
    SessionVector,
    VerdictName,
    complaint,
    load,
    schema,
    vectors_folder,
)

jsonschema: Any = import_module("jsonschema")  # which has no types
FOLDER = vectors_folder()
FILES = sorted(path for path in FOLDER.glob("*.json") if path.name != "schema.json")
VECTORS = load()
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
DONE = "data: [DONE]\n\n"
RIGHT: dict[str, Any] = {
    "name": "short",
    "why": "An answer may be short.",
    "life": [{"type": "Received", "text": HEAD + DONE}],
    "verdict": "COMPLETE",
}
CUT: dict[str, Any] = {
    "name": "cut",
    "why": "An answer may be cut.",
    "life": [{"type": "Received", "text": HEAD}, {"type": "Failed", "reason": "network", "message": "reset"}],
    "verdict": "BODY_CUT",
    "error": {"class": "BodyTruncated", "message": "reset", "fault": "network", "partial": "", "body": ""},
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
        {"name": "Not Like This"},
        {"verdict": "FINE"},
        {"life": [{"type": "Hope"}]},
        {"life": [{"type": "Failed", "reason": "odd"}]},
        {"error": {"class": "ValueError"}},
        {"requests": [{"has": ["Host: a"]}]},
        {"dialect": "klingon"},
        {"unheard_of": 1},
    ],
)
def test_the_schema_refuses(wrong: dict[str, Any]) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema()))
    assert validator.is_valid([RIGHT, CUT])
    assert not validator.is_valid([RIGHT | wrong])
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(RIGHT | wrong, SessionVector)


@pytest.mark.parametrize("received", [{}, {"text": "a", "data": "YQ=="}])
def test_what_the_schema_cannot_say(received: dict[str, str]) -> None:
    wrong = RIGHT | {"life": [{"type": "Received", **received}]}
    with pytest.raises(msgspec.ValidationError, match="Received has either text or data"):
        msgspec.convert(wrong, SessionVector)


def test_the_errors_and_verdicts_are_ours_and_there_is_a_life_for_each() -> None:
    assert set(get_args(VerdictName)) == {verdict.name for verdict in Verdict}
    assert {vector.verdict for vector in VECTORS} == set(get_args(VerdictName))
    assert all(issubclass(getattr(sse_core, name), StreamError) for name in get_args(ErrorName))
    assert {vector.error.kind for vector in VECTORS if vector.error is not None} == set(get_args(ErrorName))


def test_names_and_lives_are_unique() -> None:
    names = Counter(vector.name for vector in VECTORS)
    told = {"name": "", "why": "", "learnt_from": ""}
    lives = Counter(repr(msgspec.structs.replace(vector, **told)) for vector in VECTORS)
    assert [thing for count in (names, lives) for thing, times in count.items() if times > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_names_begin_with_that_of_their_file(path: Path) -> None:
    assert all(each["name"].startswith(f"{path.stem}-") for each in json.loads(path.read_bytes()))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_each_says_why_in_one_sentence(vector: SessionVector) -> None:
    assert re.fullmatch(r"[^\n]+[^.\n]\.", vector.why)
    if vector.learnt_from is not msgspec.UNSET:
        assert re.fullmatch(r"[\w./-]+#\d+(, [\w./-]+#\d+)*", vector.learnt_from)


def test_the_readme_has_the_number_and_shows_a_real_vector() -> None:
    text = (FOLDER / "README.md").read_text()
    assert f"\n{len(VECTORS)} lives" in text
    shown = msgspec.json.decode(text.partition("```json\n")[2].partition("```")[0], type=SessionVector)
    assert shown in VECTORS
    keys = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert set(keys) == {field.encode_name for field in msgspec.structs.fields(SessionVector)}
    assert set(re.findall(r"`([\w-]+)\.json`", text)) == {path.stem for path in FILES} | {"schema"}


def test_an_installed_package_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec" / "session").mkdir(parents=True)
    monkeypatch.setattr(vectors, "__file__", str(tmp_path / "vectors.py"))
    assert vectors_folder() == tmp_path / "spec" / "session"


LINE = "POST /v1/chat/completions HTTP/1.1"
OPEN = {"type": "Open", "host": "api.test"}


@pytest.mark.parametrize(
    ("wrong", "complains"),
    [
        ({}, None),
        ({"reusable": False, "chunks": 0, "requests": [{"line": LINE, "has": ["Host: api.test"]}]}, None),
        ({"verdict": "FINISHED"}, "verdict 'COMPLETE', not 'FINISHED'"),
        ({"error": {"class": "ApiError"}}, "error None, not "),
        ({"text": "a"}, "text '', not 'a'"),
        ({"chunks": 1}, "chunks 0, not 1"),
        ({"requests": 2}, "requests 1, not 2"),
        ({"requests": [{"line": LINE}] * 2}, "requests 1, not 2"),
        ({"requests": [{"line": "GET / HTTP/1.1"}]}, f"the request {LINE!r}, not 'GET / HTTP/1.1'"),
        ({"requests": [{"line": LINE, "has": ["Host: a"]}]}, "a request without ['Host: a']"),
        ({"requests": [{"line": LINE, "has_not": ["HOST"]}]}, "a request with ['HOST']"),
        ({"requests": [{"line": LINE, "body": ""}]}, "a request's body '{"),
        ({"waits": [1.0]}, "waits [], not [1.0]"),
        ({"reusable": True}, "reusable False, not True"),
        ({"life": []}, "the life has nothing more to receive at 0.0 s"),
        ({"life": [*RIGHT["life"], {"type": "Done"}]}, "the life ended before Step(type='Done'"),
        (
            {"life": [OPEN | {"host": "a"}, *RIGHT["life"]]},
            "Open(host='api.test', port=80, deadline=10.0) at 0.0 s, not ",
        ),
        (
            {"life": [OPEN | {"at": 1.0}, *RIGHT["life"]]},
            "Open(host='api.test', port=80, deadline=10.0) at 0.0 s, not ",
        ),
        ({"life": [{"type": "Send", "text": "GET"}, *RIGHT["life"]]}, "Send(<"),
        ({"life": [*RIGHT["life"], {"type": "Deliver", "chunks": 1}]}, "Deliver(chunks=[]) at 0.0 s, not "),
    ],
)
def test_complaints(wrong: dict[str, Any], complains: str | None) -> None:
    found = complaint(msgspec.convert(RIGHT | wrong, SessionVector))
    assert found is None if complains is None else found is not None and found.startswith(complains)


@pytest.mark.parametrize(
    ("wrong", "complains"),
    [
        ({}, None),
        ({"class": "ApiError"}, "the error's class 'BodyTruncated', not 'ApiError'"),
        ({"message": "set", "cursor": None}, None),
        ({"message": "cut"}, "the error's message 'the connection was lost: reset', not 'cut'"),
        ({"fault": "server"}, "the error's fault 'network', not 'server'"),
        ({"body": "a"}, "the error's body '', not 'a'"),
        ({"partial": "a"}, "the error's partial '', not 'a'"),
        ({"status": 200}, "the error's status None, not 200"),
        ({"retryable": False}, "the error's retryable True, not False"),
    ],
)
def test_complaints_about_the_error(wrong: dict[str, Any], complains: str | None) -> None:
    error = CUT["error"] | wrong
    assert complaint(msgspec.convert(CUT | {"error": error}, SessionVector)) == complains

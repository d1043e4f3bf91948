"""What only the session's vectors are, and what is said of a session that fails one."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import sse_core
from sse_core import StreamError, Verdict
from sse_core.testing.sessions import ErrorName, SessionVector, VerdictName, complaint, load, vectors_folder

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


def test_no_life_is_there_twice() -> None:
    told = {"name": "", "why": "", "learnt_from": ""}
    lives = Counter(repr(msgspec.structs.replace(vector, **told)) for vector in VECTORS)
    assert [life for life, times in lives.items() if times > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_names_begin_with_that_of_their_file(path: Path) -> None:
    assert all(each["name"].startswith(f"{path.stem}-") for each in json.loads(path.read_bytes()))


def test_the_readme_names_every_file() -> None:
    text = (FOLDER / "README.md").read_text()
    assert set(re.findall(r"`([\w-]+)\.json`", text)) == {path.stem for path in FILES} | {"schema"}


def test_what_was_learnt_from_others_says_where() -> None:
    threads = [vector.learnt_from for vector in VECTORS if vector.learnt_from is not msgspec.UNSET]
    assert threads
    assert [each for each in threads if not re.fullmatch(r"[\w./-]+#\d+(, [\w./-]+#\d+)*", each)] == []


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
        ({"requests": [{"line": LINE, "has_not": ["Host: api.test"]}]}, "a request with ['Host: api.test']"),
        ({"requests": [{"line": LINE, "has_not": ["Host: other.test"]}]}, None),
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


FETCHED: dict[str, Any] = RIGHT | {
    "authorize": True,
    "fetch": True,
    "life": [
        {"type": "Authorize", "attempt": 1, "refused": None},
        {"type": "Authorized", "headers": [["X-Key", "1"]]},
        {"type": "Fetch", "method": "POST", "text": '{"model"'},
        {"type": "Fetched"},
        {"type": "Received", "text": DONE},
    ],
    "requests": [{"line": "POST http://api.test/v1/chat/completions", "has": ["X-Key: 1"]}],
    "reusable": False,
}


@pytest.mark.parametrize(
    ("wrong", "complains"),
    [  # pyright: ignore[reportUnknownArgumentType]
        ({}, None),
        ({"life": FETCHED["life"][1:2] + FETCHED["life"][3:]}, None),
        ({"life": FETCHED["life"][4:], "requests": 1}, None),
        (
            {"life": [{"type": "Authorize", "attempt": 2}]},
            "Authorize(attempt=1, refused=None, deadline=None)",
        ),
        ({"life": [{"type": "Authorize", "refused": 401}]}, "Authorize(attempt=1, refused=None, "),
        ({"life": [{"type": "Fetch", "url": "http://api.test/"}]}, "Fetch(POST http://api.test/v1/chat/com"),
        ({"life": [{"type": "Fetch", "headers": []}]}, "Fetch(POST http://api.test/v1/chat/completions, <"),
        ({"life": [{"type": "Fetch", "text": "[]"}]}, "Fetch(POST http://api.test/v1/chat/completions, <"),
        (
            {"life": [{"type": "Fetched", "response": {"status": 500}}]},
            "the life has nothing more to receive",
        ),
        ({"life": [{"type": "Acquired"}]}, "Acquired(reused=False) is no answer in state STREAMING"),
        (
            {"life": [{"type": "Authorize"}, {"type": "Failed", "reason": "network"}], "requests": 0},
            "verdict 'UNREACHABLE', not 'COMPLETE'",
        ),
    ],
)
def test_complaints_about_what_is_asked_of_others(wrong: dict[str, Any], complains: str | None) -> None:
    found = complaint(msgspec.convert(FETCHED | wrong, SessionVector))
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

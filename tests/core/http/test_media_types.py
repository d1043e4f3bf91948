"""The media type of a response, by WHATWG Fetch, "extract a MIME type" (D3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Response
from sse_core.http.media_types import MediaType, media_type

STREAM, JSON = "text/event-stream", "application/json"


def of(*values: str) -> MediaType | None:
    return media_type(Response(200, headers=tuple(("content-type", value) for value in values)))


@pytest.mark.parametrize(
    ("value", "essence", "charset"),
    [
        (STREAM, STREAM, None),
        ("Text/Event-Stream", STREAM, None),
        (" text/event-stream ", STREAM, None),
        ("text/event-stream;charset=utf-8", STREAM, "utf-8"),
        ("text/event-stream; Charset=UTF-8", STREAM, "UTF-8"),
        ("text/event-stream ; charset=utf-8 ;", STREAM, "utf-8"),
        ('text/event-stream;charset="utf-8"', STREAM, "utf-8"),
        ('text/event-stream;charset="ut\\f-8', STREAM, "utf-8"),
        ("text/event-stream;charset=", STREAM, None),
        ('text/event-stream;charset=""', STREAM, None),
        ("text/event-stream;charset=a;charset=b", STREAM, "a"),
        ("text/event-stream;;x;y=z;charset=a", STREAM, "a"),
        ('text/event-stream;x="a;charset=b";charset=c', STREAM, "c"),
        ("x-y+z/a.b", "x-y+z/a.b", None),
    ],
)
def test_one_type(value: str, essence: str, charset: str | None) -> None:
    assert of(value) == MediaType(essence, charset)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ";",
        "text",
        "text/",
        "/event-stream",
        "text/event stream",
        "text event-stream",
        "a/b/c",
        "*/*",
        '"a/b"',
    ],
)
def test_what_is_no_type(value: str) -> None:
    assert of(value) is None
    assert of() is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Those of Fetch, as far as they fit here.
        (["text/plain;charset=gbk", "text/html"], MediaType("text/html")),
        (["text/html;charset=gbk;a=b", "text/html;x=y"], MediaType("text/html", "gbk")),
        (["text/html;charset=gbk", "x/x", "text/html;x=y"], MediaType("text/html")),
        (["text/html", "cannot-parse"], MediaType("text/html")),
        (["text/html", "*/*"], MediaType("text/html")),
        (["text/html", ""], MediaType("text/html")),
        # What gateways make of a stream's type.
        ([STREAM, STREAM], MediaType(STREAM)),
        ([f"{STREAM}, {STREAM}; charset=utf-8"], MediaType(STREAM, "utf-8")),
        ([f"{STREAM}, charset=utf-8"], MediaType(STREAM)),
        ([JSON, STREAM], MediaType(STREAM)),
        ([STREAM, JSON], MediaType(JSON)),
        (['text/plain;x="a, text/html"'], MediaType("text/plain")),
    ],
)
def test_of_several_the_last_one_counts(values: list[str], expected: MediaType) -> None:
    assert of(*values) == of(",".join(values)) == expected


@given(st.lists(st.text(alphabet='textevnt-srm/;=,"\\ *') | st.text(), max_size=4))
def test_no_values_raise_anything(values: list[str]) -> None:
    found = of(*values)
    assert found is None or found.essence.count("/") == 1

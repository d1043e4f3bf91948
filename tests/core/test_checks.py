"""Misuse is found where it is made, in words that name it."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

import sse_core
from sse_core import (
    URL,
    Deadlines,
    Event,
    EventDecoder,
    Exchange,
    Limits,
    Pool,
    PoolLimits,
    Reader,
    Reconnects,
    Request,
    Response,
    Retries,
    Session,
    StrictEventDecoder,
)
from sse_core.dialects.events import EventsDialect

CORE: Any = sse_core
"""The same names, for calls that a type checker would not let through."""
SECRET = "s3cret"
LOCAL = URL.parse("http://localhost/")
EVENT = b"data: 1\n\n"
Misuse = dict[str, Callable[[], object]]
"""What a message has to match, behind the name of its class, and what brings it."""


def request(**fields: Any) -> Request[Any]:
    made: Request[Any] = CORE.Request(**{"dialect": EventsDialect, **fields})
    return made


def session(**options: Any) -> Session[Any]:
    made: Session[Any] = CORE.Session(**{"request": request(), "url": LOCAL, **options})
    return made


def exchange(**arguments: Any) -> Exchange:
    made: Exchange = CORE.Exchange(
        **{"method": "GET", "target": "/", "headers": [("Host", "a")], **arguments}
    )
    return made


def reader(what: Any, *pieces: Any, **options: Any) -> Reader[Any]:
    made: Reader[Any] = CORE.Reader(what, **options)
    for data in pieces:
        made.feed(data)
    return made


def field(name: Any, value: Any) -> Request[Any]:
    return request(headers=((name, value),))


REQUESTS: Misuse = {
    "TypeError: Request.headers has to be a tuple of pairs .*, not dict": lambda: request(
        headers={"TE": SECRET}
    ),
    "TypeError: Request.headers has to be a tuple .*, not list": lambda: request(headers=[("TE", SECRET)]),
    "TypeError: each of Request.headers has to be a tuple .*, not str": lambda: request(headers=(SECRET,)),
    "TypeError: each of Request.headers .*, not of 3": lambda: request(headers=(("A", "b", SECRET),)),
    "TypeError: a name in Request.headers has to be a str, not bytes": lambda: field(b"TE", SECRET),
    "TypeError: the value of 'TE' in Request.headers has to be a str, not None": lambda: field("TE", None),
    "TypeError: the value of 'TE' .* has to be a str, not bytes": lambda: field("TE", SECRET.encode()),
    "ValueError: each name in Request.headers has to be a token .*, without ' '": lambda: field(
        f"T {SECRET}", ""
    ),
    "ValueError: each name in Request.headers has to be a token .*, not empty": lambda: field("", SECRET),
    "ValueError: the value of 'A' .* no header can carry": lambda: field("A", f"{SECRET}\n"),
    "ValueError: the value of 'B' .* no header can carry": lambda: field("B", f" {SECRET}"),
    "ValueError: the value of 'C' .* no header can carry": lambda: field("C", f"{SECRET}\u0100"),
    "TypeError: Request.body has to be bytes, not str": lambda: request(body=SECRET),
    "TypeError: Request.body has to be bytes, not None": lambda: request(body=None),
    "TypeError: Request.body has to be bytes, not dict": lambda: request(body={"a": SECRET}),
    "TypeError: Request.method has to be a str, not bytes": lambda: request(method=b"GET"),
    "ValueError: Request.method has to be a token": lambda: request(method=""),
    "TypeError: Request.path has to be a str, not None": lambda: request(path=None),
    "TypeError: Request.path has to be a str, not URL": lambda: request(path=LOCAL),
    "TypeError: Request.reconnects has to be Reconnects or None, not int": lambda: request(reconnects=3),
    "TypeError: Request.dialect .*, not EventsDialect": lambda: request(dialect=EventsDialect()),
}
VALUES: Misuse = {
    "TypeError: .*positional": lambda: CORE.Deadlines(3.0),
    "ValueError: Limits.max_event_size has to be 1 or more, not 0": lambda: Limits(max_event_size=0),
    "TypeError: Limits.max_head_size .*, not float": lambda: CORE.Limits(max_head_size=1.5),
    "ValueError: PoolLimits.max_connections has to be 1 or more": lambda: PoolLimits(max_connections=0),
    "ValueError: Retries.budget has to be above 0, not 0": lambda: Retries(budget=0),
    "TypeError: Reconnects.statuses has to be HTTP statuses, not int": lambda: CORE.Reconnects(statuses=503),
    "TypeError: each of Reconnects.statuses .*, not str": lambda: CORE.Reconnects(
        statuses=frozenset({"503"})
    ),
    "ValueError: each of Reconnects.statuses .*, not 5": lambda: Reconnects(statuses=frozenset({5})),
    "ValueError: Reconnects.method has to be a token": lambda: Reconnects(method="G T"),
    "TypeError: a URL has to be a str, not None": lambda: CORE.URL.parse(None),
    "TypeError: a URL has to be a str, not bytes": lambda: CORE.URL.parse(b"http://localhost"),
    "TypeError: the URL of a proxy has to be a str, not None": lambda: CORE.Proxy.parse(None),
    "TypeError: Proxy.port .*, not str": lambda: CORE.Proxy(scheme="http", host="a", port="80"),
    "TypeError: Proxy.host .*, not bytes": lambda: CORE.Proxy(scheme="http", host=b"a", port=80),
    "TypeError: Proxy.username .*, not int": lambda: CORE.Proxy(scheme="http", host="a", port=80, username=1),
    r"TypeError: Proxies.http .* Proxy.parse\(url\), or None, not str": lambda: CORE.Proxies(http=SECRET),
    "TypeError: Proxies.no_proxy has to be a tuple .*, not str": lambda: CORE.Proxies(no_proxy="a"),
    "TypeError: each of Proxies.no_proxy .*, not str": lambda: CORE.Proxies(no_proxy=("a",)),
    "TypeError: the environment has to be a mapping": lambda: CORE.Proxies.from_environment(None),
    "TypeError: Response.status .*, not str": lambda: CORE.Response("200"),
    "ValueError: Response.status has to be 100 or more, not 20": lambda: Response(20),
    "TypeError: Response.reason has to be a str, not None": lambda: CORE.Response(200, None),
    "TypeError: Response.headers .*, not dict": lambda: CORE.Response(200, "", {"a": "b"}),
    "ValueError: .* in lower case, not 'Content-Type'": lambda: Response(200, "", (("Content-Type", "a"),)),
    "TypeError: Authorized.headers .*, not dict": lambda: CORE.Authorized({"TE": SECRET}),
    "TypeError: Fetched.response has to be a Response, not dict": lambda: CORE.Fetched({"status": 200}),
}
MACHINES: Misuse = {
    "TypeError: request has to be a Request, not str": lambda: session(request="/"),
    "TypeError: request has to be a Request, not the class Request": lambda: session(request=Request),
    r"TypeError: url .* such as URL.parse\(text\), not str": lambda: session(url="http://localhost"),
    r"TypeError: headers .*, such as the .items\(\) of a dict, not dict": lambda: session(
        headers={"TE": SECRET}
    ),
    "TypeError: headers has to be pairs .*, not str": lambda: session(headers="TE"),
    "TypeError: headers has to be pairs .*, not int": lambda: session(headers=3),
    "ValueError: .* 'x-api-key' in headers has no key": lambda: session(headers=[("x-api-key", "")]),
    "TypeError: deadlines has to be Deadlines, not float": lambda: session(deadlines=3.0),
    "TypeError: limits has to be Limits, not None": lambda: session(limits=None),
    "TypeError: proxies has to be Proxies, not str": lambda: session(proxies="http://a"),
    "TypeError: retries has to be Retries or None, not int": lambda: session(retries=3),
    "TypeError: random has to be a function .*, not float": lambda: session(random=0.5),
    "TypeError: what Request.dialect makes .*, not dict": lambda: session(request=request(dialect=dict)),
    "TypeError: headers has to be pairs .*, not dict": lambda: exchange(headers={"TE": SECRET}),
    "TypeError: body has to be bytes, not str": lambda: exchange(body=SECRET),
    "TypeError: method has to be a str, not None": lambda: exchange(method=None),
    "TypeError: target has to be a str, not bytes": lambda: exchange(target=b"/"),
    "TypeError: limits has to be PoolLimits, not int": lambda: CORE.Pool(10),
    "TypeError: the lines of a transcript .*, not one str": lambda: CORE.read_transcript("{}"),
    "TypeError: event has to be an Event, not str": lambda: CORE.encode(SECRET),
    "TypeError: event has to be an Event, not bytes": lambda: CORE.encode(SECRET.encode()),
    "TypeError: Event.raw has to be bytes, not str": lambda: CORE.encode(CORE.Event(SECRET)),
    "TypeError: the type of an event .*, not bytes": lambda: CORE.encode(CORE.Event(b"", b"note")),
    "TypeError: the ID of an event .*, not int": lambda: CORE.encode(CORE.Event(b"", "note", 7)),
    "TypeError: text has to be a str, not bytes": lambda: CORE.comment(b"hello"),
    "TypeError: milliseconds .*, not float": lambda: CORE.retry(1.5),
    "TypeError: milliseconds .*, not bool": lambda: CORE.retry(True),
}
READERS: Misuse = {
    "TypeError: what .* made for this stream, not the class EventsDialect": lambda: reader(EventsDialect),
    "TypeError: what has to be a Request, .*, not None": lambda: reader(None),
    "TypeError: response has to be a Response, not int": lambda: reader(request(), response=200),
    "TypeError: limits has to be Limits, not int": lambda: reader(request(), limits=3),
    "TypeError: last_event_id has to be a str, not int": lambda: reader(request(), last_event_id=3),
    "TypeError: error has to be an exception or None, not str": lambda: CORE.Reader(request()).close("oh"),
    "TypeError: data has to be bytes, not str": lambda: reader(request(), SECRET),
    "TypeError: data has to be bytes, not str(?#again)": lambda: reader(request(), EVENT, SECRET),
    "TypeError: data has to be bytes, not str(?#as an error's body)": lambda: reader(
        request(), SECRET, response=Response(500)
    ),
    "TypeError: data has to be bytes, not None": lambda: reader(request(), EVENT, None),
    "TypeError: data has to be bytes, not memoryview": lambda: reader(request(), EVENT, memoryview(EVENT)),
}


@pytest.mark.parametrize(("words", "misuse"), [*(REQUESTS | VALUES | MACHINES | READERS).items()])
def test_misuse_is_named_where_it_is_made(words: str, misuse: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        misuse()
    message = f"{caught.typename}: {caught.value}"
    assert re.match(words, message), message
    assert SECRET not in message


@pytest.mark.parametrize("kind", [Deadlines, Limits, PoolLimits, Retries, Reconnects])
@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("3", TypeError),
        (True, TypeError),
        (b"3", TypeError),
        (nan, (TypeError, ValueError)),
        (-1, ValueError),
    ],
)
def test_each_number_is_one(kind: Any, value: object, error: type[Exception]) -> None:
    for name in set(kind.__struct_fields__) - {"statuses", "method"}:
        with pytest.raises(
            error, match=rf"^{kind.__name__}.{name} has to be .*, not (str|bool|bytes|nan|float|-1)$"
        ):
            kind(**{name: value})


@pytest.mark.parametrize("name", [name for name in Deadlines.__struct_fields__ if name != "pool"])
def test_no_time_at_all_is_no_deadline(name: str) -> None:
    with pytest.raises(ValueError, match=f"^Deadlines.{name} has to be above 0, not 0$"):
        Deadlines(**{name: 0})


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "bearer  None", "Basic ", "Token", "None"])
def test_a_credential_without_a_key_is_named(value: str) -> None:
    with pytest.raises(
        ValueError, match=r"^the value of 'authorization' in Request.headers has no key in it$"
    ):
        field("authorization", value)


@pytest.mark.parametrize("name", ["x-api-key", "X-Goog-Api-Key", "api-key"])
def test_each_providers_header_may_lack_its_key(name: str) -> None:
    with pytest.raises(ValueError, match=f"^the value of '{name}' in Request.headers has no key in it$"):
        field(name, "")


def test_what_makes_sense_passes() -> None:
    for deadlines in (Deadlines(pool=0), Deadlines(total=inf), Deadlines(connect=3, tls=None)):
        assert session(deadlines=deadlines).verdict is None
    assert Limits(max_error_body=0, max_answer_size=0, max_redirects=0).max_redirects == 0
    assert Retries(attempts=0, base=0, cap=0, max_retry_after=inf).delay(0, 0.5) is None
    assert Reconnects(attempts=None, delay=0, method="GET", statuses=frozenset({503})).attempts is None
    assert isinstance(Pool(PoolLimits(max_connections=None, max_idle=0, idle_expiry=inf)), Pool)
    headers = (("Authorization", "Bearer key"), ("x-api-key", "key"), ("x-empty", ""), ("x-e", "\xe9"))
    assert request(headers=headers).headers == headers
    assert session(headers=iter(headers)).verdict is None


@pytest.mark.parametrize("kind", [EventDecoder, StrictEventDecoder])
class TestDecoders:
    """What both have in common."""

    @pytest.mark.parametrize("data", [EVENT, bytearray(EVENT), memoryview(EVENT)])
    def test_bytes_may_come_in_any_form(self, kind: type[EventDecoder], data: bytes) -> None:
        assert kind().feed(data) == kind().feed_all(data) == [Event(b"1")]

    @pytest.mark.parametrize("data", [SECRET, None, 5, [1]])
    def test_nothing_else_is_data(self, kind: type[EventDecoder], data: Any) -> None:
        for feed in (kind().feed, kind().feed_all):
            with pytest.raises(TypeError, match=r"^data has to be bytes, not (str|None|int|list)$"):
                feed(data)

    def test_options_are_checked(self, kind: Any) -> None:
        with pytest.raises(TypeError, match=r"^last_event_id has to be a str, not None$"):
            kind(last_event_id=None)
        with pytest.raises(TypeError, match=r"^max_event_size has to be a whole number, not float$"):
            kind(max_event_size=1.5)
        with pytest.raises(ValueError, match=r"^max_event_size has to be 0 or more, not -1$"):
            kind(max_event_size=-1)


def test_an_error_of_a_dialect_is_not_taken_for_a_mistake_of_the_callers() -> None:
    class Broken(EventsDialect):
        def read(self, event: Event) -> Event:
            raise TypeError("its own")

    with pytest.raises(TypeError, match="its own"):
        Reader(Broken()).feed(EVENT)

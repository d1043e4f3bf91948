"""Ring 3: every short life there is, tried out, and what must hold in all of them."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    EDGES,
    Acquire,
    Acquired,
    Authorized,
    Control,
    Deadlines,
    Deliver,
    Done,
    EventDecoder,
    Exchange,
    Failed,
    Fetch,
    Fetched,
    InvalidChunk,
    Limits,
    Outcome,
    Proxies,
    Proxy,
    Reason,
    Received,
    Reconnects,
    Request,
    Response,
    Retries,
    State,
    Stop,
    StreamError,
    Verdict,
    Yield,
)
from sse_core.dialects import events, mcp, openai
from support.core import DONE, ERROR, FINISH, HEAD, LAST, ROLE, Life, answer, framed, say, unhurried

pytestmark = pytest.mark.usefixtures("unmeasured")

OVERLOAD = ERROR.replace(b"server_error", b"overloaded_error")
PIECES = {
    "end": b"",
    "stream": HEAD,
    "part of a head": b"HTTP/1.1 200 OK\r\n",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\n",
    "refusal": b"HTTP/1.1 500 Oops\r\nContent-Length: 8\r\n\r\n",
    "redirect": b"HTTP/1.1 307 There\r\nLocation: /there\r\n\r\n",
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "four bytes": b"why?",
    "chunk": framed(say("a")),
    "role": framed(ROLE),
    "finish": framed(FINISH),
    "marker": framed(DONE),
    "error": framed(ERROR),
    "overload": framed(OVERLOAD),
    "all of an overload": HEAD + framed(ROLE, OVERLOAD),
    "event with id": framed(b"id: 7\ndata: 1\n\n"),
    "all up to an id": HEAD + framed(b"data: 1\n\n" + b"id: 7\ndata: 1\n\n") + LAST,
    "id alone": framed(b"id: 8\ndata\n\n"),
    "half an event": framed(b"data: {"),
    "last": LAST,
    "all": HEAD + framed(say("a"), DONE),
    "all of a short one": answer(DONE, "Content-Type: text/event-stream"),
    "compressed": answer(
        gzip.compress(b":" * 2**18 + b"\n" + say("a")),
        "Content-Type: text/event-stream",
        "Content-Encoding: gzip",
    ),
    "many compressed": answer(
        gzip.compress(say("a") * 1500), "Content-Type: text/event-stream", "Content-Encoding: gzip"
    ),
    "compressed nothing": answer(
        gzip.compress(b":" * 2**18), "Content-Type: text/event-stream", "Content-Encoding: gzip", length=4096
    ),
    "head of a compressed document": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Content-Encoding: gzip\r\nContent-Length: 4096\r\n\r\n",
    "start of a compressed document": gzip.compress(b" " * 2**18 + b"{"),
    "all of a compressed document": answer(
        gzip.compress(b" " * 2**18 + b'{"jsonrpc":"2.0","id":1,"result":{}}'),
        "Content-Type: application/json",
        "Content-Encoding: gzip",
    ),
    "body": say("a"),
    "body of the end": DONE,
    "body of an event with id": b"id: 7\ndata: 1\n\n",
    "events under another type": answer(DONE, "Content-Type: application/json"),
    "large": framed(b"data: " + b"x" * 200),
    "noise": b"\xff\x00",
    "head of a document": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n",
    "document": b'{"jsonrpc":"2.0","id":1,"result":{}}',
    "unauthorized": b"HTTP/1.1 401 Who?\r\nContent-Length: 0\r\n\r\n",
    "tunnel": b"HTTP/1.1 200 Connected\r\n\r\n",
    "no tunnel": b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n",
    "method": b"\x05\x00",
    "connection": b"\x05\x00\x00\x01" + bytes(6),
}
"""The compressed one is decoded in more than one step."""


@dataclass(frozen=True)
class Late:
    """An outcome that comes when the deadline of its action has passed, or after an hour."""

    outcome: Outcome


START = "start"
"""Not an outcome, but tried like one: start() is the first move of most lives."""
Move = Outcome | Late | str


@dataclass(frozen=True)
class Setting:
    """One kind of life, and how much may be received in it."""

    pieces: tuple[str, ...]
    most: int
    url: str = "http://api.test/"
    request: Request[Any] = field(default_factory=lambda: openai.chat(model="m", messages=[]))
    proxies: Proxies = Proxies()
    retries: Retries | None = None
    deadlines: Deadlines = Deadlines()
    also: tuple[Move, ...] = ()
    authorize: bool = False
    fetch: bool = False

    @property
    def moves(self) -> list[Move]:
        return [
            START,
            Done(),
            Acquired(reused=False),
            Acquired(reused=True),
            *(Received(PIECES[name]) for name in self.pieces),
            *(Failed(reason, "x") for reason in (Reason.NETWORK, Reason.DEADLINE, Reason.CANCELLED)),
            *self.also,
        ]

    def life(self, moves: tuple[Move, ...] = ()) -> Life:
        life = Life(
            self.url,
            request=self.request,
            limits=Limits(max_event_size=100, max_error_body=8, max_redirects=1),
            proxies=self.proxies,
            retries=self.retries,
            deadlines=self.deadlines,
            authorize=self.authorize,
            fetch=self.fetch,
        )
        for what in moves:
            move(life, what)
        return life


AUTHORIZED = Authorized((("Authorization", "Bearer secret"),))
RESPONSES = tuple(
    Fetched(Response(status, headers=(("content-type", kind),)))
    for status, kind in ((200, "text/event-stream"), (401, "text/plain"), (500, "text/plain"), (204, ""))
)
PROXY = Proxy.parse("http://user:secret@proxy.test:3128")
TLS_PROXY = Proxy.parse("https://proxy.test")
SOCKS = Proxy.parse("socks5://proxy.test")
SETTINGS = {
    "plain": Setting(
        pieces=tuple(
            name
            for name in PIECES
            if "body" not in name
            and "document" not in name
            and name not in ("many compressed", "tunnel", "no tunnel", "method", "connection", "document")
        ),
        most=2,
    ),
    "streaming": Setting(
        pieces=(
            "end",
            "stream",
            "chunk",
            "role",
            "finish",
            "marker",
            "error",
            "half an event",
            "last",
            "large",
        ),
        most=3,
    ),
    "refused": Setting(pieces=("end", "refusal", "redirect", "interim", "four bytes", "noise"), most=3),
    "tls": Setting(
        pieces=("end", "all"), most=1, url="https://api.test/", also=(Failed(Reason.CERTIFICATE, "x"),)
    ),
    "total": Setting(
        pieces=("end", "stream", "chunk", "redirect", "last"),
        most=2,
        deadlines=Deadlines(total=100, first_event=20, between_events=30),
        also=(Late(Done()), Late(Received(framed(b":\n")))),
        retries=Retries(attempts=1),
    ),
    "through a proxy": Setting(
        pieces=("end", "all", "redirect", "no tunnel"), most=2, proxies=Proxies(http=PROXY)
    ),
    "through a tunnel": Setting(
        pieces=("end", "tunnel", "no tunnel", "interim", "all", "redirect"),
        most=3,
        url="https://api.test/",
        proxies=Proxies(https=PROXY),
    ),
    "through a tunnel in TLS": Setting(
        pieces=("end", "tunnel", "all"), most=3, url="https://api.test/", proxies=Proxies(https=TLS_PROXY)
    ),
    "through SOCKS": Setting(
        pieces=("end", "method", "connection", "noise", "all"), most=3, proxies=Proxies(http=SOCKS)
    ),
    "retries": Setting(
        pieces=("end", "refusal", "stream", "role", "chunk", "overload", "all", "all of an overload"),
        most=2,
        retries=Retries(attempts=1),
    ),
    "reconnects": Setting(
        pieces=("end", "stream", "event with id", "id alone", "last", "no content", "all up to an id"),
        most=2,
        request=Request(dialect=events.EventsDialect, reconnects=Reconnects(attempts=1)),
    ),
    "documents": Setting(
        pieces=("end", "head of a document", "document", "four bytes", "all", "refusal"),
        most=2,
        request=mcp.post(mcp.JSONRPCRequest(id=1, method="ping")),
    ),
    "compressed": Setting(
        pieces=(
            *("end", "head of a compressed document", "start of a compressed document", "compressed"),
            *("all of a compressed document", "compressed nothing", "four bytes"),
        ),
        most=2,
        request=mcp.post(mcp.JSONRPCRequest(id=1, method="ping")),
        deadlines=Deadlines(total=100),
        also=(Late(Done()),),
    ),
    "another type": Setting(
        pieces=("end", "events under another type", "four bytes", "many compressed"), most=2
    ),
    "authorized": Setting(
        pieces=("end", "unauthorized", "all", "redirect"),
        most=3,
        authorize=True,
        retries=Retries(attempts=1),
        deadlines=Deadlines(total=100),
        also=(AUTHORIZED, Late(AUTHORIZED), Late(Done())),
    ),
    "authorized source": Setting(
        pieces=("end", "all up to an id"),
        most=2,
        authorize=True,
        request=Request(dialect=events.EventsDialect, reconnects=Reconnects(attempts=1)),
        also=(AUTHORIZED,),
    ),
    "fetched": Setting(
        pieces=("end", "body", "body of the end", "four bytes"), most=2, fetch=True, also=RESPONSES
    ),
    "fetched source": Setting(
        pieces=("end", "body of an event with id"),
        most=2,
        fetch=True,
        request=Request(dialect=events.EventsDialect, reconnects=Reconnects(attempts=1)),
        also=RESPONSES,
    ),
    "fetched and authorized": Setting(
        pieces=("end", "body of the end"),
        most=2,
        fetch=True,
        authorize=True,
        also=(AUTHORIZED, *RESPONSES),
    ),
    "resumes with GET": Setting(
        pieces=("end", "stream", "event with id", "id alone", "last", "all up to an id"),
        most=2,
        request=Request(
            dialect=events.EventsDialect,
            method="POST",
            body=b"{}",
            reconnects=Reconnects(method="GET", attempts=1),
        ),
    ),
}


def move(life: Life, what: Move) -> None:
    if isinstance(what, str):
        life.begin()
    elif isinstance(what, Late):
        deadline = getattr(life.action, "deadline", None) if life.actions else None
        was = life.now
        life.now = max(life.now, deadline or 0) + (1 if deadline else 3600)
        try:
            life.then(what.outcome)
        except RuntimeError:
            life.now = was
            raise
    else:
        life.then(what)


def is_taken(life: Life, what: Move) -> bool:
    """Make a move; return whether it was taken, and check that nothing happened if not."""
    before = life.state, life.session.verdict, life.session.error, list(life.actions)
    try:
        move(life, what)
    except RuntimeError:
        assert before == (life.state, life.session.verdict, life.session.error, life.actions)
        return False
    return True


MOST_CONNECTIONS = 3


@dataclass
class Explored:
    """What was seen in all short lives of one setting."""

    edges: dict[State, set[State]] = field(default_factory=lambda: {state: set() for state in State})
    verdicts: set[Verdict | None] = field(default_factory=set[Verdict | None])
    lives: int = 0
    longest: int = 0


@cache
def explored(name: str) -> Explored:
    """Lead every life of a setting, breadth first, and check what must hold at each step.

    Each is led from its start. Of lives that nothing can tell apart from here on, only the first
    goes on: those with the same past since the connection was asked for.
    """
    setting = SETTINGS[name]
    found = Explored()
    known: set[object] = set()
    level: list[tuple[Move, ...]] = [()]
    while level:
        further: list[tuple[Move, ...]] = []
        for moves in level:
            life = setting.life(moves)
            for what in setting.moves:
                state, verdict = life.state, life.session.verdict
                if not is_taken(life, what):
                    assert state is State.STOPPED or what != Failed(Reason.CANCELLED, "x")
                    continue
                assert state is not State.STOPPED
                found.edges[state].add(life.state)
                found.verdicts.add(life.session.verdict)
                found.lives += 1
                check(life, verdict, setting)
                lived = (*moves, what)
                found.longest = max(found.longest, len(lived))
                connections = life.count(Acquire) + life.count(Fetch)
                enough = received(lived) > setting.most or connections > MOST_CONNECTIONS
                if not enough and is_new(life, lived, known):
                    further.append(lived)
                life = setting.life(moves)
        level = further
    return found


def received(moves: tuple[Move, ...]) -> int:
    return sum(isinstance(each.outcome if isinstance(each, Late) else each, Received) for each in moves)


def is_new(life: Life, moves: tuple[Move, ...], known: set[object]) -> bool:
    """Whether there was no life yet that can go on as this one can."""
    since = 0
    for at, what in enumerate(moves):
        since = at if isinstance(what, Acquired | Authorized | Fetched) else since
    session = life.session
    past = moves[since:] if session.verdict is None else ()
    now = (
        *(life.state, session.verdict, type(session.error), session.response and session.response.status),
        *(
            life.count(Acquire),
            life.count(Fetch),
            session.stats.attempts,
            session.last_event_id,
            session.stats.events,
            past,
        ),
    )
    is_new = now not in known
    known.add(now)
    return is_new


def check(life: Life, before: Verdict | None, setting: Setting) -> None:
    """Check what holds in every life; that connections come and go in turn is checked in `Life`."""
    verdict, error = life.session.verdict, life.session.error
    assert before in (None, verdict)
    assert (error is None) == (verdict in (None, Verdict.COMPLETE, Verdict.FINISHED, Verdict.NO_CONTENT))
    assert verdict is not None or life.state is not State.STOPPED
    if life.state is State.RELEASING:
        check_chunks(life, setting)


def check_chunks(life: Life, setting: Setting) -> None:
    """Compare what was delivered from the last connection with what the bytes say."""
    last = max(at for at, action in enumerate(life.actions) if isinstance(action, Acquire | Fetch))
    came = [chunk for action in life.actions[last:] if isinstance(action, Deliver) for chunk in action.chunks]
    whole = chunks_of(life, setting)
    in_decoding = life.session.verdict is Verdict.DEADLINE and life.count(Yield) > 0
    if life.session.verdict in (None, Verdict.CANCELLED) or in_decoding:
        assert came == whole[: len(came)]
        if setting.retries is not None and life.session.verdict is None:
            assert came == []
    else:
        assert came == whole


def chunks_of(life: Life, setting: Setting) -> list[Any]:
    """The chunks in all that came over the last connection, by rings 1 and 2 alone."""
    if setting.fetch:
        return fetched_chunks(life, setting)
    exchange = Exchange("GET", "/", [("Host", "x")])
    decoder, dialect = EventDecoder(last_event_id=life.resumed_from), setting.request.dialect()
    chunks: list[Any] = []
    document, decoder_of_gzip = bytearray(), zlib.decompressobj(31)
    for data in life.received:
        body = exchange.receive(data)
        response = exchange.response
        if response is not None and response.header("content-encoding"):
            try:
                body = decoder_of_gzip.decompress(body)
            except zlib.error:
                return chunks
        if response is None or "event-stream" not in (response.header("content-type") or ""):
            document += body
            continue
        try:
            for event in decoder.feed(body):
                chunk = dialect.read(event)
                if chunk is Control.END:
                    return chunks
                if not isinstance(chunk, Control):
                    chunks.append(chunk)
        except StreamError:
            return chunks
    if document and dialect.accepts_document and exchange.ended and exchange.response is not None:
        with suppress(InvalidChunk):
            return list(dialect.read_document(exchange.response, bytes(document)) or ())
    return chunks


def fetched_chunks(life: Life, setting: Setting) -> list[Any]:
    """The same of a body that came without framing."""
    dialect, status = setting.request.dialect(), life.session.response and life.session.response.status
    begins_as_events = dialect.accepts_any_type and b"".join(life.received).startswith(b"data:")
    if status != 200 and not (status == 204 and begins_as_events):
        return []
    decoder = EventDecoder(last_event_id=life.resumed_from)
    chunks: list[Any] = []
    for data in life.received:
        for event in decoder.feed(data):
            chunk = dialect.read(event)
            if chunk is Control.END:
                return chunks
            chunks.append(chunk)
    return chunks


@pytest.mark.parametrize("name", SETTINGS)
def test_what_must_hold_holds_in_every_short_life(name: str) -> None:
    found = explored(name)
    assert found.lives > 100
    assert found.longest >= 8


def test_every_edge_is_walked_by_some_life_and_no_other() -> None:
    walked = {state: {to for name in SETTINGS for to in explored(name).edges[state]} for state in State}
    assert walked == EDGES


def test_every_verdict_is_reached_by_some_life() -> None:
    assert {verdict for name in SETTINGS for verdict in explored(name).verdicts} == {None, *Verdict}


@pytest.mark.parametrize("name", SETTINGS)
@unhurried
@given(data=st.data())
def test_no_sequence_of_outcomes_breaks_a_life(name: str, data: st.DataObject) -> None:
    setting = SETTINGS[name]
    what = st.sampled_from(setting.moves) | st.binary(max_size=40).map(Received)
    life = setting.life()
    for each in data.draw(st.lists(what, max_size=40)):
        before, verdict = life.state, life.session.verdict
        if is_taken(life, each):
            assert life.state in EDGES[before]
            check(life, verdict, setting)
    verdict = life.session.verdict
    while life.state is not State.STOPPED:
        assert is_taken(life, Failed(Reason.CANCELLED))
    assert life.action == Stop() and life.actions.count(Stop()) == 1
    assert life.session.verdict is (verdict or Verdict.CANCELLED)


@pytest.mark.parametrize("name", SETTINGS)
@unhurried
@given(data=st.data())
def test_a_life_that_receives_anything_comes_to_an_end(name: str, data: st.DataObject) -> None:
    """Within three hundred steps, if the transport does its part; a server may send for ever."""
    setting = SETTINGS[name]
    pieces = st.sampled_from([PIECES[each] for each in setting.pieces]) | st.binary(max_size=40)
    life = setting.life()
    life.begin()
    for data_that_came in data.draw(st.lists(pieces, max_size=20)):
        life.pass_by(data_that_came)
    for _ in range(300):
        life.pass_by(b"")
    assert life.session.verdict is not None


@unhurried
@given(location=st.binary(max_size=30), status=st.sampled_from([301, 302, 303, 307, 308]))
def test_no_location_breaks_a_life(location: bytes, status: int) -> None:
    life = Life("https://api.test/v1").ask()
    life.receive(b"HTTP/1.1 %d There\r\nLocation: %b\r\n\r\n" % (status, location))
    while life.state is not State.STOPPED:
        life.pass_by(b"")
    assert life.session.verdict is not None


@unhurried
@given(last_event_id=st.text(max_size=20))
def test_no_last_event_id_breaks_a_life(last_event_id: str) -> None:
    request = Request(dialect=events.EventsDialect, reconnects=Reconnects(attempts=3))
    life = Life(request=request).ask()
    life.receive(HEAD, framed(b"id: %b\ndata: 1\n\n" % last_event_id.encode("utf-8", "replace")), LAST)
    while life.state is not State.STOPPED:
        life.pass_by(b"")
    assert life.session.verdict is Verdict.GAVE_UP

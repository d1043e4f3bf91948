"""Lives that are written down, read, and lived once more."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    Acquire,
    Acquired,
    Action,
    Authorized,
    Deliver,
    Divergence,
    Done,
    Failed,
    Fetched,
    Open,
    Outcome,
    Reason,
    Receive,
    Received,
    Release,
    Replay,
    Send,
    Sleep,
    StartTLS,
    Stop,
    Transcript,
    read_transcript,
)
from support.core import cut_at, places, unhurried

REQUEST = (
    b"POST /v1?key=s3cret&api_key=s3cret&token=s3cret&other=1&api-key=s3cret&Access_Token=s3cret HTTP/1.1\r\n"
    b"Host: example\r\nx-amz-credential: s3cret\r\n"
    b"authorization: Bearer s3cret\r\nX-Api-Key: s3cret\r\nx-goog-api-key:s3cret\r\nCookie: s3cret\r\n"
    b"Proxy-Authorization: s3cret\r\nX-Other: kept\r\nContent-Length: 22\r\n\r\nauthorization: in body"
)
STEPS: list[Action | Outcome] = [
    *(Acquire("http://example", False, 1.0), Acquired(False), Open("example", 80, None), Done()),
    *(StartTLS("example", 2.0), Failed(Reason.CERTIFICATE, "no"), Send(b"\xff", None), Receive(None)),
    *(
        Received(b"\xff\x00"),
        Received("ü".encode()),
        Received(b""),
        Deliver([]),
        Release(True),
        Sleep(3.0),
        Stop(),
    ),
]


def test_what_is_written_can_be_read() -> None:
    transcript = Transcript()
    lines = [
        transcript.outcome(step, number) if isinstance(step, OUTCOMES) else transcript.action(step, number)
        for number, step in enumerate(STEPS)
    ]
    assert read_transcript(lines) == list(enumerate(STEPS))
    assert '"text":"ü"' in "".join(lines)


OUTCOMES = (Acquired, Authorized, Done, Failed, Fetched, Received)


def test_credentials_are_left_out_and_nothing_else() -> None:
    line = Transcript().action(Send(REQUEST, None), 0.0)
    assert "s3cret" not in line
    ((_, sent),) = read_transcript([line])
    assert isinstance(sent, Send)
    assert sent.data == REQUEST.replace(b"Bearer s3cret", b"***").replace(b"s3cret", b"***")
    assert "s3cret" in Transcript(redact=False).action(Send(REQUEST, None), 0.0)


def test_a_life_can_be_lived_once_more_with_other_credentials_and_deadlines() -> None:
    steps: list[tuple[float, Action | Outcome]] = [
        (0.5, Send(REQUEST, None)),
        (1.0, Done()),
        (1.0, Deliver([])),
        (2.0, Done()),
        (2.0, Stop()),
    ]
    replay = Replay(steps)
    assert replay.start == 0.5
    assert replay.answer(Send(REQUEST.replace(b"s3cret", b"other"), 9.0)) == (Done(), 1.0)
    assert replay.answer(Deliver([1, 2])) == (Done(), 2.0)
    for _ in range(2):
        with pytest.raises(Divergence):
            replay.answer(Stop())


@pytest.mark.parametrize("steps", [[Receive(None), Done()], [Send(b"b", None), Done()], [Send(b"a", None)]])
def test_another_life_is_a_divergence(steps: list[Send | Receive | Done]) -> None:
    replay = Replay([(0.0, step) for step in steps])
    with pytest.raises(Divergence):
        replay.answer(Send(b"a", None))
    with pytest.raises(Divergence):
        Replay([(0.0, Done())]).answer(Send(b"a", None))


def test_a_life_has_a_beginning() -> None:
    with pytest.raises(ValueError, match="empty"):
        Replay([])


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 404 No\r\nSet-Cookie: a=s3cret; b=s3cret\r\nX-Open: open\r\nContent-Length: 4\r\n\r\nopen",
        b"HTTP/1.1 103 Early\r\nset-cookie:s3cret\r\n\r\nHTTP/1.1 404 No\r\nX-Open: open\r\n"
        b"SET-COOKIE: s3cret\r\nContent-Length: 4\r\n\r\nopen",
        b"HTTP/1.1 404 No\nSet-Cookie: s3cret\n\ts3cret\n s3cret\nX-Open: open\n open\nContent-Length: 19\n\n"
        b"Cookie: it is open.",
        b"HTTP/1.1 404 A reason phrase that is longer than any name\r\nSet-Cookie: s3cret\r\n"
        b"X-Open: open\r\nContent-Length: 4\r\n\r\nopen",
    ],
)
@unhurried
@given(places=places)
def test_cookies_are_masked_however_a_response_is_cut(head: bytes, places: list[int]) -> None:
    for pieces in ([head], [bytes([byte]) for byte in head], cut_at(head, places)):
        transcript = Transcript()
        transcript.action(Send(b"GET / HTTP/1.1\r\n\r\n", None), 0.0)
        lines = [transcript.outcome(Received(piece), 0.0) for piece in pieces]
        whole = "".join(json.loads(line)["text"] for line in lines)
        assert "s3cret" not in whole and len(whole) == len(head)
        assert whole.count("open") == head.count(b"open")


def test_what_a_proxy_is_told_to_log_in_is_left_out() -> None:
    line = Transcript().action(Send(b"\x01\x04user\x06s3cret", None), 0.0)
    assert read_transcript([line]) == [(0.0, Send(b"\x01***", None))]


@given(
    st.text()
    | st.sampled_from(
        [
            *("[]", "{}", '{"at":0}', '{"at":0,"type":"Nothing"}', '{"at":0,"type":[]}', "[" * 10_000),
            *('{"at":"x","type":"Stop"}', '{"at":0,"type":"Send"}', '{"at":0,"type":"Send","text":1}'),
            *('{"at":0,"type":"Send","data":"?","deadline":null}', r'{"at":0,"type":"Send","text":"\ud800"}'),
        ]
    )
)
def test_no_transcript_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="transcript"):
        read_transcript([text])


@pytest.mark.parametrize(
    "name", ["Mcp-Session-Id", "X-Auth-Token", "Ocp-Apim-Subscription-Key", "cf-aig-authorization"]
)
def test_whatever_is_called_a_credential_is_left_out(name: str) -> None:
    request = f"POST / HTTP/1.1\r\nHost: h\r\n{name}: s3cret\r\nAccept: */*\r\n\r\n{name}: 1".encode()
    line = Transcript().action(Send(request, None), 0.0)
    ((_, sent),) = read_transcript([line])
    assert isinstance(sent, Send)
    assert sent.data == request.replace(b"s3cret", b"***")

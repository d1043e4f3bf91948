"""Clients for which another HTTP client gets the responses: a fetcher, here one in memory."""

from __future__ import annotations

import gc
import ssl
import traceback
from threading import Thread
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sse_core import (
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Reconnects,
    Response,
    Retries,
    StatusError,
    StreamClosed,
    Verdict,
)
from sse_core.dialects import events, json, openai
from sse_core.testing.dialects import REQUESTS, Fixture, load, read, response_of
from support.core import DONE, ROLE, SIZES, STREAM, pieces_of, say, told
from support.fetchers import SILENCE, STUCK, Origin, Step, read_fetched
from support.servers import GENEROUS

FIXTURES = load()
KINDS = ["threads", "asyncio"]
on_both_kinds = pytest.mark.parametrize("kind", KINDS)
CHAT = openai.chat(model="m", messages=[])
SOURCE = events.source("/feed", reconnects=Reconnects(attempts=1, delay=3.0))
FRAMED = Response(200, "OK", (("content-type", "text/event-stream"), ("content-length", "9999")))


@on_both_kinds
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_every_fixture_gives_the_same_as_over_a_connection(fixture: Fixture, kind: str) -> None:
    for size in SIZES:
        pieces = pieces_of(fixture.stream, size)
        origin = Origin([response_of(fixture), *filter(None, pieces)])
        result, expected = read_fetched(origin, REQUESTS[fixture.dialect](), kind), read(fixture, pieces)
        assert result.verdict is not None and result.verdict.name == expected.verdict
        assert told(result.error) == told(expected.error)
        assert result.message == expected.message
        assert result.chunks == expected.chunks
        assert origin.open == 0


@on_both_kinds
def test_a_request_is_fetched_whole_and_its_response_read_in_pieces(kind: str) -> None:
    origin = Origin([0.5, STREAM, ROLE, 1.0, say("a")[:9], say("a")[9:], DONE])
    result = read_fetched(origin, CHAT, kind, headers={"X-Own": "1"})
    assert "".join(chunk.text for chunk in result.chunks) == "a"
    assert (result.verdict, result.response) == (Verdict.COMPLETE, STREAM)
    (request,) = origin.requests
    assert (request.method, request.url) == ("POST", "http://api.test/v1/chat/completions")
    assert request.body == CHAT.body
    assert {("X-Own", "1"), ("Content-Type", "application/json")} <= set(request.headers)
    assert {name.lower() for name, _ in request.headers}.isdisjoint({"host", "content-length"})
    assert origin.deadlines == [request.deadline] == [1120.0]
    assert origin.open == 0


@on_both_kinds
def test_a_status_is_the_providers_answer(kind: str) -> None:
    origin = Origin([Response(429, "Slow", (("retry-after", "7"),)), b'{"error":{"message":"slow down"}}'])
    error = read_fetched(origin, CHAT, kind).error
    assert isinstance(error, StatusError)
    assert (error.status, error.message, error.retry_after) == (429, "slow down", 7.0)
    assert origin.open == 0


@on_both_kinds
def test_errors_of_fetching_are_retried_and_reading_goes_on_behind_the_last_event(kind: str) -> None:
    refused = ConnectionRefusedError("nobody")
    origin = Origin([refused], [STREAM, ROLE, ConnectionResetError("reset")], [STREAM, say("a"), DONE])
    result = read_fetched(origin, CHAT, kind, retries=Retries(attempts=2, base=0))
    assert (result.verdict, len(result.chunks)) == (Verdict.COMPLETE, 1)
    assert (len(origin.requests), origin.open) == (3, 0)
    origin = Origin(
        [STREAM, b"id: 7\ndata: 1\n\n", OSError("reset")], [STREAM, b"id: 8\ndata: 2\n\n"], [Response(204)]
    )
    result = read_fetched(origin, SOURCE, kind)
    assert (result.data, result.verdict) == (["1", "2"], Verdict.NO_CONTENT)
    sent = [dict(request.headers).get("Last-Event-ID") for request in origin.requests]
    assert sent == [None, "7", "8"]
    assert origin.open == 0


@on_both_kinds
@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ([ConnectionRefusedError("nobody")], ConnectionFailed, "api.test.*: nobody"),
        ([OSError()], ConnectionFailed, "OSError"),
        ([FRAMED, say("a"), ConnectionResetError("reset")], BodyTruncated, "the connection was lost: reset"),
        ([SILENCE], DeadlineExceeded, "first_content"),
        ([STREAM, say("a"), SILENCE], DeadlineExceeded, "between_bytes"),
        ([STREAM, 3.0, ROLE, 4.0, say("a"), DONE], DeadlineExceeded, "first_content"),
        ([ssl.SSLCertVerificationError("self-signed")], CertificateRejected, "self-signed"),
    ],
)
def test_what_goes_wrong_is_named(reply: Any, error: type[Exception], words: str, kind: str) -> None:
    origin = Origin(reply)
    found = read_fetched(origin, CHAT, kind, deadlines=Deadlines(first_content=5, between_bytes=60)).error
    with pytest.raises(error, match=words):
        raise found or AssertionError("it went well")
    assert origin.open == 0


@on_both_kinds
def test_a_401_asks_for_other_credentials_once(kind: str) -> None:
    asked: list[tuple[int, int | None]] = []

    def auth(attempt: int, refused: Response | None) -> dict[str, str]:
        asked.append((attempt, None if refused is None else refused.status))
        return {"authorization": f"Bearer {attempt}"}

    origin = Origin([Response(401)], [STREAM, say("a"), DONE])
    result = read_fetched(origin, CHAT, kind, auth=auth, headers={"Authorization": "Bearer own"})
    assert result.verdict is Verdict.COMPLETE
    assert asked == [(1, None), (2, 401)]
    sent = [
        [value for name, value in each.headers if name.lower() == "authorization"] for each in origin.requests
    ]
    assert sent == [["Bearer 1"], ["Bearer 2"]]
    origin = Origin([Response(401)], [Response(401)])
    error = read_fetched(origin, CHAT, kind, auth=auth).error
    assert isinstance(error, StatusError) and error.status == 401
    assert origin.open == 0


def test_a_whole_answer_is_fetched_too() -> None:
    numbers = json.document(list[int], "/numbers")
    reply: list[Step] = [Response(200, "OK", (("content-type", "application/json"),)), b"[1,", b" 2]"]
    assert Origin(reply).client().call(numbers) == [1, 2]

    async def main() -> None:
        assert await Origin(reply).async_client().call(numbers) == [1, 2]

    anyio.run(main)


# Leaving.

LEFT = {"before the head": [STUCK], "in the stream": [STREAM, say("a"), STUCK]}
by_place = pytest.mark.parametrize("reply", LEFT.values(), ids=LEFT.keys())


@by_place
def test_closing_wakes_a_thread_that_waits(reply: Any) -> None:
    origin = Origin(reply)
    client = origin.client()
    stream = client.stream(CHAT)
    errors: list[BaseException] = []

    def read_on() -> None:
        try:
            for _ in stream:
                pass
        except StreamClosed as exc:
            errors.append(exc)

    reader = Thread(target=read_on)
    reader.start()
    assert origin.stuck.wait(GENEROUS)
    client.close()
    reader.join(GENEROUS)
    assert len(errors) == 1
    assert (stream.verdict, origin.open) == (Verdict.CANCELLED, 0)


@by_place
@pytest.mark.parametrize("cancelled", [False, True])
def test_closing_and_cancelling_wake_a_task_that_waits(reply: Any, cancelled: bool) -> None:
    origin = Origin(reply)

    async def main() -> None:
        stream = origin.async_client().stream(CHAT)

        async def read_on() -> None:
            with pytest.raises(StreamClosed):
                async for _ in stream:
                    pass

        async with anyio.create_task_group() as group:
            group.start_soon(read_on)
            while not origin.stuck.is_set():
                await anyio.lowlevel.checkpoint()
            if cancelled:
                group.cancel_scope.cancel()
            else:
                stream.close()
        assert (stream.verdict, origin.open) == (Verdict.CANCELLED, 0)

    anyio.run(main)


def test_a_stream_that_is_left_or_dropped_gives_its_response_back() -> None:
    origin = Origin([STREAM, say("a")], [STREAM, say("a")])
    client = origin.client()
    with client.stream(CHAT) as stream:
        assert next(stream).text == "a"
        assert origin.open == 1
    assert origin.open == 0
    dropped = client.stream(CHAT)
    assert next(dropped).text == "a"
    assert origin.open == 1
    del dropped
    gc.collect()
    assert origin.open == 0


@on_both_kinds
def test_no_credential_is_shown_by_what_goes_wrong(kind: str) -> None:
    def auth(attempt: int, refused: Response | None) -> dict[str, str]:
        return {"X-Own": "s3cret"}

    origin = Origin([ConnectionRefusedError("nobody")])
    error = read_fetched(origin, CHAT, kind, auth=auth).error
    assert error is not None
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "s3cret" not in f"{error!r} {error} {origin.requests!r} {shown}"
    assert dict(origin.requests[0].headers)["X-Own"] == "s3cret"

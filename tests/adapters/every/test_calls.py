"""Answers that are one document: the same pool, retries, deadlines and errors as for streams."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec import Struct

from sse_adapters.server import ChatService, serving
from sse_core import (
    ApiError,
    BodyTruncated,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    EventTooLarge,
    InvalidChunk,
    Limits,
    PoolLimits,
    Request,
    Response,
    Retries,
    StatusError,
    StreamError,
)
from sse_core.dialects import groq
from sse_core.dialects import json as documents
from sse_core.dialects.shared.document import DocumentDialect
from support.keepalive import ANSWER, Reply, leave, say, talking, then
from support.runners import EVENTS, NetworkRunner, on_both_kinds
from support.servers import CHUNKED, LAST_CHUNK, chunked, head


class Weather(Struct):
    """What the server knows."""

    city: str
    degrees: int


OSLO = Weather("Oslo", -3)
WEATHER = documents.document(Weather, "/weather", body={"city": "Oslo"})


def reply(body: bytes | object, status: str = "200 OK", *fields: str) -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return say(head(status, f"Content-Length: {len(data)}", *fields, kind="application/json") + data)


GOOD = reply({"city": "Oslo", "degrees": -3, "more": None})


@on_both_kinds
def test_an_answer_is_one_value(network: NetworkRunner) -> None:
    with talking(network, GOOD, headers={"X-A": "client"}) as talk:
        assert talk.call(WEATHER) == OSLO
        sent, _, body = talk.requests[0].decode().partition("\r\n\r\n")
        assert sent.startswith("POST /weather HTTP/1.1\r\n")
        assert {"X-A: client", "Accept: application/json", "Content-Type: application/json"} < set(
            sent.split("\r\n")
        )
        assert json.loads(body) == {"city": "Oslo"}


@on_both_kinds
@pytest.mark.parametrize("status", ["200 OK", "201 Created", "203 Non-Authoritative Information", "299 Fine"])
def test_any_2xx_is_an_answer_in_whatever_form_it_comes(network: NetworkRunner, status: str) -> None:
    body = b'{"city": "Oslo", "degrees": -3}'
    in_chunks = say(head(status, CHUNKED, kind="text/plain"), *chunked(body[:9], body[9:]), LAST_CHUNK)
    with talking(network, in_chunks) as talk:
        assert talk.call(WEATHER) == OSLO


@on_both_kinds
def test_calls_and_streams_share_their_connections(network: NetworkRunner) -> None:
    refused = reply({"error": {"message": "no"}}, "400 Bad Request")
    with talking(network, GOOD, ANSWER, refused, GOOD, GOOD) as talk:
        assert talk.call(WEATHER) == OSLO
        assert talk.ask(EVENTS).data == ["one", "two"]
        with pytest.raises(StatusError):
            talk.call(WEATHER)
        assert talk.call(WEATHER) == talk.call(WEATHER) == OSLO
        assert set(talk.connections) == {0}


@on_both_kinds
def test_a_call_has_options_of_its_own(network: NetworkRunner) -> None:
    busy = reply(b"", "503 Service Unavailable")
    with talking(network, busy, busy, GOOD) as talk:
        with pytest.raises(StatusError):
            talk.call(WEATHER)
        assert talk.call(WEATHER, retries=Retries(base=0), headers={"X-A": "call"}) == OSLO
        assert b"X-A: call" in talk.requests[-1]


@on_both_kinds
def test_a_call_asks_for_credentials(network: NetworkRunner) -> None:
    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {attempt}"}

    with talking(network, reply({}, "401 Unauthorized"), GOOD, auth=auth) as talk:
        assert talk.call(WEATHER) == OSLO
        assert b"Authorization: Bearer 2" in talk.requests[1]


@on_both_kinds
@pytest.mark.parametrize(
    ("status", "retryable"),
    [("400 Bad Request", False), ("404 Not Found", False), ("429 Too Many", True), ("500 Oops", True)],
)
def test_any_other_status_is_an_error_in_the_providers_words(
    network: NetworkRunner, status: str, retryable: bool
) -> None:
    body = {"error": {"message": "no such city", "type": "of_some_kind", "code": "c"}}
    with talking(network, reply(body, status, "x-request-id: req_1")) as talk:
        with pytest.raises(StatusError) as caught:
            talk.call(WEATHER)
    error = caught.value
    assert (error.message, error.type, error.code) == ("no such city", "of_some_kind", "c")
    assert (error.status, error.request_id, error.retryable) == (int(status[:3]), "req_1", retryable)


@on_both_kinds
@pytest.mark.parametrize("status", ["304 Not Modified", "302 Found", "503 Service Unavailable"])
def test_a_status_without_words_is_an_error(network: NetworkRunner, status: str) -> None:
    with talking(network, say(head(status, "Content-Length: 0"))) as talk:
        with pytest.raises(StatusError, match=rf"^HTTP {status.replace(' ', ': ', 1)}, for POST "):
            talk.call(WEATHER)


LONG = reply(b"[" + b" " * 100 + b"]")
BAD_ENDS: dict[str, tuple[Reply, type[StreamError], str]] = {
    "no JSON": (reply(b"<html>"), InvalidChunk, "JSON"),
    "another document": (reply({"city": 5}), InvalidChunk, "city"),
    "nothing": (say(head("204 No Content")), InvalidChunk, "null"),
    "an error that says so": (reply({"error": {"message": "no luck"}}), ApiError, "no luck"),
    "a body cut short": (then(say(head("200 OK", "Content-Length: 9"), b"{"), leave), BodyTruncated, "8"),
    "too much": (LONG, EventTooLarge, "max_document_size"),
    "no answer at all": (leave, ConnectionFailed, "ended before the response head"),
    "silence": (lambda peer: peer.wait_until_gone(), DeadlineExceeded, "response_head"),
    "silence behind the head": (
        then(say(head("200 OK", "Content-Length: 9"), b"{"), lambda peer: peer.wait_until_gone()),
        DeadlineExceeded,
        "between_bytes",
    ),
}


@on_both_kinds
@pytest.mark.parametrize("name", BAD_ENDS)
def test_a_bad_end_is_an_error_and_leaves_nothing_open(network: NetworkRunner, name: str) -> None:
    bad, kind, words = BAD_ENDS[name]
    options: dict[str, Any] = {
        "pool": PoolLimits(max_connections=1),
        "limits": Limits(max_document_size=90),
        "deadlines": Deadlines(response_head=0.2, between_bytes=0.2, pool=5),
    }
    with talking(network, bad, GOOD, **options) as talk:
        with pytest.raises(kind, match=words):
            talk.call(WEATHER)
        assert talk.call(WEATHER, deadlines=Deadlines(pool=5)) == OSLO
        assert not list(talk.client._streams) or all(
            stream.state.name == "STOPPED" for stream in talk.client._streams
        )


@on_both_kinds
@pytest.mark.parametrize("request_", [EVENTS, groq.chat(model="m", messages=[])], ids=["events", "groq"])
def test_a_stream_is_no_answer_to_call_for(network: NetworkRunner, request_: Request[Any]) -> None:
    def auth(attempt: int, refused: Response | None) -> Mapping[str, str]:
        raise AssertionError("nobody needs credentials")

    with talking(network, ANSWER, auth=auth) as talk:
        with pytest.raises(TypeError, match=r"the answer to <Request .*> is a stream: use stream\(\)"):
            talk.call(request_)
        assert not talk.server.peers


@on_both_kinds
def test_only_a_request_can_be_called_for(network: NetworkRunner) -> None:
    with talking(network, ANSWER) as talk:
        untyped: Any = "/weather"
        with pytest.raises(
            TypeError, match=r"request has to be a Request, such as json.document\(.*, not str"
        ):
            talk.call(untyped)
        assert not talk.server.peers


class TwoDialect(DocumentDialect[int]):
    """Breaks the rule that there is one."""

    def read_document(self, response: Response, body: bytes) -> Sequence[int]:
        return (1, 2)


@on_both_kinds
def test_a_dialect_that_makes_more_of_a_document_is_named(network: NetworkRunner) -> None:
    two: Request[int] = Request(dialect=lambda: TwoDialect(len), path="/two")
    with talking(network, GOOD, pool=PoolLimits(max_connections=1)) as talk:
        with pytest.raises(TypeError, match=r"the dialect of <Request GET /two> made 2 chunks of a document"):
            talk.call(two)
        assert talk.call(WEATHER) == OSLO


@on_both_kinds
def test_no_content_is_none_for_who_expects_that(network: NetworkRunner) -> None:
    with talking(network, say(head("204 No Content"))) as talk:
        assert talk.call(documents.document(None, "/weather", method="DELETE")) is None
        assert talk.call(documents.document(Weather | None, "/weather")) is None
        assert set(talk.connections) == {0}


@on_both_kinds
def test_a_document_may_be_streamed_as_well(network: NetworkRunner) -> None:
    with talking(network, GOOD) as talk:
        assert talk.ask(WEATHER).chunks == [OSLO]


@on_both_kinds
def test_a_providers_answer_in_one_piece(network: NetworkRunner) -> None:
    with serving(ChatService(pace=0, reply="As you wish.")) as url:
        client = network.client(url)
        try:
            completion = network.call(client.call, groq.completion(model="m", messages=[{"role": "user"}]))
        finally:
            network.call(client.close)
    assert isinstance(completion, groq.ChatCompletion)
    assert completion.choices[0].message.content == "As you wish."

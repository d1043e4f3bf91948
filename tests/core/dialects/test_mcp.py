"""MCP's streamable HTTP: messages, how streams of them end, and what is no stream."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    BodyTruncated,
    Control,
    Dialect,
    Done,
    Event,
    EventDecoder,
    InvalidChunk,
    Request,
    Response,
    Send,
    Sleep,
    StatusError,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import events, mcp
from sse_core.dialects.mcp import MCPDialect
from support.core import HEAD, LAST, Life, answer, framed, unhurried

PROGRESS: dict[str, Any] = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}
ASKED: dict[str, Any] = {"jsonrpc": "2.0", "id": "s1", "method": "sampling/createMessage"}
RESULT: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}
TOOLS = mcp.JSONRPCRequest(id=1, method="tools/list")


def read(stream: str, dialect: Dialect[Any] | None = None) -> list[Any]:
    dialect = dialect or mcp.post(TOOLS).dialect()
    chunks = [dialect.read(event) for event in EventDecoder().feed(stream.encode())]
    return [chunk for chunk in chunks if not isinstance(chunk, Control)]


def said(message: object) -> str:
    return f"data: {json.dumps(message)}\n\n"


def test_a_stream_that_ends_with_the_response() -> None:
    dialect = mcp.post(TOOLS).dialect()
    assert read("id: a1\ndata:\n\n" + said(PROGRESS) + said(ASKED), dialect) == [
        mcp.JSONRPCNotification(method="notifications/progress", params={"progress": 1}),
        mcp.JSONRPCRequest(id="s1", method="sampling/createMessage"),
    ]
    assert not (dialect.ended or dialect.ends_with_body)
    assert read(said(RESULT), dialect) == [mcp.JSONRPCResponse(id=1, result={"tools": []})]
    assert dialect.ended


def test_the_response_to_another_request_ends_nothing() -> None:
    dialect = mcp.post(TOOLS).dialect()
    read(said({**RESULT, "id": 2}), dialect)
    assert not dialect.ended


def test_a_failure_is_a_response_too() -> None:
    dialect = mcp.post(TOOLS).dialect()
    failed = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no", "data": {"a": 1}}}
    error = mcp.ErrorObject(code=-32601, message="no", data={"a": 1})
    assert read(said(failed), dialect) == [mcp.JSONRPCError(id=1, error=error)]
    assert dialect.ended


def test_a_failure_of_no_request_in_particular() -> None:
    dialect = mcp.listen().dialect()
    failed = {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no"}}
    assert read(said(failed), dialect)[0].id is None
    assert not dialect.ended


def test_a_null_error_is_none() -> None:
    assert read(said({"id": 1, "result": None, "error": None})) == [mcp.JSONRPCResponse(id=1, result=None)]


def test_an_event_without_data_is_a_keep_alive() -> None:
    event = Event(b"", last_event_id="a1")
    assert mcp.listen().dialect().read(event) is Control.PING


def test_the_endpoint_of_the_old_transport() -> None:
    assert read("event: endpoint\ndata: /messages?session=1\n\n") == [mcp.Endpoint(url="/messages?session=1")]


@pytest.mark.parametrize("data", [{"jsonrpc": "2.0", "id": 1}, {"result": 1}, {}, [RESULT], {"id": 1.5}])
def test_what_is_no_message_says_so(data: object) -> None:
    with pytest.raises(InvalidChunk):
        read(said(data))


@pytest.mark.parametrize(
    ("message", "body"),
    [
        (TOOLS, {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
        (mcp.JSONRPCNotification(method="m", params={"a": 1}), {"method": "m", "params": {"a": 1}}),
        (mcp.JSONRPCResponse(id="s1", result={}), {"id": "s1", "result": {}}),
        (
            mcp.JSONRPCError(id=None, error=mcp.ErrorObject(code=-1, message="no")),
            {"id": None, "error": {"code": -1, "message": "no"}},
        ),
    ],
)
def test_messages_that_are_sent(message: mcp.JSONRPCMessage, body: dict[str, object]) -> None:
    request = mcp.post(message, "/mcp")
    assert (request.method, request.path) == ("POST", "/mcp")
    assert json.loads(request.body) == {"jsonrpc": "2.0", **body}
    assert dict(request.headers) == {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2025-11-25",
    }


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        mcp.post(mcp.JSONRPCRequest(id=1, method="m", params={"a": object()}))


def test_listening() -> None:
    request = mcp.listen("/mcp", session_id="s", protocol_version="2025-06-18", last_event_id="a2")
    assert (request.method, request.path, request.body) == ("GET", "/mcp", b"")
    assert dict(request.headers) == {
        "MCP-Protocol-Version": "2025-06-18",
        mcp.SESSION_ID: "s",
        "Last-Event-ID": "a2",
    }
    assert request.dialect().ends_with_body
    assert "Last-Event-ID" not in dict(mcp.listen().headers)


def test_taking_up_a_stream_that_was_to_bring_a_response() -> None:
    dialect = mcp.listen(last_event_id="a2", request_id=1).dialect()
    assert not dialect.ends_with_body
    read(said(RESULT), dialect)
    assert dialect.ended


def head(status: int, kind: str | None = None) -> Response:
    return Response(status, "", () if kind is None else (("content-type", kind),))


def test_a_whole_response_that_is_no_stream() -> None:
    dialect = MCPDialect(1)
    found = dialect.read_document(head(200, "Application/JSON; charset=utf-8"), json.dumps(RESULT).encode())
    assert found == (mcp.JSONRPCResponse(id=1, result={"tools": []}),)
    assert dialect.read_document(head(202), b"") == ()
    for refused in (head(404), head(200), head(200, "text/html"), head(400, "application/json")):
        assert dialect.read_document(refused, b"{}") is None
    with pytest.raises(InvalidChunk):
        dialect.read_document(head(200, "application/json"), b"{")


def test_a_whole_response_with_its_event() -> None:
    dialect = events.with_events(mcp.post(TOOLS)).dialect()
    assert dialect.accepts_document
    body = json.dumps(RESULT).encode()
    found = dialect.read_document(head(200, "application/json"), body)
    assert found == [events.WithEvent(Event(body), mcp.JSONRPCResponse(id=1, result={"tools": []}))]
    assert dialect.read_document(head(404), body) is None


def test_errors_by_status() -> None:
    body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}'
    error = mcp.post(TOOLS).dialect().error_for(head(404), body)
    assert isinstance(error, StatusError)
    assert (error.status, error.code, error.message) == (404, -32001, "Session not found")


@unhurried
@given(data=st.binary(), type=st.sampled_from(["message", "endpoint", "error"]))
def test_any_event_is_a_chunk_a_mark_or_a_documented_error(data: bytes, type: str) -> None:
    with suppress(InvalidChunk):
        mcp.listen().dialect().read(Event(data, type))


# In the life of a stream.

JSON = "Content-Type: application/json"
REPLY = json.dumps(RESULT).encode()


def asked(request: Request[Any] | None = None) -> Life:
    return Life(request=request or mcp.post(TOOLS)).ask()


def test_an_answer_in_one_piece() -> None:
    life = asked().receive(answer(REPLY, JSON))
    assert life.ended_well(Verdict.COMPLETE).chunks == [mcp.JSONRPCResponse(id=1, result={"tools": []})]
    assert life.session.stats.events == 1


def test_an_answer_in_one_piece_that_comes_in_many() -> None:
    whole = answer(REPLY, JSON)
    life = asked().receive(*(whole[at : at + 1] for at in range(len(whole))))
    assert len(life.ended_well(Verdict.COMPLETE).chunks) == 1


def test_an_answer_in_one_piece_may_be_larger_than_an_error() -> None:
    large = json.dumps({**RESULT, "result": {"text": "x" * 2**17}}).encode()
    assert len(asked().receive(answer(large, JSON)).ended_well(Verdict.COMPLETE).chunks) == 1


def test_a_message_that_is_only_accepted() -> None:
    request = mcp.post(mcp.JSONRPCNotification(method="notifications/initialized"))
    life = asked(request).receive(answer(b"", status="202 Accepted"))
    assert life.ended_well(Verdict.COMPLETE).chunks == []


def test_an_answer_that_is_cut_is_truncated() -> None:
    life = asked().receive(answer(REPLY, JSON, length=len(REPLY) + 1), b"")
    life.ended(Verdict.BODY_CUT, BodyTruncated)


def test_an_answer_that_is_no_message() -> None:
    asked().receive(answer(b"{", JSON)).ended(Verdict.INVALID, InvalidChunk)


def test_a_stream_that_breaks_off_is_taken_up_by_get() -> None:
    life = asked(mcp.post(TOOLS, reconnects=mcp.RESUMING))
    life.receive(HEAD, framed(b"id: 7\ndata:\n\n"), LAST)
    life.then(Done())
    assert isinstance(life.action, Sleep)
    life.then(Done())
    life.reach()
    sent = [action.data for action in life.actions if isinstance(action, Send)][-1]
    assert sent.startswith(b"GET ") and b"\r\nLast-Event-ID: 7\r\n" in sent
    life.receive(HEAD, framed(b"data: " + REPLY + b"\n\n"))
    assert len(life.ended_well(Verdict.COMPLETE).chunks) == 1


def test_where_closing_is_cancelling_nothing_is_taken_up() -> None:
    life = asked().receive(HEAD, framed(b"id: 7\ndata:\n\n"), LAST)
    life.ended(Verdict.UNFINISHED, StreamIncomplete)

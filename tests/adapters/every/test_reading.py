"""One suite for every way to run a client: what a server says, and what comes of it."""

from __future__ import annotations

import json
import socket
import time
from threading import Thread
from typing import Any

import pytest

import sse_adapters.portal
from sse_adapters.testing.peers import refusing
from sse_core import (
    ApiError,
    BodyTruncated,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    EventTooLarge,
    Limits,
    NotAnEventStream,
    ProtocolError,
    StatusError,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import events, openai
from support.names import Names
from support.runners import EVENTS, MEMORY_RUNNERS, NetworkRunner, Runner, on_every_network, read
from support.servers import (
    CHUNKED,
    LAST_CHUNK,
    End,
    Peer,
    chunked,
    event,
    eventually,
    head,
    listening,
    never_accepting,
    says,
)

SAID = ["one", "two", "three"]
STREAM = [event(data) for data in SAID]
SHORT = 0.05
CHAT = openai.chat(model="m", messages=[{"role": "user", "content": "Hi"}])


def chat_event(text: str) -> bytes:
    return event(json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}))


# Streams that come to a good end.


def test_a_chunked_stream_is_read(runner: Runner) -> None:
    result = runner.read(says(head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK))
    assert result.data == SAID
    assert (result.verdict, result.error) == (Verdict.FINISHED, None)
    assert result.response
    assert result.response.status == 200
    assert result.response.header("content-type") == "text/event-stream"


def test_a_stream_is_read_byte_by_byte(runner: Runner) -> None:
    whole = b"".join([head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK])
    result = runner.read(says(*(whole[i : i + 1] for i in range(len(whole)))))
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)


def test_a_stream_that_comes_all_at_once_is_read(runner: Runner) -> None:
    result = runner.read(says(b"".join([head("200 OK", CHUNKED), *chunked(*STREAM), LAST_CHUNK])))
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)


def test_a_stream_that_ends_with_the_connection_is_read(runner: Runner) -> None:
    result = runner.read(says(head(version="1.0"), *STREAM))
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)
    assert result.response
    assert result.response.http_version == "1.0"


def test_a_stream_of_known_length_is_read_without_waiting_for_the_close(runner: Runner) -> None:
    body = b"".join(STREAM)
    result = runner.read(says(head("200 OK", f"Content-Length: {len(body)}"), body, end=End.SILENCE))
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)


def test_a_stream_with_a_terminal_marker_is_not_read_beyond_it(runner: Runner) -> None:
    said = [head("200 OK", CHUNKED), *chunked(chat_event("Hi"), event("[DONE]"), event("more"))]
    result = runner.read(says(*said, end=End.SILENCE), CHAT)
    assert [chunk.text for chunk in result.chunks] == ["Hi"]
    assert (result.verdict, result.error) == (Verdict.COMPLETE, None)


def test_an_event_of_several_megabytes_is_read(runner: Runner) -> None:
    data = "0123456789abcdef" * (256 * 1024)
    result = runner.read(says(head(version="1.0"), event(data), event("small")))
    assert result.data == [data, "small"]


def test_the_request_is_sent_as_it_was_made(runner: Runner) -> None:
    request = events.request("/stream", method="POST", headers=(("X-Own", "request"),), body=b"a body")
    result = runner.read(says(head(), *STREAM), request, headers={"X-Own": "client", "X-Other": "client"})
    sent, _, body = result.request.partition(b"\r\n\r\n")
    start, *fields = sent.decode().split("\r\n")
    assert start == "POST /stream HTTP/1.1"
    assert {"X-Own: request", "X-Other: client", "Content-Length: 6"} <= set(fields)
    assert body == b"a body"


# Responses that are no stream.


@pytest.mark.parametrize(
    ("status", "retryable"),
    [("401 Unauthorized", False), ("429 Too Many Requests", True), ("500 Oops", True)],
)
def test_a_status_that_is_not_200_is_an_error_with_its_body(
    runner: Runner, status: str, retryable: bool
) -> None:
    body = b'{"error": {"message": "no such luck", "type": "of_some_kind"}}'
    fields = (f"Content-Length: {len(body)}", "x-request-id: req_1")
    result = runner.read(says(head(status, *fields, kind="application/json"), body), CHAT)
    assert isinstance(result.error, StatusError)
    assert str(result.error).startswith(f"HTTP {status[:3]}: no such luck, for POST http://")
    assert (result.error.type, result.error.status) == ("of_some_kind", int(status[:3]))
    assert (result.error.request_id, result.error.body) == ("req_1", body)
    assert (result.error.retryable, result.verdict) == (retryable, Verdict.REFUSED)
    assert result.error.response is result.response


def test_a_status_that_comes_with_html_is_an_error_too(runner: Runner) -> None:
    result = runner.read(says(head("502 Bad Gateway", kind="text/html"), b"<h1>Bad Gateway</h1>"), CHAT)
    assert isinstance(result.error, StatusError)
    assert str(result.error).startswith("HTTP 502: Bad Gateway, for POST http://")
    assert result.error.body == b"<h1>Bad Gateway</h1>"


def test_a_redirect_leads_to_another_server(network: NetworkRunner) -> None:
    with listening(says(head(), *STREAM)) as there:
        moved = head("308 Permanent Redirect", f"Location: {there.url}/there", "Content-Length: 0")
        with listening(says(moved, end=End.CLOSE)) as here:
            headers = {"Authorization": "Bearer secret"}
            result = network.read_url(here.url, events.request(method="POST", body=b"{}"), headers=headers)
    assert (result.data, result.verdict) == (SAID, Verdict.FINISHED)
    request = there.peer().received
    assert request.startswith(b"POST /there HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n{}")
    assert b"secret" not in request


@pytest.mark.parametrize("end", [End.RESET, End.CLOSE])
def test_a_refusal_counts_even_if_its_body_is_cut(runner: Runner, end: End) -> None:
    result = runner.read(says(head("503 Service Unavailable", "Content-Length: 100"), b"half", end=end))
    assert isinstance(result.error, StatusError)
    assert result.verdict is Verdict.REFUSED


def test_another_content_type_is_no_event_stream(runner: Runner) -> None:
    result = runner.read(says(head(kind="application/json"), b'{"not": "a stream"}'))
    assert isinstance(result.error, NotAnEventStream)
    assert result.error.body == b'{"not": "a stream"}'
    assert (result.chunks, result.verdict) == ([], Verdict.REFUSED)


def test_a_server_that_refuses_before_it_has_read_the_body_is_heard(network: NetworkRunner) -> None:
    def refuse(peer: Peer) -> None:
        while b"\r\n\r\n" not in peer.received:
            peer.received += peer.socket.recv(1024)
        peer.send(head("413 Content Too Large", "Content-Length: 8", "Connection: close"), b"too much")
        peer.reach("the end")  # and closes with most of it unread, which resets the connection

    with listening(refuse) as server:
        result = network.read_url(server.url, events.request(method="POST", body=bytes(16 * 2**20)))
    assert isinstance(result.error, StatusError)
    assert (result.error.status, result.error.body) == (413, b"too much")


# Streams that come to a bad end.


def test_a_connection_that_ends_in_the_head_has_failed(runner: Runner) -> None:
    result = runner.read(says(b"HTTP/1.1 200 OK\r\nContent-"))
    assert type(result.error) is ConnectionFailed
    assert (result.verdict, result.response) == (Verdict.UNREACHABLE, None)


def test_a_connection_that_is_reset_has_failed_and_says_why(runner: Runner) -> None:
    result = runner.read(says(end=End.RESET))
    assert type(result.error) is ConnectionFailed
    assert "reset by peer" in str(result.error)
    assert isinstance(result.error.__cause__, ConnectionResetError)
    assert result.verdict is Verdict.UNREACHABLE


def test_what_is_not_http_is_a_protocol_error(runner: Runner) -> None:
    result = runner.read(says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"))
    assert isinstance(result.error, ProtocolError)
    assert result.verdict is Verdict.INVALID


@pytest.mark.parametrize("cut", [b"5\r\nda", b"5", b""])
def test_a_body_that_is_cut_short_is_truncated_after_its_chunks(runner: Runner, cut: bytes) -> None:
    result = runner.read(says(head("200 OK", CHUNKED), *chunked(*STREAM), cut))
    assert isinstance(result.error, BodyTruncated)
    assert (result.data, result.verdict) == (SAID, Verdict.BODY_CUT)
    assert result.error.response is result.response is not None


def test_a_body_shorter_than_announced_is_truncated(runner: Runner) -> None:
    result = runner.read(says(head("200 OK", "Content-Length: 1000"), *STREAM))
    assert isinstance(result.error, BodyTruncated)
    assert result.data == SAID


def test_a_body_whose_connection_is_reset_is_truncated(runner: Runner) -> None:
    result = runner.read(says(head("200 OK", CHUNKED), *chunked(*STREAM), end=End.RESET))
    assert isinstance(result.error, BodyTruncated | ConnectionFailed)  # RST may overtake the head
    assert result.data == SAID[: len(result.chunks)]


def test_a_stream_that_is_reset_between_events_is_truncated(network: NetworkRunner) -> None:
    def reset_on_cue(peer: Peer) -> None:
        peer.read_request()
        peer.send(head("200 OK", CHUNKED), *chunked(*STREAM))
        peer.wait_for("read")
        peer.reset()

    with listening(reset_on_cue) as server:
        remote = network.stream(server.url)
        assert [remote.next().data for _ in SAID] == SAID
        server.peer().reach("read")
        with pytest.raises(BodyTruncated, match="reset by peer") as caught:
            remote.next()
    assert isinstance(caught.value.__cause__, ConnectionResetError)
    assert remote.verdict is Verdict.BODY_CUT


def test_a_body_that_ends_inside_an_event_is_incomplete(runner: Runner) -> None:
    said = [*chunked(chat_event("Hi"), b'data: {"choices"'), LAST_CHUNK]
    result = runner.read(says(head("200 OK", CHUNKED), *said), CHAT)
    assert isinstance(result.error, StreamIncomplete)
    assert [chunk.text for chunk in result.chunks] == ["Hi"]
    assert result.verdict is Verdict.EVENT_CUT


def test_a_body_without_a_terminal_marker_is_incomplete(runner: Runner) -> None:
    said = [*chunked(chat_event("Hi")), LAST_CHUNK]
    result = runner.read(says(head("200 OK", CHUNKED), *said), CHAT)
    assert isinstance(result.error, StreamIncomplete)
    assert (len(result.chunks), result.verdict) == (1, Verdict.UNFINISHED)


def test_an_error_inside_the_stream_comes_after_the_chunks_before_it(runner: Runner) -> None:
    error = event('{"error": {"message": "overloaded", "code": "busy"}}')
    said = chunked(chat_event("Hi"), chat_event(" there") + error + chat_event("never"))
    result = runner.read(says(head("200 OK", CHUNKED), *said, end=End.SILENCE), CHAT)
    assert isinstance(result.error, ApiError)
    assert [chunk.text for chunk in result.chunks] == ["Hi", " there"]
    assert (result.error.message, result.error.code, result.error.status) == ("overloaded", "busy", 200)
    assert result.verdict is Verdict.ERROR_EVENT


def test_an_event_over_the_limit_is_refused(runner: Runner) -> None:
    said = [head(version="1.0"), event("small"), event("x" * 101)]
    result = runner.read(says(*said, end=End.SILENCE), limits=Limits(max_event_size=100))
    assert isinstance(result.error, EventTooLarge)
    assert (result.data, result.verdict) == (["small"], Verdict.INVALID)


# Deadlines: a server that goes silent.


@pytest.mark.parametrize(
    ("said", "which"),
    [
        ([], "response_head"),
        ([b"HTTP/1.1 200 OK\r\n"], "response_head"),
        ([head()], "between_bytes"),
        ([head(), b"".join(STREAM)], "between_bytes"),
    ],
)
def test_silence_ends_with_the_deadline_for_what_is_missing(
    runner: Runner, said: list[bytes], which: str
) -> None:
    result = runner.read(says(b"".join(said), end=End.SILENCE), deadlines=Deadlines(**{which: 2 * SHORT}))
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == which
    assert result.error.seconds > 1.9 * SHORT
    assert isinstance(result.error.__cause__, TimeoutError)
    assert (result.verdict, result.data) == (Verdict.DEADLINE, SAID if b"".join(STREAM) in said else [])


@pytest.mark.parametrize("said", [[], [head()], [head("401 Unauthorized", "Content-Length: 9")]])
def test_silence_ends_with_the_total_deadline(runner: Runner, said: list[bytes]) -> None:
    result = runner.read(says(*said, end=End.SILENCE), deadlines=Deadlines(total=2 * SHORT))
    if isinstance(result.error, StatusError):  # which is worth more than the rest of its body
        assert result.error.status == 401
    else:
        assert isinstance(result.error, DeadlineExceeded)
        assert result.error.which == "total"


def test_a_refusal_whose_body_does_not_come_is_still_that_refusal(runner: Runner) -> None:
    said = [head("401 Unauthorized", "Content-Length: 100"), b"half"]
    result = runner.read(says(*said, end=End.SILENCE), deadlines=Deadlines(error_body=2 * SHORT))
    assert isinstance(result.error, StatusError)
    assert result.error.status == 401


@pytest.mark.parametrize("memory", MEMORY_RUNNERS)
def test_a_deadline_tells_how_long_it_was(memory: Runner) -> None:
    result = memory.read(says(head(), end=End.SILENCE), deadlines=Deadlines(between_bytes=5))
    assert str(result.error) == "deadline 'between_bytes' exceeded after 5.000 s"


def test_silence_during_the_connection_ends_with_its_deadline(network: NetworkRunner) -> None:
    with never_accepting() as port:
        result = network.read_url(f"http://127.0.0.1:{port}", deadlines=Deadlines(connect=SHORT))
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == "connect"


def test_a_server_that_reads_nothing_runs_into_the_deadline_of_the_head(network: NetworkRunner) -> None:
    big = events.request(method="POST", body=bytes(16 * 2**20))
    with listening(lambda peer: peer.wait_for("the end")) as server:
        result = network.read_url(server.url, big, deadlines=Deadlines(response_head=SHORT))
        server.peer().reach("the end")
    assert isinstance(result.error, DeadlineExceeded | ConnectionFailed)
    assert result.verdict is Verdict.DEADLINE


def test_the_total_deadline_ends_a_stream_that_is_never_waited_for(each_loop: NetworkRunner) -> None:
    def flood(peer: Peer) -> None:
        peer.read_request()
        peer.send(head())
        peer.flood(event("x" * 1000) * 100)

    with listening(flood) as server:
        result = each_loop.read_url(server.url, deadlines=Deadlines(total=4 * SHORT))
        assert server.peer().notices_the_end()
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == "total"


def test_the_time_that_the_reader_takes_does_not_count(network: NetworkRunner) -> None:
    patient = Deadlines(between_bytes=SHORT)
    with listening(says(head(version="1.0") + event("one"), end=End.SILENCE)) as server:
        remote = network.stream(server.url, deadlines=patient)
        assert remote.next().data == "one"
        came = time.monotonic()
        eventually(lambda: time.monotonic() > came + SHORT)
        with pytest.raises(DeadlineExceeded) as caught:
            remote.next()
    assert caught.value.seconds > 0.9 * SHORT  # from the moment that it was asked for


def test_without_deadlines_a_stream_is_read_as_well(runner: Runner) -> None:
    none = Deadlines(connect=None, tls=None, response_head=None, between_bytes=None, error_body=None)
    result = runner.read(says(head(version="1.0"), *STREAM), deadlines=none)
    assert result.data == SAID


# Getting there.


def test_a_port_where_nobody_listens_is_a_failed_connection(network: NetworkRunner) -> None:
    with refusing() as port:
        result = network.read_url(f"http://127.0.0.1:{port}")
    assert type(result.error) is ConnectionFailed
    assert isinstance(result.error.__cause__, ConnectionRefusedError)
    assert f"127.0.0.1:{port}, opening a connection" in str(result.error)
    assert (result.verdict, result.error.retryable) == (Verdict.UNREACHABLE, True)


def test_a_host_by_its_name(network: NetworkRunner) -> None:
    with listening(says(head(version="1.0"), *STREAM)) as server:
        result = network.read_url(server.url_of("localhost"))
    assert result.data == SAID


def test_a_host_by_its_ipv6_address(network: NetworkRunner) -> None:
    try:
        with listening(says(head(version="1.0"), *STREAM), host="::1") as server:
            result = network.read_url(server.url)
            assert f"Host: [::1]:{server.port}\r\n".encode() in server.peer().received
    except OSError as exc:
        pytest.skip(f"no IPv6: {exc}")
    assert result.data == SAID


def test_the_next_address_is_tried_when_one_refuses(network: NetworkRunner, names: Names) -> None:
    with refusing() as nobody, listening(says(head(version="1.0"), *STREAM)) as server:
        names.ports += [nobody, server.port]
        assert network.read_url("http://somewhere.test").data == SAID


def test_the_last_failure_counts_when_every_address_refuses(network: NetworkRunner, names: Names) -> None:
    with refusing() as nobody:
        names.ports += [nobody, nobody]
        result = network.read_url("http://somewhere.test")
    assert isinstance(result.error, ConnectionFailed)
    assert isinstance(result.error.__cause__, ConnectionRefusedError)


def test_a_name_without_addresses_is_a_failed_connection(network: NetworkRunner, names: Names) -> None:
    result = network.read_url("http://somewhere.test")
    assert isinstance(result.error, ConnectionFailed)
    assert "no address for 'somewhere.test'" in str(result.error)


def test_a_name_that_does_not_resolve_is_a_failed_connection(network: NetworkRunner, names: Names) -> None:
    names.failure = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    result = network.read_url("http://somewhere.test")
    assert isinstance(result.error, ConnectionFailed)
    assert "Name or service not known" in str(result.error)
    assert result.verdict is Verdict.UNREACHABLE


@on_every_network
def test_where_there_can_be_no_more_threads_a_name_is_a_failed_connection(
    network: NetworkRunner, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoThread(Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr("sse_adapters.resolving.Thread", NoThread)
    result = network.read_url("http://somewhere.test")
    assert isinstance(result.error, ConnectionFailed)
    assert "can't start new thread" in str(result.error)


def test_an_event_loop_whose_thread_cannot_start_may_start_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any) -> Any:
        raise RuntimeError("can't start new thread")

    with (
        listening(says(head(version="1.0"), *STREAM)) as server,
        sse_adapters.portal.Client(server.url) as client,
    ):
        with monkeypatch.context() as context:
            context.setattr(Thread, "start", fail)
            result = read(client.stream(EVENTS))
        assert isinstance(result.error, ConnectionFailed)
        assert "can't start new thread" in str(result.error)
        assert read(client.stream(EVENTS)).data == SAID


def test_an_empty_stream_is_no_error(runner: Runner) -> None:
    result = runner.read(says(head("200 OK", "Content-Length: 0")), EVENTS)
    assert (result.chunks, result.verdict) == ([], Verdict.FINISHED)

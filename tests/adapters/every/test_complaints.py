"""What users of other clients run into: impossible here, or named. Each test says in which threads."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pytest

from sse_core import (
    BodyTruncated,
    DeadlineExceeded,
    Deadlines,
    PoolLimits,
    Reconnects,
    Request,
    Retries,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import events, groq
from support.keepalive import ANSWER, TWO, leave, reach, say, talking, then, wait_for
from support.runners import EVENTS, EventLoop, NetworkRunner, Result, Threads, outcome
from support.servers import CHUNKED, LAST_CHUNK, End, Peer, chunked, event, head, listening, says
from support.tls import Authority

CHAT = groq.chat(model="m", messages=[{"role": "user", "content": "What is SSE?"}])
STREAM = head("200 OK", CHUNKED)
KEEP_ALIVE = b": keep-alive\n\n"


def chunk(text: str = "", finish_reason: str = "null") -> bytes:
    delta = f'"delta": {{"role": "assistant", "content": "{text}"}}'
    return event(f'{{"choices": [{{"index": 0, {delta}, "finish_reason": {finish_reason}}}]}}')


DONE = event("[DONE]")
ROLE = chunk()
HELLO = chunk("hello")
FINISH = chunk(finish_reason='"stop"')


def text(result: Result) -> str:
    return "".join(piece.text for piece in result.chunks)


def partial(error: StreamError | None) -> str:
    """What an error says of the answer so far."""
    assert error is not None
    assert error.partial is not None
    return error.partial.text


# Truncation: litellm#40260, pydantic-ai#6610, opencode#40061. The connection ends, and it counts as success.


@pytest.mark.parametrize(
    ("pieces", "kind", "verdict"),
    [
        ([head(), ROLE, HELLO], StreamIncomplete, Verdict.UNFINISHED),
        ([head(), ROLE, HELLO, b'data: {"choices": ['], StreamIncomplete, Verdict.EVENT_CUT),
        ([STREAM, *chunked(ROLE, HELLO), LAST_CHUNK], StreamIncomplete, Verdict.UNFINISHED),
        ([STREAM, *chunked(ROLE, HELLO)], BodyTruncated, Verdict.BODY_CUT),
        ([head("200 OK", "Content-Length: 9999"), ROLE, HELLO], BodyTruncated, Verdict.BODY_CUT),
    ],
    ids=["no-marker", "inside-an-event", "no-marker-in-chunks", "no-last-chunk", "too-short"],
)
def test_an_answer_that_is_cut_short_is_no_success(
    each_loop: NetworkRunner, pieces: list[bytes], kind: type[StreamError], verdict: Verdict
) -> None:
    with talking(each_loop, then(say(*pieces), leave)) as talk:
        result = talk.ask(CHAT)
    assert text(result) == "hello"
    assert isinstance(result.error, kind)
    assert (result.verdict, result.error.retryable) == (verdict, True)
    assert partial(result.error) == "hello"


def test_a_tls_connection_that_is_cut_is_no_success(
    network: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    def vanish(peer: Peer) -> None:
        peer.send(head(), ROLE, HELLO)
        peer.socket.close()  # without TLS's own goodbye

    with talking(network, vanish, tls=authority.server, **secure) as talk:
        result = talk.ask(CHAT)
    assert text(result) == "hello"
    assert isinstance(result.error, BodyTruncated)


def test_an_answer_without_done_ends_with_its_body(each_loop: NetworkRunner) -> None:
    """vllm-mlx#101: it waits for `[DONE]` for ever."""
    with talking(each_loop, say(STREAM, *chunked(ROLE, HELLO, FINISH), LAST_CHUNK)) as talk:
        result = talk.ask(CHAT)
    assert (text(result), result.error, result.verdict) == ("hello", None, Verdict.FINISHED)


def test_an_answer_without_done_whose_body_goes_on_ends_with_a_deadline(each_loop: NetworkRunner) -> None:
    """vllm-mlx#101, and the server says nothing more at all."""
    with talking(
        each_loop, say(STREAM, *chunked(ROLE, HELLO)), deadlines=Deadlines(between_bytes=0.1)
    ) as talk:
        result = talk.ask(CHAT)
    assert isinstance(result.error, DeadlineExceeded)
    assert (text(result), result.error.which) == ("hello", "between_bytes")


# Lifecycle.

PACE = 0.005


class Paced:
    """Says sixty chunks, one after the other, to whoever listens."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, peer: Peer) -> None:
        peer.send(STREAM, *chunked(ROLE))
        while self.sent < 60:
            peer.send(*chunked(HELLO))
            self.sent += 1
            time.sleep(PACE)
        peer.send(*chunked(DONE), LAST_CHUNK)


def break_out(client: Any, paced: Paced) -> int:
    for piece in client.stream(CHAT):
        if piece.text:
            break
    return paced.sent


async def break_out_async(client: Any, paced: Paced) -> int:
    async for piece in client.stream(CHAT):
        if piece.text:
            break
    return paced.sent


def leave_block(client: Any, paced: Paced) -> int:
    with client.stream(CHAT) as stream:
        assert next(text for text in stream.text()) == "hello"
    return paced.sent


async def leave_block_async(client: Any, paced: Paced) -> int:
    async with client.stream(CHAT) as stream:
        assert await anext(stream.text()) == "hello"
    return paced.sent


@pytest.mark.parametrize(
    ("way", "way_async"), [(break_out, break_out_async), (leave_block, leave_block_async)]
)
def test_the_server_stops_when_the_reader_does(
    network: NetworkRunner, way: Callable[..., Any], way_async: Callable[..., Any]
) -> None:
    """openai-python#763, notebook-intelligence#479: the server sends on, all 60 of 60 chunks."""
    paced = Paced()
    gc.disable()
    try:
        with talking(network, paced) as talk:
            use = way if isinstance(network, Threads) else way_async
            when_left = network.call(use, talk.client, paced)
            assert talk.server.peer().notices_the_end()
            assert paced.sent - when_left <= 2
    finally:
        gc.enable()


def test_the_connection_is_kept_though_the_server_is_slow_to_end(each_loop: NetworkRunner) -> None:
    """openai-python#3440: after `[DONE]` the connection is closed, or waited for."""
    held = then(say(STREAM, *chunked(HELLO, DONE)), wait_for("cue"), say(LAST_CHUNK), reach("ended"))
    with talking(each_loop, held, ANSWER) as talk:
        assert talk.ask(CHAT).verdict is Verdict.COMPLETE  # while the server has not ended the body
        talk.server.peer().reach("cue")
        talk.server.peer().wait_for("ended")
        talk.ask()
        assert talk.connections == [0, 0]


def test_a_connection_is_not_made_for_each_request(
    each_loop: NetworkRunner, authority: Authority, secure: dict[str, Any]
) -> None:
    """openai-python#3580: 300 ms a request, spent on agreeing with the server again."""
    complete = say(STREAM + b"".join(chunked(HELLO, DONE)) + LAST_CHUNK)
    with talking(each_loop, complete, tls=authority.server, **secure) as talk:
        for _ in range(10):
            assert talk.ask(CHAT).verdict is Verdict.COMPLETE
        assert len(talk.server.peers) == 1


def test_another_task_or_thread_may_close_a_stream(network: NetworkRunner) -> None:
    """python-genai#2425, xai-sdk-python#142: it fails. In groq, openai and httpx2 the reader sleeps on."""
    with talking(network, say(STREAM, *chunked(HELLO))) as talk:
        remote = talk.stream(CHAT)
        assert remote.next().text == "hello"
        waiting = remote.start_next()
        remote.close()
        with pytest.raises(StreamClosed):
            outcome(waiting)
        assert remote.verdict is Verdict.CANCELLED
        assert talk.server.peer().notices_the_end()


def test_a_task_that_reads_may_be_cancelled_by_another(event_loop: EventLoop) -> None:
    """python-genai#2425, xai-sdk-python#142, once more."""
    with event_loop.running(), talking(event_loop, say(STREAM, *chunked(HELLO))) as talk:
        remote = talk.stream(CHAT)
        assert remote.next().text == "hello"
        waiting = remote.start_next()
        waiting.cancel()
        assert talk.server.peer().notices_the_end()
        assert remote.verdict is Verdict.CANCELLED


def test_a_stream_may_be_dropped_with_its_event_loop(event_loop: EventLoop) -> None:
    """httpx2#1195, ollama-python#503: a generator that is finalised too late complains, or crashes."""

    async def main(url: str) -> None:
        stream = event_loop.client(url).stream(EVENTS)
        async for _ in stream:
            return

    with listening(says(head(), *TWO, end=End.SILENCE)) as server:
        anyio.run(main, server.url, **event_loop.backend)
        gc.collect()
        assert server.peer().notices_the_end()


def test_closing_does_not_wait_for_the_server(network: NetworkRunner) -> None:
    """urllib3#2868: to close is to read on, or to hang."""

    def flood(peer: Peer) -> None:
        peer.send(STREAM)
        peer.flood(*chunked(HELLO * 100))

    for reply in (say(STREAM, *chunked(HELLO)), flood):
        with talking(network, reply) as talk:
            remote = talk.stream(CHAT)
            assert remote.next().text == "hello"
            remote.close()
            assert talk.server.peer().notices_the_end()


def test_errors_do_not_use_up_the_connections(each_loop: NetworkRunner) -> None:
    """mistralai/client-python#532: error responses are never closed."""
    refusal = say(head("429 Too Many Requests", "Content-Length: 4", kind="text/plain"), b"slow")
    with talking(each_loop, refusal, pool=PoolLimits(max_connections=1), deadlines=Deadlines(pool=5)) as talk:
        errors = [talk.ask(CHAT).error for _ in range(20)]  # kept, and with them all that they refer to
        assert all(isinstance(error, StatusError) for error in errors)
        assert len(talk.server.peers) == 1


# Timeouts.


def comments_for_ever(*before: bytes) -> Callable[[Peer], None]:
    def play(peer: Peer) -> None:
        peer.send(STREAM, *chunked(*before))
        while True:
            peer.send(*chunked(KEEP_ALIVE))
            time.sleep(PACE)

    return play


@pytest.mark.parametrize(("before", "which"), [([ROLE], "first_content"), ([ROLE, HELLO], "between_content")])
def test_comments_do_not_keep_a_dead_stream_alive(
    each_loop: NetworkRunner, before: list[bytes], which: str
) -> None:
    """opencode#43519: they do, for ever."""
    deadlines = Deadlines(first_content=0.1, between_content=0.1)
    with talking(each_loop, comments_for_ever(*before), deadlines=deadlines) as talk:
        result = talk.ask(CHAT)
        assert isinstance(result.error, DeadlineExceeded)
        assert (result.error.which, result.verdict) == (which, Verdict.DEADLINE)
        assert talk.server.peer().notices_the_end()


def test_comments_keep_a_living_stream_alive(each_loop: NetworkRunner) -> None:
    """openclaw#152535: a watchdog that does not see them kills a stream that is well."""

    def think(peer: Peer) -> None:
        peer.send(STREAM, *chunked(ROLE))
        for _ in range(60):
            peer.send(*chunked(KEEP_ALIVE))
            time.sleep(PACE)
        peer.send(*chunked(HELLO, DONE), LAST_CHUNK)

    with talking(each_loop, think, deadlines=Deadlines(between_bytes=30 * PACE)) as talk:
        result = talk.ask(CHAT)
    assert (text(result), result.verdict) == ("hello", Verdict.COMPLETE)


def test_there_is_a_deadline_for_everything(each_loop: NetworkRunner) -> None:
    """encode/httpx#1450: a server that says a little, again and again, may go on for ever."""

    def babble(peer: Peer) -> None:
        peer.send(STREAM)
        while True:
            peer.send(*chunked(HELLO))
            time.sleep(PACE)

    with talking(each_loop, babble, deadlines=Deadlines(total=0.1)) as talk:
        result = talk.ask(CHAT)
    assert isinstance(result.error, DeadlineExceeded)
    assert result.error.which == "total"
    assert partial(result.error) == text(result)


# Retry and resume.

QUICK = Retries(attempts=3, base=0.001)


@pytest.mark.parametrize("cut", [[head(), ROLE, HELLO], [STREAM, *chunked(ROLE, HELLO)]])
def test_output_is_never_repeated(each_loop: NetworkRunner, cut: list[bytes]) -> None:
    """open-interpreter#291, nuguard#455: the request is made again after some of the output was shown."""
    with talking(each_loop, then(say(*cut), leave), retries=QUICK) as talk:
        result = talk.ask(CHAT)
        assert len(talk.requests) == 1
    assert text(result) == "hello"
    assert partial(result.error) == "hello"


@pytest.mark.parametrize(
    "failure",
    [
        leave,
        Peer.reset,
        then(say(b"HTTP/1.1 200"), leave),
        then(say(head(), ROLE), leave),
        then(say(STREAM, *chunked(ROLE)), Peer.reset),
        say(
            STREAM, *chunked(event('{"error": {"message": "busy", "type": "overloaded_error"}}')), LAST_CHUNK
        ),
        say(head("429 Too Many Requests", "Content-Length: 4", "Retry-After: 0", kind="text/plain"), b"slow"),
        say(head("529 Overloaded", "Content-Length: 0", "retry-after-ms: 1")),
    ],
    ids=["closed", "reset", "head", "role", "role-reset", "overloaded", "429", "529"],
)
def test_before_any_output_the_request_is_made_again(
    each_loop: NetworkRunner, failure: Callable[[Peer], None]
) -> None:
    """anthropic-sdk-python#1258: an overload inside the stream, among others, is not retried."""
    complete = say(STREAM, *chunked(ROLE, HELLO, DONE), LAST_CHUNK)
    with talking(each_loop, failure, failure, complete, retries=QUICK) as talk:
        result = talk.ask(CHAT)
        assert len(talk.requests) == 3
    assert (text(result), result.error, result.verdict) == ("hello", None, Verdict.COMPLETE)
    assert [piece.choices[0].delta.role for piece in result.chunks] == ["assistant"] * 2


def reconnecting(attempts: int = 3) -> Request[Any]:
    policy = Reconnects(attempts=attempts, delay=0.001)
    return msgspec.structs.replace(events.request("/stream"), reconnects=policy)


@pytest.mark.parametrize(
    "end", [say(STREAM, LAST_CHUNK), leave, then(say(STREAM, *chunked(KEEP_ALIVE)), leave)]
)
def test_reconnecting_has_an_end(each_loop: NetworkRunner, end: Callable[[Peer], None]) -> None:
    """MCP python-sdk#2393, #3257: it is tried again and again, for ever."""
    with talking(each_loop, end) as talk:
        result = talk.ask(reconnecting())
        assert result.verdict is Verdict.GAVE_UP
        assert isinstance(result.error, StreamError)
        assert len(talk.requests) <= 8  # with those on a kept connection that was not there any more


def test_the_same_event_again_and_again_is_no_progress(each_loop: NetworkRunner) -> None:
    """MCP python-sdk#3257: a server that repeats itself is asked for ever."""
    with talking(each_loop, say(STREAM, *chunked(b"id: 1\n" + TWO[0]), LAST_CHUNK)) as talk:
        assert talk.ask(reconnecting()).verdict is Verdict.GAVE_UP


def test_a_stream_is_taken_up_where_it_broke_off(each_loop: NetworkRunner) -> None:
    """vercel/ai#6052: what came is lost, or comes again."""
    first = then(say(STREAM, *chunked(b"id: 1\n" + TWO[0], b"id: 2\ndata: cut")), leave)
    second = say(STREAM, *chunked(b"id: 2\n" + TWO[1]), LAST_CHUNK)
    with talking(each_loop, first, second, say(head("204 No Content"))) as talk:
        result = talk.ask(reconnecting())
        assert (result.data, result.verdict) == (["one", "two"], Verdict.NO_CONTENT)
        said = [b"\r\nLast-Event-ID: %d\r\n" % number in talk.requests[number] for number in (1, 2)]
        assert said == [True, True]
        assert b"Last-Event-ID" not in talk.requests[0]

"""ConnectionPool are used again where that is sound, closed where not, and waited for in turn."""

from __future__ import annotations

import gc
from collections.abc import Callable
from threading import active_count
from typing import Any

import anyio
import anyio.lowlevel
import pytest

import sse_adapters.anyio
from sse_adapters import async_loop
from sse_core import (
    BodyTruncated,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Limits,
    PoolLimits,
    ProtocolError,
    State,
    StatusError,
    StreamClosed,
    Verdict,
)
from sse_core.dialects import events, groq
from support.keepalive import ANSWER, TWO, Replies, Reply, leave, reach, say, talking, then, wait_for
from support.runners import EVENT_LOOPS, EVENTS, THREADS, EventLoop, NetworkRunner, on_every_network, outcome
from support.servers import (
    CHUNKED,
    LAST_CHUNK,
    Peer,
    chunked,
    event,
    eventually,
    head,
    listening,
    says,
    settle,
)
from support.tls import Authority

CHAT = groq.chat(model="m", messages=[{"role": "user", "content": "What is SSE?"}])
CHUNK = event('{"choices": [{"index": 0, "delta": {"content": "hello"}}]}')
DONE = event("[DONE]")
STREAM = head("200 OK", CHUNKED)
LENGTH = f"Content-Length: {len(b''.join(TWO))}"


# Which connections are used again.


def redirect(to: str) -> bytes:
    return head("307 Temporary Redirect", f"Location: {to}", "Content-Length: 4") + b"gone"


@on_every_network
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([STREAM, *chunked(*TWO), LAST_CHUNK], id="chunked"),
        pytest.param([STREAM, *chunked(*TWO), b"0\r\nX-Checksum: 1\r\n\r\n"], id="trailers"),
        pytest.param([head("200 OK", LENGTH), *TWO], id="Content-Length"),
        pytest.param([head("200 OK", "Connection: keep-alive", LENGTH), *TWO], id="keep-alive"),
    ],
)
def test_after_the_end_of_a_body(network: NetworkRunner, answer: list[bytes]) -> None:
    with talking(network, say(*answer)) as talk:
        for _ in range(3):
            assert (talk.ask().data, talk.ask().verdict) == (["one", "two"], Verdict.FINISHED)
        assert talk.connections == [0] * 6


def test_over_tls(network: NetworkRunner, authority: Authority, secure: dict[str, Any]) -> None:
    with talking(network, ANSWER, tls=authority.server, **secure) as talk:
        for _ in range(3):
            assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 0, 0]


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param([head("429 Slow Down", "Content-Length: 4", kind="text/plain"), b"slow"], id="status"),
        pytest.param([head("503 Busy", CHUNKED), *chunked(b"busy"), LAST_CHUNK], id="chunked"),
        pytest.param([head("404 Not Found", "Content-Length: 0")], id="empty"),
        pytest.param([head("200 OK", "Content-Length: 4", kind="text/html"), b"busy"], id="HTML"),
        pytest.param(
            [STREAM, b"".join([*chunked(event('{"error": {"message": "busy"}}')), LAST_CHUNK])], id="event"
        ),
    ],
)
def test_after_an_error_response(network: NetworkRunner, refusal: list[bytes]) -> None:
    with talking(network, say(*refusal), ANSWER) as talk:
        assert talk.ask(CHAT).error is not None
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 0]


def test_after_a_redirect_to_the_same_origin(network: NetworkRunner) -> None:
    with talking(network, say(redirect("/there")), ANSWER) as talk:
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 0]
        assert talk.requests[1].startswith(b"GET /there HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([head("200 OK", CHUNKED, "Connection: close"), *chunked(*TWO), LAST_CHUNK], id="close"),
        pytest.param([head("200 OK", LENGTH, version="1.0"), *TWO], id="HTTP/1.0"),
        pytest.param(
            [STREAM, *chunked(*TWO), LAST_CHUNK + b"HTTP/1.1 200 OK\r\n"], id="bytes-behind-the-end"
        ),
    ],
)
def test_not_after_an_answer_that_says_so(network: NetworkRunner, answer: list[bytes]) -> None:
    with talking(network, say(*answer), ANSWER) as talk:
        for _ in range(2):
            assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]
        assert talk.server.peer().notices_the_end()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_not_after_a_body_that_ends_with_the_connection(network: NetworkRunner, version: str) -> None:
    with talking(network, then(say(head(version=version), *TWO), leave), ANSWER) as talk:
        for _ in range(2):
            assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]


def test_not_after_a_body_that_broke_the_rules(network: NetworkRunner) -> None:
    with talking(network, say(STREAM, *chunked(*TWO), b"no chunk\r\n"), ANSWER) as talk:
        assert isinstance(talk.ask().error, ProtocolError)
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]
        assert talk.server.peer().notices_the_end()


def test_not_after_a_stream_that_was_left(network: NetworkRunner) -> None:
    with talking(network, say(STREAM, *chunked(*TWO)), ANSWER) as talk:
        remote = talk.stream()
        assert remote.next().data == "one"
        remote.leave()
        assert talk.server.peer().notices_the_end()
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]


# The end of a stream before the end of its body.


def done_and_held_open(peer: Peer) -> None:
    """Say all there is to say, and end the body when the test wants it."""
    peer.send(STREAM, *chunked(CHUNK, DONE))
    peer.wait_for("may end")
    peer.send(LAST_CHUNK)
    peer.reach("ended")


def test_a_stream_ends_when_it_says_so_though_its_body_goes_on(network: NetworkRunner) -> None:
    with talking(network, done_and_held_open, ANSWER) as talk:
        result = talk.ask(CHAT)  # or it would not return: the server waits for what comes next
        assert ([chunk.text for chunk in result.chunks], result.verdict) == (["hello"], Verdict.COMPLETE)
        talk.server.peer().reach("may end")
        talk.server.peer().wait_for("ended")
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 0]


def test_a_body_that_has_not_ended_keeps_no_one_waiting(network: NetworkRunner) -> None:
    with talking(network, done_and_held_open, ANSWER, then(say(STREAM), wait_for("may end")), ANSWER) as talk:
        talk.ask(CHAT)
        assert talk.ask().data == ["one", "two"]  # over another
        third = talk.stream()
        third.enter()  # over that one again, and it stays there
        talk.server.peer().reach("may end")
        talk.server.peer().wait_for("ended")
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1, 1, 0]
        talk.server.peer(1).reach("may end")


def test_a_body_that_ends_a_moment_later_is_waited_for(network: NetworkRunner) -> None:
    with talking(network, done_and_held_open, ANSWER, pool=PoolLimits(drain_wait=60)) as talk:
        talk.ask(CHAT)
        remote = talk.stream()
        waiting = remote.start_entering()
        settle()
        assert not waiting.done()
        talk.server.peer().reach("may end")
        outcome(waiting)
        assert [remote.next().data, remote.next().data, remote.next()] == ["one", "two", None]
        assert talk.connections == [0, 0]


def test_the_rest_of_a_body_is_waited_for_no_longer_than_for_a_place(network: NetworkRunner) -> None:
    limits, deadlines = PoolLimits(drain_wait=60), Deadlines(pool=0.05)
    with talking(network, done_and_held_open, ANSWER, pool=limits, deadlines=deadlines) as talk:
        talk.ask(CHAT)
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]
        talk.server.peer().reach("may end")


@on_every_network
def test_the_rest_of_a_body_has_so_much_time(network: NetworkRunner) -> None:
    """Even if the client is not used any more."""
    held = then(say(STREAM, *chunked(CHUNK, DONE)), Peer.wait_until_gone)
    with talking(network, held, pool=PoolLimits(drain_time=0.05)) as talk:
        talk.ask(CHAT)
        talk.ask(CHAT)
        assert talk.connections == [0, 1]
        assert [talk.server.peer(number).notices_the_end() for number in range(2)] == [True, True]


def test_a_body_that_ended_in_time_leaves_a_connection_to_be_used(each_loop: NetworkRunner) -> None:
    with talking(each_loop, done_and_held_open, ANSWER, pool=PoolLimits(drain_time=1)) as talk:
        talk.ask(CHAT)
        talk.server.peer().reach("may end")
        talk.server.peer().wait_for("ended")
        eventually(lambda: [idle.ready for idle in [*talk.client._pool.books._idle]] == [True])
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 0]


def test_a_closed_client_leaves_nothing_in_the_background(network: NetworkRunner) -> None:
    threads = active_count()
    with talking(network, done_and_held_open) as talk:
        talk.ask(CHAT)
        talk.server.peer().reach("may end")
        talk.close()
        eventually(lambda: active_count() <= threads + 2)  # of the server's


def test_a_body_that_goes_on_for_ever_is_left(network: NetworkRunner) -> None:
    def flood(peer: Peer) -> None:
        peer.send(STREAM, *chunked(CHUNK, DONE))
        peer.flood(*chunked(b":" * 10_000))

    with talking(network, flood, ANSWER) as talk:
        talk.ask(CHAT)
        eventually(lambda: talk.server.peer().has_sent(20))  # more than is read, and all there is to read
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]
        assert talk.server.peer().notices_the_end()


def test_only_the_start_of_a_refusals_body_is_read(network: NetworkRunner) -> None:
    refusal = say(head("500 Oops", "Content-Length: 100000", kind="text/plain"), b"no" * 50_000)
    with talking(network, refusal, ANSWER, limits=Limits(max_error_body=1000)) as talk:
        error = talk.ask().error
        assert isinstance(error, StatusError)
        assert error.body == b"no" * 500
        assert talk.ask().data == ["one", "two"]


# Connections that ended meanwhile.


def test_a_connection_that_the_server_has_closed_is_not_used(network: NetworkRunner) -> None:
    with talking(network, then(ANSWER, leave), ANSWER) as talk:
        talk.ask()
        eventually(lambda: talk.server.peer().closed)
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]


def test_a_connection_on_which_something_came_unasked_is_not_used(network: NetworkRunner) -> None:
    unasked = say(head("408 Request Timeout", "Content-Length: 0"))
    with talking(network, then(ANSWER, wait_for("cue"), unasked, reach("said")), ANSWER) as talk:
        talk.ask()
        talk.server.peer().reach("cue")
        talk.server.peer().wait_for("said")
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1]
        assert talk.server.peer().notices_the_end()


POST = events.request("/stream", method="POST", body=b"{}")
either_method = pytest.mark.parametrize("request_", [events.request("/stream"), POST], ids=["GET", "POST"])
either_end = pytest.mark.parametrize("end", [leave, Peer.reset], ids=["closed", "reset"])


@either_method
@either_end
def test_a_connection_that_ends_with_the_request_is_replaced(
    network: NetworkRunner, end: Reply, request_: Any
) -> None:
    with talking(network, ANSWER, end, ANSWER) as talk:
        talk.ask()
        assert talk.ask(request_).data == ["one", "two"]
        assert talk.connections == [0, 0, 1]
        assert talk.requests[1] == talk.requests[2]


@either_end
def test_a_connection_is_replaced_once(network: NetworkRunner, end: Reply) -> None:
    with talking(network, ANSWER, end, end, ANSWER) as talk:
        talk.ask()
        assert isinstance(talk.ask().error, ConnectionFailed)
        assert talk.connections == [0, 0, 1]


def test_what_failed_on_the_old_connection_is_no_cause_on_the_new_one(network: NetworkRunner) -> None:
    refusal = say(head("401 Unauthorized", "Content-Length: 0"))
    with talking(network, ANSWER, Peer.reset, refusal) as talk:
        talk.ask()
        error = talk.ask().error
        assert isinstance(error, StatusError)
        assert error.__cause__ is None


@pytest.mark.filterwarnings("ignore:unclosed (transport|resource):ResourceWarning")  # as asyncio sees it
def test_a_connection_whose_event_loop_has_ended_is_replaced(event_loop: EventLoop) -> None:
    with listening(Replies(ANSWER)) as server:
        client = event_loop.client(server.url)

        async def main() -> list[str]:
            return [event.data async for event in client.stream(EVENTS)]

        for _ in range(3):
            assert anyio.run(main, **event_loop.backend) == ["one", "two"]
        client.close()
        gc.collect()  # what asyncio has to say of it, it says here


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")  # as asyncio sees it
@pytest.mark.parametrize("rest", [[LAST_CHUNK], []], ids=["kept", "draining"])
def test_a_client_may_go_from_one_kind_of_event_loop_to_another(rest: list[bytes]) -> None:
    with listening(Replies(say(STREAM, *chunked(CHUNK, DONE), *rest))) as server:
        # What is kept would otherwise be too old by the clock of trio, which starts anywhere.
        client = sse_adapters.anyio.Client(server.url, pool=PoolLimits(idle_expiry=1e9))

        async def main() -> list[str]:
            return [chunk.text async for chunk in client.stream(CHAT)]

        for backend in ("asyncio", "trio", "asyncio"):
            assert anyio.run(main, backend=backend) == ["hello"]
        client.close()
        gc.collect()  # what asyncio has to say of it, it says here


def test_a_connection_is_replaced_by_a_new_one(network: NetworkRunner) -> None:
    both = then(say(STREAM), wait_for("may end"), say(LAST_CHUNK))
    with talking(network, both, both, leave, ANSWER) as talk:
        streams = [talk.stream(), talk.stream()]
        for stream in streams:
            stream.enter()
        for number, stream in enumerate(streams):
            talk.server.peer(number).reach("may end")
            assert stream.next() is None
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 1, 1, 2]


@either_method
@either_end
@pytest.mark.parametrize("start", [b"HTTP/1.1 200", head("100 Continue"), STREAM[:-2]])
def test_a_request_that_was_answered_at_all_is_not_made_again(
    network: NetworkRunner, end: Reply, request_: Any, start: bytes
) -> None:
    received = then(say(start), wait_for("may end"), end)
    with talking(network, ANSWER, received, ANSWER) as talk:
        talk.ask()
        remote = talk.stream(request_)
        entering = remote.start_entering()
        eventually(lambda: remote.stream.stats.bytes > 0)
        talk.server.peer().reach("may end")
        with pytest.raises(ConnectionFailed):
            outcome(entering)
        assert talk.connections == [0, 0]


@either_end
def test_a_stream_that_has_begun_is_not_asked_for_again(network: NetworkRunner, end: Reply) -> None:
    begun = then(say(STREAM, *chunked(*TWO)), wait_for("may end"), end)
    with talking(network, ANSWER, begun, ANSWER) as talk:
        talk.ask()
        remote = talk.stream()
        assert [remote.next().data, remote.next().data] == ["one", "two"]
        talk.server.peer().reach("may end")
        with pytest.raises(BodyTruncated):
            remote.next()
        assert talk.connections == [0, 0]


# What is kept, and for how long.


def test_a_connection_is_kept_for_so_long(network: NetworkRunner) -> None:
    with talking(network, ANSWER, pool=PoolLimits(idle_expiry=0)) as talk:
        talk.ask()
        talk.ask()
        assert talk.connections == [0, 1]
        assert talk.server.peer().notices_the_end()


def test_so_many_connections_are_kept(network: NetworkRunner) -> None:
    held = then(say(STREAM), wait_for("may end"), say(LAST_CHUNK))
    with talking(network, held, pool=PoolLimits(max_idle=1)) as talk:
        streams = [talk.stream() for _ in range(3)]
        for stream in streams:
            stream.enter()
        for number, stream in enumerate(streams):
            talk.server.peer(number).reach("may end")
            assert stream.next() is None
        assert [talk.server.peer(number).notices_the_end() for number in range(2)] == [True, True]
        assert not talk.server.peer(2).closed


def test_closing_the_client_closes_what_is_kept(network: NetworkRunner) -> None:
    with talking(network, ANSWER) as talk:
        talk.ask()
        talk.close()
        assert talk.server.peer().notices_the_end()


@pytest.mark.parametrize("network", [THREADS, *EVENT_LOOPS], indirect=True)  # portals run until closed
def test_a_client_that_is_dropped_leaves_no_connection(network: NetworkRunner) -> None:
    with talking(network, ANSWER) as talk:
        network.call(drop_after(network), network.client(talk.server.url))
        gc.collect()
        assert talk.server.peer().notices_the_end()


def drop_after(network: NetworkRunner) -> Callable[[Any], Any]:
    """Return what reads a stream of a client, and lets go of both."""

    def use(client: Any) -> None:
        assert len(list(client.stream(events.request("/stream")))) == 2

    async def use_async(client: Any) -> None:
        assert len([chunk async for chunk in client.stream(events.request("/stream"))]) == 2

    return use_async if isinstance(network, EventLoop) else use


# Limits, and waiting for one's turn.

ONE = PoolLimits(max_connections_per_origin=1)
either_limit = pytest.mark.parametrize("pool", [ONE, PoolLimits(max_connections=1)], ids=["origin", "all"])
HELD = then(say(STREAM, *chunked(*TWO)), wait_for("may end"), say(LAST_CHUNK))


@either_limit
def test_who_comes_first_gets_a_connection_first(network: NetworkRunner, pool: PoolLimits) -> None:
    with talking(network, HELD, ANSWER, pool=pool) as talk:
        first = talk.stream()
        first.enter()
        entering: list[Any] = []
        waiting = [talk.stream(events.request(f"/{number}")) for number in range(4)]
        for number, remote in enumerate(waiting):
            entering.append(remote.start_entering())
            talk.wait_for_waiters(number + 1)
        assert talk.connections == [0]
        talk.server.peer().reach("may end")
        for remote in (first, *waiting):
            if remote is not first:
                outcome(entering.pop(0))
            assert [remote.next().data, remote.next().data, remote.next()] == ["one", "two", None]
        assert talk.connections == [0] * 5
        targets = [request.split()[1] for request in talk.requests[1:]]
        assert targets == [b"/0", b"/1", b"/2", b"/3"]


@either_limit
def test_a_stream_that_is_left_makes_room(network: NetworkRunner, pool: PoolLimits) -> None:
    with talking(network, HELD, ANSWER, pool=pool) as talk:
        first, second = talk.stream(), talk.stream()
        first.enter()
        entering = second.start_entering()
        talk.wait_for_waiters(1)
        first.leave()
        outcome(entering)
        assert second.next().data == "one"
        assert talk.connections == [0, 1]
        talk.server.peer().reach("may end")


@either_limit
def test_waiting_has_a_deadline(network: NetworkRunner, pool: PoolLimits) -> None:
    with talking(network, HELD, ANSWER, pool=pool, deadlines=Deadlines(pool=0.05)) as talk:
        first = talk.stream()
        first.enter()
        error = talk.ask().error
        assert isinstance(error, DeadlineExceeded)
        assert error.which == "pool"
        assert talk.connections == [0]
        talk.server.peer().reach("may end")
        assert [first.next().data, first.next().data, first.next()] == ["one", "two", None]
        assert talk.ask().data == ["one", "two"]
        assert talk.connections == [0, 0]


@either_limit
def test_whoever_waits_can_be_closed(network: NetworkRunner, pool: PoolLimits) -> None:
    with talking(network, HELD, ANSWER, pool=pool) as talk:
        first, second, third = talk.stream(), talk.stream(), talk.stream()
        first.enter()
        entering = [second.start_entering()]
        talk.wait_for_waiters(1)
        entering.append(third.start_entering())
        talk.wait_for_waiters(2)
        second.close()
        with pytest.raises(StreamClosed):
            outcome(entering[0])
        assert second.verdict is Verdict.CANCELLED
        talk.server.peer().reach("may end")
        assert [first.next().data, first.next().data, first.next()] == ["one", "two", None]
        outcome(entering[1])
        assert third.next().data == "one"
        assert talk.connections == [0, 0]


def close_both(first: Any, second: Any) -> None:
    first.close()
    second.close()


async def close_both_async(first: Any, second: Any) -> None:
    first.close()
    await anyio.lowlevel.checkpoint()
    second.close()


def test_whoever_was_just_given_a_place_can_be_closed(network: NetworkRunner) -> None:
    with talking(network, HELD, ANSWER, pool=ONE) as talk:
        first, second = talk.stream(), talk.stream()
        first.enter()
        entering = second.start_entering()
        talk.wait_for_waiters(1)
        close = close_both_async if isinstance(network, EventLoop) else close_both
        network.call(close, first.stream, second.stream)
        with pytest.raises(StreamClosed):
            outcome(entering)
        talk.server.peer().reach("may end")
        assert talk.ask().data == ["one", "two"]


def test_closing_the_client_ends_all_waiting(network: NetworkRunner) -> None:
    with talking(network, HELD, pool=ONE) as talk:
        first = talk.stream()
        first.enter()
        streams = [talk.stream() for _ in range(3)]
        entering = [stream.start_entering() for stream in streams]
        talk.wait_for_waiters(3)
        talk.close()
        for future in entering:
            with pytest.raises(StreamClosed):
                outcome(future)
        assert [stream.verdict for stream in (first, *streams)] == [Verdict.CANCELLED] * 4
        talk.server.peer().reach("may end")


def test_whoever_waits_can_be_cancelled(event_loop: EventLoop) -> None:
    with event_loop.running(), talking(event_loop, HELD, ANSWER, pool=ONE) as talk:
        first, second, third = talk.stream(), talk.stream(), talk.stream()
        first.enter()
        cancelled, entering = second.start_entering(), third.start_entering()
        talk.wait_for_waiters(2)
        cancelled.cancel()
        eventually(lambda: second.stream.state is State.STOPPED)
        assert second.verdict is Verdict.CANCELLED
        talk.server.peer().reach("may end")
        assert [first.next().data, first.next().data, first.next()] == ["one", "two", None]
        outcome(entering)
        assert third.next().data == "one"
        assert talk.connections == [0, 0]


def test_a_stream_that_is_closed_in_another_thread_makes_room(
    event_loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a finaliser, which runs in any thread."""
    monkeypatch.setattr(async_loop, "LOOK_AGAIN", 0.01)
    with event_loop.running(), talking(event_loop, HELD, ANSWER, pool=ONE) as talk:
        first, second = talk.stream(), talk.stream()
        first.enter()
        entering = second.start_entering()
        talk.wait_for_waiters(1)
        first.stream.close()
        outcome(entering)
        assert second.next().data == "one"
        talk.server.peer().reach("may end")


def test_an_idle_connection_makes_room_for_another_origin(network: NetworkRunner) -> None:
    with listening(says(STREAM, *chunked(*TWO), LAST_CHUNK)) as other:
        with talking(network, say(redirect(other.url)), pool=PoolLimits(max_connections=1)) as talk:
            assert talk.ask().data == ["one", "two"]
            assert talk.server.peer().notices_the_end()


def test_many_streams_share_few_connections(network: NetworkRunner) -> None:
    with talking(network, ANSWER, pool=PoolLimits(max_connections_per_origin=3)) as talk:
        reading = [
            network.start(network.read_whole, talk.client.stream(events.request("/stream")))
            for _ in range(50)
        ]
        assert [outcome(future).data for future in reading] == [["one", "two"]] * 50
        assert len(talk.server.peers) <= 3

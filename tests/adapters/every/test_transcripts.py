"""Streams are recorded on every runtime, and played again on every other, to the same end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

from sse_adapters import async_loop, sync_loop
from sse_adapters.server import ChatService, serving
from sse_adapters.testing.peers import refusing
from sse_adapters.threads import Client
from sse_adapters.transcripts import AsyncReplayClient, Recorder, ReplayClient, replay_of
from sse_core import (
    DeadlineExceeded,
    Deadlines,
    Divergence,
    Proxies,
    Proxy,
    Reconnects,
    Request,
    Retries,
    State,
    Stats,
    StreamClosed,
    Verdict,
)
from sse_core.dialects import groq
from support.runners import (
    EVENTS,
    EventLoop,
    NetworkRunner,
    Result,
    SyncMemory,
    Threads,
    outcome,
    read,
    read_async,
)
from support.servers import (
    CHUNKED,
    LAST_CHUNK,
    End,
    Peer,
    Play,
    Script,
    chunked,
    event,
    head,
    listening,
    says,
)

REQUEST = groq.chat(model="llama", messages=[{"role": "user", "content": "hello"}])
SECRET = "s3cret"
HEADERS = {"Authorization": f"Bearer {SECRET}", "x-api-key": SECRET}
DONE = event("[DONE]")
ERROR = event('{"error": {"message": "overloaded"}}')
CHUNK = event('{"choices": [{"delta": {"content": "a"}}]}')
SHORT = Deadlines(response_head=0.05, between_bytes=0.05)


def play(url: str, path: Path, request: Request[Any] = REQUEST, **options: Any) -> list[tuple[Result, Stats]]:
    """Replay one stream with threads, with asyncio and with trio."""
    found: list[tuple[Result, Stats]] = []
    with ReplayClient(url, path, **options) as client:
        stream = client.stream(request)
        found.append((read(stream), stream.stats))

    async def main() -> None:
        async with AsyncReplayClient(url, path, **options) as client:
            stream = client.stream(request)
            found.append((await read_async(stream), stream.stats))

    for backend in ("asyncio", "trio"):
        anyio.run(main, backend=backend)
    return found


def record(
    network: NetworkRunner, url: str, path: Path, request: Request[Any] = REQUEST, **options: Any
) -> tuple[Result, Stats]:
    client = network.client(url, observe=Recorder(path), **options)
    stream = client.stream(request)
    result = network.call(network.read_whole, stream)
    network.call(client.close)
    return result, stream.stats


def same_error(one: Exception | None, other: Exception | None) -> bool:
    return type(one) is type(other) and str(one) == str(other)


@pytest.mark.parametrize(
    "script",
    [
        says(head("200 OK", CHUNKED), *chunked(CHUNK, CHUNK, DONE), LAST_CHUNK),
        says(head("200 OK", "Connection: close"), CHUNK, DONE),
        says(head("429 Slow down", "Retry-After: 9"), b'{"error": {"message": "too many"}}'),
        says(head(), CHUNK, ERROR),
        says(head(), CHUNK, event("no JSON")),
        says(head(), CHUNK),
        says(head("200 OK", CHUNKED), *chunked(CHUNK)),
        says(head(), CHUNK, end=End.SILENCE),
        says(end=End.SILENCE),
        says(end=End.RESET),
        says(b"no HTTP"),
    ],
)
def test_a_replay_is_as_the_stream_was(script: Script, network: NetworkRunner, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with listening(script) as server:
        was, stats = record(network, server.url, path, headers=HEADERS, deadlines=SHORT)
    for result, replayed in play(
        server.url, path, headers={**HEADERS, "x-api-key": "other"}, deadlines=SHORT
    ):
        assert result.chunks == was.chunks
        assert result.verdict is was.verdict
        assert result.response == was.response
        assert same_error(result.error, was.error)
        assert replayed == stats
    assert SECRET not in path.read_text("utf-8")


def test_each_stream_has_a_file_of_its_own_if_anything_comes_of_it(
    network: NetworkRunner, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    with serving(ChatService(pace=0, reply="one two")) as url:
        client = network.client(url, observe=Recorder(path))
        streams = [client.stream(REQUEST) for _ in range(3)]
        network.call(network.close, streams[1])
        results = [network.call(network.read_whole, streams[number]) for number in (2, 0)]
        network.call(client.close)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run-3.jsonl", "run.jsonl"]
    with ReplayClient(url, path) as replaying:
        again = [replaying.stream(REQUEST) for _ in range(3)]
        assert [read(again[number]).chunks for number in (2, 0)] == [result.chunks for result in results]
        assert list(again[0]) == []  # once more
        with pytest.raises(FileNotFoundError):
            again[1].__enter__()
    assert again[1].verdict is Verdict.CANCELLED


def test_other_attempts_and_connections_that_are_used_again_are_played_too(
    network: NetworkRunner, tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    retries = Retries(base=0.001)
    whole = says(head("200 OK", CHUNKED), *chunked(CHUNK, DONE), LAST_CHUNK)

    def twice(peer: Peer) -> None:
        for _ in range(2):
            peer.read_request()
            peer.received.clear()
            peer.send(b"".join(whole.pieces))  # with its end, so that the connection is ready at once

    with listening(in_turn(says(head("503 No"), b"busy"), twice)) as server:
        client = network.client(server.url, observe=Recorder(path), retries=retries)
        for _ in range(2):
            assert network.call(network.read_whole, client.stream(REQUEST)).verdict is Verdict.COMPLETE
        network.call(client.close)
    with ReplayClient(server.url, path, retries=retries) as replaying:
        for attempts in (2, 1):
            stream = replaying.stream(REQUEST)
            assert read(stream).verdict is Verdict.COMPLETE
            assert stream.stats.attempts == attempts


def in_turn(*scripts: Play) -> Play:
    """Play one after the other, each for one connection."""
    left = iter(scripts)

    def play(peer: Peer) -> None:
        next(left)(peer)

    return play


def test_a_stream_that_was_left_ends_where_it_was_left(network: NetworkRunner, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with serving(ChatService(pace=0.001, reply="word " * 1000)) as url:
        client = network.client(url, observe=Recorder(path))
        stream = client.stream(REQUEST)
        network.call(network.enter, stream)
        first = network.call(network.next, stream)
        network.call(network.leave, stream)
        network.call(client.close)
    with ReplayClient(url, path) as replaying, replaying.stream(REQUEST) as again:
        assert next(again) == first
    assert again.verdict is Verdict.CANCELLED
    for result, _ in play(url, path):
        assert result.chunks[0] == first
        assert isinstance(result.error, StreamClosed)


def test_what_was_not_recorded_is_a_divergence(network: NetworkRunner, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with listening(says(head(), CHUNK, DONE)) as server:
        record(network, server.url, path)
    other = groq.chat(model="another", messages=[])
    with pytest.raises(Divergence), ReplayClient(server.url, path) as replaying:
        replaying.stream(other).__enter__()

    async def main() -> None:
        async with AsyncReplayClient(server.url, path) as replaying:
            with pytest.raises(Divergence):
                await replaying.stream(other).__aenter__()

    anyio.run(main)


@pytest.mark.parametrize("text", ["", "no JSON", "{}"])
def test_what_is_no_transcript_is_a_value_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(text)
    with pytest.raises(ValueError), ReplayClient("http://localhost", path) as client:  # noqa: PT011
        client.stream(REQUEST).__enter__()
    with pytest.raises(ValueError):  # noqa: PT011
        replay_of(path)


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes")
def test_only_its_owner_can_read_a_transcript(tmp_path: Path) -> None:
    """E4."""
    new, old = tmp_path / "new.jsonl", tmp_path / "old.jsonl"
    old.touch(0o644)
    with listening(says(head(version="1.0"), event("one"))) as server:
        for path in (new, old):
            with Client(server.url, observe=Recorder(path)) as client:
                assert read(client.stream(EVENTS)).data == ["one"]
    assert [path.stat().st_mode & 0o777 for path in (new, old)] == [0o600, 0o600]
    assert old.read_text()


def test_a_file_that_cannot_be_written_ends_the_stream(network: NetworkRunner, tmp_path: Path) -> None:
    with serving(ChatService(pace=0)) as url:
        client = network.client(url, observe=Recorder(tmp_path / "nowhere" / "run.jsonl"))
        stream = client.stream(REQUEST)
        with pytest.raises(FileNotFoundError):
            network.call(network.enter, stream)
        network.call(client.close)
    assert stream.verdict is Verdict.CANCELLED


# In real time: on a recorded clock a minute passes at once.


def recorded_in_memory(path: Path, script: Script, url: str = "http://memory", **options: Any) -> Result:
    transport = SyncMemory(script)
    client = sync_loop.Client(url, lambda: transport, observe=Recorder(path), **options)
    return read(client.stream(EVENTS))


def test_a_replay_in_real_time_waits_and_can_be_closed(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    assert isinstance(
        recorded_in_memory(path, says(head(), event("one"), end=End.SILENCE)).error, DeadlineExceeded
    )
    with (
        Threads().running() as threads,
        ReplayClient("http://memory", path, in_real_time=True) as client,
        client.stream(EVENTS) as stream,
    ):
        assert next(stream).data == "one"
        waiting = threads.start(next, stream, None)
        while stream.state is not State.STREAMING:
            time.sleep(0.001)
        stream.close()
        with pytest.raises(StreamClosed):
            outcome(waiting)


def test_a_replay_in_real_time_can_be_cancelled(event_loop: EventLoop, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    recorded_in_memory(path, says(head(), event("one"), end=End.SILENCE))

    async def main() -> None:
        async with AsyncReplayClient("http://memory", path, in_real_time=True) as client:
            async with client.stream(EVENTS) as stream:
                assert (await anext(stream)).data == "one"
                with anyio.move_on_after(0.01) as scope:
                    await anext(stream)
        assert scope.cancelled_caught
        assert stream.verdict is Verdict.CANCELLED

        async with AsyncReplayClient("http://memory", path, in_real_time=True) as client:
            async with client.stream(EVENTS) as stream, anyio.create_task_group() as tasks:
                await anext(stream)
                tasks.start_soon(closing, stream)
                with pytest.raises(StreamClosed):
                    await anext(stream)

    async def closing(stream: async_loop.Stream[Any]) -> None:
        stream.close()

    anyio.run(main, **event_loop.backend)


# Without the program.


def test_a_transcript_tells_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with listening(in_turn(says(head("503 No"), b"busy"), says(head(), CHUNK, DONE))) as server:
        with Client(
            f"{server.url}/v1?key={SECRET}", observe=Recorder(path), retries=Retries(base=0.0)
        ) as client:
            was = read(client.stream(REQUEST))
    replaying, request = replay_of(path)
    assert (request.method, request.body) == ("POST", REQUEST.body)
    assert request.path.startswith("/v1/chat/completions")
    with replaying:
        stream = replaying.stream(msgspec.structs.replace(request, dialect=groq.ChatDialect))
        assert read(stream).chunks == was.chunks
        assert stream.stats.attempts == 2


def test_a_transcript_tells_whether_the_stream_was_to_be_taken_up_again(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    request = msgspec.structs.replace(EVENTS, reconnects=Reconnects(delay=0.0))
    with listening(in_turn(says(head(), b"id: 7\n", event("one")), says(head("204 No more")))) as server:
        with Client(server.url, observe=Recorder(path)) as client:
            was = read(client.stream(request))
    replaying, request = replay_of(path)
    with replaying:
        again = read(replaying.stream(request))
    assert again.chunks == was.chunks
    assert again.verdict is was.verdict is Verdict.NO_CONTENT


def test_a_transcript_without_a_connection_tells_of_none(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with refusing() as port, Client(f"http://127.0.0.1:{port}", observe=Recorder(path)) as client:
        was = read(client.stream(REQUEST))
    replaying, request = replay_of(path)
    with replaying:
        assert same_error(read(replaying.stream(request)).error, was.error)


@pytest.mark.parametrize(
    ("url", "answers"),
    [
        ("http://memory/v1", [head(), event("one")]),
        ("https://memory/v1", [b"HTTP/1.1 200 OK\r\n\r\n", head(), event("one")]),
    ],
)
def test_a_transcript_tells_of_a_proxy(url: str, answers: list[bytes], tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    proxy = Proxy.parse(f"http://user:{SECRET}@proxy:3128")
    was = recorded_in_memory(path, says(*answers), url, proxies=Proxies(http=proxy, https=proxy))
    replaying, request = replay_of(path)
    assert request.path == "/v1/stream"
    with replaying:
        assert read(replaying.stream(request)).data == was.data == ["one"]
    assert SECRET not in path.read_text("utf-8")

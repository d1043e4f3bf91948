"""What a stream offers beside its chunks: the text alone, batches, the whole, and what is known about it."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

import sse_adapters.anyio
import sse_adapters.asyncio
from sse_adapters import threads
from sse_adapters.server import ChatService, FixedResponse, serving
from sse_core import ApiError, Message, State, Verdict
from sse_core.dialects import events, groq

ANSWER = "As you wish, and as often as you do."
CHAT: Any = groq.chat(model="any", messages=[{"role": "user", "content": "hi"}])


@pytest.fixture(scope="module")
def url() -> Any:
    with serving(ChatService(pace=0, reply=ANSWER)) as url:
        yield url


def run(main: Any) -> Any:
    return anyio.run(main)


def test_the_text_comes_without_empty_pieces(url: str) -> None:
    with threads.Client(url) as client:
        pieces = list(client.stream(CHAT).text())

    async def main() -> list[str]:
        async with sse_adapters.anyio.Client(url) as client:
            return [piece async for piece in client.stream(CHAT).text()]

    assert pieces == run(main)
    assert all(pieces) and "".join(pieces) == ANSWER


def test_batches_hold_every_chunk_once_and_none_is_empty(url: str) -> None:
    with threads.Client(url) as client:
        chunks = list(client.stream(CHAT))
        stream = client.stream(CHAT)
        first = next(stream)
        batches = list(stream.batches())

    async def main() -> list[list[Any]]:
        async with sse_adapters.anyio.Client(url) as client, client.stream(CHAT) as stream:
            return [[await anext(stream)], *[batch async for batch in stream.batches()]]

    for found in ([[first], *batches], run(main)):
        assert all(found)
        flat = [chunk.text for batch in found for chunk in batch]
        assert flat == [chunk.text for chunk in chunks]


def test_the_whole_answer_is_put_together_whatever_was_read_before(url: str) -> None:
    with threads.Client(url) as client:
        stream = client.stream(CHAT)
        next(stream)
        message = stream.final()
        assert stream.final() == message == stream.message

    async def main() -> Message:
        async with sse_adapters.anyio.Client(url) as client:
            return await client.stream(CHAT).final()

    assert run(main).text == message.text == ANSWER
    assert message.finish_reason == "stop"


def test_plain_events_make_no_whole(url: str) -> None:
    with serving(ChatService(response=FixedResponse(b"data: one\n\n"))) as recorded:
        with threads.Client(recorded) as client:
            with pytest.raises(TypeError, match="not put together"):
                client.stream(events.request()).final()

        async def main() -> None:
            async with sse_adapters.anyio.Client(recorded) as client:
                with pytest.raises(TypeError, match="not put together"):
                    await client.stream(events.request()).final()

        run(main)


def test_chunks_without_text_are_a_type_error_that_says_so() -> None:
    why = "a chunk of this stream, of type Event, has no text"
    request: Any = events.request()  # for which type checkers refuse text()
    with serving(ChatService(response=FixedResponse(b"data: one\n\n"))) as recorded:
        with threads.Client(recorded) as client, pytest.raises(TypeError, match=why):
            next(client.stream(request).text())

        async def main() -> None:
            async with sse_adapters.anyio.Client(recorded) as client:
                with pytest.raises(TypeError, match=why):
                    await anext(client.stream(request).text())

        run(main)


def test_an_error_has_what_had_come(url: str) -> None:
    body = b'data: {"choices":[{"delta":{"content":"so far"}}]}\n\ndata: {"error":{"message":"no more"}}\n\n'
    with (
        serving(ChatService(pace=0, response=FixedResponse(body))) as recorded,
        threads.Client(recorded) as client,
    ):
        stream = client.stream(CHAT)
        with pytest.raises(ApiError) as raised:
            stream.final()
    assert raised.value.partial is not None and raised.value.partial.text == "so far"
    assert stream.verdict is Verdict.ERROR_EVENT


def test_what_is_known_about_a_stream(url: str) -> None:
    with threads.Client(url) as client:
        stream = client.stream(CHAT)
        assert (stream.response, stream.rate_limits, stream.request_id) == (None, {}, None)
        assert (stream.state, stream.last_event_id, stream.stats.events) == (State.IDLE, "", 0)
        with stream:
            assert stream.response is not None and stream.request_id == stream.response.request_id
            assert stream.request_id is not None
            assert len(list(stream)) == stream.stats.events > 0
        stats = stream.stats
        assert stats.to_first_byte is not None and stats.to_first_content is not None
        assert stats.to_first_byte <= stats.to_first_content
        assert stream.state is State.STOPPED


@pytest.mark.parametrize("uvloop", [False, True])
def test_a_native_connection_may_be_dropped_in_another_thread(uvloop: bool) -> None:
    """As it happens when the garbage collector runs there."""
    if uvloop:
        pytest.importorskip("uvloop")

    async def main(url: str) -> None:
        client: Any = sse_adapters.asyncio.Client(url)
        stream = client.stream(CHAT)
        await anext(stream)
        await client.stream(CHAT).final()  # which leaves a connection in the pool
        await anyio.to_thread.run_sync(stream.close)
        await anyio.to_thread.run_sync(client.close)
        assert stream.verdict is Verdict.CANCELLED
        await anyio.lowlevel.checkpoint()

    with serving(ChatService(pace=0.01, reply=ANSWER)) as url:
        anyio.run(main, url, backend_options={"use_uvloop": uvloop})

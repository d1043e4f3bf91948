"""Coroutines that nobody schedules: whatever resumes them does so at once, `abort` among it."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from sse_adapters import async_loop
from sse_core import StreamClosed, Verdict
from support.runners import EVENTS, AsyncMemory
from support.servers import CHUNKED, chunked, event, head, says

BEGUN = says(head("200 OK", CHUNKED), *chunked(event("one")))


class Parked:
    """Awaited, it gives control back to whoever resumes the coroutine next."""

    def __await__(self) -> Generator[Parked]:
        yield self


class ResumesAtOnce(AsyncMemory):
    """Its `abort` does not return before the reader has come to its next wait, or to its end."""

    reader: Coroutine[Any, Any, None]
    aborted = False

    async def receive(self, deadline: float | None) -> bytes:
        for piece in self._pieces:
            return piece
        await Parked()
        assert self.aborted
        raise ConnectionAbortedError("aborted")

    def abort(self) -> None:
        self.aborted = True
        with pytest.raises(StreamClosed):
            self.reader.send(None)


def test_a_stream_is_closed_though_abort_resumes_its_reader_at_once() -> None:
    """B4."""
    transport = ResumesAtOnce(BEGUN)
    client = async_loop.Client("http://memory", lambda: transport)
    stream = client.stream(EVENTS)
    data: list[str] = []

    async def read() -> None:
        async for batch in stream.batches():
            data.extend(chunk.data for chunk in batch)

    transport.reader = read()
    transport.reader.send(None)
    stream.close()
    assert data == ["one"]
    assert stream.verdict is Verdict.CANCELLED
    assert transport.log[-1] == "close"

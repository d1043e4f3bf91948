"""Other people's decoders, each as a function from an iterable of bytes to an iterator of events.

They are called as their own clients call them, with as little of the client around them as
possible: no connection, and no reconnecting at the end. Score one of them with

    python -m sse_core.testing benchmarks.peers:groq
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, cast

EVENT_STREAM = {"content-type": "text/event-stream"}


class Ended(Exception):
    """The stream has ended, and a client would wait and reconnect."""


def end() -> None:
    raise Ended


def sse_core(chunks: Iterable[bytes]) -> Iterator[Any]:
    from sse_core import EventDecoder

    decoder = EventDecoder()
    for chunk in chunks:
        yield from decoder.feed(chunk)


def groq(chunks: Iterable[bytes]) -> Iterator[Any]:
    from groq._streaming import SSEDecoder

    yield from SSEDecoder().iter_bytes(iter(chunks))


def openai(chunks: Iterable[bytes]) -> Iterator[Any]:
    from openai._streaming import SSEDecoder

    yield from SSEDecoder().iter_bytes(iter(chunks))


def anthropic(chunks: Iterable[bytes]) -> Iterator[Any]:
    from anthropic._streaming import SSEDecoder

    yield from SSEDecoder().iter_bytes(iter(chunks))


def httpx_sse(chunks: Iterable[bytes]) -> Iterator[Any]:
    import httpx
    from httpx_sse import EventSource

    yield from EventSource(httpx.Response(200, headers=EVENT_STREAM, content=iter(chunks))).iter_sse()


def httpx2(chunks: Iterable[bytes]) -> Iterator[Any]:
    import httpx2

    request = httpx2.Request("GET", "http://localhost/")
    response = httpx2.Response(200, headers=EVENT_STREAM, content=iter(chunks), request=request)
    yield from httpx2.EventSource(response)


def launchdarkly_eventsource(chunks: Iterable[bytes]) -> Iterator[Any]:
    from ld_eventsource.actions import Event
    from ld_eventsource.reader import _BufferedLineReader, _SSEReader

    for item in _SSEReader(_BufferedLineReader.lines_from(chunks)).events_and_comments():
        if isinstance(item, Event):
            yield item


def sseclient_py(chunks: Iterable[bytes]) -> Iterator[Any]:
    from sseclient import SSEClient

    yield from SSEClient(iter(chunks)).events()


def requests_sse(chunks: Iterable[bytes]) -> Iterator[Any]:
    import requests
    from requests_sse import EventSource

    class Raw:
        """What requests reads a body from."""

        def stream(self, size: int, decode_content: bool) -> Iterator[bytes]:
            yield from chunks

    source = EventSource("http://localhost/", on_error=end)
    source._response = requests.Response()
    source._response.status_code = 200
    source._response.raw = Raw()
    source._data_generator = source._response.iter_lines()
    try:
        yield from source
    except Ended:
        return


def aiohttp_sse_client2(chunks: Iterable[bytes]) -> Iterator[Any]:
    import aiohttp
    from aiohttp_sse_client2.client import EventSource

    waiting = iter(chunks)

    class Connection:
        """What aiohttp's stream reader takes flow control to."""

        _reading_paused = False

        def pause_reading(self) -> None:
            self._reading_paused = True

        def resume_reading(self, **_: object) -> None:
            self._reading_paused = False

    class Reader(aiohttp.StreamReader):
        """aiohttp's own, but for whom it waits."""

        async def _wait(self, func_name: str) -> None:
            chunk = next(waiting, None)
            if chunk is None:
                self.feed_eof()
            elif chunk:
                self.feed_data(chunk)

    class Response:
        """What the client looks at."""

        status = 200

        def __init__(self, content: aiohttp.StreamReader) -> None:
            self.content = content

    async def start() -> EventSource:
        source = EventSource("http://localhost/", session=object(), on_error=end)
        source._response = Response(Reader(cast("Any", Connection()), 2**16, loop=loop))
        return source

    loop = asyncio.new_event_loop()
    try:
        source = loop.run_until_complete(start())
        while True:
            try:
                yield loop.run_until_complete(source.__anext__())
            except Ended:
                return
    finally:
        loop.close()


def urllib3_future(chunks: Iterable[bytes]) -> Iterator[Any]:
    from urllib3.contrib.webextensions.sse import ServerSideEventExtensionFromHTTP

    extension = ServerSideEventExtensionFromHTTP()
    extension._response = object()
    extension._stream = (chunk for chunk in chunks)
    while (event := extension.next_payload(raw=False)) is not None:
        yield event


PEERS = {
    "groq": groq,
    "openai": openai,
    "anthropic": anthropic,
    "httpx-sse": httpx_sse,
    "httpx2": httpx2,
    "launchdarkly-eventsource": launchdarkly_eventsource,
    "sseclient-py": sseclient_py,
    "aiohttp-sse-client2": aiohttp_sse_client2,
    "requests-sse": requests_sse,
    "urllib3-future": urllib3_future,
}
"""By the names of their distributions."""

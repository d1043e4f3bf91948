"""Every runtime reads streams that servers and proxies have compressed, event by event."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from sse_adapters.server import ChatService, serving
from sse_core import StatusError, Verdict
from sse_core.dialects import events, groq
from support.apps import behind_nginx, on_aiohttp
from support.runners import NetworkRunner
from support.servers import head, says

MESSAGES: Any = [{"role": "user", "content": "What is SSE?"}]
REPLY = "Hi, naïve ☕ reader of this: " + "one word and another " * 20


async def answer_with_aiohttp(request: web.Request) -> web.StreamResponse:
    if request.path.startswith("/refused"):
        refusal = web.json_response({"error": {"message": "no such model"}}, status=404)
        refusal.enable_compression(force=web.ContentCoding.gzip)
        return refusal
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    response.enable_compression()  # what the request accepts
    await response.prepare(request)
    for number in range(100):
        await response.write(f"data: {number}\n\n".encode())
        await asyncio.sleep(0)
    return response


@pytest.fixture(scope="module")
def aiohttp_url() -> Iterator[str]:
    with on_aiohttp(answer_with_aiohttp) as url:
        yield url


@pytest.mark.parametrize("coding", ["gzip", "deflate", None])
def test_aiohttp_compresses_if_it_is_asked_to(
    network: NetworkRunner, aiohttp_url: str, coding: str | None
) -> None:
    headers = {} if coding is None else {"Accept-Encoding": coding}
    result = network.read_url(aiohttp_url, events.request("/"), headers=headers)
    assert result.data == [str(number) for number in range(100)]
    assert (result.verdict, result.error) == (Verdict.FINISHED, None)
    assert result.response and result.response.header("content-encoding") == coding


def test_a_compressed_refusal_by_aiohttp(network: NetworkRunner, aiohttp_url: str) -> None:
    request = groq.chat(model="m", messages=MESSAGES)
    error = network.read_url(f"{aiohttp_url}/refused", request).error
    assert isinstance(error, StatusError) and error.message == "no such model"
    assert error.response and error.response.header("content-encoding") == "gzip"


OPTIONS = (
    "proxy_buffering off; proxy_http_version 1.1;"
    "gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream application/json;"
)
GZIP = {"Accept-Encoding": "gzip"}


def test_nginx_compresses_an_answer(network: NetworkRunner, tmp_path: Path) -> None:
    with serving(ChatService(pace=0, reply=REPLY)) as base_url:
        with behind_nginx(base_url, tmp_path, options=OPTIONS) as url:
            result = network.read_url(url, groq.chat(model="m", messages=MESSAGES), headers=GZIP)
            refused = network.read_url(url, groq.chat(model="m", messages=[]), headers=GZIP)
    assert "".join(chunk.text for chunk in result.chunks) == REPLY
    assert (result.verdict, result.error) == (Verdict.COMPLETE, None)
    assert result.response and result.response.header("content-encoding") == "gzip"
    assert isinstance(refused.error, StatusError) and "$.messages" in str(refused.error)
    assert refused.response and refused.response.header("content-encoding") is None  # nginx spares a 400


def test_a_chunk_comes_through_nginx_before_the_next_is_made(network: NetworkRunner, tmp_path: Path) -> None:
    with serving(ChatService(pace=60)) as base_url:
        with behind_nginx(base_url, tmp_path, options=OPTIONS) as url:
            remote = network.stream(url, groq.chat(model="m", messages=MESSAGES), headers=GZIP)
            assert remote.next().choices[0].delta.role == "assistant"  # long before there is more
            assert remote.stream.response.header("content-encoding") == "gzip"
            remote.leave()


def test_what_brings_nothing_is_decoded_in_steps_on_every_runtime(network: NetworkRunner) -> None:
    """A1: between two steps the session lets others run."""
    body = gzip.compress(b":" * 2**20 + b"\n\ndata: a\n\n")
    start = head("200 OK", "Content-Encoding: gzip", f"Content-Length: {len(body)}")
    result = network.read(says(start, body), events.request("/"))
    assert (result.data, result.verdict) == (["a"], Verdict.FINISHED)

"""One ASGI application, for servers in this process and in others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
open_streams = 0


async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """`/stream` says what was sent and two events, `/endless` goes on, `/open` says how many of those do."""
    if scope["type"] != "http":
        return
    body = (await receive()).get("body", b"")
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    match scope["path"]:
        case "/endless":
            await go_on(receive, send)
        case "/open":
            await say(send, b"data: %d\n\n" % open_streams, more=False)
        case _:
            for data in (body, b"one", b"two"):
                await say(send, b"data: %b\n\n" % data)
                await asyncio.sleep(0.001)
            await say(send, b"", more=False)


async def go_on(receive: Receive, send: Send) -> None:
    """Say something every now and then, until the client leaves."""
    global open_streams
    open_streams += 1
    leaving = asyncio.ensure_future(receive())
    try:
        while not leaving.done():
            await say(send, b"data: more\n\n")
            await asyncio.wait([leaving], timeout=0.001)
    except OSError:  # how some servers say that it has
        pass
    finally:
        leaving.cancel()
        open_streams -= 1


async def say(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})

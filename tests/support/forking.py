"""A program that forks: `python forking.py TRANSPORT URL OPENED CLOSER [CERTIFICATES]`.

It reads from a server that counts connections and says over each of them what its number is. OPENED is what
there is at the fork: an `idle` connection, or a `stream`. CLOSER is who closes its client first: the `child`
or the `parent`. Parent and child each say what they found, in a line, and end.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
import traceback
from threading import Thread
from typing import Any

from sse_core.dialects import events

EVENTS = events.request("/stream")


def run_asyncio(main: Any) -> None:
    asyncio.run(main())


def run_uvloop(main: Any) -> None:
    import uvloop

    uvloop.run(main())


def run_trio(main: Any) -> None:
    import trio

    trio.run(main)


def has_succeeded(pid: int) -> bool:
    return os.waitpid(pid, 0)[1] == 0


async def is_refused(awaitable: Any) -> str:
    try:
        await awaitable
    except RuntimeError as exc:
        return str(exc)
    return "read"


class Blocking:
    """`await` for what blocks, so that the program below is written once."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def stream(self, request: Any) -> Any:
        return Blocking(self.inner.stream(request))

    def close(self) -> None:
        self.inner.close()

    async def __anext__(self) -> Any:
        for each in self.inner:
            return each
        raise StopAsyncIteration

    def __aiter__(self) -> Blocking:
        return self


def run_blocking(main: Any) -> None:
    try:
        main().send(None)
    except StopIteration:
        return


def make(transport: str, url: str, options: dict[str, Any]) -> tuple[Any, Any]:
    match transport:
        case "threads":
            import sse_adapters.threads

            return Blocking(sse_adapters.threads.Client(url, **options)), run_blocking
        case "portal" | "portal-trio":
            import sse_adapters.portal

            backend = "trio" if transport == "portal-trio" else "asyncio"
            return Blocking(sse_adapters.portal.Client(url, backend=backend, **options)), run_blocking
        case "asyncio" | "uvloop":
            import sse_adapters.asyncio

            return sse_adapters.asyncio.Client(url, **options), globals()[f"run_{transport}"]
        case _:
            import sse_adapters.anyio

            return sse_adapters.anyio.Client(url, **options), run_trio


def say(*words: object) -> None:
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def whole(client: Any) -> list[str]:
    return [event.data async for event in client.stream(EVENTS)]


def main(transport: str, url: str, opened: str, closer: str, certificates: str | None = None) -> None:
    options: dict[str, Any] = {}
    if certificates is not None:
        options["ssl_context"] = ssl.create_default_context(cafile=certificates)
    client, run = make(transport, url, options)
    gate_in, gate_out = os.pipe()

    async def child(stream: Any) -> None:
        if stream is not None:
            say("child", await is_refused(anext(stream)))
        if closer == "child":
            say("child", *await whole(client))
            if stream is not None:
                stream.close()
            client.close()
        else:
            say("child", *await whole(client))
            os.read(gate_in, 1)  # until the parent has closed
            say("child", *await whole(client))
            client.close()

    async def parent() -> None:
        stream = None
        if opened == "stream":
            stream = aiter(client.stream(EVENTS))
            say("parent", (await anext(stream)).data)
        else:
            say("parent", *await whole(client))
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                # In a thread of its own, since trio believes to be running in this one.
                thread = Thread(target=run, args=(lambda: child(stream),))
                if transport == "trio":
                    thread.start()
                    thread.join()
                else:
                    thread.run()
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        if closer == "child":
            assert has_succeeded(pid)
        if stream is not None:
            say("parent", *[event.data async for event in stream])
        else:
            say("parent", *await whole(client))
        client.close()
        if closer == "parent":
            os.write(gate_out, b"x")
            assert has_succeeded(pid)

    run(parent)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What no client can be cheaper than: loops that receive the bytes, and one that also understands them.

Each reads the answer at a URL. Those that only receive append no text. Each imports what it needs
itself, since what a client imports is measured.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it: importing typing takes time
if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    Bodies: TypeAlias = Callable[[socket.socket], Iterator[bytes]]
    """What receives a response and gives its body, piece by piece."""

END = b"0\r\n\r\n"
IN_BULK = 2048  # bytes of a buffer
SMALL = 1024  # bytes of a chunk


def taken_apart(url: str) -> tuple[str, int, bytes]:
    """Return the host and the port of a URL, and the request that it stands for."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")
    return name, int(port), f"POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n".encode()


def connected(url: str) -> socket.socket:
    """Return a connection on which the request was sent."""
    import socket

    host, port, request = taken_apart(url)
    connection = socket.create_connection((host, port))
    connection.sendall(request)
    return connection


def received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    assert data, "the answer was cut short"
    return data


def recv(url: str, texts: list[str]) -> None:
    """The bytes are received and dropped, but for the last few: a read may cut the end in two."""
    with connected(url) as connection:
        last = b""
        while not last.endswith(END):
            last = last[-4:] + received(connection)[-5:]


def anyio_receive(url: str, texts: list[str], **options: Any) -> None:
    """The same, through a socket stream of anyio's."""
    import anyio

    async def main() -> None:
        host, port, request = taken_apart(url)
        async with await anyio.connect_tcp(host, port) as stream:
            await stream.send(request)
            last = b""
            while not last.endswith(END):
                last = last[-4:] + (await stream.receive())[-5:]  # raises an error if cut short

    anyio.run(main, **options)


async def protocol(url: str, texts: list[str]) -> None:
    """The same, in what an event loop calls."""
    import asyncio

    host, port, request = taken_apart(url)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    class Dropping(asyncio.Protocol):
        last = b""

        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            transport.write(request)

        def data_received(self, data: bytes) -> None:
            self.last = self.last[-4:] + data[-5:]
            if self.last.endswith(END):
                ended.set_result(None)
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            if not ended.done():
                ended.set_exception(exc or AssertionError("the answer was cut short"))

    await loop.create_connection(Dropping, host, port)
    await ended


def raw(url: str, texts: list[str], bodies: Bodies) -> None:
    """A socket, framing, splitting in bulk, msgspec; no deadline, no limit, no error of its own."""
    import msgspec

    from .structs import ChatCompletionChunk

    decode = msgspec.json.Decoder(ChatCompletionChunk).decode
    rest = b""
    with connected(url) as connection:
        for body in bodies(connection):
            events, rest = split(rest + body)
            for event in events:
                if event == b"[DONE]":
                    return
                texts.append(decode(event).choices[0].delta.content or "")


def in_bulk(connection: socket.socket) -> Iterator[bytes]:
    """In Python, and all the chunks of a buffer at once: exact for chunks as servers write them."""
    buffer = received(connection)
    while b"\r\n\r\n" not in buffer:
        buffer += received(connection)
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and b"Transfer-Encoding: chunked" in head
    ended = False
    while not ended:
        body, buffer, ended = unframed(buffer)
        yield body
        buffer += b"" if ended else received(connection)


def by_llhttp(connection: socket.socket) -> Iterator[bytes]:
    """That of Node.js, in C."""
    import httptools

    response = Whole()
    parser = httptools.HttpResponseParser(response)
    while not response.ended:
        parser.feed_data(received(connection))
        yield b"".join(response.body)
        response.body.clear()


class Whole:
    """What llhttp calls."""

    def __init__(self) -> None:
        self.body: list[bytes] = []
        self.on_body = self.body.append
        self.ended = False

    def on_message_complete(self) -> None:
        self.ended = True


def by_h11(connection: socket.socket) -> Iterator[bytes]:
    """h11 for every chunk."""
    import h11

    parser = h11.Connection(h11.CLIENT)
    parser.send(
        h11.Request(method="POST", target="/", headers=[("Host", "localhost"), ("Content-Length", "0")])
    )
    parser.send(h11.EndOfMessage())
    while True:
        parser.receive_data(received(connection))
        body: list[bytes] = []
        while (event := parser.next_event()) is not h11.NEED_DATA:
            if isinstance(event, h11.Data):
                body.append(event.data)
            elif isinstance(event, h11.EndOfMessage):
                yield b"".join(body)
                return
        yield b"".join(body)


def unframed(buffer: bytes) -> tuple[bytes, bytes, bool]:
    """Return what the whole chunks in a buffer carry, what is behind them, and whether the last was there.

    Exact for canonical chunks: a size in lower case without zeros before it, no extension, no
    trailer. A large buffer of small chunks is split at every CR, which is quicker than at CRLF; if
    each size is that of what follows it, then no CR was within a chunk. Else it goes chunk by chunk.
    """
    if len(buffer) >= IN_BULK and b"\r" in buffer[8:SMALL]:  # behind the first chunk
        lines = (b"\n" + buffer).split(b"\r")
        whole = (len(lines) - 1) // 2 * 2
        body = [line[1:] for line in lines[1:whole:2] if line.startswith(b"\n")]
        sizes = (b"\n%x" * len(body)) % (*map(len, body),)
        if b"".join(lines[:whole:2]) == sizes and lines[whole].startswith(b"\n"):
            if b"" in body:
                return b"".join(body[: body.index(b"")]), b"", True
            return b"".join(body), b"\r".join(lines[whole:])[1:], False
    return unframed_one_by_one(buffer)


def unframed_one_by_one(buffer: bytes) -> tuple[bytes, bytes, bool]:
    body: list[bytes] = []
    position = 0
    while (line_end := buffer.find(b"\r\n", position)) >= 0:
        size = int(buffer[position:line_end].partition(b";")[0], 16)
        start, end = line_end + 2, line_end + 2 + size
        if len(buffer) < end + 2:
            break
        assert buffer[end : end + 2] == b"\r\n"
        if not size:
            return b"".join(body), b"", True
        body.append(buffer[start:end])
        position = end + 2
    return b"".join(body), buffer[position:], False


def split(text: bytes) -> tuple[list[bytes], bytes]:
    """Return the data of the whole events in a text, and what is behind them."""
    end = text.rfind(b"\n\n") + 2
    if end < 2:
        return [], text
    block = text[:end]
    data = block[6:-2].split(b"\n\ndata: ")
    if not block.startswith(b"data: ") or b"\r" in block or block.count(b"\n") != 2 * len(data):
        fields = [event.split(b"\n") for event in block.replace(b"\r\n", b"\n").split(b"\n\n")]
        data = [
            b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:")) for lines in fields
        ]
    return data, text[end:]

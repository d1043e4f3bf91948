"""Serves many paced streams at once.

    python -m benchmarks.stream_server

Prints its port. `POST /{streams}/{events}/...` is answered with a head at once, and when so many
requests are open, with so many events for each: all in turn, `RATE` in a second, and each says
when it was sent. Connections are the client's to close.

An event takes it about as much CPU time as it takes `asyncio.Protocol`, which is a tenth of a core
for all, and that is not the client's core. `GET /cpu` tells the seconds of an event, once all are sent.
"""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress

from .answer import HEAD, chat_chunk, http_chunk
from .harness import raise_limit_of_files

RATE = 2_000
BEFORE, AFTER = http_chunk(b"data: " + chat_chunk("%017.6f").replace(b"%017.6f", b"0" * 17) + b"\n\n").split(
    b"0" * 17
)


def event() -> bytes:
    return b"%b%017.6f%b" % (BEFORE, time.monotonic(), AFTER)


class Server:
    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ, b"")
        self.streams: list[socket.socket] = []
        self.due = float("inf")  # when the next event is to be sent
        self.sent = 0
        self.events = 0  # for each stream
        self.cpu = 0.0  # when the first event was sent, and then for each

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select(min(1.0, max(0.0, self.due - time.monotonic()))):
                with suppress(OSError):  # clients may leave
                    self.accept() if key.fileobj is self.listener else self.receive(key)
            while self.due <= time.monotonic():
                self.send_next()

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self.selector.register(connection, selectors.EVENT_READ, b"")

    def receive(self, key: selectors.SelectorKey) -> None:
        connection = key.fileobj
        assert isinstance(connection, socket.socket)
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        request = key.data + data
        if not data:
            self.selector.unregister(connection)
            connection.close()
        elif b"\r\n\r\n" not in request:
            self.selector.modify(connection, selectors.EVENT_READ, request)
        else:
            self.selector.modify(connection, selectors.EVENT_READ, b"")
            if request.startswith(b"GET /cpu "):
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n%.9f" % self.cpu)
                connection.shutdown(socket.SHUT_WR)
            elif request.startswith(b"POST "):  # and not the body, where that comes later
                self.begin(connection, *map(int, request.split()[1].split(b"/")[1:3]))

    def begin(self, connection: socket.socket, streams: int, events: int) -> None:
        connection.sendall(HEAD)
        self.streams.append(connection)
        if len(self.streams) == streams:
            settling = min(1.0, streams / 100)  # seconds, for the client to have done with opening
            self.due, self.sent, self.events = time.monotonic() + settling, 0, events

    def send_next(self) -> None:
        if not self.sent:
            self.cpu = time.process_time()
        with suppress(OSError):
            self.streams[self.sent % len(self.streams)].sendall(event())
        self.sent += 1
        self.due += 1 / RATE
        if self.sent == self.events * len(self.streams):
            self.cpu = (time.process_time() - self.cpu) / self.sent
            self.streams, self.due = [], float("inf")


def main() -> None:
    raise_limit_of_files()
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        print(listener.getsockname()[1], flush=True)
        Server(listener).run()


if __name__ == "__main__":
    main()

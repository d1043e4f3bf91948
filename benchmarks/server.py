"""A server much cheaper than any client: it sends bytes that were made beforehand.

    python -m benchmarks.server

Prints its port. The path of a request says how the answer comes: `/64/...` for 64 events
in a write, `/1/...` for one, `/paced/...` for one every millisecond.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from .decoders import EVENTS, chat_chunk

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
PACED_EVENTS = 2_000
PACE = 0.001  # seconds


def http_chunk(number: int) -> bytes:
    event = b"data: " + chat_chunk(number) + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(event), event)


def serve(connection: socket.socket, chunks: list[bytes]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    with connection, suppress(OSError):  # clients may leave
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
        mode = request.split(b"/", 2)[1].decode()
        connection.sendall(HEAD)
        if mode == "paced":
            for chunk in chunks[:PACED_EVENTS]:
                connection.sendall(chunk)
                time.sleep(PACE)
        else:
            size = int(mode)
            for at in range(0, len(chunks), size):
                connection.sendall(b"".join(chunks[at : at + size]))
        connection.sendall(LAST)
        connection.settimeout(5)
        connection.recv(65536)  # the client leaves first


def main() -> None:
    chunks = [http_chunk(number) for number in range(EVENTS)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, chunks), daemon=True).start()


if __name__ == "__main__":
    main()

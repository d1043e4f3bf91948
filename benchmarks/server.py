"""A server as cheap as can be: it sends bytes made beforehand. Paced, it wakes up as often as a client.

    python -m benchmarks.server

Prints its port. The path of a request says how the answer comes: `/64/...` for 64 events in a
write, `/1/...` for one, `/coalesced/...` in HTTP chunks of 16 KiB, `/paced/...` for one every
500 us, `/first/...` for one and no more; `/cpu` tells the seconds of CPU time that it took so far.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from .answer import DONE, END, EVENTS, HEAD, PACED_EVENTS, events, http_chunk

PACE = 0.0005  # seconds
COALESCED = 16 * 1024


def writes() -> dict[str, list[bytes]]:
    """What is sent for each mode, write by write."""
    single = events(EVENTS)
    chunks = [*map(http_chunk, single), DONE]
    body = b"".join([*single, b"data: [DONE]\n\n"])
    return {
        "64": [b"".join(chunks[at : at + 64]) for at in range(0, len(chunks), 64)],
        "1": chunks,
        "coalesced": [http_chunk(body[at : at + COALESCED]) for at in range(0, len(body), COALESCED)],
        "paced": [*chunks[:PACED_EVENTS], DONE],
        "first": [chunks[0], DONE],
    }


def serve(connection: socket.socket, answers: dict[str, list[bytes]]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    with connection, suppress(OSError):  # clients may leave
        request = b""
        while b"\r\n\r\n" not in request:
            received = connection.recv(65536)
            if not received:
                return
            request += received
        mode = request.split()[1].split(b"/")[1].decode()
        if mode == "cpu":
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n%f" % time.process_time())
            return
        connection.sendall(HEAD)
        for data in answers[mode]:
            connection.sendall(data)
            if mode == "paced":
                time.sleep(PACE)
        connection.sendall(END)
        connection.settimeout(5)
        connection.recv(65536)  # the client leaves first


def main() -> None:
    answers = writes()
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, answers), daemon=True).start()


if __name__ == "__main__":
    main()

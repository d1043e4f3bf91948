"""The server of Parley, a provider that there is not: what docs/sdk.md writes an SDK for."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

USES = 2
"""How many requests a token is good for."""
NEWS = ("dawn", "noon", "dusk")


class Parley(BaseHTTPRequestHandler):
    """Answers questions of who has a token; `/tokens` gives one for a key."""

    protocol_version = "HTTP/1.1"

    @property
    def _tokens(self) -> list[int]:
        return cast("ParleyServer", self.server).tokens

    def do_POST(self) -> None:
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v1/tokens":
            self._give_token(fields["key"])
        elif self.path == "/v1/answers" and self._is_authorized():
            self._answer(fields["question"], streamed=fields.get("stream", False))

    def do_GET(self) -> None:
        if self.path == "/v1/news" and self._is_authorized():
            self._tell_news(self.headers["Last-Event-ID"] or "0")
        elif self.path == "/v1/retries":
            count = self.headers["X-Retry-Count"]
            if int(count) < 2:
                self._send_json(503, {"reason": "busy"})
            else:
                self._send(200, "text/event-stream", f"data: {count} retries\n\n".encode())

    def _give_token(self, key: str) -> None:
        if key != "a key":
            return self._send_json(403, {"reason": "nobody has this key", "code": "unknown_key"})
        self._tokens.append(USES)
        return self._send_json(200, {"token": f"t{len(self._tokens)}"})

    def _is_authorized(self) -> bool:
        token = int(self.headers["Authorization"].removeprefix("Bearer t")) - 1
        self._tokens[token] -= 1
        good = self._tokens[token] >= 0
        if not good:
            self._send_json(401, {"reason": "this token is used up"})
        return good

    def _answer(self, question: str, *, streamed: bool) -> None:
        if question == "again?":
            self._send_json(429, {"reason": "ask later", "code": "slow_down"})
        elif not streamed:
            self._send_json(200, {"text": "It depends.", "words": 2})
        elif question == "why?":
            self._send_events(("message", {"text": "Bec"}), ("problem", {"reason": "lost the thread"}))
        else:
            pieces = (("message", {"text": text}) for text in ("It ", "de", "pends."))
            self._send_events(*pieces, ("done", {}))

    def _tell_news(self, last: str) -> None:
        number = int(last)
        if number == len(NEWS):
            return self._send(204, "text/plain", b"")
        return self._send(200, "text/event-stream", f"id: {number + 1}\ndata: {NEWS[number]}\n\n".encode())

    def _send_events(self, *events: tuple[str, dict[str, str]]) -> None:
        body = "".join(f"event: {kind}\ndata: {json.dumps(data)}\n\n" for kind, data in events)
        self._send(200, "text/event-stream", body.encode())

    def _send_json(self, status: int, value: object) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


class ParleyServer(ThreadingHTTPServer):
    """Remembers how many requests each token is still good for."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over clients that leave."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Parley)
        self.tokens: list[int] = []


@contextmanager
def parley() -> Generator[str]:
    """Serve Parley until the end of the block; the value is its base URL."""
    with ParleyServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()

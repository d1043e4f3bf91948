"""Ring 2: one HTTP/1.1 request and its response. The only module that imports h11.

h11 is the authority on the grammar of RFC 9112. This module adds what it leaves open:
which versions are answers to us, how many interim responses are too many, and an error
of ours for each way to fail. Nothing is lost to an error: `Exchange.receive` returns
what came before it, and `Exchange.error` says what it was.

Chunks of the common form take a short way around h11, in `_chunks.py`. Setting
`Exchange._short_way` to return None switches that off.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import h11

from ._chunks import CanonicalChunks
from ._errors import BodyTruncated, ConnectionFailed, ProtocolError, StreamError


@dataclass(frozen=True, slots=True)
class Response:
    """The head of a response. Header names are lower case; values are decoded as ISO-8859-1."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    http_version: str = "1.1"

    def header(self, name: str) -> str | None:
        """The value of a header field, its lines joined by commas (RFC 9110, 5.3), or None."""
        name = name.lower()
        values = [value for key, value in self.headers if key == name]
        return ", ".join(values) if values else None


class Exchange:
    """Sends one request and receives its response.

    `target` is the request target (RFC 9112, 3.2), `headers` the whole header section
    but for the Content-Length of `body`, which is added here. `max_head_size` limits
    the response head, in bytes.

    Raises ValueError for a request that HTTP cannot carry. The message shows no header
    value, for it might be a credential.
    """

    def __init__(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes = b"",
        *,
        max_head_size: int = 64 * 1024,
    ) -> None:
        self.response: Response | None = None
        """The head of the response, once it is complete."""
        self.ended = False
        """Whether the body has come to the end that its framing announced (RFC 9112, 6.3)."""
        self.error: StreamError | None = None
        """Why nothing more can be received, where that is not the end of the body."""
        self._method = method
        self._max_head_size = max_head_size
        self._head_size = 0
        self._head_end = b""  # the last two bytes of an unfinished head: a blank line may begin there
        self._interim_responses = 0
        self._chunks: CanonicalChunks | None = None
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=max_head_size)
        self._to_send = self._serialise(method, target, headers, body)

    def data_to_send(self) -> bytes:
        """Return the whole request the first time, and nothing after that."""
        data, self._to_send = self._to_send, b""
        return data

    def receive(self, data: bytes) -> bytes:
        """Return the part of the body that these bytes bring; `b""` says that the peer has ended.

        Look at `response`, `ended` and `error` afterwards. Once `ended` or `error` is
        set, further bytes are ignored.
        """
        if self.ended or self.error is not None:
            return b""
        body: list[bytes] = []
        try:
            if not data:
                self._receive_end(body)
            elif self._chunks is not None:
                self._receive_chunks(self._chunks, data, body)
            elif self.response is None:
                self._receive_head(data, body)
            else:
                self._receive(data, body)
        except ProtocolError as exc:
            self.error = exc
        except h11.RemoteProtocolError as exc:
            self.error = ProtocolError(str(exc)) if data else self._truncated(exc)
        if self.error is not None:
            self.error.response = self.response
        return b"".join(body)

    def _receive_head(self, data: bytes, body: list[bytes]) -> None:
        """Give h11 one response head, interim ones before it, and leave what follows for the body."""
        while data and self.response is None:
            before = self._head_end
            blank_line = BLANK_LINE.search(before + data)
            end = blank_line.end() - len(before) if blank_line else len(data)
            self._head_end = b"" if blank_line else (before + data)[-2:]
            self._head_size += end
            if self._head_size > self._max_head_size:
                raise ProtocolError(f"the response head is larger than {self._max_head_size} bytes")
            self._receive(data[:end], body)
            data = data[end:]
        if data:
            body.append(self.receive(data))

    def _receive_chunks(self, chunks: CanonicalChunks, data: bytes, body: list[bytes]) -> None:
        """Take the short way as far as it goes."""
        rest = chunks.slice(data, body)
        if rest:
            self._chunks = None
            self._receive(rest, body)

    def _receive_end(self, body: list[bytes]) -> None:
        if self._chunks is not None and self._chunks.begun:
            self._connection.receive_data(self._chunks.begun)
        self._receive(b"", body)

    def _receive(self, data: bytes, body: list[bytes]) -> None:
        self._connection.receive_data(data)
        while self._next_event(body):
            pass

    def _next_event(self, body: list[bytes]) -> bool:
        """Take one event from h11; return whether there may be another."""
        match self._connection.next_event():
            case h11.Data() as event:
                body.append(event.data)
            case h11.Response() as event:
                self.response = read_head(event)
                self._chunks = self._short_way(self.response)
            case h11.InformationalResponse() as event:
                self._count_interim(event)
            case h11.EndOfMessage():
                self.ended = True
                return False
            case _:  # NEED_DATA; PAUSED and ConnectionClosed come only behind the end
                return False
        return True

    def _count_interim(self, event: h11.InformationalResponse) -> None:
        read_head(event)
        self._interim_responses += 1
        if self._interim_responses > MAX_INTERIM_RESPONSES:
            raise h11.RemoteProtocolError(f"more than {MAX_INTERIM_RESPONSES} interim responses")

    def _short_way(self, response: Response) -> CanonicalChunks | None:
        """Return what takes a body's chunks; None leaves everything to h11."""
        without_body = response.status in (204, 304) or self._method in ("HEAD", "CONNECT")  # RFC 9112, 6.3
        if without_body or response.header("transfer-encoding") is None:
            return None
        return CanonicalChunks()

    def _truncated(self, cause: h11.RemoteProtocolError) -> StreamError:
        if self.response is None:
            return ConnectionFailed("the connection ended before the response head was complete")
        if self._chunks is not None and self._chunks.missing:
            return BodyTruncated(
                f"the connection ended {self._chunks.missing} bytes before the end of a chunk"
            )
        return BodyTruncated(str(cause))

    def _serialise(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
        fields = list(headers)
        if any(name.lower() in FRAMING for name, _ in fields):
            raise ValueError("Content-Length and Transfer-Encoding are not the caller's to set")
        if body or method in ("POST", "PUT", "PATCH"):  # RFC 9110, 8.6
            fields.append(("Content-Length", str(len(body))))
        try:
            head = self._connection.send(h11.Request(method=method, target=target, headers=fields))
        except (h11.LocalProtocolError, UnicodeEncodeError) as exc:
            reason = str(exc)
            if "header value" in reason or isinstance(exc, UnicodeEncodeError):
                reason = "a header value has characters that are not allowed"
            raise ValueError(f"HTTP/1.1 cannot carry this request: {reason}") from None
        return head + self._connection.send(h11.Data(data=body)) + self._connection.send(h11.EndOfMessage())


def read_head(event: h11.Response | h11.InformationalResponse) -> Response:
    if event.http_version not in VERSIONS:
        raise h11.RemoteProtocolError(f"HTTP version {event.http_version!r} is neither 1.0 nor 1.1")
    return Response(
        status=event.status_code,
        reason=event.reason.decode("latin-1"),
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers),
        http_version=event.http_version.decode("ascii"),
    )


BLANK_LINE = re.compile(rb"\n\r?\n")  # what h11 takes for the end of a head
VERSIONS = (b"1.0", b"1.1")
FRAMING = ("content-length", "transfer-encoding")
MAX_INTERIM_RESPONSES = 16

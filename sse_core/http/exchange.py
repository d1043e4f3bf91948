"""Ring 2: one HTTP/1.1 request and its response. The only module that imports h11.

h11 is the authority on the grammar of RFC 9112. This module adds what h11 leaves open: to say at
once what can be no response (`heads.py`), which well-formed heads are refused all the same
(`head_fault`), how many interim responses are too many, and an error of ours for each way to fail.
Nothing is lost to an error: `Exchange.receive` returns what came before it, and `Exchange.error` says
what it was.

Ordinary bodies are framed without h11, in `chunked.py`. Setting `Exchange._fast_framing` to return
None switches that off. The h11 object is dropped behind the head, to save memory for each stream, and
rebuilt only for trailers and odd framing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import h11

from ..checks import as_pairs, check_type
from ..errors import BodyTruncated, ConnectionFailed, ProtocolError, StreamError
from .chunked import ChunkedFraming, LengthFraming
from .heads import WHOLE_HEAD, HeadScanner
from .response import Response


class Exchange:
    """Sends one request and receives its response.

    `target` is the request target (RFC 9112, 3.2). `headers` is the whole header section except the
    Content-Length of `body`, which is added here. `max_head_size` limits the response head, in bytes,
    `max_header_fields` its fields, and trailer fields likewise, and `max_interim_responses` the 1xx
    responses before the final one.

    Raises ValueError for a request that HTTP/1.1 cannot carry. The message shows no header value,
    since that might be a credential.
    """

    __slots__ = (
        "_connection", "_framing", "_h11_keep_alive", "_head", "_head_size", "_interim_responses",
        "_max_head_size", "_max_header_fields", "_max_interim_responses", "_method", "_received",
        "_scanner", "_to_send", "ended", "error", "excess_data", "response",
    )  # fmt: skip

    def __init__(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes = b"",
        *,
        max_head_size: int = 64 * 1024,
        max_header_fields: int = 500,
        max_interim_responses: int = 16,
    ) -> None:
        self.response: Response | None = None
        """The head of the response, once it is complete."""
        self.ended: bool = False
        """Whether the body is complete, by its framing (RFC 9112, 6.3)."""
        self.excess_data: bool = False
        """Whether bytes came behind that end. They answer no request, and must not pass for a response."""
        self.error: StreamError | None = None
        """Why nothing more can be received, unless it is because the body has ended."""
        self._method = method
        self._max_head_size = max_head_size
        self._max_header_fields = max_header_fields
        self._max_interim_responses = max_interim_responses
        self._interim_responses = 0
        self._head_size = 0
        self._scanner: HeadScanner | None = None
        """Checks a head that comes in pieces."""
        self._head = bytearray()
        """The bytes so far of the response head, or interim head, that is being received."""
        self._received = 0
        """Bytes that h11 has seen of an unfinished chunk, or of a body without chunks."""
        self._framing: ChunkedFraming | LengthFraming | None = None
        """Parses the body; None before the head is complete, and where h11 has to."""
        self._connection: h11.Connection | None = None
        self._h11_keep_alive = False
        """Whether the connection may be used again, as far as h11 can tell from the head."""
        self._to_send = self._serialise(method, target, headers, body)

    @property
    def keep_alive(self) -> bool:
        """Whether the connection may be used again after this response (RFC 9112, 9.3)."""
        if self.response is None or self.error is not None or self.excess_data:
            return False
        framed = {"content-length", "transfer-encoding"} & {name for name, _ in self.response.headers}
        without_body = self._method == "HEAD" or self.response.status in (204, 304)
        return bool(framed or without_body) and self._h11_keep_alive

    def data_to_send(self) -> bytes:
        """Return the whole request the first time, and nothing after that."""
        data, self._to_send = self._to_send, b""
        return data

    def receive(self, data: bytes) -> bytes:
        """Return the body bytes in `data`, without their framing; `b""` says that the peer has ended.

        Look at `response`, `ended` and `error` afterwards. Once one of the latter is set, further
        bytes change nothing but `excess_data`.
        """
        if self.ended or self.error is not None:
            self.excess_data = self.excess_data or (self.ended and bool(data))
            return b""
        if self._framing is not None and (content := self._framing.take_single(data)):
            return content
        body: list[bytes] = []
        try:
            if data and self._framing is not None:
                rest = self._framing.feed(data, body)
                if self._framing.ended:
                    self.ended, self.excess_data = True, bool(rest)
                elif rest:
                    self._receive(rest, body)
            elif data and self.response is None:
                self._receive_head(data, body)
            else:
                self._receive(data, body)
        except ProtocolError as exc:
            self.error = exc
        except h11.RemoteProtocolError as exc:
            self.error = self._protocol_error(exc) if data else self._truncated_error()
        if self.error is not None:
            self.error.response = self.response
        return b"".join(body)

    def _receive_head(self, data: bytes, body: list[bytes]) -> None:
        """Give h11 one head at a time, up to the final response's; what follows belongs to the body."""
        while data and self.response is None:
            before = len(self._head)
            blank_line = BLANK_LINE.search(self._head[-2:] + data)
            end = blank_line.end() - min(before, 2) if blank_line else len(data)
            self._head += data[:end]
            self._head_size += end
            if self._head_size > self._max_head_size:
                raise ProtocolError(f"the response head is larger than {self._max_head_size} bytes")
            if before or not WHOLE_HEAD.fullmatch(data, 0, end):
                self._scanner = self._scanner or HeadScanner(status_line=True)
                self._scanner.feed(data[:end])
            self._receive(data[:end], body)
            data = data[end:]
            if blank_line:
                self._head.clear()
                self._scanner = None
        if self.response is not None:
            del self._head  # a stream may live for long, and needs it no more
        if self._framing is not None:
            self._connection = None
        if data:
            body.append(self.receive(data))

    def _receive(self, data: bytes, body: list[bytes]) -> None:
        if self._connection is None:
            assert self.response is not None  # h11 is dropped behind the head
            self._connection = h11_at_body(self._method, self.response, self._max_head_size)
        self._connection.receive_data(data)
        while self._next_event(self._connection, body):
            pass

    def _next_event(self, connection: h11.Connection, body: list[bytes]) -> bool:
        """Take one event from h11; return whether there may be another."""
        match connection.next_event():
            case h11.Data() as event:
                body.append(event.data)
                self._received = 0 if event.chunk_end else self._received + len(event.data)
            case h11.Response() as event:
                self.response = self._read_head(event)
                self._h11_keep_alive = connection.our_state is h11.DONE
                if self._opens_tunnel(event):
                    self.ended = True
                    return False
                self._framing = self._fast_framing(self.response)
            case h11.InformationalResponse() as event:
                self._read_head(event)
                self._count_interim()
            case h11.EndOfMessage() as event:
                if len(event.headers) > self._max_header_fields:
                    raise ProtocolError(f"more than {self._max_header_fields} trailer fields")
                self._end(len(connection.trailing_data[0]))
                return False
            case _:  # NEED_DATA; PAUSED and ConnectionClosed come only behind the end
                return False
        return True

    def _end(self, behind: int) -> None:
        """The body has ended, with `behind` bytes after it."""
        framing = self._framing
        trailers = (framing.given_to_h11 or 0) - behind if isinstance(framing, ChunkedFraming) else 0
        if trailers > self._max_head_size:
            raise ProtocolError(TOO_LARGE.format(self._max_head_size))
        self.ended, self.excess_data = True, behind > 0

    def _read_head(self, event: h11.Response | h11.InformationalResponse) -> Response:
        fault = head_fault(event, bytes(self._head), framed=not self._opens_tunnel(event))
        if fault is not None:
            raise ProtocolError(fault)
        if len(event.headers) > self._max_header_fields:  # RFC 9110, 5.4
            raise ProtocolError(f"more than {self._max_header_fields} header fields")
        return Response(
            status=event.status_code,
            reason=event.reason.decode("latin-1"),
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers),
            http_version=event.http_version.decode("ascii"),
        )

    def _opens_tunnel(self, event: h11.Response | h11.InformationalResponse) -> bool:
        """Whether this head turns the connection into a tunnel, whatever its fields say (RFC 9110, 9.3.6)."""
        return self._method == "CONNECT" and 200 <= event.status_code < 300

    def _count_interim(self) -> None:
        self._interim_responses += 1
        if self._interim_responses > self._max_interim_responses:
            raise ProtocolError(f"more than {self._max_interim_responses} interim responses")

    def _fast_framing(self, response: Response) -> ChunkedFraming | LengthFraming | None:
        """Choose the parser for the body (RFC 9112, 6.3); None leaves it to h11."""
        if response.status in (204, 304) or self._method == "HEAD":
            return None
        if response.header("transfer-encoding") is not None:
            return ChunkedFraming(self._max_head_size)
        length = response.header("content-length")
        return LengthFraming(None if length is None else int(length))

    def _protocol_error(self, cause: h11.RemoteProtocolError) -> ProtocolError:
        """Return the error in h11's words, shortened: h11 quotes the line that it complains of."""
        message = str(cause).replace("illegal request line", "illegal status line")
        if cause.error_status_hint == 431:  # the size of the head is checked here, before h11 can
            message = TOO_LARGE.format(self._max_head_size)
        return ProtocolError(message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 3] + "...")

    def _truncated_error(self) -> StreamError:
        """Return the error that says what was missing when the connection ended."""
        if self.response is None:
            return ConnectionFailed("the connection ended before the response head was complete")
        missing = self._framing.missing if self._framing is not None else None
        length = self.response.header("content-length")
        if length is not None:
            missing = int(length) - self._received if missing is None else missing
            return BodyTruncated(
                f"the connection ended with {missing} of the body's {int(length)} bytes missing"
            )
        if missing:
            return BodyTruncated(f"the connection ended {missing} bytes before the end of a chunk")
        if self._received:
            return BodyTruncated(f"the connection ended {self._received} bytes into a chunk, before its end")
        return BodyTruncated("the connection ended before the last chunk and the blank line behind it")

    def _serialise(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
        check_type("method", method, str, "a str")
        check_type("target", target, str, "a str")
        check_type("body", body, bytes, "bytes")
        fields = list(as_pairs("headers", headers))
        if method != "CONNECT" and not target.startswith(TARGET_STARTS):
            raise ValueError("HTTP/1.1 cannot carry this request: the target is neither a path nor a URL")
        if any(name.lower() in FRAMING for name, _ in fields):
            raise ValueError("Content-Length and Transfer-Encoding are not the caller's to set")
        if body or method in ("POST", "PUT", "PATCH"):  # RFC 9110, 8.6
            fields.append(("Content-Length", str(len(body))))
        try:
            encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in fields]
            self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._max_head_size)
            head = self._connection.send(h11.Request(method=method, target=target, headers=encoded))
        except (h11.LocalProtocolError, UnicodeEncodeError) as exc:
            reason = str(exc)
            if "header value" in reason or isinstance(exc, UnicodeEncodeError):
                reason = "a header value has characters that are not allowed"
            raise ValueError(f"HTTP/1.1 cannot carry this request: {reason}") from None
        return head + self._connection.send(h11.Data(data=body)) + self._connection.send(h11.EndOfMessage())


def h11_at_body(method: str, response: Response, max_head_size: int) -> h11.Connection:
    """Return a new h11 connection, in the state behind the head of this response."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=max_head_size)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "")]))
    connection.send(h11.EndOfMessage())
    framing = [f"{name}: {value}" for name, value in response.headers if name in FRAMING]
    head = [f"HTTP/{response.http_version} {response.status}", *framing, "", ""]
    connection.receive_data("\r\n".join(head).encode("latin-1"))
    connection.next_event()
    return connection


def head_fault(
    event: h11.Response | h11.InformationalResponse, head: bytes, *, framed: bool = True
) -> str | None:
    """Return what is wrong with a head whose grammar h11 accepts, or None.

    `event` is what h11 made of `head`. h11 merges repeated lengths, so the lines of the head are
    examined. Without `framed`, fields about framing mean nothing, and are not checked.
    """
    lines = OBS_FOLD.sub(b" ", head).split(b"\n")[1:-2]
    lengths = [line for line in lines if framed and line.lower().startswith(b"content-length:")]
    in_chunks = framed and any(name == b"transfer-encoding" for name, _ in event.headers)
    version = event.http_version.decode("ascii")
    rules = (
        # RFC 9112, 6.1: the framing is faulty, for HTTP/1.0 has no transfer codings.
        (in_chunks and version == "1.0", "Transfer-Encoding in an HTTP/1.0 response"),
        # RFC 9112, 6.3: may be response splitting, and ought to be handled as an error.
        (in_chunks and lengths, "both Transfer-Encoding and Content-Length"),
        # RFC 9110, 8.6: may be rejected even if they agree.
        (len(lengths) > 1, "more than one Content-Length"),
        (any(b"," in line for line in lengths), "a list for a Content-Length"),
    )
    return next((fault for broken, fault in rules if broken), None)


BLANK_LINE = re.compile(rb"\n\r?\n")  # where h11 lets a head end
OBS_FOLD = re.compile(rb"\r?\n[ \t]+")  # RFC 9112, 5.2: to be replaced by spaces, as h11 does
TARGET_STARTS = ("/", "http://", "https://", "*")
"""How each form of a request target begins (RFC 9112, 3.2), but for that of CONNECT."""
FRAMING = ("content-length", "transfer-encoding")
MAX_MESSAGE = 100
TOO_LARGE = "a chunk-size line or the trailers are larger than {} bytes"

"""A small HTTP/1.1 server that answers chat requests as Groq does, streamed or whole.

What it is: something real to talk to when there is no network, no key and no budget. It
is for demonstrations, for tests and for developing offline, and any client that can be
given a base URL can read it.

    with serving(ChatService(pace=0.02)) as base_url:
        client = groq.Groq(base_url=base_url.removesuffix("/openai/v1"), api_key="any")

What it is not: a model, and a server for production. It has no TLS, no authentication,
and no limit on how many clients it keeps or for how long. Every key is accepted, and
every model's name.

It runs on asyncio and on trio. `serve` is for callers with an event loop of their own,
`serving` for those without.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.client import responses as phrases

import anyio
import anyio.abc
import h11
from anyio.from_thread import start_blocking_portal

from .replies import ChatRequest, Context, FixedResponse, Reply, WriteReply, answer, explain, refuse, repeat


@dataclass
class ServerStats:
    """What a server has done so far. Written by the server; read it from any thread."""

    requests: int = 0
    """Requests answered, whatever the answer."""
    chunks_sent: int = 0
    """Events of streamed replies handed to the network, `[DONE]` among them."""
    open_connections: int = 0


@dataclass(frozen=True)
class ChatService:
    """What to answer, and how fast. One service makes one server: it keeps its record."""

    pace: float = 0.02
    """Seconds between the chunks of a streamed reply; 0 is as fast as it goes."""
    reply: str | WriteReply = explain
    """The text of every reply, or a function of the request and the choice's index.

    It runs on the event loop. Whatever it raises is logged and answered with 500.
    """
    response: FixedResponse | None = None
    """If set, the answer to every request, in place of a generated one."""
    clock: Callable[[], float] = time.time
    """Tells when a reply was created, in Unix seconds."""
    stats: ServerStats = field(default_factory=ServerStats, compare=False)

    def write(self, request: ChatRequest, index: int) -> str:
        """The text of the choice with this index."""
        return self.reply if isinstance(self.reply, str) else self.reply(request, index)


async def serve(
    service: ChatService,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    task_status: anyio.abc.TaskStatus[str] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled, and then drop every connection at once.

    Port 0 lets the system choose. The task's status is the base URL, such as
    `http://127.0.0.1:41234/openai/v1`, once connections are accepted. Raises OSError
    if it cannot listen there.
    """
    async with await anyio.create_tcp_listener(local_host=host, local_port=port) as listener:
        bound: int = listener.extra(anyio.abc.SocketAttribute.local_port)
        authority = f"[{host}]:{bound}" if ":" in host else f"{host}:{bound}"
        task_status.started(f"http://{authority}/openai/v1")
        await listener.serve(partial(_handle, service))


@contextmanager
def serving(
    service: ChatService | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Generator[str, None, None]:
    """Serve from a background thread for the length of a `with`; it gives the base URL.

    On leaving, connections that are still open are dropped. Raises OSError if it cannot
    listen there.
    """
    run = partial(serve, service or ChatService(), host=host, port=port)
    with start_blocking_portal() as portal:
        running, base_url = portal.start_task(run)
        try:
            yield base_url
        finally:
            running.cancel()


async def _handle(service: ChatService, stream: anyio.abc.SocketStream) -> None:
    """One connection from beginning to end. Nothing but cancellation gets out."""
    service.stats.open_connections += 1
    try:
        async with stream:
            # A client may leave at any moment, and owes nobody an explanation.
            with suppress(anyio.BrokenResourceError):
                await _Connection(service, stream).run()
    finally:
        service.stats.open_connections -= 1


class _Connection:
    """The server's half of HTTP/1.1 on one stream: request, reply, and again."""

    def __init__(self, service: ChatService, stream: anyio.abc.SocketStream) -> None:
        self._service = service
        self._stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._method = b""

    async def run(self) -> None:
        """Answer requests until either side has had enough; then close with care."""
        try:
            while isinstance(request := await self._next_event(), h11.Request):
                self._method = request.method
                await self._answer(request, await self._body(request))
                if self._http.our_state is not h11.DONE:
                    break
                self._http.start_next_cycle()
                self._method = b""
        except h11.RemoteProtocolError as error:
            await self._refuse(HTTPStatus(error.error_status_hint), str(error))
        except anyio.BrokenResourceError:
            raise
        except Exception:
            logger.exception("the reply to a request failed")
            await self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")
        await self._linger()

    async def _next_event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(CONTINUE)
            try:
                data = await self._stream.receive()
            except anyio.EndOfStream:
                data = b""  # h11 knows whether the client may leave here
            self._http.receive_data(data)
        return event

    async def _body(self, request: h11.Request) -> bytes:
        declared = int(dict(request.headers).get(b"content-length", b"0"))
        body = bytearray()
        while declared <= BODY_LIMIT and len(body) <= BODY_LIMIT:
            match await self._next_event():
                case h11.Data(data=data):
                    body += data
                case _:
                    return bytes(body)
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        raise h11.RemoteProtocolError(f"The body exceeds {BODY_LIMIT} bytes.", status)

    async def _answer(self, request: h11.Request, body: bytes) -> None:
        if self._service.response is not None:
            reply = repeat(self._service.response)
        else:
            method, target = request.method.decode(), request.target.decode()
            reply = answer(method, target, body, self._context())
        await self._send_reply(reply)

    async def _refuse(self, status: HTTPStatus, message: str) -> None:
        """Say what went wrong and close, unless a reply is already under way."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            close = ("Connection", "close")
            await self._send_reply(refuse(self._context(), status, message, close))

    def _context(self) -> Context:
        service = self._service
        number = service.stats.requests + 1
        return Context(number, int(service.clock()), service.pace, service.write)

    async def _send_reply(self, reply: Reply) -> None:
        self._service.stats.requests += 1
        match reply.body:
            case bytes(body):
                await self._send_head(reply, ("Content-Length", str(len(body))))
                if self._method != b"HEAD":
                    await self._send(h11.Data(body))
                await self._send(h11.EndOfMessage())
            case events:
                await self._stream_events(reply, events)

    async def _stream_events(self, reply: Reply, events: Sequence[bytes]) -> None:
        """Send each event as one chunk at the service's pace, while the client stays."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch, group.cancel_scope)
            # Caught within the group, which would wrap it.
            with suppress(anyio.BrokenResourceError):
                await self._send_head(reply, ("Transfer-Encoding", "chunked"))
                for position, event in enumerate(events):
                    if position:
                        await anyio.sleep(self._service.pace)
                    await self._send(h11.Data(event))
                    self._service.stats.chunks_sent += 1
                await self._send(h11.EndOfMessage())
            group.cancel_scope.cancel()

    async def _watch(self, streaming: anyio.CancelScope) -> None:
        """Cancel the reply as soon as the client leaves, not when a later write fails.

        A client that closes looks just like one that only stops sending: both are taken
        to have left. After the first bytes of a pipelined request nothing more is read,
        so that a client cannot fill the memory while it is being answered.
        """
        try:
            self._http.receive_data(await self._stream.receive())
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            streaming.cancel()

    async def _send_head(self, reply: Reply, framing: tuple[str, str]) -> None:
        headers = [*reply.headers, framing]
        reason = phrases.get(reply.status, "")
        await self._send(h11.Response(status_code=reply.status, headers=headers, reason=reason))

    async def _send(self, event: h11.Event) -> None:
        if data := self._http.send(event):
            await self._stream.send(data)

    async def _linger(self) -> None:
        """Let the client read to the end and close first (RFC 9112, section 9.6).

        Closing with input unread resets the connection, which destroys what the client
        has not read yet: above all a refusal.
        """
        gone = (anyio.EndOfStream, anyio.BrokenResourceError, OSError)  # OSError: trio's
        with anyio.move_on_after(LINGER), suppress(*gone):
            await self._stream.send_eof()
            while True:
                await self._stream.receive()


BODY_LIMIT = 1 << 20  # bytes
HEAD_LIMIT = 1 << 16  # bytes
LINGER = 1.0  # seconds
CONTINUE = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
logger: logging.Logger = logging.getLogger(__name__)

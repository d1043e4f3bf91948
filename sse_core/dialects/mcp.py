"""MCP's streamable HTTP transport: JSON-RPC messages in both directions.

A message is POSTed. What answers it is one JSON object, or a stream of messages that ends
with the response; a stream that ends before is to be taken up again with `listen`, by its
last event ID. `listen` also opens a stream of what the server has to say of its own. An event
with an ID and no data only says where to take a stream up again, and is a keep-alive here.

`endpoint`, an event of the transport before this one, is a chunk too.
https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, Never, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Struct

from ..errors import InvalidChunk
from ..events.items import Event
from ..http.response import Response
from ..reading.dialect import Dialect, Mark
from ..reading.request import Reconnects, Request
from .shared.fast_dialect import PlainDialect
from .shared.provider_errors import NOT_JSON, invalid_chunk
from .shared.strictly import strictly

__all__ = [
    "RESUMING",
    "SESSION_ID",
    "Endpoint",
    "ErrorObject",
    "JSONRPCError",
    "JSONRPCMessage",
    "JSONRPCNotification",
    "JSONRPCRequest",
    "JSONRPCResponse",
    "RequestId",
    "listen",
    "post",
]

RequestId: TypeAlias = str | int


class JSONRPCRequest(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A request, which wants a response with the same `id`."""

    id: RequestId
    method: str
    params: Any = None


class JSONRPCNotification(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A message that wants no response, for which it has no `id`."""

    method: str
    params: Any = None
    id: None = None


class JSONRPCResponse(Struct, frozen=True, kw_only=True, gc=False):
    """The result of the request with the same `id`; `msgspec.convert` makes a type of it."""

    id: RequestId
    result: Any


class ErrorObject(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Why a request failed (JSON-RPC 2.0, 5.1)."""

    code: int = 0
    message: str = ""
    data: Any = None


class JSONRPCError(Struct, frozen=True, kw_only=True, gc=False):
    """The failure of the request with the same `id`; None if the server could not tell which."""

    id: RequestId | None
    error: ErrorObject


class Endpoint(Struct, frozen=True, kw_only=True, gc=False):
    """Where to POST messages, relative to the stream's URL: only in the HTTP+SSE transport of 2024-11-05."""

    url: str


JSONRPCMessage: TypeAlias = JSONRPCRequest | JSONRPCNotification | JSONRPCResponse | JSONRPCError


class Wire(Struct, frozen=True, kw_only=True, gc=False):
    """Any message."""

    id: RequestId | None = None
    method: str | None = None
    params: Any = None
    result: Any = UNSET
    error: ErrorObject | None = None


class MCPDialect(PlainDialect[JSONRPCMessage | Endpoint], keeps_short_way=True):
    """Reads the events of MCP; `request_id` is that of the request whose response ends the stream."""

    reads_documents = True
    special_type = "endpoint"

    def __init__(self, request_id: RequestId | None = None) -> None:
        self.plain = notifications.decode
        self._request_id = request_id
        self.ends_with_body = request_id is None

    def read(self, event: Event) -> JSONRPCMessage | Endpoint | Mark:
        if event.type == "endpoint":
            return Endpoint(url=event.data)
        plain = self.plain  # as in TaggedDialect
        try:
            return plain(event.raw)
        except NOT_JSON:
            pass
        if not event.raw.strip():
            return Mark.PING
        message = read_message(event)
        if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id == self._request_id:
            self.complete = self._request_id is not None
        return message

    def single(self, response: Response, body: bytes) -> Sequence[JSONRPCMessage] | None:
        """Return the messages of a whole response that is no stream, or None if it is to be refused.

        Raises InvalidChunk for JSON that is no message.
        """
        if response.status == 202:
            return ()
        media_type, _, _ = (response.header("content-type") or "").partition(";")
        if response.status != 200 or media_type.strip().lower() != "application/json":
            return None
        return (read_message(Event(body)),)


def read_message(event: Event) -> JSONRPCMessage:
    try:
        wire = messages.decode(event.raw)
    except NOT_JSON as exc:
        raise invalid_chunk(event, exc) from exc
    if wire.method is not None:
        if wire.id is None:
            return JSONRPCNotification(method=wire.method, params=wire.params)
        return JSONRPCRequest(id=wire.id, method=wire.method, params=wire.params)
    if wire.error is not None:
        return JSONRPCError(id=wire.id, error=wire.error)
    if wire.id is None or wire.result is UNSET:
        raise InvalidChunk("neither a request nor a response of JSON-RPC (2.0, 4 and 5)", event.raw)
    return JSONRPCResponse(id=wire.id, result=wire.result)


def post(
    message: JSONRPCMessage,
    path: str = "",
    *,
    session_id: str | None = None,
    protocol_version: str = "2025-11-25",
    reconnects: Reconnects | None = None,
    strict: bool = False,
) -> Request[JSONRPCMessage | Endpoint]:
    """Send a message to the server at `path` below the client's base URL.

    `session_id` is what the response to `initialize` had in the header `SESSION_ID`. With
    `reconnects=RESUMING` a stream that breaks off is taken up by GET behind its last event ID, as
    revisions up to 2025-11-25 have it. Later ones cannot: to close the stream is to cancel.
    `strict` is for those who test servers: a message that has more or less than JSON-RPC says is an
    InvalidChunk. Raises TypeError for a value that JSON has no form for.
    """
    return Request(
        dialect=reader(message.id if isinstance(message, JSONRPCRequest) else None, strict),
        method="POST",
        path=path,
        headers=(
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            *headers_of(session_id, protocol_version),
        ),
        body=msgspec.json.encode({"jsonrpc": "2.0", **msgspec.to_builtins(message)}),
        reconnects=reconnects,
    )


def listen(
    path: str = "",
    *,
    session_id: str | None = None,
    protocol_version: str = "2025-11-25",
    last_event_id: str = "",
    request_id: RequestId | None = None,
    strict: bool = False,
) -> Request[JSONRPCMessage | Endpoint]:
    """Ask for what the server has to say of its own, or take up a stream behind `last_event_id`.

    `request_id` is that of the request whose response the stream was to bring, if it was; `strict` as in
    `post`.
    """
    headers = headers_of(session_id, protocol_version)
    if last_event_id:
        headers = (*headers, ("Last-Event-ID", last_event_id))
    return Request(dialect=reader(request_id, strict), path=path, headers=headers)


def reader(request_id: RequestId | None, strict: bool) -> Callable[[], Dialect[JSONRPCMessage | Endpoint]]:
    dialect = partial(MCPDialect, request_id)
    return strictly(dialect, OTHERWISE) if strict else dialect


def headers_of(session_id: str | None, protocol_version: str) -> tuple[tuple[str, str], ...]:
    session = () if session_id is None else ((SESSION_ID, session_id),)
    return (("MCP-Protocol-Version", protocol_version), *session)


messages = msgspec.json.Decoder(Wire)
notifications = msgspec.json.Decoder(JSONRPCNotification)
OTHERWISE = (
    *((message, "jsonrpc", Literal["2.0"]) for message in get_args(JSONRPCMessage)),
    (JSONRPCNotification, "id", Never),
    (JSONRPCResponse, "result", Any),
    (JSONRPCError, "id", RequestId | None),
)
"""What is documented otherwise than the structs say: see `_strict_chunks`."""
RESUMING = Reconnects(method="GET")
"""How a stream that was begun with POST is taken up again."""
SESSION_ID = "Mcp-Session-Id"
"""The header with the session's name, in the response to `initialize` and in every request after it."""

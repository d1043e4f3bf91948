"""MCP's streamable HTTP transport: JSON-RPC messages in both directions.

A message is POSTed. The answer is one JSON object, or a stream of messages that ends with the
response; a stream that ends before is resumed with `listen`, after its last event ID. `listen`
also opens a stream for messages that the server sends by itself. An event with an ID and no data
only says where to resume, and is a keep-alive here.

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
from ..reading.dialect import Control
from ..reading.request import Reconnects, Request, resume_headers
from .shared.fast_dialect import FastDialect
from .shared.provider_dialect import control_of, is_heartbeat
from .shared.provider_errors import NOT_JSON, invalid_chunk
from .shared.strict import dialect_for

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


class MCPDialect(FastDialect[JSONRPCMessage | Endpoint]):
    """Reads the events of MCP. The response to the request with `request_id` ends the stream.

    `listens` says that messages are expected though there is no request.
    """

    accepts_document = True
    special_type = "endpoint"

    def __init__(self, request_id: RequestId | None = None, *, listens: bool = False) -> None:
        self.decode_ordinary: Callable[[bytes], JSONRPCMessage] = notifications.decode
        self._request_id = request_id
        self._is_answered = listens or request_id is not None
        self.ends_with_body: bool = request_id is None

    def read_special(self, event: Event) -> JSONRPCMessage | Endpoint | Control:
        if event.type == self.special_type:
            return Endpoint(url=event.data)
        control = control_of(event)
        if control is not None:
            return control
        try:
            message = read_message(event)
        except InvalidChunk:
            if is_heartbeat(event.type):
                return Control.NOISE
            raise
        if isinstance(message, JSONRPCResponse | JSONRPCError) and message.id == self._request_id:
            self.ended: bool = self._request_id is not None
        return message

    def read_document(self, response: Response, body: bytes) -> Sequence[JSONRPCMessage] | None:
        """Return the message in a JSON response; None for another response.

        There is no message in a response to what is no request (2025-11-25, Sending Messages), whatever its
        body says. Raises InvalidChunk for JSON that is no message.
        """
        if response.status == 202 or not self._is_answered:
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
    `reconnects=RESUMING` a stream that breaks off is resumed by GET after its last event ID, as in
    revisions up to 2025-11-25. In later ones it cannot be resumed: closing the stream cancels the request.
    `strict` is for those who test servers: a message that has more or less than JSON-RPC says is an
    InvalidChunk. Raises TypeError for a value that JSON has no form for.
    """
    request_id = message.id if isinstance(message, JSONRPCRequest) else None
    return Request(
        dialect=dialect_for(partial(MCPDialect, request_id), DOCUMENTED, strict),
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
    """Ask for the messages that the server sends by itself, or resume a stream after `last_event_id`.

    `request_id` is the ID of the request whose response the resumed stream is to bring, if any; `strict`
    is as in `post`.
    """
    headers = (*headers_of(session_id, protocol_version), *resume_headers(last_event_id))
    dialect = partial(MCPDialect, request_id, listens=True)
    return Request(dialect=dialect_for(dialect, DOCUMENTED, strict), path=path, headers=headers)


def headers_of(session_id: str | None, protocol_version: str) -> tuple[tuple[str, str], ...]:
    session = () if session_id is None else ((SESSION_ID, session_id),)
    return (("MCP-Protocol-Version", protocol_version), *session)


messages: msgspec.json.Decoder[Wire] = msgspec.json.Decoder(Wire)
notifications: msgspec.json.Decoder[JSONRPCNotification] = msgspec.json.Decoder(JSONRPCNotification)
DOCUMENTED = (
    *((message, "jsonrpc", Literal["2.0"]) for message in get_args(JSONRPCMessage)),
    (JSONRPCNotification, "id", Never),
    (JSONRPCResponse, "result", Any),
    (JSONRPCError, "id", RequestId | None),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`."""
RESUMING = Reconnects(method="GET")
"""How a stream that began with POST is resumed."""
SESSION_ID = "Mcp-Session-Id"
"""The header with the session's name, in the response to `initialize` and in every request after it."""

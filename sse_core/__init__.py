"""Receive Server-Sent Events, and a language model's answer in them, without doing any I/O.

Each of these is usable alone: `EventDecoder` turns bytes into events; `Reader` turns the body of a response
into chunks, a message and a verdict; `Exchange` speaks one HTTP/1.1 request and response; `Session`
is the life of one stream, with its deadlines and attempts. `sse_adapters` drives a session over real
connections. `docs/design.md` is the map.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__
from .errors import (
    ApiError,
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    EventTooLarge,
    Fault,
    InvalidChunk,
    NotAnEventStream,
    PartialMessage,
    ProtocolError,
    ProxyError,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    UnsupportedCoding,
)
from .events.decoder import EventDecoder
from .events.items import Comment, EndOfStream, Event, Flaw, Item, UnknownField, Violation

if TYPE_CHECKING:
    from .events.encoder import comment, encode, retry
    from .events.strict import StrictEventDecoder
    from .http.exchange import Exchange
    from .http.pool import IdleConnection, Pool, PoolLimits, Waiter
    from .http.proxies import Proxies, Proxy
    from .http.rate_limits import RateLimit, rate_limits
    from .http.response import Response
    from .http.url import URL
    from .reading.dialect import Control, Dialect
    from .reading.limits import Limits
    from .reading.message import (
        Accumulator,
        Chunk,
        InvalidArguments,
        Message,
        TokenCounts,
        ToolCall,
        ToolCallPart,
    )
    from .reading.reader import Mode, Reader
    from .reading.request import Reconnects, Request
    from .reading.verdict import Verdict
    from .session.actions import (
        Acquire,
        Acquired,
        Action,
        Authorize,
        Authorized,
        Deliver,
        Done,
        Failed,
        Fetch,
        Fetched,
        Open,
        Outcome,
        Reason,
        Receive,
        Received,
        Release,
        Send,
        Sleep,
        StartTLS,
        Stop,
        Yield,
    )
    from .session.deadlines import Deadlines
    from .session.retrying import Retries
    from .session.session import Session
    from .session.states import EDGES, State
    from .session.stats import Stats
    from .session.transcripts import Divergence, Replay, Transcript, read_transcript

__all__ = [
    "EDGES",
    "URL",
    "Accumulator",
    "Acquire",
    "Acquired",
    "Action",
    "ApiError",
    "Authorize",
    "Authorized",
    "BodyTruncated",
    "CertificateRejected",
    "Chunk",
    "Comment",
    "ConnectionFailed",
    "Control",
    "DeadlineExceeded",
    "Deadlines",
    "Deliver",
    "Dialect",
    "Divergence",
    "Done",
    "EndOfStream",
    "Event",
    "EventDecoder",
    "EventTooLarge",
    "Exchange",
    "Failed",
    "Fault",
    "Fetch",
    "Fetched",
    "Flaw",
    "IdleConnection",
    "InvalidArguments",
    "InvalidChunk",
    "Item",
    "Limits",
    "Message",
    "Mode",
    "NotAnEventStream",
    "Open",
    "Outcome",
    "PartialMessage",
    "Pool",
    "PoolLimits",
    "ProtocolError",
    "Proxies",
    "Proxy",
    "ProxyError",
    "RateLimit",
    "Reader",
    "Reason",
    "Receive",
    "Received",
    "Reconnects",
    "Release",
    "Replay",
    "Request",
    "Response",
    "Retries",
    "Send",
    "Session",
    "Sleep",
    "StartTLS",
    "State",
    "Stats",
    "StatusError",
    "Stop",
    "StreamClosed",
    "StreamError",
    "StreamIncomplete",
    "StrictEventDecoder",
    "TokenCounts",
    "ToolCall",
    "ToolCallPart",
    "Transcript",
    "UnknownField",
    "UnsupportedCoding",
    "Verdict",
    "Violation",
    "Waiter",
    "Yield",
    "__version__",
    "comment",
    "encode",
    "rate_limits",
    "read_transcript",
    "retry",
]

LATER = {
    name: module
    for module, names in {
        "events.encoder": "comment encode retry",
        "events.strict": "StrictEventDecoder",
        "http.exchange": "Exchange",
        "http.pool": "IdleConnection Pool PoolLimits Waiter",
        "http.proxies": "Proxies Proxy",
        "http.rate_limits": "RateLimit rate_limits",
        "http.response": "Response",
        "http.url": "URL",
        "reading.dialect": "Control Dialect",
        "reading.limits": "Limits",
        "reading.message": "Accumulator Chunk InvalidArguments Message TokenCounts ToolCall ToolCallPart",
        "reading.reader": "Mode Reader",
        "reading.request": "Reconnects Request",
        "reading.verdict": "Verdict",
        "session.actions": "Acquire Acquired Action Authorize Authorized Deliver Done Failed Fetch Fetched "
        "Open Outcome Reason Receive Received Release Send Sleep StartTLS Stop Yield",
        "session.deadlines": "Deadlines",
        "session.retrying": "Retries",
        "session.session": "Session",
        "session.states": "EDGES State",
        "session.stats": "Stats",
        "session.transcripts": "Divergence Replay Transcript read_transcript",
    }.items()
    for name in names.split()
}
"""What is imported when it is asked for: h11 and msgspec, which it needs, take several times longer
to import than the decoder, which many will embed alone."""


def __getattr__(name: str) -> object:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{LATER[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

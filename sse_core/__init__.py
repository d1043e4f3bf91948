"""Receive Server-Sent Events, and a language model's answer in them, without doing any I/O.

Three rings, each usable alone: `EventDecoder` turns bytes into events, `Exchange` speaks
one HTTP/1.1 request and response, `Session` lives the life of one stream. `sse_adapters`
drives a session over real connections.
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
    ProtocolError,
    ProxyError,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
)
from .events.decoder import EventDecoder
from .events.items import Comment, EndOfStream, Event, Flaw, Forgiven, Item, UnknownField

if TYPE_CHECKING:
    from .events.encoder import comment, encode, retry
    from .events.strict import StrictEventDecoder
    from .http.exchange import Exchange
    from .http.pool import Idle, Pool, PoolLimits, Waiter
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
    from .reading.request import Reconnects, Request
    from .reading.verdict import Verdict
    from .session.actions import (
        Acquire,
        Acquired,
        Action,
        Deliver,
        Done,
        Failed,
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
    "Flaw",
    "Forgiven",
    "Idle",
    "InvalidArguments",
    "InvalidChunk",
    "Item",
    "Limits",
    "Message",
    "NotAnEventStream",
    "Open",
    "Outcome",
    "Pool",
    "PoolLimits",
    "ProtocolError",
    "Proxies",
    "Proxy",
    "ProxyError",
    "RateLimit",
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
    "Verdict",
    "Waiter",
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
        "session.actions": "Acquire Acquired Action Deliver Done Failed Open Outcome Reason Receive Received "
        "Release Send Sleep StartTLS Stop",
        "events.encoder": "comment encode retry",
        "http.exchange": "Exchange",
        "http.response": "Response",
        "http.url": "URL",
        "session.deadlines": "Deadlines",
        "reading.limits": "Limits",
        "reading.message": "Accumulator Chunk InvalidArguments Message TokenCounts ToolCall ToolCallPart",
        "http.proxies": "Proxies Proxy",
        "http.pool": "Idle Pool PoolLimits Waiter",
        "session.stats": "Stats",
        "events.strict": "StrictEventDecoder",
        "http.rate_limits": "RateLimit rate_limits",
        "reading.dialect": "Dialect Control",
        "reading.request": "Reconnects Request",
        "session.retrying": "Retries",
        "session.session": "Session",
        "session.transcripts": "Divergence Replay Transcript read_transcript",
        "session.states": "EDGES State",
        "reading.verdict": "Verdict",
    }.items()
    for name in names.split()
}
"""What is imported when it is asked for: with h11 and msgspec behind it, it takes several times longer
to import than the decoder, which many will embed alone."""


def __getattr__(name: str) -> object:
    if name not in LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{LATER[name]}", __name__), name)
    return value

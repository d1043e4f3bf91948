"""Receive Server-Sent Events, and a language model's answer in them, without doing any I/O.

Three rings, each usable alone: `EventDecoder` turns bytes into events, `Exchange` speaks
one HTTP/1.1 request and response, `Session` lives the life of one stream. `sse_adapters`
drives a session over real connections.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._decoder import EventDecoder
from ._errors import (
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
from ._events import Comment, EndOfStream, Event, Flaw, Forgiven, Item, UnknownField
from ._version import __version__

if TYPE_CHECKING:
    from ._actions import (
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
    from ._encoder import comment, encode, retry
    from ._exchange import Exchange, Response
    from ._limits import Deadlines, Limits
    from ._message import Accumulator, Chunk, InvalidArguments, Message, TokenCounts, ToolCall, ToolCallPart
    from ._pool import Idle, Pool, PoolLimits, Waiter
    from ._proxies import Proxies, Proxy
    from ._rate_limits import RateLimit, rate_limits
    from ._reconnecting import Reconnects
    from ._request import URL, Dialect, Mark, Request
    from ._retrying import Retries
    from ._session import Session
    from ._states import EDGES, State, Verdict
    from ._stats import Stats
    from ._strict import StrictEventDecoder
    from ._transcripts import Divergence, Replay, Transcript, read_transcript

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
    "Mark",
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
        "_actions": "Acquire Acquired Action Deliver Done Failed Open Outcome Reason Receive Received "
        "Release Send Sleep StartTLS Stop",
        "_encoder": "comment encode retry",
        "_exchange": "Exchange Response",
        "_limits": "Deadlines Limits",
        "_message": "Accumulator Chunk InvalidArguments Message TokenCounts ToolCall ToolCallPart",
        "_proxies": "Proxies Proxy",
        "_pool": "Idle Pool PoolLimits Waiter",
        "_reconnecting": "Reconnects",
        "_stats": "Stats",
        "_strict": "StrictEventDecoder",
        "_rate_limits": "RateLimit rate_limits",
        "_request": "URL Dialect Mark Request",
        "_retrying": "Retries",
        "_session": "Session",
        "_transcripts": "Divergence Replay Transcript read_transcript",
        "_states": "EDGES State Verdict",
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

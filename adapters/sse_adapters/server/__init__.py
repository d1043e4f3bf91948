"""The embedded server that the tests and the demonstration talk to."""

from .replies import ChatRequest, FixedResponse, WriteReply
from .service import ChatService, ServerStats, serve, serving

__all__ = [
    "ChatRequest",
    "ChatService",
    "FixedResponse",
    "ServerStats",
    "WriteReply",
    "serve",
    "serving",
]

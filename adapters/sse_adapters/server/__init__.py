"""The embedded server that the tests and the demonstration talk to."""

from .replies import Author, ChatRequest, Recorded
from .service import ChatService, Served, serve, serving

__all__ = [
    "Author",
    "ChatRequest",
    "ChatService",
    "Recorded",
    "Served",
    "serve",
    "serving",
]

"""Any event stream as it is: the chunks are the events themselves."""

from __future__ import annotations

from .._events import Event
from .._request import Dialect, Request

__all__ = ["EventsDialect", "request"]


class EventsDialect(Dialect[Event]):
    """Every event is a chunk, and the end of the body is the end of the stream."""

    ends_with_body = True

    def read(self, event: Event) -> Event:
        return event


def request(
    path: str = "", *, method: str = "GET", headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
) -> Request[Event]:
    """Ask for the event stream at `path` below the client's base URL."""
    return Request(dialect=EventsDialect, method=method, path=path, headers=headers, body=body)

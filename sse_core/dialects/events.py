"""Any event stream as it is, and the events behind another dialect's chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar, cast

import msgspec

from ..events.items import Event
from ..http.response import Response
from ..reading.dialect import Control, Dialect
from ..reading.message import Accumulator, Message
from ..reading.request import Reconnects, Request, resume_headers
from .shared.wrapped import WrappedDialect

__all__ = ["EventsDialect", "WithEvent", "request", "source", "with_events"]

T = TypeVar("T")


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


RECONNECTS = Reconnects(statuses=frozenset({429, 502, 503, 504}))
"""As the standard has it, but also after the statuses of a server that is busy or being replaced."""


def source(
    path: str = "",
    *,
    last_event_id: str = "",
    reconnects: Reconnects = RECONNECTS,
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Request[Event]:
    """Ask for the event stream at `path`, and resume it whenever it breaks off (WHATWG HTML, 9.2).

    `last_event_id` says where to begin: after the last event of an earlier stream. By default a server that
    is busy or being replaced, by the statuses 429, 502, 503 and 504, is asked again as well.
    """
    headers = (*headers, *resume_headers(last_event_id))
    return Request(
        dialect=EventsDialect, method=method, path=path, headers=headers, body=body, reconnects=reconnects
    )


class WithEvent(NamedTuple, Generic[T]):
    """A chunk and the event that carried it; `event.raw` has the fields that the chunk's struct has not."""

    event: Event
    chunk: T


def with_events(request: Request[T]) -> Request[WithEvent[T]]:
    """Ask for the same as `request`, and get each chunk with its event."""
    dialect = partial(WithEventsDialect, request.dialect)
    return cast("Request[WithEvent[T]]", msgspec.structs.replace(request, dialect=dialect))


class WithEventsDialect(WrappedDialect[T, WithEvent[T]], Generic[T]):
    """Reads events as another dialect does, and pairs each chunk with its event."""

    def __init__(self, dialect: Callable[[], Dialect[T]]) -> None:
        super().__init__(dialect())

    def read(self, event: Event) -> WithEvent[T] | Control:
        chunk = self.inner.read(event)
        return chunk if isinstance(chunk, Control) else WithEvent(event, chunk)

    def read_document(self, response: Response, body: bytes) -> Sequence[WithEvent[T]] | None:
        chunks = self.inner.read_document(response, body)
        return None if chunks is None else [WithEvent(Event(body), chunk) for chunk in chunks]

    def accumulator(self) -> Accumulator[WithEvent[T]] | None:
        inner = self.inner.accumulator()
        return None if inner is None else WithEventsAccumulator(inner)


class WithEventsAccumulator(Accumulator[WithEvent[T]]):
    """Passes the chunks without their events to another accumulator."""

    def __init__(self, inner: Accumulator[T]) -> None:
        self._inner = inner

    def add(self, chunks: Sequence[WithEvent[T]]) -> int:
        content = self._inner.add([each.chunk for each in chunks])
        self.parts: int = self._inner.parts
        return content

    @property
    def understood(self) -> bool:
        return self._inner.understood

    def message(self) -> Message:
        return self._inner.message()

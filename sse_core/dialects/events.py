"""Any event stream as it is, and the events behind another dialect's chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, NamedTuple, TypeVar, cast

import msgspec

from ..errors import StreamError
from ..events.items import Event, UnknownField
from ..http.response import Response
from ..reading.dialect import Dialect, Mark
from ..reading.message import Accumulator, Message
from ..reading.request import Reconnects, Request

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


def source(
    path: str = "",
    *,
    last_event_id: str = "",
    reconnects: Reconnects = Reconnects(),
    method: str = "GET",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
) -> Request[Event]:
    """Ask for the event stream at `path`, and take it up again where it breaks off (WHATWG HTML, 9.2).

    `last_event_id` is where to begin: where an earlier stream ended.
    """
    if last_event_id:
        headers = (*headers, ("Last-Event-ID", last_event_id.encode().decode("latin-1")))  # UTF-8 (9.2.4)
    return Request(
        dialect=EventsDialect, method=method, path=path, headers=headers, body=body, reconnects=reconnects
    )


class WithEvent(NamedTuple, Generic[T]):
    """A chunk, and the event that it was read from: `event.raw` has what the chunk's struct leaves out."""

    event: Event
    chunk: T


def with_events(request: Request[T]) -> Request[WithEvent[T]]:
    """Ask for the same as `request`, and get each chunk with its event."""
    dialect = partial(WithEventsDialect, request.dialect)
    return cast("Request[WithEvent[T]]", msgspec.structs.replace(request, dialect=dialect))


class WithEventsDialect(Dialect[WithEvent[T]]):
    """Reads events as another dialect does, and keeps them."""

    def __init__(self, dialect: Callable[[], Dialect[T]]) -> None:
        self._dialect = dialect()
        self.ends_with_body = self._dialect.ends_with_body
        self.reads_documents = self._dialect.reads_documents

    def read(self, event: Event) -> WithEvent[T] | Mark:
        chunk = self._dialect.read(event)
        self.finished, self.complete = self._dialect.finished, self._dialect.complete
        self.cursor = self._dialect.cursor
        return chunk if isinstance(chunk, Mark) else WithEvent(event, chunk)

    def single(self, response: Response, body: bytes) -> Sequence[WithEvent[T]] | None:
        chunks = self._dialect.single(response, body)
        return None if chunks is None else [WithEvent(Event(body), chunk) for chunk in chunks]

    def unknown_field(self, field: UnknownField) -> None:
        self._dialect.unknown_field(field)

    def refusal(self, response: Response, body: bytes) -> StreamError:
        return self._dialect.refusal(response, body)

    def accumulator(self) -> Accumulator[WithEvent[T]] | None:
        inner = self._dialect.accumulator()
        return None if inner is None else WithEventsAccumulator(inner)


class WithEventsAccumulator(Accumulator[WithEvent[T]]):
    """Puts the chunks together."""

    def __init__(self, inner: Accumulator[T]) -> None:
        self._inner = inner

    def add(self, chunks: Sequence[WithEvent[T]]) -> int:
        return self._inner.add([each.chunk for each in chunks])

    def message(self) -> Message:
        return self._inner.message()

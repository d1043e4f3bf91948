"""Decoders to be scored: right ones in every form that the kit takes, and ones wrong in one way each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sse_core import Event, EventDecoder


@dataclass
class NamedAsInSdks:
    """An event as the SDKs have it."""

    event: str | None
    data: str
    id: str | None
    retry: int | None = None


def as_in_sdks(chunks: Iterable[bytes]) -> Iterator[NamedAsInSdks]:
    """An iterable of bytes to an iterable of events, with None for what is not there."""
    decoder = EventDecoder()
    for chunk in chunks:
        for event in decoder.feed(chunk):
            type = None if event.type == "message" else event.type
            yield NamedAsInSdks(type, event.data, event.last_event_id or None)


def as_mappings(chunks: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Events as mappings, without an ID."""
    for event in as_in_sdks(chunks):
        yield {"type": event.event or "", "data": event.data}


def as_bytes(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Events as nothing but their data, undecoded."""
    decoder = EventDecoder()
    for chunk in chunks:
        yield from (event.raw for event in decoder.feed(chunk))


class Pushed:
    """An object to feed that returns None where there is nothing, and begins with a default of its own."""

    reconnection_time = 3000

    def __init__(self) -> None:
        self._decoder = EventDecoder()

    def feed(self, data: bytes) -> list[Event] | None:
        events = self._decoder.feed(data)
        if self._decoder.reconnection_time is not None:
            self.reconnection_time = self._decoder.reconnection_time
        return events or None


class Signalless:
    """A callable whose signature cannot be had."""

    __signature__ = "not a signature"

    def __call__(self, chunks: Iterable[bytes]) -> Iterator[Event]:
        decoder = EventDecoder()
        return (event for chunk in chunks for event in decoder.feed(chunk))


signalless = Signalless()


class DispatchesAtTheEnd(EventDecoder):
    """Wrong at the end: gives an unfinished event."""

    def eof(self) -> Any:
        return self.feed(b"\n\n")


class Shouts(EventDecoder):
    """Wrong in the data of its events."""

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        return [Event(e.raw.upper(), e.type, e.last_event_id) for e in super().feed(data)]


class GivesAtTheEnd(EventDecoder):
    """Right, and too late: every event comes with the end of the stream."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Event] = []

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        self.held += super().feed(data)
        return []

    def eof(self) -> Any:
        return iter(self.held)


class WaitsForMore(EventDecoder):
    """Right, and late: events come when there is something behind them, or the end."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Event] = []

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        held, self.held = self.held, super().feed(data)
        return held

    def eof(self) -> Any:
        return self.held


class DecodesChunks(EventDecoder):
    """Wrong where characters are cut in two, and raises for what is not UTF-8."""

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        return super().feed(bytes(data).decode().encode())


class RaisesWhenCut:
    """Raises if the stream is in more than one piece."""

    def __init__(self) -> None:
        self.decoder = EventDecoder()
        self.fed = 0

    def feed(self, data: bytes) -> list[Event]:
        self.fed += 1
        if self.fed > 1 and data:
            raise RuntimeError("once only")
        return self.decoder.feed(data)


class RaisesWhenWhole(EventDecoder):
    """Raises if an event comes in one piece with its line ends."""

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        if bytes(data).endswith(b"\n\n"):
            raise RuntimeError("too much")
        return super().feed(data)


class Linear(EventDecoder):
    """Right, and counts the bytes it looks at, a microsecond for each."""

    cpu_time = 0.0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        self.look_at(len(data))
        return super().feed(data)

    @staticmethod
    def look_at(size: int) -> None:
        Linear.cpu_time += size / 1e6


class Quadratic(Linear):
    """Looks at everything again with every piece."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        self.size += len(data)
        self.look_at(self.size)
        return super().feed(data)


class Interrupted(Linear):
    """Has to wait in every second of its long runs, by chance."""

    long_runs = 0

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        self.size += len(data)
        return super().feed(data)

    def eof(self) -> Any:
        if self.size > 100_000:
            Interrupted.long_runs += 1
            self.look_at(1_400_000 if Interrupted.long_runs % 2 else 0)
        return super().eof()


class Limited(EventDecoder):
    """Takes no more than 100,000 bytes for an event."""

    def __init__(self) -> None:
        super().__init__(max_event_size=100_000)


def endless(chunks: Iterable[bytes]) -> Iterator[str]:
    """Never stops."""
    while True:
        yield "again"


def without_data(chunks: Iterable[bytes]) -> Iterator[object]:
    """Gives something that is no event."""
    return (object() for _ in chunks)


def nothing(chunks: Iterable[bytes]) -> None:
    """Gives nothing that could be iterated over."""


def no_feed() -> object:
    """Takes no arguments, and returns nothing to feed."""
    return object()


def no_events(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Swallows everything."""
    for _ in chunks:
        pass
    return iter(())


not_callable = 5

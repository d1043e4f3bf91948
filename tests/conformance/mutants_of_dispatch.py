"""More decoders with one bug each: those that get events and the end of the stream wrong. See `mutants`."""

from __future__ import annotations

from conformance.mutants import killed_by
from sse_core.testing.reference import Event, ReferenceDecoder, Report

# --- Dispatch and the end, 9.2.6


@killed_by("comment-block-after-type")
class DispatchesWithoutData(ReferenceDecoder):
    """A block without data is an event if it has a type."""

    def _dispatch(self) -> Event | None:
        if self._type_buffer and not self._data_buffer:
            self._data_buffer += b"\n"
        return super()._dispatch()


@killed_by("bom-before-id")
class DispatchesForAnId(ReferenceDecoder):
    """A block without data is an event once the stream has set an id."""

    def _dispatch(self) -> Event | None:
        if self._id_buffer and not self._data_buffer:
            self._data_buffer += b"\n"
        return super()._dispatch()


@killed_by("data-empty")
class DropsEmptyEvents(ReferenceDecoder):
    """An event of empty data is not dispatched."""

    def _dispatch(self) -> Event | None:
        event = super()._dispatch()
        return event if event and event.raw else None


@killed_by("comment-block-after-type")
class CarriesTypeOver(ReferenceDecoder):
    """The type stays for the event after."""

    def _dispatch(self) -> Event | None:
        kept = self._type_buffer
        event = super()._dispatch()
        self._type_buffer = kept
        return event


@killed_by("comment-block-after-type")
class KeepsTypeWithoutData(ReferenceDecoder):
    """A block without data leaves its type to the next one."""

    def _dispatch(self) -> Event | None:
        kept = "" if self._data_buffer else self._type_buffer
        event = super()._dispatch()
        self._type_buffer = kept
        return event


@killed_by("dispatch-each-with-its-own-id")
class ForgetsTheId(ReferenceDecoder):
    """The id counts for its own event only."""

    def _dispatch(self) -> Event | None:
        event = super()._dispatch()
        if event:
            self._id_buffer = ""
        return event


@killed_by("bom-before-id")
class CommitsIdWithDataOnly(ReferenceDecoder):
    """A block without data does not set the last event ID."""

    def _dispatch(self) -> Event | None:
        before = self.last_event_id
        event = super()._dispatch()
        if event is None:
            self.last_event_id = before
        return event


@killed_by("data-empty-twice")
class StripsAllLineEnds(ReferenceDecoder):
    """Every line end at the end of the data goes, not only the last."""

    def _dispatch(self) -> Event | None:
        if self._data_buffer:
            self._data_buffer[:] = self._data_buffer.rstrip(b"\n") + b"\n"
        return super()._dispatch()


@killed_by("bom-is-stripped")
class KeepsTheLastLineEnd(ReferenceDecoder):
    """The data keeps the line end of its last line."""

    def _dispatch(self) -> Event | None:
        if self._data_buffer:
            self._data_buffer += b"\n"
        return super()._dispatch()


@killed_by("bom-then-unfinished-event")
class DispatchesAtTheEnd(ReferenceDecoder):
    """The end of the stream dispatches what is unfinished."""

    def eof(self) -> Report:
        report = super().eof()
        if self._line:
            self._end_line()
        event = self._dispatch()
        return _Ended(report, [event] if event else [])


class _Ended(Report):
    """A report that brings events along, which it must not."""

    events: list[Event]

    def __new__(cls, report: Report, events: list[Event]) -> _Ended:
        ended = super().__new__(cls, *report)
        ended.events = events
        return ended


@killed_by("end-counts-crlf-as-one")
class CommitsIdAtTheEnd(ReferenceDecoder):
    """The end of the stream sets an id that had no blank line."""

    def eof(self) -> Report:
        self.last_event_id = self._id_buffer
        return super().eof()


@killed_by("bom-is-stripped")
class DispatchesOneEventLate(ReferenceDecoder):
    """An event waits for the first byte of the next."""

    _late: Event | None = None

    def _receive(self, byte: int) -> Event | None:
        due, self._late = self._late, super()._receive(byte)
        return due


@killed_by("bom-then-unfinished-event")
class SaysNothingWasDropped(ReferenceDecoder):
    """The end of the stream never reports what it cut off."""

    def eof(self) -> Report:
        return Report(0, False)

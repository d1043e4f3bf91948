"""More decoders with one bug each: those that get fields wrong. See `mutants`."""

from __future__ import annotations

from contextlib import suppress

from conformance.mutants import killed_by
from sse_core.testing.reference import Event, ReferenceDecoder

# --- Field parsing, 9.2.6


class _Splits(ReferenceDecoder):
    """Name and value are told apart in some other way."""

    def value_of(self, value: bytes) -> bytes:
        return value.removeprefix(b" ")

    def name_of(self, name: bytes) -> bytes:
        return name

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        name, _, value = line.partition(b":")
        return self.name_of(name), self.value_of(value)


@killed_by("bom-is-stripped")
class KeepsTheSpace(_Splits):
    """The space after the colon stays."""

    def value_of(self, value: bytes) -> bytes:
        return value


@killed_by("data-not-trimmed-of-own-blanks")
class StripsAllSpaces(_Splits):
    """Every space after the colon goes, not only the first."""

    def value_of(self, value: bytes) -> bytes:
        return value.lstrip(b" ")


@killed_by("data-not-trimmed-of-own-blanks")
class StripsTheEnd(_Splits):
    """Spaces at the end of the value go."""

    def value_of(self, value: bytes) -> bytes:
        return value.removeprefix(b" ").rstrip(b" ")


@killed_by("tab-after-colon")
class StripsTab(_Splits):
    """A tab after the colon goes, as a space does."""

    def value_of(self, value: bytes) -> bytes:
        return value[1:] if value[:1] in (b" ", b"\t") else value


@killed_by("data-message-fest")
class IgnoresCase(_Splits):
    """Names count in upper case too."""

    def name_of(self, name: bytes) -> bytes:
        return name.lower()


@killed_by("no-colon-with-trailing-space")
class StripsNames(_Splits):
    """Names count with spaces around them."""

    def name_of(self, name: bytes) -> bytes:
        return name.strip()


@killed_by("bom-in-value-without-space")
class NeedsTheSpace(ReferenceDecoder):
    """A field counts only with `: ` behind its name."""

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        name, found, value = line.partition(b": ")
        return (name, value) if found else (b"", b"")


@killed_by("data-json")
class SplitsAtTheLastColon(ReferenceDecoder):
    """The name ends at the last colon."""

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        if b":" not in line:
            return line, b""
        name, _, value = line.rpartition(b":")
        return name, value.removeprefix(b" ")


@killed_by("data-empty-last-twice")
class NeedsAColon(ReferenceDecoder):
    """A line without a colon is ignored."""

    def _split(self, line: bytes) -> tuple[bytes, bytes]:
        return super()._split(line) if b":" in line else (b"", b"")


# --- The fields, 9.2.6


class _Processes(ReferenceDecoder):
    """One field is processed in some other way."""

    def data(self, value: bytes) -> None:
        super()._process(b"data", value)

    def event(self, value: bytes) -> None:
        super()._process(b"event", value)

    def id(self, value: bytes) -> None:
        super()._process(b"id", value)

    def retry(self, value: bytes) -> None:
        super()._process(b"retry", value)

    def _process(self, name: bytes, value: bytes) -> None:
        match name:
            case b"data":
                self.data(value)
            case b"event":
                self.event(value)
            case b"id":
                self.id(value)
            case b"retry":
                self.retry(value)
            case _:
                pass


@killed_by("comment-between-data")
class KeepsTheLastDataLine(_Processes):
    """A second `data` line replaces the first."""

    def data(self, value: bytes) -> None:
        self._data_buffer.clear()
        super().data(value)


@killed_by("comment-between-data")
class JoinsDataWithoutLineEnd(_Processes):
    """The lines of the data are joined by nothing."""

    def data(self, value: bytes) -> None:
        if self._data_buffer:
            del self._data_buffer[-1:]
        super().data(value)


@killed_by("data-empty-twice")
class DropsEmptyDataLines(_Processes):
    """A `data` line of nothing is left out, unless it is the only one."""

    def data(self, value: bytes) -> None:
        if value or not self._data_buffer:
            if bytes(self._data_buffer) == b"\n":
                self._data_buffer.clear()
            super().data(value)


@killed_by("type-last-one-counts")
class KeepsTheFirstType(_Processes):
    """The first `event` field counts."""

    def event(self, value: bytes) -> None:
        if not self._type_buffer:
            super().event(value)


@killed_by("type-emptied")
class IgnoresEmptyType(_Processes):
    """An empty `event` field does not take the type back."""

    def event(self, value: bytes) -> None:
        if value:
            super().event(value)


@killed_by("id-with-null-ignored")
class TakesNullInId(_Processes):
    """An id with a NUL in it is taken."""

    def id(self, value: bytes) -> None:
        self._id_buffer = self._decode(value)


@killed_by("id-with-null-ignored")
class CutsIdAtNull(_Processes):
    """An id with a NUL in it counts up to there."""

    def id(self, value: bytes) -> None:
        super().id(value.partition(b"\0")[0])


@killed_by("dispatch-each-with-its-own-id")
class IgnoresEmptyId(_Processes):
    """An empty id does not clear the last one."""

    def id(self, value: bytes) -> None:
        if value:
            super().id(value)


@killed_by("end-counts-crlf-as-one")
class SetsIdAtOnce(_Processes):
    """An id counts before its blank line."""

    def id(self, value: bytes) -> None:
        super().id(value)
        self.last_event_id = self._id_buffer


@killed_by("retry-negative")
class TakesWhatIntTakes(_Processes):
    """`retry` takes signs, underscores, spaces and every script's digits."""

    def retry(self, value: bytes) -> None:
        with suppress(ValueError):
            self.reconnection_time = int(self._decode(value))


@killed_by("retry-arabic-digits")
class TakesEveryDigit(_Processes):
    """`retry` takes what `str.isdecimal` calls a digit."""

    def retry(self, value: bytes) -> None:
        text = self._decode(value)
        if text.isdecimal():
            self.reconnection_time = int(text)


@killed_by("retry-underscore")
class TakesLeadingDigits(_Processes):
    """`retry` counts as far as it is digits."""

    def retry(self, value: bytes) -> None:
        super().retry(value[: len(value) - len(value.lstrip(b"0123456789"))])


@killed_by("retry-empty")
class TakesEmptyRetryForZero(_Processes):
    """A `retry` of nothing is zero."""

    def retry(self, value: bytes) -> None:
        super().retry(value or b"0")


@killed_by("retry-zero")
class IgnoresRetryOfZero(_Processes):
    """A reconnection time of zero is none."""

    def retry(self, value: bytes) -> None:
        if value.strip(b"0"):
            super().retry(value)


@killed_by("retry-counts-at-once")
class SetsRetryWithTheBlankLine(_Processes):
    """`retry` counts from its blank line only."""

    _pending: bytes | None = None

    def retry(self, value: bytes) -> None:
        self._pending = value

    def _dispatch(self) -> Event | None:
        if self._pending is not None:
            super().retry(self._pending)
        return super()._dispatch()


@killed_by("bom-twice")
class TakesUnknownFieldsForData(ReferenceDecoder):
    """A line that is no known field is data."""

    def _process(self, name: bytes, value: bytes) -> None:
        super()._process(name if name in (b"data", b"event", b"id", b"retry") else b"data", value)


@killed_by("bom-between-name-and-colon")
class MatchesNamesByTheirStart(ReferenceDecoder):
    """A name that begins with a known one is taken for it."""

    def _process(self, name: bytes, value: bytes) -> None:
        for known in (b"data", b"event", b"id", b"retry"):
            if name.startswith(known):
                super()._process(known, value)

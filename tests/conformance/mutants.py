"""Decoders with one bug each, most of them seen in real ones. The vectors have to catch them all.

Each is the reference decoder with one rule broken, and its docstring says which. `MUTANTS` has
them all, with the first vector, in the order of the files, that fails. Here are those that get
lines and text wrong; `mutants_of_fields`
and `mutants_of_dispatch` have the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sse_core.testing.reference import BOM, CR, LF, Event, ReferenceDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

MUTANTS: dict[type[ReferenceDecoder], str] = {}


def killed_by(name: str) -> Callable[[type[ReferenceDecoder]], type[ReferenceDecoder]]:
    """Enter a mutant, with the vector that catches it first."""

    def enter(mutant: type[ReferenceDecoder]) -> type[ReferenceDecoder]:
        MUTANTS[mutant] = name
        return mutant

    return enter


# --- Byte order mark, 9.2.5


@killed_by("bom-is-stripped")
class KeepsByteOrderMark(ReferenceDecoder):
    """The byte order mark becomes part of the first line."""

    def feed(self, data: bytes) -> list[Event]:
        self._received = max(self._received, 3)
        return super().feed(data)


@killed_by("bom-twice")
class StripsByteOrderMarkTwice(ReferenceDecoder):
    """Every mark in front is taken off, not only the first."""

    def _receive(self, byte: int) -> Event | None:
        event = super()._receive(byte)
        if self._received == 6 and bytes(self._line) == BOM:
            self._line.clear()
        return event


@killed_by("bom-twice")
class StripsByteOrderMarkOfLines(ReferenceDecoder):
    """A mark is taken off any line."""

    def _end_line(self) -> Event | None:
        if self._line.startswith(BOM):
            del self._line[:3]
        return super()._end_line()


@killed_by("bom-is-stripped")
class SeesByteOrderMarkOnlyInFirstChunk(ReferenceDecoder):
    """A mark counts only if the first chunk has all of it."""

    def feed(self, data: bytes) -> list[Event]:
        if data and not self._received and not data.startswith(BOM):
            self._received = 3
        return super().feed(data)


@killed_by("bom-at-start-of-value")
class DecodesValuesAsUtf8Sig(ReferenceDecoder):
    """Each value is decoded as `utf-8-sig`."""

    def _decode(self, value: bytes) -> str:
        return value.decode("utf-8-sig", errors="replace")


# --- Line ends, 9.2.5


@killed_by("bom-before-cr")
class KnowsNoCarriageReturn(ReferenceDecoder):
    """CR alone does not end a line, only LF and CR LF do."""

    def _receive(self, byte: int) -> Event | None:
        if byte == LF and self._line.endswith(b"\r"):
            del self._line[-1:]
        if byte != CR:
            return super()._receive(byte)
        self._line.append(byte)
        return None


@killed_by("bom-before-crlf")
class TakesCrLfForTwoLineEnds(ReferenceDecoder):
    """CR LF ends a line, and a blank one behind it."""

    def _receive(self, byte: int) -> Event | None:
        self._after_cr = False
        return super()._receive(byte)


@killed_by("bom-before-cr")
class WaitsAfterCarriageReturn(ReferenceDecoder):
    """A CR ends its line only with the byte behind it, so that events come late."""

    _held = b""

    def feed(self, data: bytes) -> list[Event]:
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        return super().feed(data.removesuffix(b"\r"))


@killed_by("bom-before-crlf")
class ForgetsCarriageReturnBetweenChunks(ReferenceDecoder):
    """A CR LF that is cut in two becomes two line ends."""

    def feed(self, data: bytes) -> list[Event]:
        self._after_cr = False
        return super().feed(data)


@killed_by("bom-before-crlf")
class SwallowsNoLineFeedAcrossEmptyChunks(ReferenceDecoder):
    """An empty chunk between CR and LF makes two line ends of them."""

    def feed(self, data: bytes) -> list[Event]:
        self._after_cr = self._after_cr and data != b""
        return super().feed(data)


@killed_by("bom-before-crlf")
class TakesLfCrForOneLineEnd(ReferenceDecoder):
    """LF CR ends one line, as CR LF does."""

    _after_lf = False

    def _receive(self, byte: int) -> Event | None:
        if byte == CR and self._after_lf:
            self._after_lf = False
            return None
        self._after_lf = byte == LF
        return super()._receive(byte)


class _EndsLinesAt(ReferenceDecoder):
    """More than the standard's characters end a line."""

    also: tuple[bytes, ...]

    def _end_line(self) -> Event | None:
        line = bytes(self._line)
        for end in self.also:
            line = line.replace(end, b"\n")
        event = None
        for part in line.split(b"\n"):
            self._line[:] = part
            event = super()._end_line() or event
        return event


@killed_by("comment-not-ended-by-line-separator")
class EndsLinesAtSeparators(_EndsLinesAt):
    """U+2028 and U+2029 end a line."""

    also = ("\u2028".encode(), "\u2029".encode())


@killed_by("comment-not-ended-by-next-line")
class EndsLinesAtNextLine(_EndsLinesAt):
    """U+0085 ends a line."""

    also = ("\u0085".encode(),)


@killed_by("vertical-tab-after-colon")
class EndsLinesLikeSplitlines(_EndsLinesAt):
    """The control characters that `str.splitlines` knows end a line."""

    also = (b"\v", b"\f", b"\x1c", b"\x1d", b"\x1e")


# --- Comments, 9.2.5


@killed_by("comment-after-data")
class TakesCommentForBlankLine(ReferenceDecoder):
    """A comment dispatches the event."""

    def _end_line(self) -> Event | None:
        if self._line.startswith(b":"):
            self._line.clear()
        return super()._end_line()


@killed_by("comment-with-spaced-data-inside")
class SearchesForFields(ReferenceDecoder):
    """A field counts wherever in the line it stands."""

    def _end_line(self) -> Event | None:
        _, found, value = self._line.partition(b" data:")
        if found:
            self._line[:] = b"data:" + value
        return super()._end_line()


@killed_by("bom-before-comment")
class DispatchesComments(ReferenceDecoder):
    """A comment becomes an event of its own."""

    def _end_line(self) -> Event | None:
        line = bytes(self._line)
        super_event = super()._end_line()
        if line.startswith(b":"):
            return Event("comment", self._decode(line[1:]), self.last_event_id, line[1:])
        return super_event


# --- UTF-8, 9.2.6


class _Decodes(ReferenceDecoder):
    """Text is decoded in some other way."""

    encoding = "utf-8"
    errors = "replace"

    def _decode(self, value: bytes) -> str:
        return value.decode(self.encoding, self.errors)


@killed_by("type-not-utf-8")
class IgnoresInvalidUtf8(_Decodes):
    """Invalid bytes vanish."""

    errors = "ignore"


@killed_by("type-not-utf-8")
class EscapesInvalidUtf8(_Decodes):
    """Invalid bytes become surrogates."""

    errors = "surrogateescape"


@killed_by("invalid-surrogate")
class LetsSurrogatesThrough(ReferenceDecoder):
    """An encoded surrogate is passed on."""

    def _decode(self, value: bytes) -> str:
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return super()._decode(value)


@killed_by("bom-at-start-of-value")
class DecodesLatin1(_Decodes):
    """Bytes are taken for ISO 8859-1, the default of old HTTP."""

    encoding = "latin-1"


@killed_by("bom-is-stripped")
class DecodesChunks(ReferenceDecoder):
    """Each chunk is decoded for itself, so that a character cut in two is lost."""

    def feed(self, data: bytes) -> list[Event]:
        return super().feed(data.decode("utf-8", "replace").encode())


@killed_by("id-overlong-null-is-not-null")
class ReplacesRunsOnce(ReferenceDecoder):
    """A run of invalid bytes becomes one U+FFFD instead of one for each malformed part."""

    def _decode(self, value: bytes) -> str:
        text = super()._decode(value)
        while "\ufffd\ufffd" in text:
            text = text.replace("\ufffd\ufffd", "\ufffd")
        return text

"""The short ways around h11, through bodies of the form that everybody sends.

h11 is the authority on framing, and takes 5 to 8 us for each chunk of a chunked body (RFC 9112, 7.1),
and 5 us for each piece of another. Here a chunk takes 0.6 to 1.2 us: its data is sliced out, soonest if
its first line is canonical, a size without leading zeros and nothing else; 0.3 us if it comes whole
and alone (`Chunks.whole`); and 0.35 us where many come at once and no data has a CR
(`Chunks._slice_all`). Trailers, and whatever begins in another way, are h11's from there on, as if the
body began with it. A body without chunks is only counted (6.3), which takes 0.2 us for each piece.

In one thing this goes beyond h11, which refuses white space before an extension (7.1.1).
"""

from __future__ import annotations

import re

from ..errors import ProtocolError


class Chunks:
    """Slices the data out of chunks, until something else comes.

    `max_line` limits the first line of a chunk, in bytes.
    """

    __slots__ = ("_alike", "_begun", "_left_out", "_max_line", "ended", "missing", "passed_on")

    def __init__(self, max_line: int) -> None:
        self.ended = False
        """Whether the last chunk has come, whole and without trailers."""
        self.missing = 0
        """Bytes that the unfinished chunk still lacks, its final CRLF included."""
        self.passed_on: int | None = None
        """Bytes that h11 was given behind the last chunk's first line."""
        self._max_line = max_line
        self._begun = b""
        """The start of a chunk's first line, if that is all there is of it, with its extension left out."""
        self._left_out = 0
        self._alike = True  # all chunks that came many at once had the form that `_slice_all` knows

    def whole(self, data: bytes) -> bytes:
        """Return the data of one chunk if that is all that has come, as with a model's stream; else nothing.

        Bytes of which nothing is returned are for `slice`.
        """
        if self.missing or self._begun or self.passed_on is not None or len(data) >= SMALL:
            return b""
        parts = data.split(b"\r\n")
        if len(parts) == 3 and parts[0] == SIZES[len(parts[1])] and not parts[2]:
            return parts[1]
        return b""

    def slice(self, data: bytes, body: list[bytes]) -> bytes:
        """Append to `body` what the chunks in `data` carry; return what h11 has to see.

        Raises ProtocolError for a first line over the limit, and for a chunk that does not end in
        CRLF, as h11 does in its way.
        """
        if self.passed_on is not None:
            return self._pass_on(data)
        position = self._finish(data, 0, body) if self.missing else 0
        if self._begun:
            data, self._begun = self._begun + data, b""
        if self._alike and len(data) - position >= MANY:
            position = self._slice_all(data, position, body)
        while position < len(data):
            line_end = data.find(b"\r\n", position, position + SIZE_LINE)
            size = canonical_size(data[position:line_end]) if line_end >= 0 else 0
            start = line_end + 2
            if not size:
                line = FIRST_LINE.match(data, position)
                if line is None:
                    return self._begin(data[position:])
                self._limit(line.end() - position)
                self._left_out = 0
                size, start = int(line["size"], 16), line.end()
                if not size and data.startswith(b"\r\n", start):
                    self.ended = True
                    return data[start + 2 :]
                if not size:
                    return b"0\r\n" + self._pass_on(data[start:])
            position = start + size + 2
            if data[position - 2 : position] == b"\r\n":
                body.append(data[start : position - 2])
            else:
                self.missing = size + 2
                position = self._finish(data, start, body)
        return b""

    def _slice_all(self, data: bytes, position: int, body: list[bytes]) -> int:
        """Take the whole chunks, if all have canonical first lines and no CR in their data; return their end.

        Splitting at each CR gives a first line, data, a first line, data, and so on, each but the
        first behind its LF, if that is so; and then the lengths of the data make the first lines.
        """
        parts = data[position:].split(b"\r")
        parts[0] = b"\n" + parts[0]
        end = (len(parts) - 1) // 2 * 2
        contents = [part[1:] for part in parts[1:end:2] if len(part) > 1 and part[0] == LF]
        if parts[:end:2] != first_lines(contents) or parts[end][:1] != b"\n":
            self._alike = False  # and what a server has done once, it does again
            return position
        body += contents
        return len(data) - sum(map(len, parts[end:])) - len(parts) + end + 2

    def _begin(self, data: bytes) -> bytes:
        """Keep the start of a first line, if it is one, as short as it can be; else let h11 say why not."""
        begun = BEGUN.fullmatch(data)
        if begun is None:
            return self._pass_on(data)
        extended = begun["rest"].startswith(b";")
        self._begun = begun["size"] + (b";" if extended else begun["space"][:1])
        self._begun += b"\r" if data.endswith(b"\r") else b""
        self._left_out += len(data) - len(self._begun)
        self._limit(len(self._begun))
        return b""

    def _limit(self, seen: int) -> None:
        if seen + self._left_out > self._max_line:
            raise ProtocolError(f"a chunk's first line is larger than {self._max_line} bytes")

    def _pass_on(self, data: bytes) -> bytes:
        self.passed_on = (self.passed_on or 0) + len(data)
        return data

    def _finish(self, data: bytes, position: int, body: list[bytes]) -> int:
        """Take what there is of an unfinished chunk; return where that ends."""
        content = data[position : position + max(self.missing - 2, 0)]
        if content:
            body.append(content)
            self.missing -= len(content)
            position += len(content)
        if self.missing <= 2:
            end = data[position : position + self.missing]
            if not b"\r\n"[-self.missing :].startswith(end):
                raise ProtocolError(f"a chunk ends in {end!r}, not in CRLF")
            self.missing -= len(end)
            position += len(end)
        return position


class PlainBody:
    """Counts the bytes of a body without chunks, if its length is known."""

    __slots__ = ("ended", "missing")

    def __init__(self, length: int | None) -> None:
        self.missing = length
        """Bytes that are still to come; None for a body that ends with the connection."""
        self.ended = False

    def whole(self, data: bytes) -> bytes:
        """Return `data` if all of it belongs to the body, and more is to come; else nothing."""
        if self.missing is not None:
            if len(data) >= self.missing:
                return b""
            self.missing -= len(data)
        return data

    def slice(self, data: bytes, body: list[bytes]) -> bytes:
        """Append to `body` what of `data` belongs to it; return the rest."""
        rest = b""
        if self.missing is not None:
            data, rest = data[: self.missing], data[self.missing :]
            self.missing -= len(data)
            self.ended = not self.missing
        body.append(data)
        return rest


def first_lines(contents: list[bytes]) -> list[bytes]:
    """Return the canonical first lines of chunks with these contents, behind an LF and without their ends."""
    try:
        return list(map(FIRST_LINES.__getitem__, map(len, contents)))  # half the time of the other way
    except IndexError:
        return [b"\n%x" % len(content) for content in contents]


def canonical_size(digits: bytes) -> int:
    """Return the size that a canonical first line states, or 0 if it is none."""
    if not digits.isalnum() or digits.startswith(b"0"):
        return 0  # int() alone would also take signs, spaces, underscores and 0x
    try:
        return int(digits, 16)
    except ValueError:
        return 0


LF = 0x0A
SMALL = 1024
"""Bytes that a chunk has less of if it is one event of a model's."""
SIZES = [b"%x" % size for size in range(SMALL)]
"""How chunks so small begin: with cold caches, to look it up takes a tenth of what writing it down would."""
FIRST_LINES = [b"\n" + size for size in SIZES]
MANY = 2048
"""Bytes from which on chunks are looked at together: some hundreds of bytes are a model's usual ones."""
SIZE_LINE = 10
"""Bytes of the longest canonical first line: eight digits and CRLF."""
FIRST_LINE = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,20})[ \t]*(?:;[^\n]*)?\r\n")
"""Any first line that h11 takes, white space without an extension among them, and that before one."""
BEGUN = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,20})(?P<space>[ \t]*)(?P<rest>;[^\n]*|\r?)")

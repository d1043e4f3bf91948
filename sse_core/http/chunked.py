"""Frames ordinary bodies (RFC 9112, 6.3 and 7.1) without h11, and hands anything unusual to it.

h11 is the authority on framing, but a chunk costs several times more by way of it (measured). So the
data of chunks is sliced out here, in three ways:

- `take_single` takes a read that is exactly one small chunk, as a model's stream mostly comes;
- `_feed_uniform` takes many chunks at once, if their data has no CR;
- `feed` takes everything else, chunk by chunk.

The fast paths know canonical chunk-size lines only: a size without leading zeros, and nothing else.
Trailers go to h11, as if the body began behind the last chunk. A chunk-size line that is malformed is an
error as soon as its bytes cannot be one, while h11 would wait for its end. A body without chunks is
only counted.

One thing is accepted here that h11 refuses: white space before a chunk extension (7.1.1).
"""

from __future__ import annotations

import re

from ..errors import ProtocolError
from .heads import HeadScanner


class ChunkedFraming:
    """Slices the data out of chunks, until something else comes.

    `max_line` limits a chunk-size line, in bytes.
    """

    __slots__ = (
        "_max_line",
        "_omitted",
        "_partial_size",
        "_scanner",
        "_uniform",
        "ended",
        "given_to_h11",
        "missing",
    )

    def __init__(self, max_line: int) -> None:
        self.ended: bool = False
        """Whether the last chunk has come, whole and without trailers."""
        self.missing: int = 0
        """Bytes that the unfinished chunk still lacks, its final CRLF included."""
        self.given_to_h11: int | None = None
        """Bytes that h11 was given, without a last chunk's size line; None if it was given nothing."""
        self._max_line = max_line
        self._partial_size = b""
        """The start of a chunk-size line whose end has not come, with white space and extension left out."""
        self._omitted = 0
        """Bytes of that line that were left out."""
        self._scanner: HeadScanner
        self._uniform = True
        """Whether `_feed_uniform` could take everything that it was tried on."""

    def take_single(self, data: bytes) -> bytes:
        """Return the data of a single chunk, if `data` is exactly that, or else `b""`.

        Where `b""` is returned, nothing was taken: the bytes are for `feed`.
        """
        if self.missing or self._partial_size or self.given_to_h11 is not None or len(data) >= SMALL_CHUNK:
            return b""
        parts = data.split(b"\r\n")
        if len(parts) == 3 and parts[0] == HEX_SIZES[len(parts[1])] and not parts[2]:
            return parts[1]
        return b""

    def feed(self, data: bytes, body: list[bytes]) -> bytes:
        """Append the data of the chunks to `body`; return the bytes that h11 has to parse.

        Raises ProtocolError for a chunk-size line that is none or is over the limit, for a chunk that
        does not end in CRLF, and for trailers that are none.
        """
        if self.given_to_h11 is not None:
            return self._give_to_h11(data)
        position = self._finish_chunk(data, 0, body) if self.missing else 0
        if self._partial_size:
            data, self._partial_size = self._partial_size + data, b""
        if self._uniform and len(data) - position >= BULK_FROM:
            position = self._feed_uniform(data, position, body)
        while position < len(data):
            line_end = data.find(b"\r\n", position, position + MAX_CANONICAL_LINE)
            size = canonical_size(data[position:line_end]) if line_end >= 0 else 0
            start = line_end + 2
            if not size:
                line = SIZE_LINE.match(data, position)
                if line is None:
                    self._buffer_size_line(data[position:])
                    return b""
                self._check_size_line(line.end() - position)
                self._omitted = 0
                size, start = int(line["size"], 16), line.end()
                if not size and data.startswith(b"\r\n", start):
                    self.ended = True
                    return data[start + 2 :]
                if not size:
                    return b"0\r\n" + self._give_to_h11(data[start:])
            position = start + size + 2
            if data[position - 2 : position] == b"\r\n":
                body.append(data[start : position - 2])
            else:
                self.missing = size + 2
                position = self._finish_chunk(data, start, body)
        return b""

    def _feed_uniform(self, data: bytes, position: int, body: list[bytes]) -> int:
        """Take all complete chunks, if each has a canonical size line and no CR in its data.

        Returns where they end, or `position` if nothing was taken. Splitting at each CR then gives
        size line, data, size line, data, and so on, each behind an LF; and this is so exactly if the
        size lines are those that belong to the lengths of the data.
        """
        parts = data[position:].split(b"\r")
        parts[0] = b"\n" + parts[0]
        end = (len(parts) - 1) // 2 * 2
        contents = [part[1:] for part in parts[1:end:2] if len(part) > 1 and part[0] == LF]
        if parts[:end:2] != size_lines(contents) or parts[end][:1] != b"\n":
            self._uniform = False  # what a server did once, it will do again
            return position
        body += contents
        return len(data) - sum(map(len, parts[end:])) - len(parts) + end + 2

    def _buffer_size_line(self, data: bytes) -> None:
        """Buffer an incomplete chunk-size line, shortened. Raises ProtocolError for anything else."""
        begun = PARTIAL_SIZE.fullmatch(data)
        if begun is None:
            line = data[:SHOWN].partition(b"\n")[0]
            raise ProtocolError(f"illegal chunk-size line: {line!r}")
        extended = begun["rest"].startswith(b";")
        self._partial_size = begun["size"] + (b";" if extended else begun["space"][:1])
        self._partial_size += b"\r" if data.endswith(b"\r") else b""
        self._omitted += len(data) - len(self._partial_size)
        self._check_size_line(len(self._partial_size))

    def _check_size_line(self, seen: int) -> None:
        if seen + self._omitted > self._max_line:
            raise ProtocolError(f"a chunk-size line is larger than {self._max_line} bytes")

    def _give_to_h11(self, trailers: bytes) -> bytes:
        if self.given_to_h11 is None:
            self._scanner, self.given_to_h11 = HeadScanner(status_line=False), 0
        self._scanner.feed(trailers)
        self.given_to_h11 += len(trailers)
        return trailers

    def _finish_chunk(self, data: bytes, position: int, body: list[bytes]) -> int:
        """Append what has come of an unfinished chunk; return the position behind it."""
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


class LengthFraming:
    """Counts the bytes of a body without chunks. `length` is None if the connection's end is the body's."""

    __slots__ = ("ended", "missing")

    def __init__(self, length: int | None) -> None:
        self.missing = length
        """Bytes that are still to come, or None if that is not known."""
        self.ended: bool = False

    def take_single(self, data: bytes) -> bytes:
        """Return `data` if all of it belongs to the body and more is to come, or else `b""`."""
        if self.missing is not None:
            if len(data) >= self.missing:
                return b""
            self.missing -= len(data)
        return data

    def feed(self, data: bytes, body: list[bytes]) -> bytes:
        """Append to `body` the part of `data` that belongs to it; return the rest."""
        rest = b""
        if self.missing is not None:
            data, rest = data[: self.missing], data[self.missing :]
            self.missing -= len(data)
            self.ended = not self.missing
        body.append(data)
        return rest


def size_lines(contents: list[bytes]) -> list[bytes]:
    """Return the canonical size lines of chunks with these contents, each behind an LF, without its CRLF."""
    try:
        return list(map(SIZE_LINES.__getitem__, map(len, contents)))  # measured: faster than to format them
    except IndexError:
        return [b"\n%x" % len(content) for content in contents]


def canonical_size(digits: bytes) -> int:
    """Return the size in a canonical chunk-size line, or 0 if the line is another or the last chunk's."""
    if not digits.isalnum() or digits.startswith(b"0"):
        return 0  # int() alone would also take signs, spaces, underscores and 0x
    try:
        return int(digits, 16)
    except ValueError:
        return 0


LF = 0x0A
SMALL_CHUNK = 1024
"""A chunk with one event of a model's has fewer bytes than this."""
HEX_SIZES = [b"%x" % size for size in range(SMALL_CHUNK)]
"""The canonical size of each small chunk, by its length. Measured: looked up faster than formatted."""
SIZE_LINES = [b"\n" + size for size in HEX_SIZES]
BULK_FROM = 2048
"""From this many bytes on, chunks are tried together. A read of a model's stream is smaller."""
MAX_CANONICAL_LINE = 10
"""Bytes of the longest canonical chunk-size line: eight digits and CRLF."""
SIZE_LINE = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,20})[ \t]*(?:;[^\n]*)?\r\n")
"""A chunk-size line as h11 accepts it, or with white space before its extension."""
PARTIAL_SIZE = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,20})(?P<space>[ \t]*)(?P<rest>;[^\n]*|\r?)")
SHOWN = 60
"""Bytes of a line that a message shows."""

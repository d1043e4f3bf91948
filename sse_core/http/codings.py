"""Ring 2: decodes the content codings of a body as it comes (RFC 9110, 8.4).

Three rules hold for every coding.

1. What can be decoded is decoded at once: an event comes out with the byte that completes it,
   if the server has flushed it.
2. Memory is bounded, whatever the bytes expand to: a step gives about `OUTPUT_STEP` bytes, and the
   next step is decoded only when the chunks of the step before have been delivered. Time is bounded
   by `Limits.max_expansion`.
3. Nothing is lost to an error: what was decoded before it comes first. br and zstd are an exception:
   their libraries return nothing of the `INPUT_STEP` bytes that have an error in them.

Each layer pulls its input from the layer around it, and the outermost from the bytes received.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import BodyTruncated, ProtocolError, StreamError, UnsupportedCoding
from .body_source import BodySource
from .decompressors import CODINGS, Coding, Decompressor
from .response import Response


def content_decoder(value: str | None, max_expansion: int) -> ContentDecoder | None:
    """Return the decoder for a body whose Content-Encoding is `value`, or None if it has no coding.

    Raises UnsupportedCoding for a coding that is unknown or whose library is not installed, and for
    more than `MAX_LAYERS` codings.
    """
    if not value:
        return None
    names = [name for each in value.split(",") if (name := each.strip().lower()) not in ("", "identity")]
    if len(names) > MAX_LAYERS:
        raise UnsupportedCoding(f"the response has more than {MAX_LAYERS} content codings")
    for name in names:
        if name not in CODINGS:
            raise UnsupportedCoding(f"the response has an unknown content coding: {name[:SHOWN]!r}")
    return ContentDecoder([CODINGS[name]() for name in names], max_expansion) if names else None


def decode_prefix(value: str | None, body: bytes, limit: int) -> bytes:
    """Return the first `limit` bytes of a body coded as `value`, or the body as it is if that fails."""
    try:
        decoding = content_decoder(value, limit)
    except UnsupportedCoding:
        return body
    if decoding is None:
        return body
    start = decoding.decode(body)
    while decoding.pending and len(start) < limit:
        start += decoding.decode()
    return body if decoding.error is not None else start[:limit]


class DecodedBody:
    """The body that `source` receives, decoded. It is a `BodySource` itself, but decodes in steps."""

    def __init__(self, source: BodySource, decoder: ContentDecoder) -> None:
        self._source = source
        self._decoder = decoder

    @property
    def response(self) -> Response | None:
        return self._source.response

    def receive(self, data: bytes) -> bytes:
        """Return the first step of what `data` decodes to; `b""` says that the peer has ended."""
        return self.decode(self._source.receive(data))

    def decode(self, body: bytes = b"") -> bytes:
        """Add the coded bytes `body` and return the next step."""
        return self._decoder.decode(body)

    @property
    def pending(self) -> bool:
        """Whether more of what was received may be decoded: call `decode` again."""
        return self._decoder.pending

    @property
    def ended(self) -> bool:
        """Whether the body is complete, and all of it was decoded."""
        return self._source.ended and not self.pending

    @property
    def error(self) -> StreamError | None:
        """Why nothing more can be received. It is None until everything before the error was decoded."""
        if self.pending:
            return None
        error = self._decoder.error or self._source.error
        if error is None and self.ended and not self._decoder.ended:
            return BodyTruncated("the body ended inside its content coding")
        return error


class ContentDecoder:
    """Decodes `codings`, which are in the order in which the server applied them."""

    def __init__(self, codings: list[Coding], max_expansion: int) -> None:
        self.pending = False
        """Whether more of what was received may be decoded."""
        self.error: ProtocolError | None = None
        """Why nothing more can be decoded."""
        self._max_expansion = max_expansion
        self._received = 0
        self._decoded = 0  # by all layers together
        self._input = InputBuffer()
        self._layers: list[DecodingLayer] = []
        for coding in reversed(codings):
            source = self._layers[-1] if self._layers else self._input
            self._layers.append(DecodingLayer(coding, source, self._count))

    @property
    def ended(self) -> bool:
        """Whether the body may end here. An empty body may, too."""
        return all(layer.ended for layer in self._layers)

    def decode(self, data: bytes = b"") -> bytes:
        """Add `data` and return the next step of what was received, decoded.

        Look at `pending` and `error` afterwards. Once `error` is set, further bytes are ignored.
        """
        if self.error is not None:
            return b""
        self._received += len(data)
        self._input.add(data)
        pieces: list[bytes] = []
        size = 0
        try:
            while size < OUTPUT_STEP and (piece := self._layers[-1].pull(OUTPUT_STEP - size)):
                pieces.append(piece)
                size += len(piece)
        except ProtocolError as exc:
            self.error = exc
        self.pending = size >= OUTPUT_STEP and self.error is None
        return b"".join(pieces)

    def _count(self, size: int) -> None:
        self._decoded += size
        if self._decoded > max(FREE_OUTPUT, self._max_expansion * self._received):
            raise ProtocolError(f"the body expands to more than {self._max_expansion} times its size")


class InputBuffer:
    """The bytes received, given out in pieces."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def add(self, data: bytes) -> None:
        if data:
            self._data, self._at = self._data[self._at :] + data, 0

    def pull(self, limit: int) -> bytes:
        data = self._data[self._at : self._at + limit]
        self._at += len(data)
        return data


class DecodingLayer:
    """Decodes one coding of what `source` gives. `count` is called with the size of each output."""

    def __init__(
        self, coding: Coding, source: InputBuffer | DecodingLayer, count: Callable[[int], None]
    ) -> None:
        self._coding = coding
        self._source = source
        self._count = count
        self._decompressor: Decompressor | None = None
        self._rest = b""  # input behind the end of a member

    @property
    def ended(self) -> bool:
        return self._decompressor is None or self._decompressor.eof

    def pull(self, limit: int) -> bytes:
        """Return about `limit` bytes at most, or `b""` if there is nothing more to decode.

        Raises ProtocolError if the input is not in this coding, and whatever `count` raises.
        """
        piece = b""
        while not piece:
            data = b""
            if self._decompressor is None or self._decompressor.eof or self._decompressor.needs_input:
                data, self._rest = self._rest or self._source.pull(INPUT_STEP), b""
                if not data:
                    break
            piece = self._decompress(data, limit)
        return piece

    def _decompress(self, data: bytes, limit: int) -> bytes:
        decompressor = self._decompressor
        if decompressor is None or (decompressor.eof and self._coding.multi_member):
            self._decompressor = decompressor = self._coding.decompressor()
        elif decompressor.eof:
            raise ProtocolError(f"the body goes on behind the end of its coding, {self._coding.name}")
        try:
            piece = decompressor.decompress(data, limit)
        except self._coding.error as exc:
            raise ProtocolError(f"the body is not what its coding, {self._coding.name}, says: {exc}") from exc
        if decompressor.eof:
            self._rest = decompressor.unused_data
        self._count(len(piece))
        return piece


MAX_LAYERS = 3
OUTPUT_STEP = 64 * 2**10
INPUT_STEP = 16 * 2**10
FREE_OUTPUT = 2**20
"""Bytes that any body may expand to, whatever `max_expansion` is."""
SHOWN = 50
"""Characters of an unknown coding that a message shows."""

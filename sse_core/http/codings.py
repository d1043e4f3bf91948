"""Ring 2: content codings, taken off a body as it comes (RFC 9110, 8.4).

Three rules hold for every coding.

1. What can be decoded is decoded at once: an event comes out with the byte that completes it,
   if the server has flushed it.
2. Memory is bounded, whatever the bytes expand to: a step gives about `STEP` bytes, and the next
   is taken when what the last one brought has been used. Time is bounded by `Limits.max_expansion`.
3. Nothing is lost to an error: it is raised behind what was decoded before it. br and zstd are an
   exception, for their libraries return nothing of the `SLICE` that an error is in.

A layer pulls its input from the one outside it, and the outermost from the bytes that came.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import BodyTruncated, NotAnEventStream, ProtocolError, StreamError
from .decompressors import CODINGS, Coding, Decompressor
from .exchange import Exchange


def decoding_of(value: str | None, max_expansion: int) -> Decoding | None:
    """Return what decodes a body whose Content-Encoding is `value`, or None if there is nothing to decode.

    Raises NotAnEventStream for a coding that is not known or whose library is not installed,
    and for more than `MAX_LAYERS` of them.
    """
    if not value:
        return None
    names = [name for each in value.split(",") if (name := each.strip().lower()) not in ("", "identity")]
    if len(names) > MAX_LAYERS:
        raise NotAnEventStream(f"the response has more than {MAX_LAYERS} content codings")
    for name in names:
        if name not in CODINGS:
            raise NotAnEventStream(f"the response has an unknown content coding: {name[:SHOWN]!r}")
    return Decoding([CODINGS[name]() for name in names], max_expansion) if names else None


def readable(value: str | None, body: bytes, limit: int) -> bytes:
    """Return the first `limit` bytes of a body coded as `value`; one that cannot be decoded, as it is."""
    try:
        decoding = decoding_of(value, limit)
    except NotAnEventStream:
        return body
    if decoding is None:
        return body
    start = decoding.decode(body)
    while decoding.pending and len(start) < limit:
        start += decoding.decode()
    return body if decoding.error is not None else start[:limit]


class CodedBody:
    """The body of an exchange, decoded. It is received as from the exchange itself, but in steps."""

    def __init__(self, exchange: Exchange, decoding: Decoding) -> None:
        self._exchange = exchange
        self._decoding = decoding

    def receive(self, data: bytes) -> bytes:
        """Return the first step of what these bytes bring; `b""` says that the peer has ended."""
        return self.decode(self._exchange.receive(data))

    def decode(self, body: bytes = b"") -> bytes:
        """Return the next step, with the coded bytes `body` added at the end."""
        return self._decoding.decode(body)

    @property
    def pending(self) -> bool:
        """Whether there may be more to decode of what has come."""
        return self._decoding.pending

    @property
    def ended(self) -> bool:
        """Whether the body has come to its end, and all of it was decoded."""
        return self._exchange.ended and not self.pending

    @property
    def error(self) -> StreamError | None:
        """Why nothing more can be received, once what came before that was decoded."""
        if self.pending:
            return None
        error = self._decoding.error or self._exchange.error
        if error is None and self.ended and not self._decoding.ended:
            return BodyTruncated("the body ended inside its content coding")
        return error


class Decoding:
    """Takes codings off, of which `codings` are in the order in which they were put on."""

    def __init__(self, codings: list[Coding], max_expansion: int) -> None:
        self.pending = False
        """Whether there may be more to decode of what has come."""
        self.error: ProtocolError | None = None
        """Why nothing more can be decoded."""
        self._max_expansion = max_expansion
        self._came = 0
        self._given = 0  # by all layers together
        self._input = Input()
        self._layers: list[Layer] = []
        for coding in reversed(codings):
            source = self._layers[-1] if self._layers else self._input
            self._layers.append(Layer(coding, source, self._count))

    @property
    def ended(self) -> bool:
        """Whether the body may end here. One with nothing in it may, too."""
        return all(layer.ended for layer in self._layers)

    def decode(self, data: bytes = b"") -> bytes:
        """Return the next step of what has come, to which `data` is added.

        Look at `pending` and `error` afterwards. Once `error` is set, further bytes are ignored.
        """
        if self.error is not None:
            return b""
        self._came += len(data)
        self._input.add(data)
        pieces: list[bytes] = []
        size = 0
        try:
            while size < STEP and (piece := self._layers[-1].pull(STEP - size)):
                pieces.append(piece)
                size += len(piece)
        except ProtocolError as exc:
            self.error = exc
        self.pending = size >= STEP and self.error is None
        return b"".join(pieces)

    def _count(self, size: int) -> None:
        self._given += size
        if self._given > max(FREE, self._max_expansion * self._came):
            raise ProtocolError(f"the body expands to more than {self._max_expansion} times its size")


class Input:
    """The bytes that came, in slices."""

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


class Layer:
    """Takes one coding off what `source` gives. `count` is told how much comes of it."""

    def __init__(self, coding: Coding, source: Input | Layer, count: Callable[[int], None]) -> None:
        self._coding = coding
        self._source = source
        self._count = count
        self._decompressor: Decompressor | None = None
        self._rest = b""  # what came behind a member's end

    @property
    def ended(self) -> bool:
        return self._decompressor is None or self._decompressor.eof

    def pull(self, limit: int) -> bytes:
        """Return about `limit` bytes at most; none if there is nothing more to decode.

        Raises ProtocolError for what is not so coded, and from `count`.
        """
        piece = b""
        while not piece:
            data = b""
            if self._decompressor is None or self._decompressor.eof or self._decompressor.needs_input:
                data, self._rest = self._rest or self._source.pull(SLICE), b""
                if not data:
                    break
            piece = self._decompress(data, limit)
        return piece

    def _decompress(self, data: bytes, limit: int) -> bytes:
        decompressor = self._decompressor
        if decompressor is None or (decompressor.eof and self._coding.members):
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
STEP = 64 * 2**10
SLICE = 16 * 2**10
FREE = 2**20
"""Bytes that any body may expand to."""
SHOWN = 50

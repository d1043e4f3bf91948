"""Ring 2: decodes the content codings of a body as it comes (RFC 9110, 8.4).

Four rules hold for every coding.

1. What can be decoded is decoded at once: an event comes out with the byte that completes it,
   if the server has flushed it.
2. A step is bounded in memory and in work, whatever the bytes expand to: it gives about `OUTPUT_STEP`
   bytes, and ends when all layers together have done `STEP_WORK`, even if nothing came of it. So whoever
   takes the steps can look at the clock between them.
3. What received bytes expand to is bounded by `Limits.max_expansion`. Bytes that were received and
   decoded before do not make the bound higher.
4. Nothing is lost to an error: what was decoded before it comes first. br and zstd are an exception:
   their libraries return nothing of the `INPUT_STEP` bytes that have an error in them.

Each layer pulls its input from the layer around it, and the outermost from the bytes received.
"""

from __future__ import annotations

from ..errors import BodyTruncated, ProtocolError, StreamError, UnsupportedCoding
from .body_source import BodySource
from .decompressors import CODINGS, Coding, Decompressor
from .response import Response


def content_decoder(value: str | None, max_expansion: int, *, lenient: bool = False) -> ContentDecoder | None:
    """Return the decoder for a body whose Content-Encoding is `value`, or None if it has no coding.

    With `lenient`, the field may say something else than the bytes are: names that are not registered
    are passed over, and so are all if the start of the body is not so coded.

    Raises UnsupportedCoding for a coding that is unknown or whose library is not installed, and for
    more than `MAX_LAYERS` codings.
    """
    names = [name for each in (value or "").split(",") if (name := each.strip().lower()) not in IDENTITY]
    if lenient:
        names = [name for name in names if is_registered(name)]
    if len(names) > MAX_LAYERS:
        raise UnsupportedCoding(f"the response has more than {MAX_LAYERS} content codings")
    for name in names:
        if name not in CODINGS:
            kind = "unsupported" if is_registered(name) else "unknown"
            raise UnsupportedCoding(f"the response has an {kind} content coding: {name[:SHOWN]!r}")
    if not names:
        return None
    return ContentDecoder([CODINGS[name]() for name in names], max_expansion, lenient=lenient)


def is_registered(coding: str) -> bool:
    """Whether there is a content coding of this name, in lower case (RFC 9110, 16.6.1)."""
    return coding in CODINGS or coding in OTHER_CODINGS


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
        """Add the coded bytes `body` and return the next step, which may be empty."""
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
    """Decodes `codings`, which are in the order in which the server applied them.

    With `lenient`, a body whose start is not so coded is given as it is.
    """

    def __init__(self, codings: list[Coding], max_expansion: int, *, lenient: bool = False) -> None:
        self.pending: bool = False
        """Whether more of what was received may be decoded."""
        self.error: ProtocolError | None = None
        """Why nothing more can be decoded."""
        self._start: bytes | None = b"" if lenient else None  # what was received, as long as it may be given
        self._as_it_is = False  # the body is not coded at all
        self._meter = Meter(max_expansion)
        self._input = InputBuffer()
        self._layers: list[DecodingLayer] = []
        for coding in reversed(codings):
            source = self._layers[-1] if self._layers else self._input
            self._layers.append(DecodingLayer(coding, source, self._meter))

    @property
    def ended(self) -> bool:
        """Whether the body may end here. An empty body may, too."""
        return self._as_it_is or all(layer.ended for layer in self._layers)

    def decode(self, data: bytes = b"") -> bytes:
        """Add `data` and return the next step of what was received, decoded. It may be empty.

        Look at `pending` and `error` afterwards. Once `error` is set, further bytes are ignored.
        """
        if self.error is not None:
            return b""
        if self._as_it_is:
            return data
        if self._start is not None:
            self._start = self._start + data if len(self._start) < INPUT_STEP else None
        self._input.add(data)
        self._meter.begin_step(len(data), continued=self.pending)
        pieces: list[bytes] = []
        size = 0
        try:
            while size < OUTPUT_STEP and (piece := self._layers[-1].pull(OUTPUT_STEP - size)):
                pieces.append(piece)
                size += len(piece)
        except ProtocolError as exc:
            if self._start is not None and self._layers[0].may_not_be_coded and not self._meter.overdrawn:
                self._as_it_is, self.pending = True, False
                return self._start
            self.error = exc
        self.pending = (size >= OUTPUT_STEP or self._meter.step_is_over) and self.error is None
        if size:
            self._start = None
        return b"".join(pieces)


class Meter:
    """Measures the work of all layers together.

    A step may take `STEP_WORK`. The bytes that are being decoded may expand to `max_expansion` times
    their size, and to `FREE_OUTPUT` in any case; what remains of that when all is decoded is not kept.
    """

    def __init__(self, max_expansion: int) -> None:
        self._max_expansion = max_expansion
        self._allowance = FREE_OUTPUT
        self._work = 0

    def begin_step(self, received: int, *, continued: bool) -> None:
        """Begin a step, with so many bytes more, and `continued` if others are still to be decoded."""
        self._work = 0
        if not continued:
            self._allowance = min(self._allowance, FREE_OUTPUT)
        self._allowance += self._max_expansion * received

    def begin_member(self) -> None:
        """Count one member more, which takes time even if it is empty. Raises as `count` does."""
        self._spend(MEMBER_COST)

    def count(self, taken: int, given: int) -> None:
        """Count a call of a decompressor. Raises ProtocolError for too large an expansion."""
        self._work += CALL_COST + taken + given
        self._spend(given)

    @property
    def step_is_over(self) -> bool:
        """Whether no layer is to begin anything more in this step."""
        return self._work >= STEP_WORK

    @property
    def overdrawn(self) -> bool:
        return self._allowance < 0

    def _spend(self, size: int) -> None:
        self._allowance -= size
        if self.overdrawn:
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
    """Decodes one coding of what `source` gives."""

    def __init__(self, coding: Coding, source: InputBuffer | DecodingLayer, meter: Meter) -> None:
        self._coding = coding
        self._source = source
        self._meter = meter
        self._decompressor: Decompressor | None = None
        self._rest = b""  # input behind the end of a member
        self._given = 0

    @property
    def ended(self) -> bool:
        return self._decompressor is None or self._decompressor.eof

    @property
    def may_not_be_coded(self) -> bool:
        """Whether an error in the first bytes may be due to their not being so coded at all."""
        return not (self._given and self._coding.has_magic)

    def pull(self, limit: int) -> bytes:
        """Return about `limit` bytes at most, or `b""` if there is nothing to decode, or the step is over.

        Raises ProtocolError if the input is not in this coding, or expands too much.
        """
        piece = b""
        while not piece and not self._meter.step_is_over:
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
            if decompressor is not None:
                self._meter.begin_member()
            self._decompressor = decompressor = self._coding.decompressor()
        elif decompressor.eof:
            raise ProtocolError(f"the body goes on behind the end of its coding, {self._coding.name}")
        try:
            piece = decompressor.decompress(data, limit)
        except self._coding.error as exc:
            raise ProtocolError(f"the body is not what its coding, {self._coding.name}, says: {exc}") from exc
        if decompressor.eof:
            self._rest = decompressor.unused_data
        self._given += len(piece)
        self._meter.count(len(data), len(piece))
        return piece


IDENTITY = ("", "identity")
OTHER_CODINGS = ("aes128gcm", "compress", "dcb", "dcz", "exi", "pack200-gzip", "x-compress")
"""The rest of IANA's registry of content codings."""
MAX_LAYERS = 3
OUTPUT_STEP = 64 * 2**10
"""Bytes that a step gives, about."""
INPUT_STEP = 16 * 2**10
"""Bytes that a layer takes at a time."""
STEP_WORK = 256 * 2**10
"""Work of a step: bytes that the layers take and give, and `CALL_COST` for each call of a decompressor."""
CALL_COST = 512
"""Bytes that could be decompressed in the time that a call takes, or the beginning of a member."""
MEMBER_COST = 128
"""Bytes that a member counts for in the expansion, beside its own."""
FREE_OUTPUT = 2**20
"""Bytes that any body may expand to, whatever `max_expansion` is."""
SHOWN = 50
"""Characters of an unknown coding that a message shows."""

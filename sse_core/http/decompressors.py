"""Ring 1: what decodes each content coding, under one interface.

gzip and deflate are the standard library's. The libraries for br and zstd are imported when a
response first needs them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from ..errors import NotAnEventStream


class Decompressor(Protocol):
    """What the standard library's newer decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True)
class Coding:
    """What decodes a coding, the error that this raises, and whether several in a row are one body."""

    name: str
    decompressor: Callable[[], Decompressor]
    error: type[Exception]
    members: bool = False


class ZlibDecompressor:
    """zlib's decompressor, which loses nothing to an error."""

    def __init__(self, wbits: int) -> None:
        self.needs_input = True
        self._zlib = zlib.decompressobj(wbits)
        self._error: zlib.error | None = None

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._error is not None:
            raise self._error
        data = self._zlib.unconsumed_tail + data
        before = self._zlib.copy()  # takes a microsecond or two
        try:
            piece = self._zlib.decompress(data, max_length)
            self.needs_input = not self._zlib.unconsumed_tail and len(piece) < max_length
        except zlib.error as exc:
            self.needs_input = False
            self._error = exc
            piece = until_error(before, data)
        return piece


class DeflateDecompressor(ZlibDecompressor):
    """For the coding `deflate`, which is zlib's format (RFC 1950), but is often sent without its frame."""

    def __init__(self) -> None:
        super().__init__(zlib.MAX_WBITS)
        self._start: bytes | None = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._start is not None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return b""
            self._start = None
            if not is_zlib(data):
                self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        return super().decompress(data, max_length)


class BrotliDecompressor:
    """The decompressor of the package `brotli`, with the names of the others."""

    unused_data = b""  # bytes behind the end are an error of its own

    def __init__(self, brotli: ModuleType) -> None:
        self._brotli: Any = brotli.Decompressor()
        self._full = False  # so that there may be more to come, even if it would take more

    @property
    def eof(self) -> bool:
        return bool(self._brotli.is_finished())

    @property
    def needs_input(self) -> bool:
        return not self._full and bool(self._brotli.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int) -> bytes:
        piece: bytes = self._brotli.process(data, output_buffer_limit=max_length)
        self._full = len(piece) >= max_length
        return piece


def gzip() -> Coding:
    wbits = zlib.MAX_WBITS + 16  # with the frame of RFC 1952, of which several in a row are one body (2.2)
    return Coding("gzip", lambda: ZlibDecompressor(wbits), zlib.error, members=True)


def deflate() -> Coding:
    return Coding("deflate", DeflateDecompressor, zlib.error)


def br() -> Coding:
    brotli = installed("br", "brotli")
    if not hasattr(brotli.Decompressor, "can_accept_more_data"):  # older than 1.2, without limits
        raise missing("br")
    return Coding("br", lambda: BrotliDecompressor(brotli), brotli.error)


def zstd() -> Coding:
    library: Any = installed("zstd", "compression.zstd", "backports.zstd")
    options = {library.DecompressionParameter.window_log_max: 23}  # 8 MiB (RFC 9659, 3)
    return Coding("zstd", lambda: library.ZstdDecompressor(options=options), library.ZstdError, members=True)


def installed(coding: str, *modules: str) -> ModuleType:
    """Import the first of `modules` that is there."""
    for module in modules:
        with suppress(ImportError):
            return import_module(module)
    raise missing(coding)


def missing(coding: str) -> NotAnEventStream:
    return NotAnEventStream(
        f"the response has the content coding {coding!r}: to decode it, install sse-core[{coding}]"
    )


def until_error(decompressor: Any, data: bytes) -> bytes:
    """Return what comes of `data` before the error that is in it."""
    pieces: list[bytes] = []
    with suppress(zlib.error):
        pieces.extend(decompressor.decompress(data[at : at + 1]) for at in range(len(data)))
    return b"".join(pieces)


def is_zlib(start: bytes) -> bool:
    """Whether a deflated body begins as zlib's format does (RFC 1950, 2.2); no encoder's own output does."""
    return start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0


CODINGS: dict[str, Callable[[], Coding]] = {
    "gzip": gzip,
    "x-gzip": gzip,
    "deflate": deflate,
    "br": br,
    "zstd": zstd,
}

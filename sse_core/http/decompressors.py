"""The decompressor of each content coding, under one interface.

gzip and deflate are in the standard library. The libraries for br and zstd are imported when a
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

from ..errors import UnsupportedCoding


class Decompressor(Protocol):
    """Decodes one member of a coded body, as the newer decompressors of the standard library do."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


@dataclass(frozen=True)
class Coding:
    """How to decode one content coding.

    `error` is what its decompressor raises. With `multi_member`, several members in a row are one body.
    With `has_magic`, nothing else begins as a body so coded does; without, it takes some bytes to tell.
    """

    name: str
    decompressor: Callable[[], Decompressor]
    error: type[Exception]
    multi_member: bool = False
    has_magic: bool = False


class ZlibDecompressor:
    """The decompressor of `zlib`, except that what comes before an error is returned first."""

    def __init__(self, wbits: int) -> None:
        self.needs_input: bool = True
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
        before = self._zlib.copy()  # cheap, compared to decompressing
        try:
            piece = self._zlib.decompress(data, max_length)
            self.needs_input = not self._zlib.unconsumed_tail and len(piece) < max_length
        except zlib.error as exc:
            self.needs_input = False
            self._error = exc
            piece = decode_up_to_error(before, data)
        return piece


class DeflateDecompressor(ZlibDecompressor):
    """Decodes `deflate`: the zlib format (RFC 1950), or the raw data that many servers send instead."""

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
    """The decompressor of the package `brotli`, under the interface of the others."""

    unused_data = b""  # `brotli` raises an error for bytes behind the end

    def __init__(self, brotli: ModuleType) -> None:
        self._brotli: Any = brotli.Decompressor()
        self._full = False  # the last output filled its limit, so that more may be there

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
    wbits = zlib.MAX_WBITS + 16  # gzip's frame, of which several in a row are one body (RFC 1952, 2.2)
    return Coding("gzip", lambda: ZlibDecompressor(wbits), zlib.error, multi_member=True, has_magic=True)


def deflate() -> Coding:
    return Coding("deflate", DeflateDecompressor, zlib.error)


def br() -> Coding:
    brotli = import_first("br", "brotli")
    if not hasattr(
        brotli.Decompressor, "can_accept_more_data"
    ):  # older than 1.2: its output cannot be limited
        raise not_installed("br")
    return Coding("br", lambda: BrotliDecompressor(brotli), brotli.error)


def zstd() -> Coding:
    library: Any = import_first("zstd", "compression.zstd", "backports.zstd")
    options = {library.DecompressionParameter.window_log_max: 23}  # 8 MiB (RFC 9659, 3)

    def decompressor() -> Decompressor:
        new: Decompressor = library.ZstdDecompressor(options=options)
        return new

    return Coding("zstd", decompressor, library.ZstdError, multi_member=True, has_magic=True)


def import_first(coding: str, *modules: str) -> ModuleType:
    """Import and return the first of `modules` that is installed. Raises UnsupportedCoding if none is."""
    for module in modules:
        with suppress(ImportError):
            return import_module(module)
    raise not_installed(coding)


def not_installed(coding: str) -> UnsupportedCoding:
    return UnsupportedCoding(
        f"the response has the content coding {coding!r}: to decode it, install sse-core[{coding}]"
    )


def decode_up_to_error(decompressor: Any, data: bytes) -> bytes:
    """Return what `data` decodes to, before the error in it."""
    pieces: list[bytes] = []
    with suppress(zlib.error):
        pieces.extend(decompressor.decompress(data[at : at + 1]) for at in range(len(data)))
    return b"".join(pieces)


def is_zlib(start: bytes) -> bool:
    """Whether a body begins with the header of the zlib format (RFC 1950, 2.2); raw deflate data does not."""
    return start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0


CODINGS: dict[str, Callable[[], Coding]] = {
    "gzip": gzip,
    "x-gzip": gzip,
    "deflate": deflate,
    "br": br,
    "zstd": zstd,
}

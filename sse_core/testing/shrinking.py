"""From a case that fails to the smallest one: leave out what is not needed for it to fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["shrink"]


def shrink(
    chunks: Sequence[bytes], fails: Callable[[list[bytes]], bool], *, tries: int = 5000
) -> list[bytes]:
    """Return the smallest chunks found for which `fails` is still true, as it is for these.

    Leaves out runs of bytes, and of the cuts between chunks: half of them first, then smaller
    and smaller runs, until no single one can be spared or `fails` was asked `tries` times.
    """
    parts = _apart(chunks)
    size = len(parts)
    while size:
        start, spared = 0, False
        while start < len(parts) and tries:
            tries -= 1
            fewer = parts[:start] + parts[start + size :]
            if fails(_together(fewer)):
                parts, spared = fewer, True
            else:
                start += size
        if not (spared and size == 1):
            size //= 2
    return _together(parts)


CUT = -1


def _apart(chunks: Sequence[bytes]) -> list[int]:
    parts: list[int] = []
    for chunk in chunks:
        parts += [*chunk, CUT]
    return parts[:-1]


def _together(parts: Sequence[int]) -> list[bytes]:
    chunks = [bytearray()]
    for part in parts:
        if part == CUT:
            chunks.append(bytearray())
        else:
            chunks[-1].append(part)
    return [bytes(chunk) for chunk in chunks]

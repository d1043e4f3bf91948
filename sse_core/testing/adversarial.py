"""Streams made to break decoders, from a seed.

Random bytes hardly ever form a field, and well-formed streams hardly ever hit a rule's edge. So
these are strung together from the pieces that the standard gives a meaning to and from their
near misses, and a few are ordinary streams with some bytes changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

__all__ = ["NOT_UTF_8", "PIECES", "adversarial_stream", "mutate", "split"]

PIECES: Sequence[bytes] = (
    # Line ends, and what some take for one.
    *(b"\n", b"\n\n", b"\r", b"\r\n", b"\r\r", b"\r\n\r\n", b"\n\r", b"\v", b"\f", b"\x1c"),
    *("\u2028".encode(), "\u2029".encode(), "\u0085".encode()),
    # Fields, whole and broken off.
    *(b"data", b"data:", b"data: ", b"data: x", b"data: {}\n\n", b"data:x\r\n\r\n", b"data\n\n", b"dat"),
    *(b"event", b"event:", b"event: t", b"event: t\n", b"id", b"id:", b"id: 1", b"id: 1\n", b"id:\n\n"),
    *(b"retry", b"retry:", b"retry: 10\n", b"retry: -1\n", b"retry: 1_0\n", b"retry:\n", b"\nretry: 7"),
    # Comments and unknown fields.
    *(b":", b": ping\n", b":\n\n", b"error: x\n", b"Data: x\n", b" data: x\n", b"datax: y\n", b"{}\n"),
    # Single characters that mean something, or nothing.
    *(b" ", b"  ", b"\t", b"\0", b"0", b"9", b"a", b"x:y", "\u0661".encode(), "\u00a0".encode()),
    # Byte order marks, and UTF-8 of every length.
    *(b"\xef\xbb\xbf", "\u00e9".encode(), "\u20ac".encode(), "\U0001f600".encode()),
)
NOT_UTF_8: Sequence[bytes] = (
    *(b"\xef\xbb", b"\xef", b"\xfe\xff", b"\xff", b"\x80", b"\x85", b"\xa0", b"\xc3", b"\xe2\x82"),
    *(b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"),
)


def adversarial_stream(dice: random.Random) -> bytes:
    """A stream of up to a few hundred bytes. The same state of the dice gives the same one."""
    pieces = [*PIECES, *NOT_UTF_8] if dice.random() < 0.25 else PIECES
    stream = b"".join(dice.choices(pieces, k=int(dice.expovariate(1 / 12))))
    if dice.random() < 0.1:
        stream = b"\xef\xbb\xbf" + stream
    return mutate(stream, dice) if dice.random() < 0.2 else stream


def mutate(stream: bytes, dice: random.Random) -> bytes:
    """The stream with one to four small changes."""
    for _ in range(dice.randint(1, 4)):
        start = dice.randint(0, len(stream))
        stop = min(len(stream), start + dice.choice((0, 0, 1, 1, 2, 8)))
        put = dice.choice((b"", dice.choice(PIECES), dice.randbytes(1), stream[start:stop] * 2))
        stream = stream[:start] + put + stream[stop:]
    return stream


def split(stream: bytes, dice: random.Random) -> list[bytes]:
    """The stream cut at random: into few pieces or many, some of them empty."""
    density = dice.choice((0.02, 0.2, 0.6, 1.1))
    chunks = [b""]
    for at in range(len(stream)):
        while dice.random() < density:
            chunks.append(b"")
            density = min(density, 0.9)
        chunks[-1] += stream[at : at + 1]
    return chunks

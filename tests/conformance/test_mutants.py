"""The vectors have teeth: every decoder with one bug fails one of them."""

from __future__ import annotations

import pytest

from conformance import mutants, mutants_of_dispatch, mutants_of_fields
from sse_core.testing.reference import ReferenceDecoder
from sse_core.testing.vectors import complaint, load

VECTORS = load()
MUTANTS = mutants.MUTANTS
assert mutants_of_fields, mutants_of_dispatch  # imported so that they enter their own


@pytest.mark.parametrize(("mutant", "name"), MUTANTS.items(), ids=[mutant.__name__ for mutant in MUTANTS])
def test_the_vectors_catch(mutant: type[ReferenceDecoder], name: str) -> None:
    assert first_to_fail(mutant) == name


def test_there_are_enough_of_them() -> None:
    assert len(MUTANTS) >= 30
    assert len({mutant.__doc__ for mutant in MUTANTS}) == len(MUTANTS)


def test_the_vectors_do_not_catch_the_reference() -> None:
    assert first_to_fail(ReferenceDecoder) is None


def first_to_fail(decoder: type[ReferenceDecoder]) -> str | None:
    """The name of the first vector that finds fault with a decoder."""
    for vector in VECTORS:
        for chunks in some_chunkings(vector.octets):
            if complaint(decoder(), vector, chunks) is not None:
                return vector.name
    return None


def some_chunkings(stream: bytes) -> list[list[bytes]]:
    """Fewer than a decoder is otherwise held to, which is enough here: whole, byte by byte, and with gaps."""
    single = [stream[at : at + 1] for at in range(len(stream))]
    return [[stream], single, [piece for byte in single for piece in (byte, b"")]]

"""The kit as a pytest suite for any decoder: subclass, say which, and collect.

    from sse_core.testing.suite import DecoderSuite

    class TestMyDecoder(DecoderSuite):
        decoder = my_decoder

The only module that needs pytest.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import ClassVar

import pytest

from sse_core.testing.adversarial import adversarial_stream, split
from sse_core.testing.comparing import clause_of, expectation, lateness, problem
from sse_core.testing.scoring import measure_time
from sse_core.testing.subjects import Subject
from sse_core.testing.vectors import Vector, chunkings, load

__all__ = ["DecoderSuite"]


class DecoderSuite:
    """A test for each vector, one for random streams, one for time. `decoder` is as `subjects` has it.

    `seed` decides the random cuts and streams, `streams` how many of them there are.
    """

    decoder: ClassVar[Callable[..., object]]
    seed: ClassVar[int] = 1
    streams: ClassVar[int] = 1000

    @pytest.mark.parametrize("vector", load(), ids=lambda vector: vector.name)
    def test_vector(self, vector: Vector) -> None:
        """The stream gives its events, however it is cut, and each with its last byte."""
        subject = Subject(type(self).decoder)
        expected = expectation(vector.octets)
        for chunks in chunkings(vector.octets, self.seed):
            run = subject.run(chunks)
            wrong = problem(expected, run) or lateness(expected, run, chunks)
            assert wrong is None, f"{vector.clause}: {vector.why} Fed {chunks}, {wrong}"

    def test_random_streams(self) -> None:
        """Whatever the bytes, there is no exception, and the events are those of the reference."""
        subject = Subject(type(self).decoder)
        dice = random.Random(self.seed)
        for _ in range(self.streams):
            stream = adversarial_stream(dice)
            chunks = split(stream, dice)
            wrong = problem(expectation(stream), subject.run(chunks))
            assert wrong is None, f"{clause_of(stream)}: fed {chunks}, {wrong}"

    def test_time_is_linear(self) -> None:
        """Eight times the bytes take about eight times the CPU time, far from 64 times."""
        check = measure_time(Subject(type(self).decoder))
        assert check.ok, check.failures

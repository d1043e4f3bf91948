"""Every life among the vectors, led as it is written and as its own transcript has it."""

from __future__ import annotations

import msgspec
import pytest

from sse_core import Stop, Transcript
from sse_core.testing.sessions import Life, SessionVector, Step, complaint, load

VECTORS = load()


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_every_vector(vector: SessionVector) -> None:
    assert complaint(vector) is None


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_transcript_of_a_life_is_that_life(vector: SessionVector) -> None:
    transcript = Transcript(redact=False)
    session, life = vector.session(), Life(vector.life)
    action = session.start(life.now)
    lines = [transcript.action(action, life.now)]
    while not isinstance(action, Stop):
        outcome = life.answer(action)
        lines.append(transcript.outcome(outcome, life.now))
        action = session.step(outcome, life.now)
        lines.append(transcript.action(action, life.now))
    steps = [msgspec.json.decode(line, type=Step) for line in lines]
    assert complaint(msgspec.structs.replace(vector, life=steps)) is None

"""The fuzz targets: a short, seeded run of each, and that each can fail."""

from __future__ import annotations

import importlib

import pytest

import sse_core
from fuzz import run
from sse_core.testing.reference import ReferenceDecoder
from sse_core.testing.vectors import load

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.mark.parametrize("target", run.TARGETS)
def test_a_short_run(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.unguided(target, seconds=60, seed=1, most=800), capsys.readouterr().out


@pytest.mark.parametrize("target", run.TARGETS)
def test_each_states_its_invariant_in_one_sentence(target: str) -> None:
    says = importlib.import_module(f"fuzz.{target}").__doc__
    assert says is not None
    assert says.count(".") == 1 and says.endswith(".")


def test_a_failure_is_shown_as_small_as_it_can_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(sse_core.EventDecoder):
        def feed(self, data: bytes | bytearray | memoryview) -> list[sse_core.Event]:
            return super().feed(bytes(data).replace(b"\0", b""))

    monkeypatch.setattr("fuzz.fast_equals_reference.EventDecoder", Broken)
    assert run.main(["fast_equals_reference", "--seconds", "60", "--seed", "1", "--without-atheris"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("fast_equals_reference: FAILED, seed 1, input ")
    assert said.endswith(r"b'\x00'" + "\n")


def test_time_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["any_chunking", "--seconds", "0", "--seed", "1", "--without-atheris"]) == 0
    assert capsys.readouterr().out == "any_chunking: 1 inputs without a failure, seed 1\n"


def test_the_corpus_is_small_and_no_input_is_there_twice() -> None:
    whole = run.corpus()
    assert sum(map(len, whole)) < 64 * 1024
    own = whole[len(load()) :]
    assert 24 < len(own) == len(set(own)) < 100
    assert any(ReferenceDecoder().feed(data) for data in own)

"""The benchmarks still run, and still notice a wrong answer. How long anything takes is not looked at."""

from __future__ import annotations

import sys

import pytest

from benchmarks import charts, curves, decoders, end_to_end, framing, peers, streams
from benchmarks.harness import Results


@pytest.fixture(autouse=True)
def small_and_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have less to do, and have it done by this Python, whose environment has some of the clients."""
    for module in (decoders, framing):
        monkeypatch.setattr(module, "EVENTS", 128)
    for module in (end_to_end, streams):
        monkeypatch.setattr(module, "python", this_python)


def this_python(name: str) -> str:
    return sys.executable


def test_whole_answers() -> None:
    names = ["recv", "raw loop", "raw loop, h11", "sse-core, threads", "sse-core, asyncio"]
    results = end_to_end.measure_all(names, ["coalesced"], 1)
    for name in names:
        for figure in ("cpu", "cold", "warm", "memory", "server"):
            assert results.middle(name, "coalesced", figure=figure) is not None
        assert f"| {name} |" in end_to_end.report(results, names, ["coalesced"])


def test_many_streams() -> None:
    name = "sse-core, anyio; trio"
    results = streams.measure_all([name], [20], 1)
    assert all(results.middle(name, 20, figure=figure) is not None for figure in streams.FIGURES)
    assert f"| {name} | 20 |" in streams.report(results, [name], [20])


@pytest.mark.parametrize("feed", decoders.FEEDS)
def test_decoders(feed: str) -> None:
    for name in ("bytes.split", "sse-core", "groq"):
        assert decoders.measure(name, feed) >= 0


def test_a_wrong_answer_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(decoders.CONTENDERS, "sse-core", lambda chunks: list(peers.sse_core(chunks))[1:])
    with pytest.raises(AssertionError):
        decoders.measure("sse-core", "whole")


def test_framing() -> None:
    for body in framing.BODIES:
        assert all(time >= 0 for time in framing.both(body, 64))


def test_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "NUMBERS", (10, 100))
    monkeypatch.setattr(curves, "SIZES", (256, 1024))
    monkeypatch.setattr(curves, "BYTES", 1 << 16)
    numbers, sizes = curves.by_number(), curves.by_size()
    report = curves.report(numbers, sizes)
    assert all(f"\n| {size} | " in report.replace(",", "") for size in (10, 100, 256, 1024))
    assert charts.curves("CPU", {"session": [row[:2] for row in numbers]}, "session").startswith("<svg")


def test_medians_and_ratios() -> None:
    results = Results()
    for time in (1.0, 9.0, 2.0):
        results.add("one", figures={"cpu": time})
    results.add("other", figures={"cpu": 4.0})
    assert results.middle("one", figure="cpu") == 2.0
    assert results.range("one", figure="cpu") == (1.0, 9.0)
    assert results.ratio(("one",), ("other",), "cpu") == 0.5
    assert results.ratio(("one",), ("none",), "cpu") is None

"""The scoring kit: that it finds right what is right, and each thing wrong that is wrong."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Callable

import pytest

from conformance import toys
from sse_core import EventDecoder
from sse_core.testing import __main__ as command
from sse_core.testing import scoring, timing
from sse_core.testing.comparing import clause_of
from sse_core.testing.reference import ReferenceDecoder
from sse_core.testing.reporting import report
from sse_core.testing.scoring import Check, Score, measure, measure_time
from sse_core.testing.shrinking import shrink
from sse_core.testing.subjects import Form, NotADecoder, Subject
from sse_core.testing.suite import DecoderSuite
from sse_core.testing.vectors import Vector, load


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every seventh vector only, and no measuring of time."""
    some: list[Vector] = load()[::7]
    monkeypatch.setattr(scoring, "load", lambda: some)
    monkeypatch.setattr(scoring, "measure_time", untimed)


def untimed(subject: Subject) -> Check:
    return Check("linear time", 5, 5)


def failed(score: Score) -> list[str]:
    return [check.name for check in score.checks if not check.ok]


ID, END_ID, END_TIME = "last_event_id", "the decoder's last_event_id", "the decoder's reconnection_time"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("decoder", "form", "compared"),
    [
        (EventDecoder, Form.PUSH, {"type", "data", ID, END_ID, END_TIME}),
        (ReferenceDecoder, Form.PUSH, {"type", "data", ID, END_ID, END_TIME}),
        (toys.as_in_sdks, Form.ITERABLE, {"type", "data", ID}),
        (toys.as_mappings, Form.ITERABLE, {"type", "data"}),
        (toys.as_bytes, Form.ITERABLE, {"data"}),
        (toys.Pushed, Form.PUSH, {"type", "data", ID, END_TIME}),
        (toys.signalless, Form.ITERABLE, {"type", "data", ID}),
    ],
)
def test_right_decoders_are_right(decoder: Callable[..., object], form: Form, compared: set[str]) -> None:
    score = measure(decoder, streams=100)
    assert failed(score) == []
    assert score.ok
    assert score.form == form.value
    assert set(score.compared) == compared
    text = report(score)
    assert text.endswith("All right.")
    assert ("not scored" in text) == (compared != {"type", "data", ID, END_ID, END_TIME})


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("decoder", "wrong"),
    [
        (toys.DispatchesAtTheEnd, ["vectors", "random streams"]),
        (toys.Shouts, ["vectors", "random streams"]),
        (toys.GivesAtTheEnd, ["promptness"]),
        (toys.WaitsForMore, ["promptness"]),
        (toys.DecodesChunks, ["vectors", "chunking", "random streams", "no exception"]),
        (toys.RaisesWhenCut, ["chunking", "random streams", "no exception"]),
        (toys.RaisesWhenWhole, ["vectors", "chunking", "random streams", "no exception"]),
        (toys.endless, ["vectors", "random streams", "no exception"]),
        (toys.no_events, ["vectors", "random streams"]),
    ],
)
def test_wrong_decoders_are_wrong_where_they_are(decoder: Callable[..., object], wrong: list[str]) -> None:
    score = measure(decoder, streams=100)
    assert failed(score) == wrong
    assert not score.ok
    text = report(score)
    assert text.endswith(f"Failed: {', '.join(wrong)}.")
    assert text.count("The smallest failure of ") == len(wrong)
    for check in score.checks:
        assert (check.failures == []) == check.ok
    assert report(score, every_failure=True).count("\n  fed ") == sum(len(c.failures) for c in score.checks)


@pytest.mark.usefixtures("quick")
def test_the_smallest_failure_is_shown_in_full() -> None:
    text = report(measure(toys.DispatchesAtTheEnd, streams=100))
    assert (
        "\n".join(
            [
                "The smallest failure of random streams:",
                "  a random stream, 9.2.6 end of stream",
                "  Made as small as it can be and still fail.",
                "  fed       b'data'",
                "  expected  no event",
                "  but       an event comes that should not: type 'message', data '', last_event_id ''",
            ]
        )
        in text
    )


@pytest.mark.parametrize(
    ("decoder", "says"),
    [
        (toys.not_callable, "5 cannot be called"),
        (toys.nothing, "no iterable of events, but None"),
        (toys.no_feed, r"no object with feed\(\)"),
        (toys.without_data, "an event has no data"),
    ],
)
def test_what_is_no_decoder_is_refused(decoder: Callable[..., object], says: str) -> None:
    with pytest.raises(NotADecoder, match=says):
        Subject(decoder).run([b"data: x\n\n"])


def test_an_event_is_timed_by_the_bytes_given() -> None:
    chunks = [b"data: x\n\n", b"", b"data: y\n", b"\n"]
    assert Subject(EventDecoder).run(chunks).came == [9, 18]
    assert Subject(toys.as_in_sdks).run(chunks).came == [9, 18]
    assert Subject(toys.WaitsForMore).run(chunks).came == [9, 19]
    assert Subject(toys.GivesAtTheEnd).run(chunks).came == [19, 19]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU time is what the toys count."""
    monkeypatch.setattr(timing, "SMALL", 256)
    monkeypatch.setattr(timing, "cpu_time", lambda: toys.Linear.cpu_time)


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("decoder", [toys.Linear, toys.Interrupted])
def test_linear_time_is_told(decoder: Callable[..., object]) -> None:
    check = measure_time(Subject(decoder))
    assert check.ok
    assert "8.0, 8.0, 8.0, 8.0, 8.0" in check.note


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize("patience", [0, 1000])
def test_quadratic_time_is_told(patience: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "PATIENCE", patience)
    check = measure_time(Subject(toys.Quadratic))
    assert not check.ok
    assert "8 times the bytes took 63 times" in check.failures[0].problem


def test_cpu_time_is_measured() -> None:
    assert timing.growth(Subject(EventDecoder), b"data: ", b"x" * 64) > 0


def test_what_is_raised_over_time_is_told() -> None:
    check = measure_time(Subject(toys.Limited))
    assert not check.ok
    assert "raised EventTooLarge" in check.failures[0].problem


@pytest.mark.parametrize(
    ("stream", "clause"),
    [
        (b"\xff", "9.2.6 UTF-8 decoding"),
        (b"\xef\xbb\xbfdata\n\n", "9.2.5 byte order mark"),
        (b"data\r\r", "9.2.5 line endings"),
        ("data:\u2028\n\n".encode(), "9.2.5 line endings"),
        (b":\n", "9.2.5 comments"),
        (b"retry:0\n", "9.2.6 retry field"),
        (b"id\n", "9.2.6 id field"),
        (b"event\n", "9.2.6 event field"),
        (b"data", "9.2.6 end of stream"),
        (b"data\n\n", "9.2.6 dispatch"),
    ],
)
def test_the_clause_of_a_small_stream(stream: bytes, clause: str) -> None:
    assert clause_of(stream) == clause


def test_shrinking() -> None:
    def fails(chunks: list[bytes]) -> bool:
        return any(b"b" in chunk and b"d" in chunk for chunk in chunks)

    assert shrink([b"aaa", b"abcd", b"e"], fails) == [b"bd"]
    assert shrink([b"x" * 100 + b"bd", b"", b"y" * 100], fails) == [b"bd"]
    assert shrink([b"a", b"b"], lambda chunks: len(chunks) > 1) == [b"", b""]
    assert shrink([b"abc"], lambda _: True) == [b""]
    assert shrink([b"abcd"], fails, tries=0) == [b"abcd"]


@pytest.mark.usefixtures("quick")
class TestTheCommand:
    def test_right(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["sse_core:EventDecoder", "--streams", "50"]) == 0
        assert "50 of 50" in capsys.readouterr().out

    def test_wrong(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["conformance.toys:WaitsForMore", "--streams", "50", "--all"]) == 1
        assert "Failure 2 of promptness" in capsys.readouterr().out

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert command.main(["conformance.toys:as_in_sdks", "--streams", "50", "--json"]) == 0
        score = json.loads(capsys.readouterr().out)
        assert score["compared"] == {"type": "event", "data": "data", "last_event_id": "id"}

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("sse_core", "give a module and a callable"),
            ("sse_core:", "give a module and a callable"),
            ("there.is.no:such", "No module named 'there'"),
            ("sse_core:No.such", "has no attribute 'No'"),
            ("conformance.toys:no_feed", "object with feed"),
            ("conformance.toys:not_callable", "5 cannot be called"),
        ],
    )
    def test_no_decoder(self, name: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            command.main([name])
        assert says in capsys.readouterr().err


def test_the_command_from_outside() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "sse_core.testing", "--help"], capture_output=True, text=True, check=True
    )
    assert "python -m sse_core.testing" in ran.stdout
    assert "def decode(chunks):" in ran.stdout


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["testing", "--help"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(command.__file__), run_name="__main__")


@pytest.mark.usefixtures("counted")
class TestTheSuite(DecoderSuite):
    """The pytest form, on a function."""

    decoder = toys.as_in_sdks
    seed = 2
    streams = 300


class TestTheSuiteFails:
    def test_on_a_vector(self) -> None:
        (vector,) = [vector for vector in load() if vector.name == "lf"]
        with pytest.raises(AssertionError, match=r"9\.2\.5 line endings: .* Fed .*, event 1 came"):
            suite_of(toys.WaitsForMore).test_vector(vector)

    def test_on_a_random_stream(self) -> None:
        with pytest.raises(AssertionError, match=r"fed .* raised UnicodeDecodeError"):
            suite_of(toys.DecodesChunks).test_random_streams()

    def test_on_time(self) -> None:
        with pytest.raises(AssertionError, match="EventTooLarge"):
            suite_of(toys.Limited).test_time_is_linear()


def suite_of(target: Callable[..., object]) -> DecoderSuite:
    class Suite(DecoderSuite):
        decoder = target

    return Suite()

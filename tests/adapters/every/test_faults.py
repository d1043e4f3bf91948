"""Whatever a network does to a stream: no hang, no leak, and no chunk twice, lost or made up."""

from __future__ import annotations

import random

import pytest

from fuzz import faults
from fuzz.faults import open_files
from sse_core import (
    BodyTruncated,
    ConnectionFailed,
    DeadlineExceeded,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import groq
from support.faults import REPLY, Fault, Framing, Plan, check, live, random_plan
from support.runners import NetworkRunner, Result, on_every_network
from support.servers import End


@on_every_network
def test_lives_with_random_faults(network: NetworkRunner) -> None:
    dice = random.Random(network.name)
    live(network, [random_plan(dice) for _ in range(10)], seed=1)  # and keep files open that stay so
    before = open_files()
    results = live(network, [random_plan(dice) for _ in range(50)], seed=2)
    assert open_files() <= before
    assert sum(result.error is None for result in results) > 10
    assert len({type(result.error) for result in results}) > 3


HEAD, BODY, END = 0.005, 0.5, 0.9995
"""Shares of an answer that end in its head, in its body, and just before its end."""


@pytest.mark.parametrize("end", [End.CLOSE, End.RESET])
@pytest.mark.parametrize(
    ("framing", "share", "error", "verdict"),
    [
        (Framing.CHUNKED, HEAD, ConnectionFailed, Verdict.UNREACHABLE),
        (Framing.CHUNKED, BODY, BodyTruncated, Verdict.BODY_CUT),
        (Framing.LENGTH, BODY, BodyTruncated, Verdict.BODY_CUT),
        (Framing.CLOSE, BODY, StreamIncomplete, Verdict.EVENT_CUT),
    ],
)
def test_a_cut(
    network: NetworkRunner,
    framing: Framing,
    share: float,
    error: type[Exception],
    verdict: Verdict,
    end: End,
) -> None:
    if (framing, end) == (Framing.CLOSE, End.RESET):
        error, verdict = BodyTruncated, Verdict.BODY_CUT
    (result,) = live(network, [Plan((Fault(share, end, framing, piece=10),), retries=0)], seed=1)
    assert isinstance(result.error, error)
    assert result.verdict is verdict


def test_a_cut_behind_the_terminal_marker_does_not_matter(network: NetworkRunner) -> None:
    (result,) = live(network, [Plan((Fault(END),), retries=0)], seed=1)
    assert (result.error, result.verdict) == (None, Verdict.COMPLETE)


@pytest.mark.parametrize(
    ("share", "which"), [(HEAD, "response_head"), (BODY, "between_bytes")], ids=["head", "body"]
)
def test_a_silence(network: NetworkRunner, share: float, which: str) -> None:
    plan = Plan((Fault(share, End.SILENCE),), retries=0)
    (result,) = live(network, [plan], seed=1)
    assert isinstance(result.error, DeadlineExceeded)
    assert (result.error.which, result.verdict) == (which, Verdict.DEADLINE)
    assert bool(result.chunks) is (share == BODY)


def test_bytes_that_drip(network: NetworkRunner) -> None:
    plan = Plan((Fault(chunk=1, piece=1),), retries=0)
    (result,) = live(network, [plan], seed=1)
    assert "".join(chunk.text for chunk in result.chunks) == REPLY


def test_another_attempt_as_long_as_there_is_no_content(network: NetworkRunner) -> None:
    early, late = Fault(HEAD), Fault(BODY)
    good, bad = live(network, [Plan((early, early), retries=2), Plan((early, late), retries=2)], seed=1)
    assert (good.error, bad.verdict) == (None, Verdict.BODY_CUT)


# That these tests can fail.


def result(text: str, error: StreamError | None, verdict: Verdict) -> Result:
    chunks = [groq.ChatCompletionChunk(choices=(groq.Choice(delta=groq.Delta(content=text)),))]
    return Result(chunks, verdict, error, None)


CUT = BodyTruncated("cut")
HALF = f'HTTP/1.1 200 OK\r\n\r\ndata: {{"choices":[{{"delta":{{"content":"{REPLY[:9]}"}}}}]}}\n\n'.encode()


@pytest.mark.parametrize(
    ("text", "error", "verdict", "complaint"),
    [
        (REPLY[:9] * 2, CUT, Verdict.BODY_CUT, "came twice, or with a gap"),
        (REPLY[1:], None, Verdict.COMPLETE, "came twice, or with a gap"),
        (REPLY[:9], None, Verdict.COMPLETE, "is not all"),
        (REPLY[:8], CUT, Verdict.BODY_CUT, "not"),
        (REPLY[:9], StreamClosed("closed"), Verdict.CANCELLED, "closed"),
        (REPLY[:9], CUT, Verdict.COMPLETE, "a life"),
    ],
)
def test_the_check_finds_what_is_wrong(
    text: str, error: StreamError | None, verdict: Verdict, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check(result(text, error, verdict), [HALF], 1, "a life")
    check(result(REPLY[:9], CUT, Verdict.BODY_CUT), [HALF], 1, "a life")
    check(result("", CUT, Verdict.BODY_CUT), [HALF], 2, "a life whose last attempt did not get through")


def test_the_script_that_goes_on_for_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    assert faults.main(["--seconds", "0", "--lives", "5", "--seed", "1"]) == 0
    assert "lives without a failure, up to seed 1: {" in capsys.readouterr().out

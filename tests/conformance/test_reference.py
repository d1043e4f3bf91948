"""What the reference decoder does beyond the vectors: its bound on numbers, and its end."""

from __future__ import annotations

import pytest

from sse_core.testing.reference import MOST_DIGITS, ReferenceDecoder


def test_nothing_is_fed_after_the_end() -> None:
    decoder = ReferenceDecoder()
    decoder.feed(b"data: x")
    assert decoder.eof() == decoder.eof() == (7, True)
    with pytest.raises(RuntimeError, match="ended"):
        decoder.feed(b"")


@pytest.mark.parametrize(
    ("digits", "value"),
    [("9" * MOST_DIGITS, 10**MOST_DIGITS - 1), ("0" + "1" * 641, 10**MOST_DIGITS - 1), ("0" * 5000, 0)],
    ids=["most", "too many", "zeros"],
)
def test_the_digits_of_a_reconnection_time(digits: str, value: int) -> None:
    decoder = ReferenceDecoder()
    decoder.feed(f"retry: {digits}\n".encode())
    assert decoder.reconnection_time == value


def test_a_stream_is_taken_up_again() -> None:
    decoder = ReferenceDecoder(last_event_id="7")
    assert [event.last_event_id for event in decoder.feed(b"data: x\n\nid\ndata: y\n\n")] == ["7", ""]

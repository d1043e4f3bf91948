"""Every short way gives what the long way gives, for any bytes, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import URL, Acquire, Acquired, Deliver, Done, EventDecoder, Receive, Received, Session, Stop
from sse_core import _body as body_module
from sse_core import _chunks as chunks_module
from sse_core._chunks import Chunks
from sse_core.dialects import openai
from sse_core.dialects.openai import ChatDialect, StrictChatDialect
from support_core import DONE, ERROR, FINISH, HEAD, LAST, ROLE, cut_at, framed, places, say, unhurried

USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n'
X_GROQ = b'data: {"choices":[],"x_groq":{"id":"1","usage":{"prompt_tokens":1}}}\n\n'
TWO = b'data: {"choices":[{"index":1,"delta":{"content":"b"}},{"delta":{"reasoning":"a"}}]}\n\n'
EVENTS = [
    *[say("a"), say('b\n"\\'), ROLE, TWO, USAGE] * 3,
    *(X_GROQ, FINISH, DONE, ERROR, b"data: \n\n", b"data: {}\n\n", b"data: {\n\n", b"data: null\n\n"),
    *(b"event: error\ndata: {}\n\n", b"event: ping\ndata: {}\n\n", b"id: 7\ndata: {}\n\n", b": x\n\n", b"\n"),
    *(
        b"data:{}\n\n",
        b"data: {}\r\n\r\n",
        b"data: {\ndata: }\n\n",
        b"error: x\n\n",
        b'data: {"object":"error"}\n\n',
    ),
    b'data: {"choices":[{"finish_reason":"error"}]}\n\n',
]
bodies = st.lists(st.sampled_from(EVENTS), max_size=12)


def life(wire: list[bytes]) -> list[object]:
    """All that can be seen of a stream that brings this."""
    session = Session(openai.chat(model="m", messages=[]), URL.parse("http://localhost/"))
    seen: list[object] = []
    pieces = iter([*filter(None, wire), b""])
    action = session.start(0.0)
    while not isinstance(action, Stop):
        match action:
            case Acquire():
                outcome: Acquired | Received | Done = Acquired(False)
            case Receive():
                outcome = Received(next(pieces))
            case Deliver(chunks):
                seen.append((list(chunks), session.stats, session.message, session.last_event_id))
                outcome = Done()
            case _:
                outcome = Done()
        action = session.step(outcome, 0.0)
    return [*seen, session.verdict, type(session.error), str(session.error)]


@unhurried
@given(events=bodies, places=places)
def test_chunks_are_the_same_without_the_short_way_for_plain_events(
    events: list[bytes], places: list[int]
) -> None:
    wire = cut_at(HEAD + framed(*events) + LAST, places)
    seen = life(wire)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventDecoder, "feed_plain", lambda *_: None)
        assert life(wire) == seen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChatDialect, "read_plain", lambda *_: 0)
        assert life(wire) == seen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body_module, "WINDOW", 50)
        assert life(wire) == seen


def test_a_dialect_with_a_way_of_its_own_to_read_sees_every_event() -> None:
    plain = [b'{"choices": []}']
    chunks: list[openai.ChatCompletionChunk] = []
    assert StrictChatDialect().read_plain(plain, chunks) == 0
    assert ChatDialect().read_plain(plain, chunks) == len(chunks) == 1


parts = st.lists(
    st.builds(
        lambda line, data, end: line % len(data) + data + end,
        st.sampled_from(
            [*[b"%x\r\n"] * 20, b"%X\r\n", b"0%x\r\n", b"%x;a\r\n", b"%x \r\n", b"%x\n", b"%x\r", b"+%x\r\n"]
        ),
        st.binary(max_size=4) | st.sampled_from([b"data: a\n\n", b"\r", b"\r\n", b"\n", b"x" * 20]),
        st.sampled_from([*[b"\r\n"] * 20, b"\n", b"\r", b"", b"\r\n\r\n"]),
    ),
    max_size=8,
)


@unhurried
@given(parts=parts, places=places)
def test_many_chunks_at_once_are_sliced_as_one_by_one(parts: list[bytes], places: list[int]) -> None:
    pieces = cut_at(b"".join(parts), places)

    def sliced() -> list[object]:
        chunks, body, rest = Chunks(1000), list[bytes](), b""
        seen: list[object] = []
        for piece in pieces:
            try:
                rest += chunks.slice(piece, body)
            except Exception as error:
                return [*seen, repr(error), b"".join(body)]
            seen.append((b"".join(body), rest, chunks.missing))
        return seen

    one_by_one = sliced()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks_module, "MANY", 0)
        assert sliced() == one_by_one

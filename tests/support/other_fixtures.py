"""The fixtures that are not chat completions, and what their dialects make of them without a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from sse_core import ApiError, Control, Event, EventDecoder, InvalidChunk, StreamError, UnknownField
from sse_core.dialects import anthropic, cohere, completions, gemini, interactions, responses
from sse_core.testing.dialects import REQUESTS, Fixture, load

WHOLE: dict[str, type[Struct]] = {
    "anthropic": anthropic.Message,
    "cohere": cohere.ChatResponse,
    "completions": completions.Completion,
    "gemini": gemini.GenerateContentResponse,
    "interactions": interactions.Interaction,
    "responses": responses.Response,
}
"""What each dialect's answer is when it is not streamed."""
FIXTURES = [
    fixture for fixture in load() if fixture.dialect in WHOLE and fixture.expected.verdict != "REFUSED"
]


class Reading:
    """What a dialect makes of a stream; `events` has one for each chunk."""

    def __init__(self, fixture: Fixture, pieces: Iterable[bytes] | None = None) -> None:
        self.chunks: list[Any] = []
        self.events: list[Event] = []
        self.error: StreamError | None = None
        self.dialect = REQUESTS[fixture.dialect]().dialect()
        self.verdict = self._read([fixture.stream] if pieces is None else pieces)
        accumulator = self.dialect.accumulator()
        assert accumulator is not None
        self.content = [accumulator.add([chunk]) for chunk in self.chunks]
        self.message = accumulator.message()

    def _read(self, pieces: Iterable[bytes]) -> str:
        decoder = EventDecoder()
        try:
            for piece in pieces:
                for item in decoder.feed_all(piece):
                    if isinstance(item, UnknownField):
                        self.dialect.unknown_field(item)
                    elif isinstance(item, Event) and self._is_last(item):
                        return "COMPLETE"
            last = decoder.unfinished_field()
            if last is not None:
                self.dialect.unknown_field(last)
        except ApiError as error:
            self.error = error
            return "ERROR_EVENT"
        except InvalidChunk as error:
            self.error = error
            return "INVALID"
        if self.dialect.may_end:
            return "FINISHED"
        return "EVENT_CUT" if decoder.eof().unfinished_event else "UNFINISHED"

    def _is_last(self, event: Event) -> bool:
        chunk = self.dialect.read(event)
        if not isinstance(chunk, Control):
            self.chunks.append(chunk)
            self.events.append(event)
        return chunk is Control.END or self.dialect.ended

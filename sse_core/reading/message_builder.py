"""Puts the chunks of one stream together, within a limit, and tells errors how far that had come."""

from __future__ import annotations

from typing import Generic

from ..errors import EventTooLarge, StreamError
from .dialect import Dialect, T
from .limits import Limits
from .message import Message


class MessageBuilder(Generic[T]):
    """Collects what `dialect` reads, over all responses of a stream that is resumed where it broke off."""

    __slots__ = ("_accumulates", "_accumulator", "_chunks", "_limit", "_size", "detects_content", "dialect")

    def __init__(self, dialect: Dialect[T], limits: Limits) -> None:
        self.dialect: Dialect[T] = dialect
        self._accumulator = dialect.accumulator()
        self.detects_content: bool = self._accumulator is not None
        """Whether content is told from other chunks."""
        self._accumulates = self._accumulator is not None
        self._limit = limits.max_answer_size
        self._size = 0
        self._chunks = 0

    @property
    def message(self) -> Message | None:
        """The chunks so far put together.

        None if this dialect has no accumulator, or the answer is over `max_answer_size`.
        """
        return None if self._accumulator is None else self._accumulator.message()

    def complete_message(self) -> Message:
        """Return all chunks put together.

        Raises TypeError if this dialect has no accumulator, and EventTooLarge if the answer is over
        `max_answer_size`.
        """
        message = self.message
        if message is not None:
            return message
        if self._accumulates:
            raise EventTooLarge(self._limit, self._size, what="the answer", limited_by="max_answer_size")
        raise TypeError("the chunks of this stream are not put together")

    @property
    def understood(self) -> bool:
        """Whether anything of an answer has come, as far as that can be told."""
        return self._accumulator is None or self.dialect.may_end or self._accumulator.understood

    @property
    def would_repeat(self) -> bool:
        """Whether chunks have come that would come again from the start of the stream."""
        return self._accumulates and self._chunks > 0

    def add(self, chunks: list[T], size: int) -> int:
        """Take the chunks that so many bytes brought, and return how many of them have content."""
        self._chunks += len(chunks)
        self._size += size
        if self._size > self._limit:
            self._accumulator, self.detects_content = None, False
        if self._accumulator is None or not chunks:
            return len(chunks)
        content = self._accumulator.add(chunks)
        if self._accumulator.parts > MANY_PARTS:
            kept = self._size + self._accumulator.parts * PART_SIZE
            if kept > self._limit:
                self._size, self._accumulator, self.detects_content = kept, None, False
        return content

    def annotate(self, error: StreamError, last_event_id: str) -> None:
        """Say in an error what had come before it, and where the stream could be resumed."""
        error.partial = self.message
        cursor = self.dialect.cursor
        error.cursor = (last_event_id or None) if cursor is None else cursor
        text = "" if error.partial is None else error.partial.text
        notes = (
            f"chunks before it: {self._chunks}" if self._chunks else "",
            f"characters of text in them: {len(text)}" if text else "",
            "" if error.cursor is None else f"to be resumed behind: {error.cursor!r}"[:SHOWN],
        )
        if any(notes):
            error.add_note(", ".join(filter(None, notes)))


MANY_PARTS = 1000
"""Up to so many, the size of the body says how much memory the answer takes."""
PART_SIZE = 500
"""About how many bytes of memory a part takes, however short it was in the body."""
SHOWN = 200
"""Characters of a cursor, and what stands before it, that a note shows."""

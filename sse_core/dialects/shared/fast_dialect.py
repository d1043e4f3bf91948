"""The fast path of dialects in which most events are chunks and mean nothing else."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, NoReturn, TypeAlias, TypeVar

import msgspec

from ...errors import InvalidChunk
from ...events.items import Event
from ...reading.dialect import Control
from .provider_dialect import ProviderDialect
from .provider_errors import NOT_JSON

T = TypeVar("T")


class FastDialect(ProviderDialect[T], Generic[T]):
    """A dialect whose ordinary events are decoded by msgspec alone.

    A subclass sets `decode_ordinary`, which decodes ordinary events and raises one of `NOT_JSON` for all
    others, and writes `read_special` for those others.
    """

    decode_ordinary: Callable[[bytes], T]
    special_type = ""
    """An event type that is never ordinary, whatever the data is."""

    def read(self, event: Event) -> T | Control:
        if len(event.raw) > LARGE:
            check_objects(event)
        decode = self.decode_ordinary  # a local name: CPython calls it faster than an attribute
        if event.type != self.special_type:
            try:
                return decode(event.raw)
            except NOT_JSON:
                pass
        return self.read_special(event)

    @abstractmethod
    def read_special(self, event: Event) -> T | Control:
        """Read an event that is not ordinary; it takes ordinary ones as well. Raises as `read` does."""

    def read_batch(self, data: Sequence[bytes], chunks: list[T], type: str = "message") -> int:
        if type == self.special_type:
            return 0
        decode = self.decode_ordinary
        if len(data) == 1:  # the usual case for a model's stream; measured to be faster than `extend`
            try:
                chunks.append(decode(data[0]))
            except NOT_JSON:
                return 0
            return 1
        already = len(chunks)
        try:
            chunks.extend(map(decode, data))
        except NOT_JSON:
            return len(chunks) - already  # `extend` has appended the chunks before the error
        return len(data)


def check_objects(event: Event) -> None:
    """Raise InvalidChunk if a large event may hold so many objects that they take far more memory than it."""
    if event.raw.count(b"{") > MAX_OBJECTS:
        raise InvalidChunk(f"more than {MAX_OBJECTS} objects in one event", event.raw)


LARGE = 1 << 16
"""How many bytes an event may have that is not looked at; batches have no longer ones."""
MAX_OBJECTS = 200_000


def never_ordinary(data: bytes) -> NoReturn:
    """A `decode_ordinary` for a time when every event has to go to `read_special`."""
    raise msgspec.DecodeError


ReadBatch: TypeAlias = Callable[[FastDialect[T], Sequence[bytes], list[T], str], int]
"""The type of `FastDialect.read_batch`."""

"""Any decoder, made comparable: whatever it takes and gives, as one `Subject` with one `run`.

Two forms are known, and told apart by whether the callable can be called without arguments:

- a callable that takes an iterable of bytes and returns an iterable of events;
- a callable that takes nothing and returns an object whose `feed(bytes)` returns the events,
  or None for none. If it has an `eof()`, that is called at the end, and may return a list of
  events or an iterator of them; anything else it returns is its own affair.

An event is an object with attributes, a mapping, or just its data. Type, data and last event ID
are looked for under the names in `NAMES`. A type of None or "" is taken for "message", an ID of
None for "", and bytes for the text that they are in UTF-8. What an event does not have at all is
not compared.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, cast

__all__ = ["NAMES", "Form", "Found", "NotADecoder", "Run", "Subject"]

Found = Mapping[str, object]
"""What was found in an event, or on a decoder at the end: values by their names in the standard."""

NAMES: Mapping[str, Sequence[str]] = {
    "type": ("type", "event", "event_type", "name"),
    "data": ("data",),
    "last_event_id": ("last_event_id", "lastEventId", "id", "event_id"),
}
NAMES_AT_THE_END: Mapping[str, Sequence[str]] = {
    "last_event_id": ("last_event_id", "lastEventId"),
    "reconnection_time": ("reconnection_time", "retry"),
}
DEFAULTS: Mapping[str, object] = {"type": "message", "last_event_id": ""}


class NotADecoder(TypeError):
    """The callable does not do what either form has to do; the message says what is missing."""


class Form(Enum):
    """How a decoder is called."""

    ITERABLE = "takes an iterable of bytes, gives an iterable of events"
    PUSH = "gives an object to feed"


class Run(NamedTuple):
    """What a decoder made of one stream.

    `came` has for each event how many bytes had been given by then; one more than there are, for
    an event that came with the end of the stream. `error` is what it raised, if it did.
    """

    events: list[Found]
    came: list[int]
    end: Found
    error: Exception | None


class Subject:
    """A decoder to be tested. `names` are the names under which something was found so far.

    Raises NotADecoder, here or in `run`, if the callable does not fit either form.
    """

    def __init__(self, target: Callable[..., object]) -> None:
        if not callable(target):
            raise NotADecoder(f"{target!r} cannot be called")
        self.form: Form = _form(target)
        self.names: dict[str, str] = {}
        self._target = target
        self._untouched: Found = {}
        self._untouched = self.run([]).end

    def run(self, chunks: Sequence[bytes]) -> Run:
        """Decode these chunks with a fresh decoder."""
        given = _Given(chunks)
        events: list[Found] = []
        came: list[int] = []
        end: Found = {}
        error: Exception | None = None
        decode = self._pull if self.form is Form.ITERABLE else self._push
        try:
            for event in decode(given):
                if isinstance(event, _End):
                    end = self._end(event.decoder)
                    continue
                if len(events) > given.size:
                    raise RuntimeError("more events than there were bytes")
                events.append(self._found(event))
                came.append(given.size)
        except NotADecoder:
            raise
        except Exception as raised:
            error = raised
        return Run(events, came, end, error)

    def _pull(self, given: _Given) -> Iterator[object]:
        events = self._target(iter(given))
        if not isinstance(events, Iterable):
            raise NotADecoder(f"what was returned is no iterable of events, but {events!r}")
        yield from events
        yield _End(events)

    def _push(self, given: _Given) -> Iterator[object]:
        decoder: Any = self._target()
        if not hasattr(decoder, "feed"):
            raise NotADecoder(f"called without arguments, it returned no object with feed(), but {decoder!r}")
        for chunk in given:
            yield from decoder.feed(chunk) or ()
        if hasattr(decoder, "eof"):
            report = decoder.eof()
            if isinstance(report, list | Iterator):
                yield from cast("Iterable[object]", report)
        yield _End(decoder)

    def _found(self, event: Any) -> Found:
        if isinstance(event, str | bytes):
            self.names["data"] = "data"
            return {"data": _text(event)}
        found = self._look(event, NAMES)
        if "data" not in found:
            raise NotADecoder(f"an event has no data: {event!r}")
        return found

    def _end(self, decoder: Any) -> Found:
        found = self._look(decoder, NAMES_AT_THE_END, prefix="the decoder's ")
        before = self._untouched.get("reconnection_time")
        if before is not None and found["reconnection_time"] == before:
            found["reconnection_time"] = None  # a default of its own: as good as not set
        return found

    def _look(self, thing: Any, names: Mapping[str, Sequence[str]], prefix: str = "") -> dict[str, object]:
        found: dict[str, object] = {}
        for name, aliases in names.items():
            for alias in aliases:
                if isinstance(thing, Mapping):
                    value = cast("Mapping[str, object]", thing).get(alias, _absent)
                else:
                    value = getattr(thing, alias, _absent)
                if not callable(value):
                    self.names[prefix + name] = alias
                    found[name] = _text(value or DEFAULTS.get(name, value))
                    break
        return found


class _End(NamedTuple):
    decoder: object


class _Given:
    """The chunks, and how many of their bytes have been asked for; the end counts as one."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self.chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.size += len(chunk)
            yield chunk
        self.size += 1


def _form(target: Callable[..., object]) -> Form:
    try:
        inspect.signature(target).bind()
    except (TypeError, ValueError):  # an argument is missing, or there is no signature
        return Form.ITERABLE
    return Form.PUSH


def _absent() -> None:
    """Stands for an attribute that is not there: methods do not count either."""


def _text(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

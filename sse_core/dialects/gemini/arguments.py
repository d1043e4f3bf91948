"""Builds the arguments of a function call from values that come one by one, each with its place.

A request has to ask for them, with `streamFunctionCallArguments`:
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc

A call begins with a part that has a name, and goes on for as long as its parts have `willContinue`. A
string, too, may come in several parts, and is over when another place has its turn.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from .answer import FunctionCall, PartialArg

Step: TypeAlias = str | int
"""A member's name, or an element's index."""


class ArgumentsBuilder:
    """Builds the JSON text of the arguments of one call."""

    def __init__(self, first: FunctionCall) -> None:
        self._id = first.id
        self._name = first.name
        self._place: list[Step] = []  # of the value written last
        self._closers: list[str] = []  # of the objects and arrays that it is in
        self._in_string = False

    def continues_with(self, call: FunctionCall) -> bool:
        """Return whether `call` is the next part of this call."""
        return (not call.id or call.id == self._id) and (not call.name or call.name == self._name)

    def add(self, call: FunctionCall) -> str:
        """Return the JSON text that a part adds to the arguments."""
        texts = [self._put([name], text_of(value)) for name, value in (call.args or {}).items()]
        for part in call.partial_args or ():
            place = steps(part.json_path)
            if place:
                texts.append(self._add(place, part))
        if not call.will_continue:
            texts.append(self._close(0))
        return "".join(texts)

    def _add(self, place: list[Step], part: PartialArg) -> str:
        if part.string_value is None:
            return self._put(place, text_of(part.value))
        text = text_of(part.string_value)[1:-1]
        if not self._in_string or place != self._place:
            text = self._put(place, '"' + text)
        self._in_string = True
        return text

    def _put(self, place: list[Step], value: str) -> str:
        """Return the text between the end of the last value and the end of this one."""
        shared = 0
        for one, other in zip(place[:-1], self._place[:-1], strict=False):
            if one != other:
                break
            shared += 1
        texts = [self._close(shared + 1)]
        for step in place[shared:]:
            if len(self._closers) == shared:  # the object or array that it is in is new
                self._closers.append("}" if isinstance(step, str) else "]")
                texts.append("{" if isinstance(step, str) else "[")
            else:
                texts.append(",")
            if self._closers[-1] == "}":
                texts.append(text_of(str(step)) + ":")
            shared += 1
        self._place = place
        return "".join([*texts, value])

    def _close(self, depth: int) -> str:
        """Close the open string, and all objects and arrays below `depth`; return the text that does so."""
        text = '"' if self._in_string else ""
        text += "".join(reversed(self._closers[depth:]))
        self._in_string = False
        del self._closers[depth:]
        return text


def steps(path: str) -> list[Step]:
    """Return the steps of a JSON Path (RFC 9535) to one value, without anything that is no step."""
    return [
        int(index) if index else name or ESCAPE.sub(r"\1", single or double)
        for name, index, single, double in STEP.findall(path.removeprefix("$"))
    ]


def text_of(value: object) -> str:
    return msgspec.json.encode(value).decode()


STEP = re.compile(
    r"\.([^.\[]++)|\[([0-9]{1,18})\]"
    r"|\['((?:[^'\\]++|\\.){0,100})'\]"
    r'|\["((?:[^"\\]++|\\.){0,100})"\]'
)
ESCAPE = re.compile(r"\\(.)")

"""Puts tool calls together from their parts."""

from __future__ import annotations

from typing import Any

from ...reading.message import ToolCall
from .chunks import ToolCallDelta


class ToolCallBuilder:
    """Builds a tool call from its parts."""

    __slots__ = ("arguments", "extra_content", "id", "index", "name", "type")

    def __init__(self, part: ToolCallDelta) -> None:
        self.index: int | None = part.index
        self.id: str | None = part.id or None
        self.type: str = part.type or ("function" if part.custom is None else "custom")
        self.name: str = part.name or ""
        self.arguments: list[str] = []
        self.extra_content: Any = None

    def build(self) -> ToolCall:
        arguments = "".join(self.arguments)
        return ToolCall(id=self.id, name=self.name, arguments=arguments, custom=self.type == "custom")


class ToolCalls:
    """The tool calls of one answer, in the order in which they began.

    As documented, a call's first part has its `index`, `id` and name, and the others have the index.
    Servers leave out the index, give every call the same one, do not begin at 0, or give the parts of
    one call several ids (openai-python#2806, #3201, #3203, poolsideai/pool#9). So a part
    belongs to

    1. the call with its id, if their indices do not differ, or else
    2. the last call with its index; where one of the two has no index, the last call of all.

    If there is no such call, it begins one. Against rule 2 it also begins one

    - with a name and an id, if the call has an id already,
    - with a name and no id, if the call has another name, or arguments that are a whole object; but with
      the call's index, and as long as neither has arguments, it goes on with the name,
    - with an id and neither name nor index, if the call has an id already.
    """

    __slots__ = ("_by_id", "_by_index", "calls")

    def __init__(self) -> None:
        self.calls: list[ToolCallBuilder] = []
        self._by_id: dict[str, ToolCallBuilder] = {}
        self._by_index: dict[int, ToolCallBuilder] = {}

    def add(self, part: ToolCallDelta) -> None:
        call = self._find(part)
        if call is None:
            call = ToolCallBuilder(part)
            self.calls.append(call)
        call.id = call.id or part.id or None
        if part.name:
            call.name = joined_name(call, part)
        if part.arguments:
            call.arguments.append(part.arguments)
        if part.extra_content is not None:
            call.extra_content = part.extra_content
        if part.id:
            self._by_id[part.id] = call
        if part.index is not None:
            self._by_index[part.index] = call

    def _find(self, part: ToolCallDelta) -> ToolCallBuilder | None:
        named = self._by_id.get(part.id) if part.id else None
        if named is not None and (named.index == part.index or None in (named.index, part.index)):
            return named
        last = self.calls[-1] if self.calls else None
        if part.index is not None:
            last = self._by_index.get(part.index, last if last and last.index is None else None)
        return None if last is None or starts_new_call(part, last) else last


def starts_new_call(part: ToolCallDelta, call: ToolCallBuilder) -> bool:
    """Return whether a part that could go on with `call` begins another one."""
    if part.id:
        return call.id is not None and bool(part.name or part.index is None)
    if not part.name or is_name_fragment(part, call):
        return False
    return bool(call.name and part.name != call.name) or (
        bool(call.arguments)
        and call.arguments[-1][-SEEN:].rstrip().endswith("}")
        and (part.arguments or "")[:SEEN].lstrip().startswith("{")
    )


def is_name_fragment(part: ToolCallDelta, call: ToolCallBuilder) -> bool:
    """Return whether a part goes on with a call's name: it has its index, and neither has arguments."""
    return part.index is not None and part.index == call.index and not (part.arguments or call.arguments)


def joined_name(call: ToolCallBuilder, part: ToolCallDelta) -> str:
    """Return a call's name with that of a part, which may be the next fragment or all of it once more."""
    name = part.name or ""
    if name.startswith(call.name):
        return name
    return call.name + name if is_name_fragment(part, call) else call.name


SEEN = 80
"""How many characters of the arguments are looked at, so that time stays linear."""

"""The names that every dialect's chunks and answers share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar, overload

import msgspec
from msgspec import Struct

T = TypeVar("T")


class ShortRepr(Struct, frozen=True, repr_omit_defaults=True):
    """A struct whose repr leaves out the fields that have their default value: most of them do."""

    ESSENTIAL: ClassVar[frozenset[str]] = frozenset()
    """The fields whose value may not be dropped if it is of another type: of text, calls and the end."""


class ToolCallPart(Protocol):
    """A part of a tool call, as a chunk brings it."""

    @property
    def index(self) -> int | None:
        """Which of the answer's tool calls it belongs to, where the provider says so."""
        ...

    @property
    def id(self) -> str | None:
        """The call's own name, to answer it by; with its first part only."""
        ...

    @property
    def name(self) -> str | None:
        """The tool's name; with the call's first part only."""
        ...

    @property
    def arguments(self) -> str | None:
        """A fragment of the JSON text of the arguments, or of the text that a custom tool takes."""
        ...


class TokenCounts(Protocol):
    """How many tokens a request and its answer took so far; None where the provider has not said."""

    @property
    def input_tokens(self) -> int | None:
        """Of the request."""
        ...

    @property
    def output_tokens(self) -> int | None:
        """Of the answer, reasoning among them."""
        ...

    @property
    def total_tokens(self) -> int | None:
        """Of both."""
        ...


class Chunk(Protocol):
    """A part of an answer, whoever sent it. If there are several answers, it is about the first."""

    @property
    def text(self) -> str:
        """What it adds to the text."""
        ...

    @property
    def reasoning(self) -> str:
        """What it adds to the reasoning."""
        ...

    @property
    def tool_calls(self) -> Sequence[ToolCallPart]:
        """What it adds to the tool calls."""
        ...

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended, in the provider's own word, if this chunk says so."""
        ...

    @property
    def usage(self) -> TokenCounts | None:
        """How many tokens it has been so far, if this chunk says so."""
        ...


class InvalidArguments(ValueError):
    """The arguments of a tool call are not JSON, or not what was asked for; `call` is that call."""

    def __init__(self, message: str, call: ToolCall) -> None:
        super().__init__(message)
        self.call = call


class ToolCall(ShortRepr, frozen=True, kw_only=True):
    """A tool call, complete or as far as it has come; `arguments` is JSON text.

    Empty arguments mean `{}`: providers send nothing for a function that takes none. The arguments of a
    `custom` tool are any text.
    """

    id: str | None = None
    name: str = ""
    arguments: str = ""
    custom: bool = False
    """Whether the tool takes any text, and not JSON."""

    def parsed(self) -> Any:
        """Return the arguments, usually a dict.

        Raises InvalidArguments if they are not JSON: the model may have written something else, or not all
        of them have come.
        """
        return self.arguments_as(Any)

    @overload
    def arguments_as(self, type: type[T]) -> T: ...
    @overload
    def arguments_as(self, type: Any) -> Any: ...
    def arguments_as(self, type: Any) -> Any:
        """Return the arguments as a Struct, or as any type that msgspec knows.

        Raises InvalidArguments if they are not JSON or do not fit the type; its message says where.
        """
        try:
            return msgspec.json.decode(self.arguments.strip() or "{}", type=type)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
            raise InvalidArguments(f"the arguments of {self.name!r}: {exc}", self) from exc

    def partial(self) -> Any:
        """Return the arguments as far as they have come, `{}` if none have. Never raises.

        Strings, arrays and objects are closed where the text ends. A number or a name is left out as long
        as more of it could come.
        """
        from .partial_json import close_json  # its patterns take long to compile

        return msgspec.json.decode(close_json(self.arguments) or "{}")


class Message(ShortRepr, frozen=True, kw_only=True):
    """An accumulated answer, complete or as far as it has come."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    usage: Any = None
    """The provider's own struct, a `TokenCounts`."""
    native: Any = None
    """The whole answer in the provider's own struct, as it would be without streaming."""


class Accumulator(ABC, Generic[T]):
    """Puts the chunks of one stream together, in linear time."""

    __slots__ = ()

    parts: int = 0
    """How many objects are kept beside texts: choices, calls, blocks and their fragments."""

    @abstractmethod
    def add(self, chunks: Sequence[T]) -> int:
        """Take the next chunks, and return how many of them brought content.

        Content is text, reasoning, a refusal or tool calls.
        """

    @property
    def understood(self) -> bool:
        """Whether anything of an answer has come: content, a finish reason or usage.

        Dialects with typed events count any event of a known type.
        """
        message = self.message()
        content = message.text or message.reasoning or message.refusal or message.tool_calls
        return bool(content or message.finish_reason or message.usage is not None)

    @abstractmethod
    def message(self) -> Message:
        """Return the answer as far as it has come."""

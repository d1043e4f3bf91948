"""What every dialect's chunks and answers have in common, by the same names."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar, overload

import msgspec
from msgspec import Struct

T = TypeVar("T")


class Sparse(Struct, frozen=True, repr_omit_defaults=True):
    """What most fields of are as by default: its repr leaves those out, so that one can see the others."""


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
    """How many tokens a request and its answer took, as far as the provider has said."""

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
    """A part of an answer, whoever sent it; of several answers, it is the first that counts."""

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


class ToolCall(Sparse, frozen=True, kw_only=True):
    """A whole tool call, or as much of it as has come; `arguments` is JSON text.

    No arguments are the same as `{}`: providers send nothing for a function that takes none.
    Those of a `custom` tool are any text.
    """

    id: str | None = None
    name: str = ""
    arguments: str = ""
    custom: bool = False
    """Whether the tool takes its arguments as they are, and not as JSON."""

    def parsed(self) -> Any:
        """Return the arguments, usually a dict.

        Raises InvalidArguments if they are not JSON: what the model wrote may not be, and what has
        come so far seldom is.
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
        """Return what can be told of the arguments before all of them have come.

        It is the longest prefix that begins a JSON text, with strings, arrays and objects closed
        where it ends; numbers and names that more could follow are left out. Never raises.
        """
        from .partial_json import completed  # whose patterns take 1 ms to compile

        return msgspec.json.decode(completed(self.arguments) or "{}")


class Message(Sparse, frozen=True, kw_only=True):
    """An accumulated answer, or as much of it as has come."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    usage: Any = None
    """The provider's own struct, a `TokenCounts`."""
    native: Any = None
    """The provider's own struct for an answer that is not streamed."""


class Accumulator(ABC, Generic[T]):
    """Puts the chunks of one stream together, in time linear in what they hold."""

    __slots__ = ()

    @abstractmethod
    def add(self, chunks: Sequence[T]) -> int:
        """Take the next chunks, and return how many of them brought content.

        That is text, reasoning, a refusal or tool calls.
        """

    @abstractmethod
    def message(self) -> Message:
        """Return what has come so far."""

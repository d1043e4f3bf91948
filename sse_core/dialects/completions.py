"""OpenAI's legacy completions: a text that goes on from a prompt, without roles or tools.

The stream: `data:` events with a JSON chunk each, until `data: [DONE]`; errors come as with chat
completions. Many servers of open models have this interface beside chat.
Base URL: https://api.openai.com/v1
https://platform.openai.com/docs/api-reference/completions
"""

# No `from __future__ import annotations`: TypedDict compiles each string, which takes time at import.
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Literal, TypedDict, Unpack

import msgspec

from ..errors import InvalidChunk
from ..events.items import Event
from ..reading.dialect import Control
from ..reading.message import Accumulator, Message, ShortRepr
from ..reading.request import Request
from .chat.chunks import CompletionTokensDetails, PromptTokensDetails, ToolCallDelta, Usage
from .openai import StreamOptions
from .shared.document import DOCUMENT_HEADERS, ProviderDocumentDialect
from .shared.fast_dialect import LARGE, check_objects
from .shared.lenient import convert_leniently
from .shared.provider_dialect import JSON_HEADERS, ProviderDialect, control_of, is_heartbeat
from .shared.provider_errors import (
    NOT_JSON,
    ErrorObject,
    api_error,
    api_error_from,
    error_in_value,
    find_error,
    invalid_chunk,
)
from .shared.strict import dialect_for
from .shared.typed_events import merged

__all__ = [
    "Choice",
    "Completion",
    "CompletionParams",
    "CompletionTokensDetails",
    "Logprobs",
    "PromptTokensDetails",
    "StreamOptions",
    "Usage",
    "completion",
    "create",
]


class Logprobs(ShortRepr, frozen=True, kw_only=True, gc=False):
    """The log probabilities of tokens, in lists that have one item for each."""

    tokens: tuple[str, ...] = ()
    token_logprobs: tuple[float | None, ...] = ()
    top_logprobs: tuple[dict[str, float] | None, ...] = ()
    text_offset: tuple[int, ...] = ()
    """Where each token begins, in characters."""


class Choice(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of one of the texts, or a whole one; `index` tells them apart where several were asked for."""

    ESSENTIAL = frozenset({"index", "text", "finish_reason"})

    index: int = 0
    text: str = ""
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    stop_reason: Any = None
    """What stopped it, a token's number or a text: vLLM."""
    prompt_logprobs: Any = None
    """vLLM."""
    prompt_token_ids: tuple[int, ...] = ()
    """vLLM."""
    token_ids: tuple[int, ...] = ()
    """vLLM."""
    error: Any = None
    """OpenRouter, where `finish_reason` is `"error"`."""


class Completion(ShortRepr, frozen=True, kw_only=True, gc=False):
    """One chunk of a streamed completion, or a whole completion."""

    ESSENTIAL = frozenset({"choices"})

    id: str = ""
    object: str = ""
    created: int | float = 0
    """When it was begun, in Unix seconds."""
    model: str = ""
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    system_fingerprint: str | None = None
    service_tier: str | None = None
    timings: Any = None
    """llama.cpp."""
    error: Any = None
    """Always None: a chunk that has an error is raised as one."""

    @property
    def text(self) -> str:
        """What the chunk adds to the first text."""
        return "".join([choice.text for choice in self.choices if choice.index == 0])

    @property
    def reasoning(self) -> str:
        """Nothing."""
        return ""

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """None."""
        return ()

    @property
    def finish_reason(self) -> str | None:
        """Why the first text ended, if it did with this chunk."""
        return next((choice.finish_reason for choice in self.choices if choice.index == 0), None) or None


class CompletionsDialect(ProviderDialect[Completion]):
    """Reads the events of legacy completions."""

    def read(self, event: Event) -> Completion | Control:
        if len(event.raw) > LARGE:
            check_objects(event)
        if event.type == "error":
            raise api_error_from(event.raw)
        if is_heartbeat(event.type):
            return Control.PING if event.type == "ping" else Control.NOISE
        try:
            chunk = decode(event.raw)
        except NOT_JSON:
            control = control_of(event)
            if control is not None:
                return control
            chunk = self._read_leniently(event)
        if chunk.error or chunk.object == "error" or (not chunk.choices and find_error(event.raw)):
            raise api_error_from(event.raw)
        if chunk.object.startswith("chat."):
            raise InvalidChunk(
                "a chat completion, which has another form: `openai.chat` asks for it", event.raw
            )
        if not (chunk.choices or chunk.object or chunk.usage):
            self._unread = event.raw
        for choice in chunk.choices:
            if choice.finish_reason == "error":
                error = error_in_value({"error": choice.error})
                raise api_error(error or ErrorObject("the text ended with finish_reason 'error'"), event.raw)
            self.may_end: bool = self.may_end or bool(choice.finish_reason)
        return chunk

    def accumulator(self) -> Accumulator[Completion]:
        return CompletionAccumulator()

    def _read_leniently(self, event: Event) -> Completion:
        if find_error(event.raw) is not None:  # in an array
            raise api_error_from(event.raw)
        try:
            chunk: Completion = convert_leniently(msgspec.json.decode(self.repaired(event)), Completion)
        except NOT_JSON as exc:
            raise invalid_chunk(event, exc) from exc
        return chunk


class ChoiceBuilder:
    """One of the texts as far as it has come."""

    def __init__(self) -> None:
        self._choice = Choice()
        self._texts: list[str] = []
        self._logprobs: list[Logprobs] = []
        self._token_ids: list[int] = []

    def add(self, choice: Choice) -> None:
        self._texts.append(choice.text)
        self._token_ids += choice.token_ids
        if choice.logprobs is not None:
            self._logprobs.append(choice.logprobs)
        if choice != Choice(index=choice.index, text=choice.text) or choice.index != self._choice.index:
            prompt_token_ids = choice.prompt_token_ids or self._choice.prompt_token_ids
            choice = msgspec.structs.replace(choice, prompt_token_ids=prompt_token_ids)
            self._choice = merged(self._choice, choice)

    def build(self) -> Choice:
        parts = self._logprobs
        logprobs = Logprobs(
            tokens=tuple(chain.from_iterable(part.tokens for part in parts)),
            token_logprobs=tuple(chain.from_iterable(part.token_logprobs for part in parts)),
            top_logprobs=tuple(chain.from_iterable(part.top_logprobs for part in parts)),
            text_offset=tuple(chain.from_iterable(part.text_offset for part in parts)),
        )
        return msgspec.structs.replace(
            self._choice,
            text="".join(self._texts),
            logprobs=logprobs if parts else None,
            token_ids=tuple(self._token_ids),
        )


class CompletionAccumulator(Accumulator[Completion]):
    """Puts a completion together."""

    def __init__(self) -> None:
        self.parts: int = 0
        self._completion = Completion()
        self._fields: tuple[object, ...] = ()
        self._choices: dict[int, ChoiceBuilder] = {}

    def add(self, chunks: Sequence[Completion]) -> int:
        for chunk in chunks:
            fields = (chunk.id, chunk.usage, chunk.system_fingerprint, chunk.service_tier, chunk.timings)
            if fields != self._fields:  # which most chunks repeat
                self._fields = fields
                created = chunk.created or self._completion.created
                self._completion = merged(self._completion, msgspec.structs.replace(chunk, created=created))
            for choice in chunk.choices:
                if choice.index not in self._choices:
                    self._choices[choice.index] = ChoiceBuilder()
                    self.parts += 1
                self._choices[choice.index].add(choice)
                self.parts += choice.logprobs is not None
        return sum(bool(chunk.text) for chunk in chunks)

    @property
    def understood(self) -> bool:
        """As every accumulator's, but for a usage alone: other dialects' events have one, too."""
        message = self.message()
        return bool(message.text or message.finish_reason or (message.usage is not None and self._choices))

    def message(self) -> Message:
        choices = tuple(choice.build() for _, choice in sorted(self._choices.items()))
        native = msgspec.structs.replace(self._completion, choices=choices)
        return Message(
            text=native.text, finish_reason=native.finish_reason, usage=native.usage, native=native
        )


class CompletionParams(TypedDict, total=False):
    """The parameters of a request that need not be there, by the provider's own names.

    A parameter that is None is sent as null, and one that is left out is not sent.
    """

    best_of: int | None
    echo: bool | None
    frequency_penalty: float | None
    logit_bias: Mapping[str, float] | None
    logprobs: int | None
    max_tokens: int | None
    n: int | None
    presence_penalty: float | None
    seed: int | None
    stop: str | Sequence[str] | None
    stream_options: StreamOptions | None
    suffix: str | None
    temperature: float | None
    top_p: float | None
    user: str


def create(
    *,
    model: str,
    prompt: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]],
    strict: bool = False,
    extra: Mapping[str, object] | None = None,
    **params: Unpack[CompletionParams],
) -> Request[Completion]:
    """Ask for a streamed completion; `extra` takes parameters that are not named here.

    `strict` is for those who test servers: a chunk that is not exactly as documented is an InvalidChunk.
    Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "prompt": prompt, "stream": True}
    return Request(
        dialect=dialect_for(CompletionsDialect, DOCUMENTED, strict),
        method="POST",
        path=PATH,
        headers=JSON_HEADERS,
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


def completion(
    *,
    model: str,
    prompt: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]],
    extra: Mapping[str, object] | None = None,
    **params: Unpack[CompletionParams],
) -> Request[Completion]:
    """Ask for a completion that is not streamed; the arguments are those of `create`.

    Raises TypeError for a value that JSON has no form for.
    """
    fixed = {"model": model, "prompt": prompt}
    return Request(
        dialect=partial(ProviderDocumentDialect[Completion], Completion),
        method="POST",
        path=PATH,
        headers=(*JSON_HEADERS, *DOCUMENT_HEADERS),
        body=msgspec.json.encode({**params, **(extra or {}), **fixed}),
    )


PATH = "/completions"

decode: Callable[[bytes], Completion] = msgspec.json.Decoder(Completion).decode
DOCUMENTED = (
    (Choice, "finish_reason", str | None),
    (Completion, "object", Literal["text_completion"]),
    (Completion, "created", int),
    (Completion, "choices", tuple[Choice, ...]),
)
"""Fields that are documented otherwise than the structs say: see `strict_dialect`."""

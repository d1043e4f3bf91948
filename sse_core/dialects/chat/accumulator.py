"""Puts the chunks of a chat completion together into the answer as it would be without streaming.

Nearly every chunk adds one string to a choice that has begun. Such a chunk takes a fast path in `add`, which
checks that none of the other fields is there; every other chunk goes to `_add`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs

from ...reading.message import Accumulator, Message, ToolCall
from ..shared.joined import joined
from .chunks import (
    Annotation,
    Audio,
    ChatCompletionChunk,
    Choice,
    Delta,
    ExecutedTool,
    FunctionDelta,
    Logprobs,
    ReasoningDetail,
    Usage,
)
from .completion import (
    ChatCompletion,
    ChatCompletionMessage,
    CompletionChoice,
    CompletionXGroq,
    CustomCall,
    FunctionCall,
    MessageToolCall,
)
from .content_parts import join_parts, texts_in
from .tool_calls import ToolCallBuilder, ToolCalls


class ChatAccumulator(Accumulator[ChatCompletionChunk]):
    """Puts chat completion chunks together; memory is that of the strings in them."""

    __slots__ = ("_answers", "_fields", "_id", "_usage", "_x_groq", "parts")

    def __init__(self) -> None:
        self._id: str | None = None
        self._usage: Usage | None = None
        self._fields: dict[str, Any] = {}
        self._x_groq: dict[str, Any] = {}
        self._answers: dict[int, ChoiceBuilder] = {}
        self.parts: int = 0

    def add(self, chunks: Sequence[ChatCompletionChunk]) -> int:
        with_content = 0
        answers = self._answers
        known = self._id
        for chunk in chunks:
            choices = chunk.choices
            if len(choices) == 1 and chunk.usage is None and chunk.id == known:
                choice = choices[0]
                delta = choice.delta
                if (
                    delta is not None
                    and (text := delta.content)
                    and delta.reasoning is None
                    and delta.reasoning_content is None
                    and delta.refusal is None
                    and not delta.tool_calls
                    and not delta.reasoning_details
                    and not delta.annotations
                    and not delta.executed_tools
                    and delta.extra_content is None
                    and not delta.images
                    and delta.audio is None
                    and delta.function_call is None
                    and not choice.finish_reason
                    and choice.logprobs is None
                    and choice.content_filter_results is None
                    and not choice.token_ids
                    and choice.index in answers
                ):
                    answers[choice.index].text.append(text)
                    with_content += 1
                    continue
            with_content += self._add(chunk)
            known = self._id
        return with_content

    def _add(self, chunk: ChatCompletionChunk) -> bool:
        """Take any chunk; return whether it brought content."""
        if chunk.id != self._id or not chunk.choices:
            self._note(chunk)
        usage = chunk.usage
        if usage is not None and (usage.total_tokens or usage.prompt_tokens or usage.completion_tokens):
            self._usage = usage  # Mistral and LiteLLM have sent empty ones
        content = False
        for choice in chunk.choices:
            if choice.finish_reason:
                self._note(chunk)
            answer = self._answers.get(choice.index)
            if answer is None:
                self.parts += 1
                if len(self._answers) == MAX_CHOICES:
                    self.parts = MORE_THAN_ANY
                    continue
                answer = self._answers[choice.index] = ChoiceBuilder()
            if choice.delta is not None:
                self.parts += parts_in(choice.delta)
            if answer.add(choice):
                content = True
        return content

    def message(self) -> Message:
        choices = [answer.choice(index) for index, answer in sorted(self._answers.items())]
        native = ChatCompletion(
            **self._fields,
            choices=tuple(choices),
            usage=self._usage,
            x_groq=CompletionXGroq(**self._x_groq) if self._x_groq else None,
        )
        first = self._answers.get(0, ChoiceBuilder())
        answer = first.choice(0).message
        return Message(
            text=answer.content or "",
            reasoning="".join(first.rest.reasoning),
            refusal=answer.refusal or "",
            tool_calls=first.tool_calls(),
            finish_reason=first.final_fields.get("finish_reason"),
            usage=self._usage,
            native=native,
        )

    def _note(self, chunk: ChatCompletionChunk) -> None:
        """Take what a chunk says about the whole answer."""
        self._id = chunk.id
        first = {name: value for name in FIRST if (value := getattr(chunk, name))}
        self._fields = first | self._fields | non_empty(chunk, *LAST)
        if chunk.x_groq is not None:
            self._x_groq |= non_empty(chunk.x_groq, "id", "seed", "debug")
            self._fields |= non_empty(chunk.x_groq, "usage_breakdown")


class ChoiceBuilder:
    """Builds one choice from its deltas."""

    __slots__ = ("_rest", "content", "final_fields", "text")

    def __init__(self) -> None:
        self.content: bool = False  # whether there is any, be it an empty string
        self.text: list[str] = []
        self.final_fields: dict[str, Any] = {}
        self._rest: OtherParts | None = None

    @property
    def rest(self) -> OtherParts:
        """The parts beside text. Most answers have none, so the object is made when it is needed."""
        if self._rest is None:
            self._rest = OtherParts()
        return self._rest

    def add(self, choice: Choice) -> bool:
        """Take a part; return whether it brought content."""
        if choice.finish_reason or choice.content_filter_results is not None:
            self.final_fields |= non_empty(choice, *ENDING)
        if choice.logprobs is not None:
            self.rest.logprobs.append(choice.logprobs)
        if choice.token_ids:
            self.rest.token_ids.append(choice.token_ids)
        return choice.delta is not None and self._add(choice.delta)

    def _add(self, delta: Delta) -> bool:
        if delta.content_parts:
            self.rest.content_parts.append((len(self.text), delta.content_parts))
        if delta.content is not None:
            self.content = True
            if delta.content:
                self.text.append(delta.content)
        thinking = delta.thinking
        if thinking:
            self.rest.reasoning.append(thinking)
            if delta.reasoning:
                self.rest.reasoning_fields.add("reasoning")
            if delta.reasoning_content:
                self.rest.reasoning_fields.add("reasoning_content")
        for detail in delta.reasoning_details:
            if self.rest.details and self.rest.details[-1].continues_with(detail):
                self.rest.details[-1].parts.append(detail)
            else:
                self.rest.details.append(ReasoningDetailBuilder(detail))
        if delta.refusal:
            self.rest.refusal.append(delta.refusal)
        for part in delta.tool_calls:
            self.rest.calls.add(part)
        if delta.function_call is not None:
            self.rest.function.append(delta.function_call)
        if delta.audio is not None:
            self.rest.audio.append(delta.audio)
        if delta.annotations:
            self.rest.annotations += delta.annotations
        for tool in delta.executed_tools:
            self._execute(tool)
        if delta.extra_content is not None:
            self.rest.extra_content = joined(self.rest.extra_content, delta.extra_content)
        if delta.images:
            self.rest.images += delta.images
        return bool(
            delta.content
            or thinking
            or delta.tool_calls
            or delta.refusal
            or delta.function_call is not None
            or delta.audio is not None
            or delta.images
        )

    def _execute(self, tool: ExecutedTool) -> None:
        """Take a tool that the server runs: it comes again, with the same index, when it has a result."""
        index = len(self.rest.executed) if tool.index is None else tool.index
        begun = self.rest.executed.get(index, tool)
        self.rest.executed[index] = structs.replace(begun, **non_empty(tool, *tool.__struct_fields__))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls; that of the deprecated form, which has no ID, is the last."""
        calls = [call.build() for call in self.rest.calls.calls]
        function = self._function_call()
        if function is not None:
            calls.append(ToolCall(name=function.name, arguments=function.arguments))
        return tuple(calls)

    def choice(self, index: int) -> CompletionChoice:
        """Return the choice as the provider would have sent it without streaming."""
        reasoning = "".join(self.rest.reasoning)
        message = ChatCompletionMessage(
            content="".join(self.text) if self.content or self.text else None,
            refusal="".join(self.rest.refusal) or None,
            **dict.fromkeys(self.rest.reasoning_fields, reasoning),
            reasoning_details=tuple(detail.build() for detail in self.rest.details),
            tool_calls=tuple(map(message_tool_call, self.rest.calls.calls)),
            function_call=self._function_call(),
            audio=self._audio(),
            annotations=tuple(self.rest.annotations),
            executed_tools=tuple(self.rest.executed.values()),
            extra_content=joined(None, self.rest.extra_content),
            content_parts=self._content_parts(),
            images=tuple(self.rest.images),
        )
        return CompletionChoice(
            index=index,
            message=message,
            logprobs=self._logprobs(),
            token_ids=tuple(token for part in self.rest.token_ids for token in part),
            **self.final_fields,
        )

    def _function_call(self) -> FunctionCall | None:
        if not self.rest.function:
            return None
        name = next((part.name for part in self.rest.function if part.name), "")
        return FunctionCall(
            name=name, arguments="".join([part.arguments or "" for part in self.rest.function])
        )

    def _content_parts(self) -> tuple[Any, ...]:
        """Return the content as a list of parts, as it is without streaming; empty if it has come as text."""
        parts: list[Any] = []
        at = 0
        for before, some in self.rest.content_parts:
            parts.append({"type": "text", "text": "".join(self.text[at:before])})
            parts += some
            at = before + bool(texts_in(some)[0])  # their own text is among the texts
        if parts:
            parts.append({"type": "text", "text": "".join(self.text[at:])})
        return tuple(join_parts(parts))

    def _audio(self) -> Audio | None:
        if not self.rest.audio:
            return None
        ids = [part.id for part in self.rest.audio if part.id is not None]
        times = [part.expires_at for part in self.rest.audio if part.expires_at is not None]
        return Audio(
            id=ids[0] if ids else None,
            data="".join([part.data or "" for part in self.rest.audio]),
            transcript="".join([part.transcript or "" for part in self.rest.audio]),
            expires_at=times[-1] if times else None,
        )

    def _logprobs(self) -> Logprobs | None:
        if not self.rest.logprobs:
            return None
        return Logprobs(
            content=tuple(token for part in self.rest.logprobs for token in part.content),
            refusal=tuple(token for part in self.rest.logprobs for token in part.refusal),
            reasoning_content=tuple(token for part in self.rest.logprobs for token in part.reasoning_content),
        )


class OtherParts:
    """The parts of a choice beside its text."""

    def __init__(self) -> None:
        self.refusal: list[str] = []
        self.reasoning: list[str] = []
        self.reasoning_fields: set[str] = set()  # the names of the fields that the reasoning came in
        self.details: list[ReasoningDetailBuilder] = []
        self.calls: ToolCalls = ToolCalls()
        self.function: list[FunctionDelta] = []
        self.audio: list[Audio] = []
        self.annotations: list[Annotation] = []
        self.executed: dict[int | None, ExecutedTool] = {}
        self.extra_content: Any = None
        self.content_parts: list[tuple[int, tuple[Any, ...]]] = []  # with the number of texts before
        self.images: list[Any] = []
        self.logprobs: list[Logprobs] = []
        self.token_ids: list[tuple[int, ...]] = []


class ReasoningDetailBuilder:
    """Builds a reasoning detail from its parts.

    OpenRouter's `index` does not tell details apart: it has been 0 throughout a stream of several
    (OpenRouterTeam/ai-sdk-provider#520). A detail goes on for as long as its type does, or until its
    signature has come.
    """

    __slots__ = ("parts",)

    def __init__(self, first: ReasoningDetail) -> None:
        self.parts: list[ReasoningDetail] = [first]

    def continues_with(self, part: ReasoningDetail) -> bool:
        last = self.parts[-1]
        same = (part.type, part.index) == (last.type, last.index) and part.id in (None, last.id)
        return same and not last.signature and not part.data

    def build(self) -> ReasoningDetail:
        fields = {
            name: value
            for part in self.parts
            for name, value in non_empty(part, *part.__struct_fields__).items()
        }
        for name in ("text", "summary"):
            if name in fields:
                fields[name] = "".join([getattr(part, name) or "" for part in self.parts])
        return ReasoningDetail(**fields)


def parts_in(delta: Delta) -> int:
    """Return how many objects a delta adds, fragments of calls among them."""
    return (
        len(delta.tool_calls)
        + len(delta.reasoning_details)
        + len(delta.annotations)
        + len(delta.executed_tools)
        + len(delta.images)
        + len(delta.content_parts)
    )


def message_tool_call(call: ToolCallBuilder) -> MessageToolCall:
    arguments = "".join(call.arguments)
    complete = MessageToolCall(id=call.id, type=call.type, extra_content=call.extra_content)
    if call.type == "custom":
        return structs.replace(complete, custom=CustomCall(name=call.name, input=arguments))
    return structs.replace(complete, function=FunctionCall(name=call.name, arguments=arguments))


def non_empty(struct: Struct, *names: str) -> dict[str, Any]:
    """Return those of a struct's fields that are neither null nor empty."""
    return {name: value for name in names if (value := getattr(struct, name)) not in NOTHING}


# Fields of the whole answer: of these the first value counts, of those the last.
FIRST = (
    *("id", "created", "model", "system_fingerprint", "provider"),
    *("prompt_filter_results", "prompt_token_ids"),
)
LAST = ("service_tier", "moderation", "citations", "search_results", "timings")
ENDING = (
    *("finish_reason", "native_finish_reason", "stop_reason", "matched_stop"),
    "content_filter_results",
)
NOTHING: tuple[object, ...] = (None, (), "", {})


MAX_CHOICES = 1000
"""Choices that are put together: no provider has as many, and each takes some kilobytes."""
MORE_THAN_ANY = 2**62
"""A number of parts that is over any limit, so that there is no message."""

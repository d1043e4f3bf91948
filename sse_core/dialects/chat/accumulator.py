"""Putting the chunks of a chat completion together into the answer that is not streamed.

Nearly every chunk adds one string to one answer that has begun, and has its own short way through
`add`: it looks at every field that a chunk can have beside that, and goes the long way if one is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs

from ...reading.message import Accumulator, Message, ToolCall
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
from .tool_calls import OpenCall, ToolCalls


class ChatAccumulator(Accumulator[ChatCompletionChunk]):
    """Puts chat completion chunks together; memory is that of the strings in them."""

    __slots__ = ("_answers", "_fields", "_id", "_usage", "_x_groq")

    def __init__(self) -> None:
        self._id: str | None = None
        self._usage: Usage | None = None
        self._fields: dict[str, Any] = {}
        self._x_groq: dict[str, Any] = {}
        self._answers: dict[int, Answer] = {}

    def add(self, chunks: Sequence[ChatCompletionChunk]) -> int:
        brought = 0
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
                    brought += 1
                    continue
            brought += self._add(chunk)
            known = self._id
        return brought

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
                answer = self._answers[choice.index] = Answer()
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
        first = self._answers.get(0, Answer())
        answer = first.choice(0).message
        return Message(
            text=answer.content or "",
            reasoning="".join(first.rest.reasoning),
            refusal=answer.refusal or "",
            tool_calls=first.tool_calls(),
            finish_reason=first.ending.get("finish_reason"),
            usage=self._usage,
            native=native,
        )

    def _note(self, chunk: ChatCompletionChunk) -> None:
        """Take what a chunk says about the whole."""
        self._id = chunk.id
        first = {name: value for name in FIRST if (value := getattr(chunk, name))}
        self._fields = first | self._fields | said(chunk, *LAST)
        if chunk.x_groq is not None:
            self._x_groq |= said(chunk.x_groq, "id", "seed", "debug")
            self._fields |= said(chunk.x_groq, "usage_breakdown")


class Answer:
    """One answer that is being received."""

    __slots__ = ("_rest", "content", "ending", "text")

    def __init__(self) -> None:
        self.content = False  # there is some, if only an empty string
        self.text: list[str] = []
        self.ending: dict[str, Any] = {}
        self._rest: Rest | None = None

    @property
    def rest(self) -> Rest:
        """What there is beside text: in most answers nothing, and then it takes no memory, 0.9 KB."""
        if self._rest is None:
            self._rest = Rest()
        return self._rest

    def add(self, choice: Choice) -> bool:
        """Take a part; return whether it brought content."""
        if choice.finish_reason or choice.content_filter_results is not None:
            self.ending |= said(choice, *ENDING)
        if choice.logprobs is not None:
            self.rest.logprobs.append(choice.logprobs)
        if choice.token_ids:
            self.rest.token_ids.append(choice.token_ids)
        return choice.delta is not None and self._add(choice.delta)

    def _add(self, delta: Delta) -> bool:
        if delta.content is not None:
            self.content = True
            if delta.content:
                self.text.append(delta.content)
        thinking = delta.thinking
        if thinking:
            self.rest.reasoning.append(thinking)
            if delta.reasoning:
                self.rest.spellings.add("reasoning")
            if delta.reasoning_content:
                self.rest.spellings.add("reasoning_content")
        for detail in delta.reasoning_details:
            if self.rest.details and self.rest.details[-1].goes_on(detail):
                self.rest.details[-1].parts.append(detail)
            else:
                self.rest.details.append(OpenDetail(detail))
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
            self.rest.extra_content = delta.extra_content
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
        """Take a tool that ran: it comes again, by its index, with what it gave."""
        index = len(self.rest.executed) if tool.index is None else tool.index
        begun = self.rest.executed.get(index, tool)
        self.rest.executed[index] = structs.replace(begun, **said(tool, *tool.__struct_fields__))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Return the calls; that of the deprecated form, which has no ID, is the last."""
        calls = [call.whole() for call in self.rest.calls.calls]
        function = self._function_call()
        if function is not None:
            calls.append(ToolCall(name=function.name, arguments=function.arguments))
        return tuple(calls)

    def choice(self, index: int) -> CompletionChoice:
        """Return what has come, as the provider would have sent it in one piece."""
        reasoning = "".join(self.rest.reasoning)
        message = ChatCompletionMessage(
            content="".join(self.text) if self.content or self.text else None,
            refusal="".join(self.rest.refusal) or None,
            **dict.fromkeys(self.rest.spellings, reasoning),
            reasoning_details=tuple(detail.whole() for detail in self.rest.details),
            tool_calls=tuple(map(message_tool_call, self.rest.calls.calls)),
            function_call=self._function_call(),
            audio=self._audio(),
            annotations=tuple(self.rest.annotations),
            executed_tools=tuple(self.rest.executed.values()),
            extra_content=self.rest.extra_content,
            images=tuple(self.rest.images),
        )
        return CompletionChoice(
            index=index,
            message=message,
            logprobs=self._logprobs(),
            token_ids=tuple(token for part in self.rest.token_ids for token in part),
            **self.ending,
        )

    def _function_call(self) -> FunctionCall | None:
        if not self.rest.function:
            return None
        name = next((part.name for part in self.rest.function if part.name), "")
        return FunctionCall(
            name=name, arguments="".join([part.arguments or "" for part in self.rest.function])
        )

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
        )


class Rest:
    """What an answer that is being received has beside its text."""

    def __init__(self) -> None:
        self.refusal: list[str] = []
        self.reasoning: list[str] = []
        self.spellings: set[str] = set()  # the fields that the reasoning came in
        self.details: list[OpenDetail] = []
        self.calls = ToolCalls()
        self.function: list[FunctionDelta] = []
        self.audio: list[Audio] = []
        self.annotations: list[Annotation] = []
        self.executed: dict[int | None, ExecutedTool] = {}
        self.extra_content: Any = None
        self.images: list[Any] = []
        self.logprobs: list[Logprobs] = []
        self.token_ids: list[tuple[int, ...]] = []


class OpenDetail:
    """A reasoning detail that is being received.

    OpenRouter's `index` does not tell them apart, being 0 throughout a stream of several
    (OpenRouterTeam/ai-sdk-provider#520): one goes on for as long as its type does. A signature
    is its last part.
    """

    __slots__ = ("parts",)

    def __init__(self, first: ReasoningDetail) -> None:
        self.parts = [first]

    def goes_on(self, part: ReasoningDetail) -> bool:
        last = self.parts[-1]
        same = (part.type, part.index) == (last.type, last.index) and part.id in (None, last.id)
        return same and last.signature is None and part.data is None

    def whole(self) -> ReasoningDetail:
        fields = {
            name: value for part in self.parts for name, value in said(part, *part.__struct_fields__).items()
        }
        for name in ("text", "summary"):
            if name in fields:
                fields[name] = "".join([getattr(part, name) or "" for part in self.parts])
        return ReasoningDetail(**fields)


def message_tool_call(call: OpenCall) -> MessageToolCall:
    arguments = "".join(call.arguments)
    whole = MessageToolCall(id=call.id, type=call.type, extra_content=call.extra_content)
    if call.type == "custom":
        return structs.replace(whole, custom=CustomCall(name=call.name, input=arguments))
    return structs.replace(whole, function=FunctionCall(name=call.name, arguments=arguments))


def said(struct: Struct, *names: str) -> dict[str, Any]:
    """Return those of a struct's fields that are there, and not empty."""
    return {name: value for name in names if (value := getattr(struct, name)) not in NOTHING}


# Of what chunks say about the whole, the first that is there counts, or the last.
FIRST = (
    *("id", "created", "model", "system_fingerprint", "provider"),
    *("prompt_filter_results", "prompt_token_ids"),
)
LAST = ("service_tier", "moderation", "citations", "timings")
ENDING = (
    *("finish_reason", "native_finish_reason", "stop_reason", "matched_stop"),
    "content_filter_results",
)
NOTHING: tuple[object, ...] = (None, (), "", {})

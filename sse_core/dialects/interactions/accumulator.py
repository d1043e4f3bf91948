"""Putting an interaction of Gemini's together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter

import msgspec

from ...reading.message import Accumulator, Message, ToolCall
from ..shared.typed_events import Unknown, merged
from .answer import Interaction, Usage
from .builders import StepBuilder, begin_step, begin_with
from .content import TextContent
from .events import (
    BeginEvent,
    ContentDelta,
    ContentStart,
    ContentStop,
    DeltaEvent,
    EndEvent,
    InteractionEvent,
    InteractionStatusUpdate,
    InteractionStreamEvent,
    StartEvent,
    StepDelta,
    StepStop,
    UnknownEvent,
    reasoning_of,
    text_of,
)
from .steps import FunctionCallStep, ModelOutputStep, Output, UserInputStep


class InteractionAccumulator(Accumulator[InteractionStreamEvent]):
    """Puts an interaction together: as its last event has it, or else from its steps.

    A step begins with its start, or with a delta that does not go on with the step at its index: behind
    the place where a stream is taken up again, there is no start.
    """

    def __init__(self) -> None:
        self.parts: int = 0
        self._known = False  # an event of a known type has come
        self._interaction = Interaction()
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._steps: list[tuple[int, StepBuilder]] = []
        self._open: dict[int, StepBuilder] = {}  # the last of each index
        self._has_steps = True

    def add(self, chunks: Sequence[InteractionStreamEvent]) -> int:
        brought = 0
        for chunk in chunks:
            if isinstance(chunk, StepDelta) and isinstance(chunk.delta, TextContent):
                step = self._open.get(chunk.index)
                if step is None or not step.is_output:
                    step = self._begin(chunk.index, StepBuilder(ModelOutputStep()))
                step.content.add(chunk.delta)
                brought += bool(chunk.delta.text)
                if chunk.metadata is not None:
                    self._usage = chunk.usage or self._usage
            elif not isinstance(chunk, UnknownEvent):
                self._known = True
                self.parts += 1
                if isinstance(chunk, DeltaEvent):
                    self._add_delta(chunk)
                else:
                    self._add_event(chunk)
                brought += bool(chunk.text or chunk.reasoning or chunk.tool_calls)
        return brought

    @property
    def understood(self) -> bool:
        return self._known or super().understood

    def message(self) -> Message:
        native = msgspec.structs.replace(self._interaction, usage=self._usage)
        steps = [step for _, step in sorted(self._steps, key=itemgetter(0))]
        if self._finish_reason and (native.steps or native.outputs):
            steps = [begin_step(step) for step in (*native.steps, *native.outputs)]
        elif self._has_steps:
            native = msgspec.structs.replace(native, steps=tuple(step.build() for step in steps))
        else:
            native = msgspec.structs.replace(native, outputs=tuple(outputs_of(steps)))
        parts = (*native.steps, *native.outputs)
        return Message(
            text="".join(map(text_of, parts)),
            reasoning="".join(map(reasoning_of, parts)),
            tool_calls=tuple(
                ToolCall(id=call.id, name=call.name, arguments=step.arguments_text())
                for step in steps
                if isinstance(call := step.start, FunctionCallStep)
            ),
            finish_reason=self._finish_reason,
            usage=native.usage,
            native=native,
        )

    def _add_delta(self, chunk: DeltaEvent) -> None:
        if chunk.metadata is not None:
            self._usage = chunk.usage or self._usage
        if isinstance(chunk.delta, Unknown):
            return
        self._has_steps = not isinstance(chunk, ContentDelta)
        step = self._open.get(chunk.index)
        if step is not None and step.takes(chunk.delta):
            step.add(chunk.delta)
        else:
            self._begin(chunk.index, begin_with(chunk.delta))

    def _begin(self, index: int, step: StepBuilder) -> StepBuilder:
        self._open[index] = step
        self._steps.append((index, step))
        self.parts += 1
        return step

    def _add_event(self, chunk: InteractionEvent) -> None:
        self._usage = chunk.usage or self._usage
        match chunk:
            case BeginEvent(interaction=interaction):
                self._interaction = interaction
            case InteractionStatusUpdate(status=status, interaction_id=id, continuation_token=token):
                self._interaction = msgspec.structs.replace(
                    self._interaction,
                    id=id or self._interaction.id,
                    status=status or self._interaction.status,
                    continuation_token=token or self._interaction.continuation_token,
                )
            case StartEvent(index=index):
                self._has_steps = not isinstance(chunk, ContentStart)
                self._begin(index, begin_step(chunk.begun))
            case StepStop(index=index) | ContentStop(index=index) if index in self._open:
                self._open[index].stopped = True
            case EndEvent(interaction=interaction):
                self._finish_reason = chunk.finish_reason
                self._interaction = msgspec.structs.replace(
                    merged(self._interaction, interaction), continuation_token=interaction.continuation_token
                )
            case _:
                pass


def outputs_of(steps: Sequence[StepBuilder]) -> Iterator[Output]:
    """Yield what an interaction that has no steps has in place of these."""
    for step in steps:
        match step.build():
            case ModelOutputStep(content=content) | UserInputStep(content=content):
                yield from content
            case built:
                yield built

"""The events of Gemini's Interactions.

There are two generations of them: an interaction has steps, or, until 2026, a list of content.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from abc import abstractmethod
from typing import TypeAlias

from ...reading.message import ShortRepr
from ..shared.typed_events import (
    Error,
    Tagged,
    TaggedEvent,
    ToolCallDelta,
    Unknown,
)
from ..shared.typed_events import UnknownEvent as UnknownTypedEvent
from .answer import Interaction, Usage
from .content import Annotation, Content, TextContent
from .steps import FunctionCallStep, ModelOutputStep, Output, Step, ThoughtStep

# Deltas.


class ArgumentsDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="arguments_delta"):
    """A fragment of the JSON text of a call's arguments."""

    ESSENTIAL = frozenset({"arguments", "partial_arguments"})

    arguments: str | None = None
    partial_arguments: str | None = None
    """The same, as the first documentation of steps had it."""

    @property
    def fragment(self) -> str:
        """Whichever it is."""
        return self.arguments or self.partial_arguments or ""


class ThoughtSummaryDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="thought_summary"):
    """A part of what the model thinks, in short."""

    content: Content | None = None


class ThoughtSignatureDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="thought_signature"):
    """The signature of a thought."""

    signature: str | None = None


class TextAnnotationDelta(Tagged, frozen=True, kw_only=True, gc=False, tag="text_annotation_delta"):
    """Annotations of the text that has come."""

    annotations: tuple[Annotation, ...] = ()


class TextAnnotation(TextAnnotationDelta, frozen=True, kw_only=True, gc=False, tag="text_annotation"):
    """The same, as it was called before there were steps."""


Delta: TypeAlias = (
    Output
    | ArgumentsDelta
    | ThoughtSummaryDelta
    | ThoughtSignatureDelta
    | TextAnnotationDelta
    | TextAnnotation
)

# What the events have in common.


class EventMetadata(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What may come with any event."""

    total_usage: Usage | None = None


class InteractionEvent(TaggedEvent, frozen=True, kw_only=True, gc=False, tag_field="event_type"):
    """An event; `event_id` says after which a stream is to be taken up again, and some have none."""

    event_id: str | None = None
    metadata: EventMetadata | None = None

    @property
    def usage(self) -> Usage | None:
        """How many tokens it has been so far."""
        return None if self.metadata is None else self.metadata.total_usage


class BeginEvent(InteractionEvent, frozen=True, kw_only=True):
    """The first event."""

    interaction: Interaction = Interaction()


class EndEvent(InteractionEvent, frozen=True, kw_only=True):
    """The last event; the interaction in it may be without the steps that have come."""

    ESSENTIAL = frozenset({"interaction"})

    interaction: Interaction = Interaction()

    @property
    def finish_reason(self) -> str | None:
        """The interaction's status."""
        return self.interaction.status or None

    @property
    def usage(self) -> Usage | None:
        """How many tokens the request and its answer took."""
        return self.interaction.usage


class StartEvent(InteractionEvent, frozen=True, kw_only=True):
    """The start of the step at `index`, as a rule empty yet."""

    index: int = 0

    @property
    @abstractmethod
    def begun(self) -> Step | Output:
        """What begins."""
        ...

    @property
    def text(self) -> str:
        """What its text begins with."""
        return text_of(self.begun)

    @property
    def reasoning(self) -> str:
        """What the thinking begins with."""
        return reasoning_of(self.begun)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The tool call that begins; its `index` is the step's."""
        return calls_of(self.begun, self.index)


class DeltaEvent(InteractionEvent, frozen=True, kw_only=True):
    """What is added to the step at `index`."""

    ESSENTIAL = frozenset({"index", "delta"})

    index: int = 0
    delta: Delta = Unknown()
    of_server_tool: bool = False
    """Whether it is for a tool that the server runs. The dialect sets it; it is not on the wire."""

    @property
    def text(self) -> str:
        """What it adds to the text."""
        return self.delta.text if isinstance(self.delta, TextContent) else ""

    @property
    def reasoning(self) -> str:
        """What it adds to the thinking."""
        if isinstance(self.delta, ThoughtSummaryDelta):
            return text_of(self.delta.content)
        return reasoning_of(self.delta)

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What it adds to a call of a function that the caller is to run."""
        if isinstance(self.delta, ArgumentsDelta):
            part = ToolCallDelta(index=self.index, arguments=self.delta.fragment)
            return () if self.of_server_tool else (part,)
        return calls_of(self.delta, self.index)


# The events.


class InteractionCreated(BeginEvent, frozen=True, tag="interaction.created"):
    """The interaction has been created."""


class InteractionStatusUpdate(InteractionEvent, frozen=True, kw_only=True, tag="interaction.status_update"):
    """The interaction has another status."""

    interaction_id: str = ""
    status: str = ""
    continuation_token: str | None = None
    usage: Usage | None = None  # pyright: ignore[reportIncompatibleMethodOverride] - a field, where others have none


class StepStart(StartEvent, frozen=True, kw_only=True, tag="step.start"):
    """A step begins."""

    ESSENTIAL = frozenset({"index", "step"})

    step: Step = Unknown()

    @property
    def begun(self) -> Step | Output:
        """What begins."""
        return self.step


class StepDelta(DeltaEvent, frozen=True, tag="step.delta"):
    """A step grows."""


class StepStop(InteractionEvent, frozen=True, kw_only=True, tag="step.stop"):
    """The step at `index` is whole; `usage` is of the interaction so far, `step_usage` of the step."""

    index: int = 0
    usage: Usage | None = None  # pyright: ignore[reportIncompatibleMethodOverride] - a field, where others have none
    step_usage: Usage | None = None


class InteractionCompleted(EndEvent, frozen=True, tag="interaction.completed"):
    """The interaction has ended."""


# The events of interactions without steps.


class InteractionStart(BeginEvent, frozen=True, tag="interaction.start"):
    """The interaction has been created."""


class ContentStart(StartEvent, frozen=True, kw_only=True, tag="content.start"):
    """A piece of content begins."""

    ESSENTIAL = frozenset({"index", "content"})

    content: Output = Unknown()

    @property
    def begun(self) -> Step | Output:
        """What begins."""
        return self.content


class ContentDelta(DeltaEvent, frozen=True, tag="content.delta"):
    """A piece of content grows."""


class ContentStop(InteractionEvent, frozen=True, kw_only=True, tag="content.stop"):
    """The piece of content at `index` is whole."""

    index: int = 0


class InteractionComplete(EndEvent, frozen=True, tag="interaction.complete"):
    """The interaction has ended."""


class UnknownEvent(UnknownTypedEvent, frozen=True, kw_only=True, gc=False, tag_field="event_type"):
    """An event of a type that is not known here, with all its fields."""


class InteractionError(Error, frozen=True, kw_only=True, gc=False, tag_field="event_type", tag="error"):
    """An error, in place of the last event."""


InteractionStreamEvent: TypeAlias = (
    InteractionCreated
    | InteractionStatusUpdate
    | StepStart
    | StepDelta
    | StepStop
    | InteractionCompleted
    | InteractionStart
    | ContentStart
    | ContentDelta
    | ContentStop
    | InteractionComplete
    | UnknownEvent
)
"""What a stream consists of."""


def text_of(part: object) -> str:
    """Return the text of what the model says: a step, or a piece of content."""
    match part:
        case TextContent(text=text):
            return text
        case ModelOutputStep(content=content):
            return "".join([item.text for item in content if isinstance(item, TextContent)])
        case _:
            return ""


def reasoning_of(part: object) -> str:
    """Return the text of what the model thinks."""
    if not isinstance(part, ThoughtStep):
        return ""
    return "".join([item.text for item in part.summary if isinstance(item, TextContent)])


def calls_of(part: object, index: int) -> tuple[ToolCallDelta, ...]:
    """Return the call that a step at `index` is, if the caller is to run it."""
    if not isinstance(part, FunctionCallStep):
        return ()
    return (ToolCallDelta(index=index, id=part.id, name=part.name, arguments=part.arguments_text),)

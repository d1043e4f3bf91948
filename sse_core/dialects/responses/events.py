"""The events of OpenAI's Responses: the response, its items, and their content."""

# No `from __future__ import annotations`: msgspec evaluates each string, 4 ms at import.
from msgspec import field

from ..openai import TokenLogprob
from ..shared.typed_events import TaggedEvent, ToolCallDelta, Unknown
from .answer import Response, Usage
from .items import (
    Annotation,
    ContentPart,
    CustomToolCall,
    FunctionCall,
    OutputItem,
    OutputText,
    ReasoningText,
    SummaryText,
)

# What they have in common.


class SequencedEvent(TaggedEvent, frozen=True, kw_only=True, gc=False):
    """An event; `sequence_number` is the cursor after which a stream can be resumed."""

    sequence_number: int | None = None


class StatusEvent(SequencedEvent, frozen=True, kw_only=True):
    """An event that brings the response as it is."""

    ESSENTIAL = frozenset({"response"})

    response: Response = Response()


class ItemEvent(SequencedEvent, frozen=True, kw_only=True):
    """An event of one item."""

    ESSENTIAL = frozenset({"output_index"})

    item_id: str = ""
    output_index: int = 0


class PartEvent(ItemEvent, frozen=True, kw_only=True):
    """An event of one part of an item's content."""

    content_index: int = 0


class SummaryEvent(ItemEvent, frozen=True, kw_only=True):
    """An event of one summary of what the model thinks."""

    summary_index: int = 0


class CommandEvent(ItemEvent, frozen=True, kw_only=True):
    """An event of one command of a shell."""

    command_index: int = 0


# The response.


class ResponseCreated(StatusEvent, frozen=True, tag="response.created"):
    """The response has been created."""


class ResponseQueued(StatusEvent, frozen=True, tag="response.queued"):
    """The response waits for its turn."""


class ResponseInProgress(StatusEvent, frozen=True, tag="response.in_progress"):
    """The response is being made."""


class ResponseCompleted(StatusEvent, frozen=True, kw_only=True, tag="response.completed"):
    """The last event of a whole response."""

    @property
    def finish_reason(self) -> str | None:
        """The response's status."""
        return self.response.status or None

    @property
    def usage(self) -> Usage | None:
        """How many tokens the request and its answer took."""
        return self.response.usage


class ResponseIncomplete(StatusEvent, frozen=True, kw_only=True, tag="response.incomplete"):
    """The last event of a response that was cut short."""

    @property
    def finish_reason(self) -> str | None:
        """Why it was cut short."""
        details = self.response.incomplete_details
        return (details and details.reason) or self.response.status or None

    @property
    def usage(self) -> Usage | None:
        """How many tokens the request and its answer took."""
        return self.response.usage


# Items, and the parts of their content.


class OutputItemAdded(SequencedEvent, frozen=True, kw_only=True, tag="response.output_item.added"):
    """An item begins."""

    ESSENTIAL = frozenset({"item", "output_index"})

    item: OutputItem = Unknown()
    output_index: int = 0

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """The call that begins; its `index` is the item's."""
        match self.item:
            case FunctionCall(call_id=id, name=name, arguments=arguments):
                pass
            case CustomToolCall(call_id=id, name=name, input=arguments):
                pass
            case _:
                return ()
        return (ToolCallDelta(index=self.output_index, id=id, name=name, arguments=arguments),)


class OutputItemDone(SequencedEvent, frozen=True, kw_only=True, tag="response.output_item.done"):
    """An item is whole."""

    ESSENTIAL = frozenset({"item", "output_index"})

    item: OutputItem = Unknown()
    output_index: int = 0


class ContentPartAdded(PartEvent, frozen=True, kw_only=True, tag="response.content_part.added"):
    """A part begins, as a rule empty yet."""

    part: ContentPart = Unknown()

    @property
    def text(self) -> str:
        """What the part begins with."""
        return self.part.text if isinstance(self.part, OutputText) else ""

    @property
    def reasoning(self) -> str:
        """What the thinking begins with."""
        return self.part.text if isinstance(self.part, ReasoningText) else ""


class ContentPartDone(PartEvent, frozen=True, kw_only=True, tag="response.content_part.done"):
    """A part is whole."""

    part: ContentPart = Unknown()


class OutputTextDelta(PartEvent, frozen=True, kw_only=True, tag="response.output_text.delta"):
    """A part of the text."""

    ESSENTIAL = frozenset({"output_index", "delta"})

    delta: str = ""
    logprobs: tuple[TokenLogprob, ...] | None = None
    obfuscation: str | None = None

    @property
    def text(self) -> str:
        """What it adds to the text."""
        return self.delta


class OutputTextDone(PartEvent, frozen=True, kw_only=True, tag="response.output_text.done"):
    """The whole text of a part."""

    full_text: str = field(default="", name="text")
    """The event's `text`, by another name: it adds nothing to what came before."""
    logprobs: tuple[TokenLogprob, ...] | None = None


class OutputTextAnnotationAdded(
    PartEvent, frozen=True, kw_only=True, tag="response.output_text.annotation.added"
):
    """One more annotation."""

    annotation: Annotation | None = None
    annotation_index: int = 0


class RefusalDelta(PartEvent, frozen=True, kw_only=True, tag="response.refusal.delta"):
    """A part of a refusal."""

    delta: str = ""
    obfuscation: str | None = None


class RefusalDone(PartEvent, frozen=True, kw_only=True, tag="response.refusal.done"):
    """A whole refusal."""

    refusal: str = ""


class ReasoningTextDelta(PartEvent, frozen=True, kw_only=True, tag="response.reasoning_text.delta"):
    """A part of what the model thinks."""

    delta: str = ""
    obfuscation: str | None = None

    @property
    def reasoning(self) -> str:
        """What it adds to the reasoning."""
        return self.delta


class ReasoningTextDone(PartEvent, frozen=True, kw_only=True, tag="response.reasoning_text.done"):
    """All that the model thinks in one part."""

    full_text: str = field(default="", name="text")
    """The event's `text`, by another name: it adds nothing to what came before."""


class ReasoningPartAdded(PartEvent, frozen=True, kw_only=True, tag="response.reasoning_part.added"):
    """A part of the reasoning begins: xAI, vLLM, LM Studio."""

    part: ContentPart = Unknown()

    @property
    def reasoning(self) -> str:
        """What the thinking begins with."""
        return self.part.text if isinstance(self.part, ReasoningText) else ""


class ReasoningPartDone(PartEvent, frozen=True, kw_only=True, tag="response.reasoning_part.done"):
    """A part of the reasoning is whole."""

    part: ContentPart = Unknown()


class ReasoningSummaryPartAdded(
    SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_part.added"
):
    """A summary begins, as a rule empty yet."""

    part: ContentPart = Unknown()

    @property
    def reasoning(self) -> str:
        """What the summary begins with."""
        return self.part.text if isinstance(self.part, SummaryText) else ""


class ReasoningSummaryPartDone(
    SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_part.done"
):
    """A summary is whole."""

    part: ContentPart = Unknown()
    status: str | None = None


class ReasoningSummaryTextDelta(
    SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_text.delta"
):
    """A part of a summary."""

    delta: str = ""
    obfuscation: str | None = None

    @property
    def reasoning(self) -> str:
        """What it adds to the reasoning."""
        return self.delta


class ReasoningSummaryTextDone(
    SummaryEvent, frozen=True, kw_only=True, tag="response.reasoning_summary_text.done"
):
    """The whole text of a summary."""

    full_text: str = field(default="", name="text")
    """The event's `text`, by another name: it adds nothing to what came before."""

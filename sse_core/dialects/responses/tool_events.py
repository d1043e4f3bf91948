"""The events of OpenAI's Responses: calls of tools, and the rest."""

# No `from __future__ import annotations`: msgspec evaluates each string, 4 ms at import.
from typing import Any, TypeAlias

from ..shared.typed_events import ToolCallDelta, UnknownEvent
from .events import (
    CommandEvent,
    ContentPartAdded,
    ContentPartDone,
    ItemEvent,
    OutputItemAdded,
    OutputItemDone,
    OutputTextAnnotationAdded,
    OutputTextDelta,
    OutputTextDone,
    ReasoningPartAdded,
    ReasoningPartDone,
    ReasoningSummaryPartAdded,
    ReasoningSummaryPartDone,
    ReasoningSummaryTextDelta,
    ReasoningSummaryTextDone,
    ReasoningTextDelta,
    ReasoningTextDone,
    RefusalDelta,
    RefusalDone,
    ResponseCompleted,
    ResponseCreated,
    ResponseIncomplete,
    ResponseInProgress,
    ResponseQueued,
    SequencedEvent,
)

# Calls of tools.


class FunctionCallArgumentsDelta(
    ItemEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"
):
    """A fragment of the JSON text of a function's arguments."""

    ESSENTIAL = frozenset({"output_index", "delta"})

    delta: str = ""
    obfuscation: str | None = None

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What it adds to the function call."""
        return (ToolCallDelta(index=self.output_index, arguments=self.delta),)


class FunctionCallArgumentsDone(
    ItemEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.done"
):
    """The whole JSON text of a function's arguments."""

    name: str | None = None
    arguments: str = ""


class CustomToolCallInputDelta(
    ItemEvent, frozen=True, kw_only=True, tag="response.custom_tool_call_input.delta"
):
    """A part of a tool's input."""

    ESSENTIAL = frozenset({"output_index", "delta"})

    delta: str = ""
    obfuscation: str | None = None

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What it adds to the call."""
        return (ToolCallDelta(index=self.output_index, arguments=self.delta),)


class CustomToolCallInputDone(
    ItemEvent, frozen=True, kw_only=True, tag="response.custom_tool_call_input.done"
):
    """A tool's whole input."""

    input: str = ""


class MCPCallArgumentsDelta(ItemEvent, frozen=True, kw_only=True, tag="response.mcp_call_arguments.delta"):
    """A fragment of the JSON text of a tool's arguments."""

    delta: str = ""
    obfuscation: str | None = None


class MCPCallArgumentsDone(ItemEvent, frozen=True, kw_only=True, tag="response.mcp_call_arguments.done"):
    """The whole JSON text of a tool's arguments."""

    arguments: str = ""


class ApplyPatchCallOperationDiffDelta(
    ItemEvent, frozen=True, kw_only=True, tag="response.apply_patch_call_operation_diff.delta"
):
    """A part of a change to a file."""

    delta: str = ""
    obfuscation: str | None = None


class ApplyPatchCallOperationDiffDone(
    ItemEvent, frozen=True, kw_only=True, tag="response.apply_patch_call_operation_diff.done"
):
    """The whole change to a file."""

    diff: str = ""


class CodeInterpreterCallCodeDelta(
    ItemEvent, frozen=True, kw_only=True, tag="response.code_interpreter_call_code.delta"
):
    """A part of a program."""

    delta: str = ""
    obfuscation: str | None = None


class CodeInterpreterCallCodeDone(
    ItemEvent, frozen=True, kw_only=True, tag="response.code_interpreter_call_code.done"
):
    """A whole program."""

    code: str = ""


class ImageGenerationCallPartialImage(
    ItemEvent, frozen=True, kw_only=True, tag="response.image_generation_call.partial_image"
):
    """An image as far as it has come, in Base64."""

    partial_image_b64: str = ""
    partial_image_index: int = 0
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None


class ShellCallCommandAdded(CommandEvent, frozen=True, kw_only=True, tag="response.shell_call_command.added"):
    """A command begins."""

    command: str = ""


class ShellCallCommandDelta(CommandEvent, frozen=True, kw_only=True, tag="response.shell_call_command.delta"):
    """A part of a command."""

    delta: str = ""
    obfuscation: str | None = None


class ShellCallCommandDone(CommandEvent, frozen=True, kw_only=True, tag="response.shell_call_command.done"):
    """A whole command."""

    command: str = ""


class ShellCallOutputContentDelta(
    CommandEvent, frozen=True, kw_only=True, tag="response.shell_call_output_content.delta"
):
    """A part of what a command writes, `stdout` or `stderr`."""

    delta: Any = None


class ShellCallOutputContentDone(
    CommandEvent, frozen=True, kw_only=True, tag="response.shell_call_output_content.done"
):
    """All that a command wrote, and how it ended."""

    output: Any = None


# How far calls of tools have come.


class CodeInterpreterCallInProgress(ItemEvent, frozen=True, tag="response.code_interpreter_call.in_progress"):
    """A program is to be run."""


class CodeInterpreterCallInterpreting(
    ItemEvent, frozen=True, tag="response.code_interpreter_call.interpreting"
):
    """A program runs."""


class CodeInterpreterCallCompleted(ItemEvent, frozen=True, tag="response.code_interpreter_call.completed"):
    """A program has run."""


class FileSearchCallInProgress(ItemEvent, frozen=True, tag="response.file_search_call.in_progress"):
    """A search of files begins."""


class FileSearchCallSearching(ItemEvent, frozen=True, tag="response.file_search_call.searching"):
    """A search of files goes on."""


class FileSearchCallCompleted(ItemEvent, frozen=True, tag="response.file_search_call.completed"):
    """A search of files is done."""


class WebSearchCallInProgress(ItemEvent, frozen=True, tag="response.web_search_call.in_progress"):
    """A search of the web begins."""


class WebSearchCallSearching(ItemEvent, frozen=True, tag="response.web_search_call.searching"):
    """A search of the web goes on."""


class WebSearchCallCompleted(ItemEvent, frozen=True, tag="response.web_search_call.completed"):
    """A search of the web is done."""


class ImageGenerationCallInProgress(ItemEvent, frozen=True, tag="response.image_generation_call.in_progress"):
    """An image is to be made."""


class ImageGenerationCallGenerating(ItemEvent, frozen=True, tag="response.image_generation_call.generating"):
    """An image is being made."""


class ImageGenerationCallCompleted(ItemEvent, frozen=True, tag="response.image_generation_call.completed"):
    """An image is made."""


class MCPCallInProgress(ItemEvent, frozen=True, tag="response.mcp_call.in_progress"):
    """A call of an MCP server's tool begins."""


class MCPCallCompleted(ItemEvent, frozen=True, tag="response.mcp_call.completed"):
    """A call of an MCP server's tool is done."""


class MCPCallFailed(ItemEvent, frozen=True, tag="response.mcp_call.failed"):
    """A call of an MCP server's tool has failed."""


class MCPListToolsInProgress(ItemEvent, frozen=True, tag="response.mcp_list_tools.in_progress"):
    """Listing an MCP server's tools begins."""


class MCPListToolsCompleted(ItemEvent, frozen=True, tag="response.mcp_list_tools.completed"):
    """Listing an MCP server's tools is done."""


class MCPListToolsFailed(ItemEvent, frozen=True, tag="response.mcp_list_tools.failed"):
    """Listing an MCP server's tools has failed."""


class CompactionCompacting(ItemEvent, frozen=True, tag="response.compaction.compacting"):
    """The conversation is being made shorter."""


# Others.


class AudioDelta(SequencedEvent, frozen=True, kw_only=True, tag="response.audio.delta"):
    """A part of a spoken answer, in Base64."""

    delta: str = ""


class AudioDone(SequencedEvent, frozen=True, tag="response.audio.done"):
    """The spoken answer is whole."""


class AudioTranscriptDelta(SequencedEvent, frozen=True, kw_only=True, tag="response.audio.transcript.delta"):
    """A part of the text of a spoken answer."""

    delta: str = ""


class AudioTranscriptDone(SequencedEvent, frozen=True, tag="response.audio.transcript.done"):
    """The text of a spoken answer is whole."""


class SteerEvent(SequencedEvent, frozen=True, kw_only=True):
    """An event of an input that is to change an answer on its way."""

    steer: Any = None
    stream_id: str | None = None


class SteerAccepted(SteerEvent, frozen=True, tag="response.steer.accepted"):
    """The input was taken."""


class SteerPending(SteerEvent, frozen=True, kw_only=True, tag="response.steer.pending"):
    """The input waits."""

    reason: str | None = None
    required_input: Any = None


class SteerFailed(SteerEvent, frozen=True, kw_only=True, tag="response.steer.failed"):
    """The input was not taken."""

    error: Any = None


ResponseStreamEvent: TypeAlias = (
    ResponseCreated
    | ResponseQueued
    | ResponseInProgress
    | ResponseCompleted
    | ResponseIncomplete
    | OutputItemAdded
    | OutputItemDone
    | ContentPartAdded
    | ContentPartDone
    | OutputTextDelta
    | OutputTextDone
    | OutputTextAnnotationAdded
    | RefusalDelta
    | RefusalDone
    | ReasoningTextDelta
    | ReasoningTextDone
    | ReasoningPartAdded
    | ReasoningPartDone
    | ReasoningSummaryPartAdded
    | ReasoningSummaryPartDone
    | ReasoningSummaryTextDelta
    | ReasoningSummaryTextDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | CustomToolCallInputDelta
    | CustomToolCallInputDone
    | MCPCallArgumentsDelta
    | MCPCallArgumentsDone
    | ApplyPatchCallOperationDiffDelta
    | ApplyPatchCallOperationDiffDone
    | CodeInterpreterCallCodeDelta
    | CodeInterpreterCallCodeDone
    | ImageGenerationCallPartialImage
    | ShellCallCommandAdded
    | ShellCallCommandDelta
    | ShellCallCommandDone
    | ShellCallOutputContentDelta
    | ShellCallOutputContentDone
    | CodeInterpreterCallInProgress
    | CodeInterpreterCallInterpreting
    | CodeInterpreterCallCompleted
    | FileSearchCallInProgress
    | FileSearchCallSearching
    | FileSearchCallCompleted
    | WebSearchCallInProgress
    | WebSearchCallSearching
    | WebSearchCallCompleted
    | ImageGenerationCallInProgress
    | ImageGenerationCallGenerating
    | ImageGenerationCallCompleted
    | MCPCallInProgress
    | MCPCallCompleted
    | MCPCallFailed
    | MCPListToolsInProgress
    | MCPListToolsCompleted
    | MCPListToolsFailed
    | CompactionCompacting
    | AudioDelta
    | AudioDone
    | AudioTranscriptDelta
    | AudioTranscriptDone
    | SteerAccepted
    | SteerPending
    | SteerFailed
    | UnknownEvent
)
"""What a stream consists of."""

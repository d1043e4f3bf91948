"""The items that an answer of OpenAI's Responses consists of.

An item of a kind that has no struct here is `Unknown`.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, 4 ms at import.
from typing import Any, TypeAlias

from msgspec import field

from ..openai import TokenLogprob
from ..shared.typed_events import Tagged, Unknown

# Content.


class FileCitation(Tagged, frozen=True, kw_only=True, gc=False, tag="file_citation"):
    """A file that the text rests on; `index` is its place in the list of files."""

    file_id: str = ""
    filename: str = ""
    index: int = 0


class URLCitation(Tagged, frozen=True, kw_only=True, gc=False, tag="url_citation"):
    """A page that the text rests on; indices are of characters in the text."""

    url: str = ""
    title: str = ""
    start_index: int = 0
    end_index: int = 0


class ContainerFileCitation(Tagged, frozen=True, kw_only=True, gc=False, tag="container_file_citation"):
    """A file of a container; indices are of characters in the text."""

    container_id: str = ""
    file_id: str = ""
    filename: str = ""
    start_index: int = 0
    end_index: int = 0


class FilePath(Tagged, frozen=True, kw_only=True, gc=False, tag="file_path"):
    """A path to a file."""

    file_id: str = ""
    index: int = 0


Annotation: TypeAlias = FileCitation | URLCitation | ContainerFileCitation | FilePath | Unknown


class OutputText(Tagged, frozen=True, kw_only=True, gc=False, tag="output_text"):
    """Text, and what it rests on."""

    ESSENTIAL = frozenset({"text"})

    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    logprobs: tuple[TokenLogprob, ...] | None = None


class OutputRefusal(Tagged, frozen=True, kw_only=True, gc=False, tag="refusal"):
    """Why the model refuses."""

    refusal: str = ""


class ReasoningText(Tagged, frozen=True, kw_only=True, gc=False, tag="reasoning_text"):
    """What the model thinks."""

    text: str = ""


class SummaryText(Tagged, frozen=True, kw_only=True, gc=False, tag="summary_text"):
    """A summary of what the model thinks."""

    text: str = ""


ContentPart: TypeAlias = OutputText | OutputRefusal | ReasoningText | SummaryText | Unknown


# Items.


class Item(Tagged, frozen=True, kw_only=True, gc=False):
    """What every item has."""

    id: str | None = None
    status: str | None = None


class OutputMessage(Item, frozen=True, kw_only=True, tag="message"):
    """What the model says."""

    ESSENTIAL = frozenset({"content"})

    role: str = "assistant"
    content: tuple[ContentPart, ...] = ()
    phase: str | None = None


class FunctionCall(Item, frozen=True, kw_only=True, tag="function_call"):
    """A call of a function that the caller is to run; `arguments` is JSON text."""

    ESSENTIAL = frozenset({"call_id", "name", "arguments"})

    call_id: str = ""
    name: str = ""
    arguments: str = ""
    namespace: str | None = None
    caller: Any = None
    async_: bool | None = field(name="async", default=None)


class FunctionCallOutput(Item, frozen=True, kw_only=True, tag="function_call_output"):
    """What a function gave: text, or parts."""

    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    output: Any = None
    caller: Any = None
    created_by: str | None = None


class CustomToolCall(Item, frozen=True, kw_only=True, tag="custom_tool_call"):
    """A call of a tool that the caller is to run; `input` is any text."""

    ESSENTIAL = frozenset({"call_id", "name", "input"})

    call_id: str = ""
    name: str = ""
    input: str = ""
    namespace: str | None = None
    caller: Any = None
    async_: bool | None = field(name="async", default=None)


class CustomToolCallOutput(Item, frozen=True, kw_only=True, tag="custom_tool_call_output"):
    """What such a tool gave: text, or parts."""

    call_id: str = ""
    output: Any = None
    caller: Any = None
    created_by: str | None = None


class Reasoning(Item, frozen=True, kw_only=True, tag="reasoning"):
    """What the model thinks, in summaries, as it is, or encrypted."""

    summary: tuple[ContentPart, ...] = ()
    content: tuple[ContentPart, ...] | None = None
    encrypted_content: str | None = None


class WebSearchCall(Item, frozen=True, kw_only=True, tag="web_search_call"):
    """A search of the web."""

    action: Any = None


class FileSearchCall(Item, frozen=True, kw_only=True, tag="file_search_call"):
    """A search of files."""

    queries: tuple[str, ...] = ()
    results: Any = None


class CodeInterpreterCall(Item, frozen=True, kw_only=True, tag="code_interpreter_call"):
    """A program, and what it gave."""

    code: str | None = None
    container_id: str = ""
    outputs: Any = None


class ImageGenerationCall(Item, frozen=True, kw_only=True, tag="image_generation_call"):
    """An image; `result` is Base64."""

    result: str | None = None
    action: str | None = None
    background: str | None = None
    output_format: str | None = None
    quality: str | None = None
    size: str | None = None
    revised_prompt: str | None = None
    svg_usage: Any = None
    error: Any = None


class MCPCall(Item, frozen=True, kw_only=True, tag="mcp_call"):
    """A call of an MCP server's tool, and what it gave; `arguments` is JSON text."""

    server_label: str = ""
    name: str = ""
    arguments: str = ""
    output: str | None = None
    error: Any = None
    approval_request_id: str | None = None


class MCPListTools(Item, frozen=True, kw_only=True, tag="mcp_list_tools"):
    """The tools of an MCP server."""

    server_label: str = ""
    tools: Any = None
    error: Any = None


class MCPApprovalRequest(Item, frozen=True, kw_only=True, tag="mcp_approval_request"):
    """A call of an MCP server's tool that the caller is to allow."""

    server_label: str = ""
    name: str = ""
    arguments: str = ""


class MCPApprovalResponse(Item, frozen=True, kw_only=True, tag="mcp_approval_response"):
    """Whether the caller has allowed such a call."""

    approval_request_id: str = ""
    approve: bool = False
    reason: str | None = None


class ToolSearchCall(Item, frozen=True, kw_only=True, tag="tool_search_call"):
    """A search for tools, which the server or the caller, `client`, is to make: see `execution`."""

    call_id: str | None = None
    execution: str = ""
    arguments: Any = None
    created_by: str | None = None


class ToolSearchOutput(Item, frozen=True, kw_only=True, tag="tool_search_output"):
    """The tools that were found."""

    call_id: str | None = None
    execution: str = ""
    tools: Any = None
    created_by: str | None = None


class AdditionalTools(Item, frozen=True, kw_only=True, tag="additional_tools"):
    """More tools that the model may call."""

    role: str = ""
    tools: Any = None


class Program(Item, frozen=True, kw_only=True, tag="program"):
    """A program that calls tools."""

    call_id: str = ""
    code: str = ""
    fingerprint: str = ""


class ProgramOutput(Item, frozen=True, kw_only=True, tag="program_output"):
    """What such a program gave."""

    call_id: str = ""
    result: str = ""


class ComputerCall(Item, frozen=True, kw_only=True, tag="computer_call"):
    """What the caller is to do with a computer."""

    call_id: str = ""
    action: Any = None
    actions: Any = None
    pending_safety_checks: Any = None


class ComputerCallOutput(Item, frozen=True, kw_only=True, tag="computer_call_output"):
    """What the computer showed then."""

    call_id: str = ""
    output: Any = None
    acknowledged_safety_checks: Any = None
    created_by: str | None = None


class LocalShellCall(Item, frozen=True, kw_only=True, tag="local_shell_call"):
    """A command that the caller is to run."""

    call_id: str = ""
    action: Any = None


class LocalShellCallOutput(Item, frozen=True, kw_only=True, tag="local_shell_call_output"):
    """What such a command gave."""

    output: str = ""


class ShellCall(Item, frozen=True, kw_only=True, tag="shell_call"):
    """Commands of a shell."""

    call_id: str = ""
    action: Any = None
    environment: Any = None
    caller: Any = None
    created_by: str | None = None


class ShellCallOutput(Item, frozen=True, kw_only=True, tag="shell_call_output"):
    """What the commands of a shell gave."""

    call_id: str = ""
    output: Any = None
    max_output_length: int | None = None
    caller: Any = None
    created_by: str | None = None


class ApplyPatchCall(Item, frozen=True, kw_only=True, tag="apply_patch_call"):
    """A change to a file."""

    call_id: str = ""
    operation: Any = None
    caller: Any = None
    created_by: str | None = None


class ApplyPatchCallOutput(Item, frozen=True, kw_only=True, tag="apply_patch_call_output"):
    """What came of such a change."""

    call_id: str = ""
    output: str | None = None
    caller: Any = None
    created_by: str | None = None


class Compaction(Item, frozen=True, kw_only=True, tag="compaction"):
    """A conversation made shorter, encrypted."""

    encrypted_content: str = ""
    created_by: str | None = None


OutputItem: TypeAlias = (
    OutputMessage
    | FunctionCall
    | FunctionCallOutput
    | CustomToolCall
    | CustomToolCallOutput
    | Reasoning
    | WebSearchCall
    | FileSearchCall
    | CodeInterpreterCall
    | ImageGenerationCall
    | MCPCall
    | MCPListTools
    | MCPApprovalRequest
    | MCPApprovalResponse
    | ToolSearchCall
    | ToolSearchOutput
    | AdditionalTools
    | Program
    | ProgramOutput
    | ComputerCall
    | ComputerCallOutput
    | LocalShellCall
    | LocalShellCallOutput
    | ShellCall
    | ShellCallOutput
    | ApplyPatchCall
    | ApplyPatchCallOutput
    | Compaction
    | Unknown
)

"""What an answer of OpenAI's Responses consists of.

An item of a kind that has no struct here is `Unknown`.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, 4 ms at import.
from typing import Any, TypeAlias

from msgspec import Struct

from ._tagged import Tagged, Unknown
from .openai import TokenLogprob

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

    role: str = "assistant"
    content: tuple[ContentPart, ...] = ()
    phase: str | None = None


class FunctionCall(Item, frozen=True, kw_only=True, tag="function_call"):
    """A call of a function that the caller is to run; `arguments` is JSON text."""

    call_id: str = ""
    name: str = ""
    arguments: str = ""
    namespace: str | None = None
    caller: Any = None


class CustomToolCall(Item, frozen=True, kw_only=True, tag="custom_tool_call"):
    """A call of a tool that the caller is to run; `input` is any text."""

    call_id: str = ""
    name: str = ""
    input: str = ""
    namespace: str | None = None
    caller: Any = None


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


class ComputerCall(Item, frozen=True, kw_only=True, tag="computer_call"):
    """What the caller is to do with a computer."""

    call_id: str = ""
    action: Any = None
    actions: Any = None
    pending_safety_checks: Any = None


class LocalShellCall(Item, frozen=True, kw_only=True, tag="local_shell_call"):
    """A command that the caller is to run."""

    call_id: str = ""
    action: Any = None


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


class Compaction(Item, frozen=True, kw_only=True, tag="compaction"):
    """A conversation made shorter, encrypted."""

    encrypted_content: str = ""
    created_by: str | None = None


OutputItem: TypeAlias = (
    OutputMessage
    | FunctionCall
    | CustomToolCall
    | Reasoning
    | WebSearchCall
    | FileSearchCall
    | CodeInterpreterCall
    | ImageGenerationCall
    | MCPCall
    | MCPListTools
    | MCPApprovalRequest
    | ComputerCall
    | LocalShellCall
    | ShellCall
    | ShellCallOutput
    | ApplyPatchCall
    | Compaction
    | Unknown
)


# Responses.


class InputTokensDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the request had."""

    cached_tokens: int = 0
    cache_write_tokens: int | None = None


class OutputTokensDetails(Struct, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the answer had."""

    reasoning_tokens: int = 0


class Usage(Struct, frozen=True, kw_only=True, gc=False):
    """How many tokens the request and its answer took."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: InputTokensDetails | None = None
    output_tokens_details: OutputTokensDetails | None = None


class IncompleteDetails(Struct, frozen=True, kw_only=True, gc=False):
    """Why the answer is not whole."""

    reason: str | None = None


class Response(Struct, frozen=True, kw_only=True, gc=False):
    """A whole answer, as it comes when it is not streamed; times are Unix seconds."""

    id: str = ""
    object: str = "response"
    created_at: float = 0
    completed_at: float | None = None
    status: str | None = None
    model: str = ""
    output: tuple[OutputItem, ...] = ()
    error: Any = None
    incomplete_details: IncompleteDetails | None = None
    usage: Usage | None = None
    background: bool | None = None
    conversation: Any = None
    instructions: Any = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, Any] | None = None
    moderation: Any = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: Any = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Any = None
    prompt_cache_retention: str | None = None
    reasoning: Any = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    temperature: float | None = None
    text: Any = None
    tool_choice: Any = None
    tools: Any = None
    tool_usage: Any = None
    top_logprobs: int | None = None
    top_p: float | None = None
    truncation: str | None = None
    user: str | None = None

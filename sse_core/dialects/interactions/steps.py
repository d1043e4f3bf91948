"""The steps of an interaction of Gemini's; as a delta, those of tools on the server."""

# No `from __future__ import annotations`: msgspec evaluates each string, which takes time at import.
from typing import Any, TypeAlias

import msgspec
from msgspec import field

from ..shared.lenient import Fields
from ..shared.typed_events import Tagged, Unknown
from .content import Content


class UserInputStep(Tagged, frozen=True, kw_only=True, gc=False, tag="user_input"):
    """What the user says."""

    content: tuple[Content, ...] = ()


class ModelOutputStep(Tagged, frozen=True, kw_only=True, gc=False, tag="model_output"):
    """What the model says; `error` is a `google.rpc.Status`."""

    ESSENTIAL = frozenset({"content"})

    content: tuple[Content, ...] = ()
    error: Any = None


class ThoughtStep(Tagged, frozen=True, kw_only=True, gc=False, tag="thought"):
    """What the model thinks, in short; `signature` goes back to the server with it."""

    summary: tuple[Content, ...] = ()
    signature: str | None = None


class FunctionCallStep(Tagged, frozen=True, kw_only=True, gc=False, tag="function_call"):
    """A call of a function that the caller is to run."""

    ESSENTIAL = frozenset({"id", "name", "arguments"})

    id: str = ""
    name: str = ""
    arguments: Fields = field(default_factory=Fields)
    signature: str | None = None

    @property
    def arguments_text(self) -> str:
        """The JSON text of the arguments; empty if there are none."""
        return msgspec.json.encode(self.arguments).decode() if self.arguments else ""


class FunctionResultStep(Tagged, frozen=True, kw_only=True, gc=False, tag="function_result"):
    """What a function gave."""

    call_id: str = ""
    name: str | None = None
    result: Any = None
    is_error: bool | None = None
    signature: str | None = None


class ServerToolCall(Tagged, frozen=True, kw_only=True, gc=False):
    """A call of a tool that the server runs; `arguments` is the provider's JSON."""

    id: str = ""
    arguments: Any = None
    signature: str | None = None


class ServerToolResult(Tagged, frozen=True, kw_only=True, gc=False):
    """What such a tool gave; `result` is the provider's JSON."""

    call_id: str = ""
    result: Any = None
    is_error: bool | None = None
    signature: str | None = None


class CodeExecutionCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="code_execution_call"):
    """A program."""


class CodeExecutionResultStep(
    ServerToolResult, frozen=True, kw_only=True, gc=False, tag="code_execution_result"
):
    """What a program gave."""


class FileSearchCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="file_search_call"):
    """A search of files."""


class FileSearchResultStep(ServerToolResult, frozen=True, kw_only=True, gc=False, tag="file_search_result"):
    """What a search of files found."""


class GoogleMapsCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="google_maps_call"):
    """A search of the map."""


class GoogleMapsResultStep(ServerToolResult, frozen=True, kw_only=True, gc=False, tag="google_maps_result"):
    """What a search of the map found."""


class GoogleSearchCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="google_search_call"):
    """A search of the web."""

    search_type: str | None = None


class GoogleSearchResultStep(
    ServerToolResult, frozen=True, kw_only=True, gc=False, tag="google_search_result"
):
    """What a search of the web found."""


class MCPServerToolCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="mcp_server_tool_call"):
    """A call of a tool that an MCP server runs."""

    name: str = ""
    server_name: str = ""


class MCPServerToolResultStep(
    ServerToolResult, frozen=True, kw_only=True, gc=False, tag="mcp_server_tool_result"
):
    """What a tool of an MCP server gave."""

    name: str | None = None
    server_name: str | None = None


class ProcessingCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="processing_call"):
    """Work on what the request brought."""


class ProcessingResultStep(ServerToolResult, frozen=True, kw_only=True, gc=False, tag="processing_result"):
    """What came of that work."""


class RetrievalCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="retrieval_call"):
    """A search of the caller's own data."""

    retrieval_type: str | None = None


class RetrievalResultStep(ServerToolResult, frozen=True, kw_only=True, gc=False, tag="retrieval_result"):
    """What a search of the caller's own data found."""


class ToolSearchCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="tool_search_call"):
    """A search for tools."""


class ToolSearchResultStep(ServerToolResult, frozen=True, kw_only=True, gc=False, tag="tool_search_result"):
    """The tools that a search for tools found."""


class URLContextCallStep(ServerToolCall, frozen=True, kw_only=True, gc=False, tag="url_context_call"):
    """Pages to be read."""


class URLContextResultStep(ServerToolResult, frozen=True, kw_only=True, gc=False, tag="url_context_result"):
    """What was read of pages."""


ServerToolStep: TypeAlias = (
    CodeExecutionCallStep
    | CodeExecutionResultStep
    | FileSearchCallStep
    | FileSearchResultStep
    | GoogleMapsCallStep
    | GoogleMapsResultStep
    | GoogleSearchCallStep
    | GoogleSearchResultStep
    | MCPServerToolCallStep
    | MCPServerToolResultStep
    | ProcessingCallStep
    | ProcessingResultStep
    | RetrievalCallStep
    | RetrievalResultStep
    | ToolSearchCallStep
    | ToolSearchResultStep
    | URLContextCallStep
    | URLContextResultStep
)
Step: TypeAlias = (
    UserInputStep
    | ModelOutputStep
    | ThoughtStep
    | FunctionCallStep
    | FunctionResultStep
    | ServerToolStep
    | Unknown
)
Output: TypeAlias = Content | ThoughtStep | FunctionCallStep | FunctionResultStep | ServerToolStep
"""What an interaction had before it had steps: the content of all of them, in one list."""

"""What an answer of Anthropic's consists of."""

# No `from __future__ import annotations`: msgspec evaluates each string, 2.5 ms at import.
from typing import Any, TypeAlias

from msgspec import field

from ...reading.message import ShortRepr
from ..shared.lenient import Fields
from ..shared.typed_events import Tagged, Unknown

# Citations.


class CharLocation(Tagged, frozen=True, kw_only=True, gc=False, tag="char_location"):
    """A place in a plain text, in characters."""

    cited_text: str = ""
    document_index: int = 0
    document_title: str | None = None
    file_id: str | None = None
    start_char_index: int = 0
    end_char_index: int = 0


class PageLocation(Tagged, frozen=True, kw_only=True, gc=False, tag="page_location"):
    """A place in a PDF, in pages, the first of which is 1."""

    cited_text: str = ""
    document_index: int = 0
    document_title: str | None = None
    file_id: str | None = None
    start_page_number: int = 0
    end_page_number: int = 0


class ContentBlockLocation(Tagged, frozen=True, kw_only=True, gc=False, tag="content_block_location"):
    """A place in a document made of blocks."""

    cited_text: str = ""
    document_index: int = 0
    document_title: str | None = None
    file_id: str | None = None
    start_block_index: int = 0
    end_block_index: int = 0


class WebSearchResultLocation(Tagged, frozen=True, kw_only=True, gc=False, tag="web_search_result_location"):
    """A page that a search of the web found."""

    cited_text: str = ""
    encrypted_index: str = ""
    title: str | None = None
    url: str = ""


class SearchResultLocation(Tagged, frozen=True, kw_only=True, gc=False, tag="search_result_location"):
    """A place in a search result that the request brought."""

    cited_text: str = ""
    search_result_index: int = 0
    source: str = ""
    title: str | None = None
    start_block_index: int = 0
    end_block_index: int = 0


Citation: TypeAlias = (
    CharLocation
    | PageLocation
    | ContentBlockLocation
    | WebSearchResultLocation
    | SearchResultLocation
    | Unknown
)

# Content blocks.


class TextBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="text"):
    """Text, and what it rests on."""

    ESSENTIAL = frozenset({"text"})

    text: str = ""
    citations: tuple[Citation, ...] | None = None


class ThinkingBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="thinking"):
    """What the model thinks; `signature` goes back to the server with it."""

    thinking: str = ""
    signature: str = ""


class RedactedThinkingBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="redacted_thinking"):
    """What the model thinks, encrypted."""

    data: str = ""


class ToolUseBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="tool_use"):
    """A call of a tool that the caller is to run."""

    ESSENTIAL = frozenset({"id", "name", "input"})

    id: str = ""
    name: str = ""
    input: Fields = field(default_factory=Fields)
    caller: Any = None
    toolset_name: str | None = None


class ServerToolUseBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="server_tool_use"):
    """A call of a tool that the server runs."""

    id: str = ""
    name: str = ""
    input: Fields = field(default_factory=Fields)
    caller: Any = None


class MCPToolUseBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="mcp_tool_use"):
    """A call of a tool that an MCP server runs."""

    id: str = ""
    name: str = ""
    server_name: str = ""
    input: Fields = field(default_factory=Fields)


class ToolResultBlock(Tagged, frozen=True, kw_only=True, gc=False):
    """What a tool on the server brought; `content` is the provider's JSON, of an error too."""

    tool_use_id: str = ""
    content: Any = None
    caller: Any = None


class WebSearchToolResultBlock(
    ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="web_search_tool_result"
):
    """What a search of the web found."""


class WebFetchToolResultBlock(
    ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="web_fetch_tool_result"
):
    """What was fetched from the web."""


class CodeExecutionToolResultBlock(
    ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="code_execution_tool_result"
):
    """What a program gave."""


class BashCodeExecutionToolResultBlock(
    ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="bash_code_execution_tool_result"
):
    """What a shell command gave."""


class TextEditorCodeExecutionToolResultBlock(
    ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="text_editor_code_execution_tool_result"
):
    """What a command of the text editor gave."""


class ToolSearchToolResultBlock(
    ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="tool_search_tool_result"
):
    """Which tools a search for tools found."""


class MCPToolResultBlock(ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="mcp_tool_result"):
    """What a tool of an MCP server gave."""

    is_error: bool = False


class AdvisorToolResultBlock(ToolResultBlock, frozen=True, kw_only=True, gc=False, tag="advisor_tool_result"):
    """What a model that was asked for advice says."""


class MCPToolListingBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="mcp_tool_listing"):
    """The tools of an MCP server."""

    mcp_server_name: str = ""
    tools: Any = None


class CompactionBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="compaction"):
    """What came before, made shorter, as text or encrypted; it goes back to the server as it is."""

    content: str | None = None
    encrypted_content: str | None = None
    signature: str | None = None
    tool_changes: Any = None


class FallbackModel(ShortRepr, frozen=True, kw_only=True, gc=False):
    """One of the models that a message comes from."""

    model: str = ""


class FallbackBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="fallback"):
    """The place where another model takes over; `trigger` says why."""

    from_: FallbackModel = field(name="from", default=FallbackModel())
    to: FallbackModel = FallbackModel()
    trigger: Any = None


class ContainerUploadBlock(Tagged, frozen=True, kw_only=True, gc=False, tag="container_upload"):
    """A file in the container where programs run."""

    file_id: str = ""


ContentBlock: TypeAlias = (
    TextBlock
    | ThinkingBlock
    | RedactedThinkingBlock
    | ToolUseBlock
    | ServerToolUseBlock
    | MCPToolUseBlock
    | WebSearchToolResultBlock
    | WebFetchToolResultBlock
    | CodeExecutionToolResultBlock
    | BashCodeExecutionToolResultBlock
    | TextEditorCodeExecutionToolResultBlock
    | ToolSearchToolResultBlock
    | AdvisorToolResultBlock
    | MCPToolResultBlock
    | MCPToolListingBlock
    | CompactionBlock
    | FallbackBlock
    | ContainerUploadBlock
    | Unknown
)

# Messages.


class CacheCreation(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens went into the cache, by how long they stay."""

    ephemeral_5m_input_tokens: int = 0
    ephemeral_1h_input_tokens: int = 0


class OutputTokensDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the answer had."""

    thinking_tokens: int | None = None


class ServerToolUsage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How often the tools that the server runs were called."""

    web_search_requests: int = 0
    web_fetch_requests: int | None = None


class Usage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens the request and its answer took."""

    uncached_input_tokens: int | None = field(name="input_tokens", default=None)
    """The provider's `input_tokens`: those that neither went into the cache nor came from it."""
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputTokensDetails | None = None
    server_tool_use: ServerToolUsage | None = None
    service_tier: str | None = None
    inference_geo: str | None = None
    speed: str | None = None
    iterations: Any = None
    """The same, model by model and turn by turn."""
    fallback_credit: Any = None

    @property
    def input_tokens(self) -> int | None:
        """Of the whole request, with those that went into the cache or came from it."""
        if self.uncached_input_tokens is None:
            return None
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return self.uncached_input_tokens + cached

    @property
    def total_tokens(self) -> int | None:
        """Of the request and the answer, if both are known."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


class StopDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """Why the model refused."""

    type: str = ""
    category: str | None = None
    explanation: str | None = None
    recommended_model: str | None = None
    fallback_credit_token: str | None = None
    fallback_has_prefill_claim: bool | None = None


class Container(ShortRepr, frozen=True, kw_only=True, gc=False):
    """Where programs run; `expires_at` is a time by RFC 3339."""

    id: str = ""
    expires_at: str | None = None
    skills: Any = None


class Message(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A whole answer, as it comes when it is not streamed."""

    ESSENTIAL = frozenset({"content", "stop_reason"})

    id: str = ""
    type: str = "message"
    role: str = "assistant"
    model: str = ""
    content: tuple[ContentBlock, ...] = ()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: Usage | None = None
    container: Container | None = None
    diagnostics: Any = None
    context_management: Any = None
    input_transformations: Any = None

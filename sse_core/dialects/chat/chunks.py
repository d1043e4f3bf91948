"""The chunks of a chat completion, as OpenAI, Groq and the servers that imitate them send them.

One set of structs reads them all, since proxies pass on what is behind them: a field that only
some send says who. Every field has a default, since the imitations leave out any of them, and
absent means the same as null. The imitations' own objects are left as JSON values where their
shape is not documented. No chunk can hold a cycle, so the garbage collector is told to pass by.
"""

# No `from __future__ import annotations`: msgspec evaluates each string, 1.5 ms at import.
from typing import Any

from ...reading.message import ShortRepr


class FunctionDelta(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a function call; `arguments` is a fragment of JSON text, to be put together."""

    ESSENTIAL = frozenset({"name", "arguments"})

    name: str | None = None
    arguments: str | None = None


class CustomDelta(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a call of a custom tool; `input` is a fragment of any text, to be put together."""

    ESSENTIAL = frozenset({"name", "input"})

    name: str | None = None
    input: str | None = None


class ToolCallDelta(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a tool call; `id`, `type` and the tool's name come with the first part only."""

    ESSENTIAL = frozenset({"function", "custom"})

    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionDelta | None = None
    custom: CustomDelta | None = None
    """In place of `function`, where `type` is `"custom"`."""
    extra_content: Any = None
    """What is to go back with the call, a signature for one: Gemini."""

    @property
    def name(self) -> str | None:
        """The tool's name; with the call's first part only."""
        tool = self.function or self.custom
        return None if tool is None else tool.name

    @property
    def arguments(self) -> str | None:
        """A fragment of the JSON text of the arguments, or of a custom tool's input."""
        if self.function is not None:
            return self.function.arguments
        return None if self.custom is None else self.custom.input


class Audio(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of a spoken answer; `data` is Base64, `expires_at` in Unix seconds."""

    id: str | None = None
    data: str | None = None
    transcript: str | None = None
    expires_at: int | None = None


class ReasoningDetail(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A part of the reasoning, as OpenRouter tells its kinds apart by `type`.

    It is `reasoning.text` with `text` and perhaps a `signature`, `reasoning.summary` with
    `summary`, or `reasoning.encrypted` with `data`.
    """

    type: str = ""
    text: str | None = None
    summary: str | None = None
    data: str | None = None
    signature: str | None = None
    id: str | None = None
    format: str | None = None
    index: int | None = None


class URLCitation(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A page that an answer cites; indices are of characters in the answer."""

    url: str = ""
    title: str | None = None
    content: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class DocumentCitation(ShortRepr, frozen=True, kw_only=True, gc=False):
    """Where in a document an answer comes from; indices are of characters in the answer."""

    document_id: str = ""
    start_index: int | None = None
    end_index: int | None = None


class FunctionCitation(ShortRepr, frozen=True, kw_only=True, gc=False):
    """Which tool's result an answer comes from; indices are of characters in the answer."""

    tool_call_id: str = ""
    start_index: int | None = None
    end_index: int | None = None


class Annotation(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A source; `type` is the name of the field that has it: OpenAI's is the first, Groq's the others."""

    type: str = ""
    url_citation: URLCitation | None = None
    document_citation: DocumentCitation | None = None
    function_citation: FunctionCitation | None = None


class SearchResult(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A page that a search found."""

    title: str | None = None
    url: str | None = None
    content: str | None = None
    score: float | None = None


class SearchResults(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What a search found."""

    images: tuple[str, ...] = ()
    results: tuple[SearchResult, ...] = ()


class ChartElement(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A bar, a slice, a line or a box of a chart; which numbers it has depends on the chart's type."""

    label: str = ""
    group: str | None = None
    value: float | None = None
    angle: float | None = None
    radius: float | None = None
    min: float | None = None
    first_quartile: float | None = None
    median: float | None = None
    third_quartile: float | None = None
    max: float | None = None
    outliers: tuple[float, ...] = ()
    points: tuple[tuple[float, ...], ...] = ()


class Chart(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A chart that code drew: `bar`, `box_and_whisker`, `line`, `pie`, `scatter` or `superchart`."""

    type: str = ""
    title: str | None = None
    elements: tuple[ChartElement, ...] = ()
    x_label: str | None = None
    x_scale: str | None = None
    x_unit: str | None = None
    x_ticks: tuple[float, ...] = ()
    x_tick_labels: tuple[str, ...] = ()
    y_label: str | None = None
    y_scale: str | None = None
    y_unit: str | None = None
    y_ticks: tuple[float, ...] = ()
    y_tick_labels: tuple[str, ...] = ()


class CodeResult(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What code that was run gave: text, a picture in Base64, or charts."""

    text: str | None = None
    png: str | None = None
    chart: Chart | None = None
    charts: tuple[Chart, ...] = ()


class BrowserResult(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A page that was visited."""

    title: str = ""
    url: str = ""
    content: str | None = None
    live_view_url: str | None = None


class ExecutedTool(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A tool that ran on Groq's side."""

    index: int | None = None
    type: str = ""
    arguments: str = ""
    output: str | None = None
    search_results: SearchResults | None = None
    code_results: tuple[CodeResult, ...] = ()
    browser_results: tuple[BrowserResult, ...] = ()


class Delta(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What a chunk adds to the message."""

    ESSENTIAL = frozenset({"content", "tool_calls", "function_call"})

    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    """What the model thinks, as Groq, OpenRouter, Ollama and newer vLLM spell it."""
    reasoning_content: str | None = None
    """The same, as DeepSeek, llama.cpp, SGLang, xAI, Qwen and older vLLM spell it."""
    reasoning_details: tuple[ReasoningDetail, ...] = ()
    """The same, kind by kind: OpenRouter."""
    content_parts: tuple[Any, ...] = ()
    """The content as sent, where it was a list: Mistral. Its text is in `content` and `reasoning`."""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    function_call: FunctionDelta | None = None
    audio: Audio | None = None
    annotations: tuple[Annotation, ...] = ()
    executed_tools: tuple[ExecutedTool, ...] = ()
    extra_content: Any = None
    """What is to go back with the message, a signature for one: Gemini."""
    images: tuple[Any, ...] = ()
    """Images that the model made: OpenRouter."""
    token_id: int | None = None
    """Together, Hugging Face."""
    tool_call_id: str | None = None
    """Hugging Face."""
    channel: str | None = None
    """The name of the channel that the model writes to: Groq, for some models."""

    @property
    def thinking(self) -> str:
        """What it adds to the reasoning, in whichever spelling."""
        return (
            self.reasoning
            or self.reasoning_content
            or "".join([part.text or part.summary or "" for part in self.reasoning_details])
        )


class TopLogprob(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A token that might have come, and the natural logarithm of its probability."""

    token: str = ""
    logprob: float | None = None
    bytes: tuple[int, ...] | None = None


class TokenLogprob(TopLogprob, frozen=True, kw_only=True, gc=False):
    """A token that came, and those that might have."""

    top_logprobs: tuple[TopLogprob, ...] = ()


class Logprobs(ShortRepr, frozen=True, kw_only=True, gc=False):
    """The log probabilities of the tokens in a chunk."""

    content: tuple[TokenLogprob, ...] = ()
    refusal: tuple[TokenLogprob, ...] = ()
    reasoning_content: tuple[TokenLogprob, ...] = ()
    """Of the reasoning: DeepSeek."""


class Choice(ShortRepr, frozen=True, kw_only=True, gc=False):
    """A chunk's part of one answer; `index` tells the answers apart where several were asked for."""

    ESSENTIAL = frozenset({"index", "delta", "finish_reason"})

    index: int = 0
    delta: Delta | None = None
    finish_reason: str | None = None
    logprobs: Logprobs | None = None
    native_finish_reason: str | None = None
    """The finish reason of the model's own provider: OpenRouter."""
    stop_reason: int | str | None = None
    """The token or the text that stopped it: vLLM."""
    matched_stop: Any = None
    """The same: SGLang."""
    token_ids: tuple[int, ...] = ()
    """vLLM."""
    text: str | None = None
    """The text of `delta`, once more: Together. Of a legacy completion, whose text is in `delta` too."""
    seed: Any = None
    """Together."""
    content_filter_results: Any = None
    """Azure."""
    content_filter_offsets: Any = None
    """Azure."""
    error: Any = None
    """Always None: a choice that has an error is raised as one."""


class PromptTokensDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the prompt had."""

    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    text_tokens: int | None = None
    video_tokens: int | None = None
    """OpenRouter."""


class CompletionTokensDetails(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What kinds of tokens the answer had."""

    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    text_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class Usage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How many tokens the request and its answer took; from Groq also how many seconds."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None
    queue_time: float | None = None
    prompt_time: float | None = None
    completion_time: float | None = None
    total_time: float | None = None
    cost: Any = None
    """What it cost: a number of OpenRouter's credits, or Perplexity's object."""
    cost_details: Any = None
    """OpenRouter."""
    is_byok: bool | None = None
    """Whether the key was the caller's own: OpenRouter."""
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek."""
    prompt_cache_miss_tokens: int | None = None
    """DeepSeek."""
    num_sources_used: int | None = None
    """xAI."""
    num_server_side_tools_used: int | None = None
    """xAI."""
    server_side_tool_usage_details: Any = None
    """xAI."""
    cost_in_usd_ticks: int | None = None
    """xAI."""
    context_details: Any = None
    """xAI."""
    cache_read_input_tokens: int | None = None
    """Proxies before Anthropic's models."""
    cache_creation_input_tokens: int | None = None
    """The same."""
    search_context_size: str | None = None
    """Perplexity."""
    citation_tokens: int | None = None
    """Perplexity."""
    num_search_queries: int | None = None
    """Perplexity."""
    service_tier: str | None = None
    """Mistral."""
    reasoning_tokens: int | None = None
    """SGLang."""

    @property
    def input_tokens(self) -> int:
        """`prompt_tokens`."""
        return self.prompt_tokens

    @property
    def output_tokens(self) -> int:
        """`completion_tokens`, and the reasoning where a server counts it in `total_tokens` alone: xAI."""
        return max(self.completion_tokens, self.total_tokens - self.prompt_tokens)


class ModelUsage(ShortRepr, frozen=True, kw_only=True, gc=False):
    """One model's part in a compound system's usage."""

    model: str = ""
    usage: Usage | None = None


class UsageBreakdown(ShortRepr, frozen=True, kw_only=True, gc=False):
    """The usage of a compound system, model by model."""

    models: tuple[ModelUsage, ...] = ()


class Debug(ShortRepr, frozen=True, kw_only=True, gc=False):
    """The tokens themselves, where the request asked for them."""

    input_token_ids: tuple[int, ...] = ()
    input_tokens: tuple[str, ...] = ()
    output_token_ids: tuple[int, ...] = ()
    output_tokens: tuple[str, ...] = ()


class XGroq(ShortRepr, frozen=True, kw_only=True, gc=False):
    """What Groq says about the request, on the first chunk and the last."""

    id: str | None = None
    """The request's id, `req_...`."""
    usage: Usage | None = None
    usage_breakdown: UsageBreakdown | None = None
    seed: int | None = None
    error: Any = None
    """Always None: a chunk that has an error is raised as one."""
    debug: Debug | None = None


class Timings(ShortRepr, frozen=True, kw_only=True, gc=False):
    """How long llama.cpp took, in milliseconds: `n` are counts of tokens."""

    cache_n: int | None = None
    prompt_n: int | None = None
    prompt_ms: float | None = None
    prompt_per_token_ms: float | None = None
    prompt_per_second: float | None = None
    predicted_n: int | None = None
    predicted_ms: float | None = None
    predicted_per_token_ms: float | None = None
    predicted_per_second: float | None = None
    draft_n: int | None = None
    draft_n_accepted: int | None = None


class ChatCompletionChunk(ShortRepr, frozen=True, kw_only=True, gc=False):
    """One chunk of a streamed chat completion."""

    ESSENTIAL = frozenset({"choices"})

    id: str = ""
    object: str = ""
    created: int | float = 0
    """When the answer was begun, in Unix seconds."""
    model: str = ""
    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None
    """As sent, or else as `x_groq` has it."""
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: str | None = None
    moderation: Any = None
    x_groq: XGroq | None = None
    """Groq."""
    provider: str | None = None
    """Who answered: OpenRouter."""
    citations: Any = None
    """The URLs of sources: xAI, Perplexity."""
    search_results: Any = None
    """The sources: Perplexity."""
    p: str | None = None
    """Random padding: Mistral."""
    prompt_filter_results: Any = None
    """Azure."""
    timings: Timings | None = None
    """llama.cpp."""
    prompt_token_ids: tuple[int, ...] = ()
    """vLLM."""
    error: Any = None
    """Always None: a chunk that has an error is raised as one."""

    @property
    def text(self) -> str:
        """What the chunk adds to the text of the first answer."""
        text = ""
        for choice in self.choices:
            if choice.index == 0 and choice.delta is not None:
                text += choice.delta.content or ""
        return text

    @property
    def reasoning(self) -> str:
        """What the chunk adds to the reasoning of the first answer."""
        reasoning = ""
        for choice in self.choices:
            if choice.index == 0 and choice.delta is not None:
                reasoning += choice.delta.thinking
        return reasoning

    @property
    def tool_calls(self) -> tuple[ToolCallDelta, ...]:
        """What the chunk adds to the tool calls of the first answer, `function_call` among them."""
        calls: list[ToolCallDelta] = []
        for choice in self.choices:
            if choice.index == 0 and choice.delta is not None:
                calls += choice.delta.tool_calls
                if choice.delta.function_call is not None:
                    calls.append(ToolCallDelta(function=choice.delta.function_call))
        return tuple(calls)

    @property
    def finish_reason(self) -> str | None:
        """Why the first answer ended, if it did with this chunk."""
        for choice in self.choices:
            if choice.index == 0 and choice.finish_reason:  # servers have sent "" with every chunk
                return choice.finish_reason
        return None

"""What the embedded server says: Groq's chat dialect, streamed and whole.

Nothing here does I/O. A request goes in as method, target and body; a `Reply` comes
out complete, its streamed events included, before the first byte is sent. Whatever is
wrong with a request is therefore an HTTP status, never half a stream.

A reply's text is cut into pieces that stand for tokens. The same pieces are streamed
one by one, joined for a whole answer, and counted for the usage, so these agree.

The Structs are not those that read the dialect: what is written twice, from the same
documents, can be checked one against the other.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import zip_longest
from typing import Annotated, Any, cast

import msgspec
from msgspec import Meta, Struct

# What is asked: unknown fields are ignored, and null counts as absent.


class Part(Struct, frozen=True):
    type: str
    text: str | None = None


class Message(Struct, frozen=True):
    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        match self.content:
            case str(text):
                return text
            case parts:
                return "".join(part.text or "" for part in parts or ())


class Schema(Struct, frozen=True):
    properties: dict[str, Any] = {}


class Function(Struct, frozen=True):
    name: str
    parameters: Schema | None = None


class Tool(Struct, frozen=True):
    function: Function


class StreamOptions(Struct, frozen=True):
    include_usage: bool | None = None


class ChatRequest(Struct, frozen=True):
    """The body of a chat request, as far as the embedded server heeds it."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Tool | None = None

    @property
    def last_user_text(self) -> str:
        """The last user message, or the empty string."""
        spoken = (message.text for message in reversed(self.messages) if message.role == "user")
        return next(spoken, "")


# What is answered: what Groq leaves out is left out here.


class FunctionCall(Struct, omit_defaults=True):
    name: str | None = None
    arguments: str | None = None


class ToolCall(Struct, omit_defaults=True):
    index: int | None = None
    id: str | None = None
    type: str | None = None
    function: FunctionCall | None = None


class Delta(Struct, omit_defaults=True):
    """A part of the assistant's message or, with a role and all the rest, the whole."""

    role: str | None = None
    content: str | None = None
    tool_calls: list[ToolCall] | None = None


class Usage(Struct):
    queue_time: float
    prompt_tokens: int
    prompt_time: float
    completion_tokens: int
    completion_time: float
    total_tokens: int
    total_time: float


class XGroq(Struct, omit_defaults=True):
    id: str
    usage: Usage | None = None


class ChunkChoice(Struct):
    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: None = None


class Chunk(Struct, omit_defaults=True, tag_field="object", tag="chat.completion.chunk"):
    id: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[ChunkChoice]
    x_groq: XGroq | None = None
    usage: Usage | None = None


class Choice(Struct):
    index: int
    message: Delta
    finish_reason: str
    logprobs: None = None


class Completion(Struct, tag_field="object", tag="chat.completion"):
    id: str
    created: int
    model: str
    system_fingerprint: str
    choices: list[Choice]
    usage: Usage
    x_groq: XGroq


class Error(Struct, omit_defaults=True):
    message: str
    type: str
    code: str | None = None


WriteReply = Callable[[ChatRequest, int], str]
"""Writes the text of the choice with the given index. Called on the event loop."""


@dataclass(frozen=True)
class Context:
    """What an answer depends on beside the request.

    `number` counts requests and makes ids; `created` is in Unix seconds; `pace` is in
    seconds for each chunk and is what the usage's times are computed from.
    """

    number: int
    created: int
    pace: float
    write: WriteReply

    @property
    def request_id(self) -> str:
        return f"req_{self.number:026}"

    @property
    def chat_id(self) -> str:
        return f"chatcmpl-{uuid.UUID(int=self.number)}"


@dataclass(frozen=True)
class Reply:
    """A response without its framing: `body` is whole, or one event for each chunk."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes | Sequence[bytes]


@dataclass(frozen=True)
class FixedResponse:
    """A response as it is, whatever was asked: `body` goes out in the pieces that its blank lines make."""

    body: bytes
    status: int = 200
    content_type: str = "text/event-stream"


def repeat(response: FixedResponse) -> Reply:
    """The reply that sends this response."""
    pieces = [piece for piece in BLANK_LINE.split(response.body) if piece]
    return Reply(response.status, (("Content-Type", response.content_type),), pieces)


def answer(method: str, target: str, body: bytes, context: Context) -> Reply:
    """The reply to one request, under whatever prefix it came.

    Raises nothing of its own: bad requests are answered with 400, 404 or 405. What
    `context.write` raises passes through.
    """
    path, _, _ = target.partition("?")
    match path.split("/"), method:
        case [*_, "chat", "completions"], "POST":
            return _chat(body, context)
        case [*_, "models"], "GET":
            return _whole(context, HTTPStatus.OK, MODELS)
        case [*_, "chat", "completions"], _:
            allow = "POST"
        case [*_, "models"], _:
            allow = "GET"
        case _:
            message = f"Unknown request URL: {method} {path}. Please check the URL for typos."
            return refuse(context, HTTPStatus.NOT_FOUND, message, code="unknown_url")
    status, message = HTTPStatus.METHOD_NOT_ALLOWED, f"Method {method} not allowed for {path}."
    return refuse(context, status, message, ("Allow", allow), code="method_not_allowed")


def refuse(
    context: Context,
    status: HTTPStatus,
    message: str,
    *headers: tuple[str, str],
    code: str | None = None,
) -> Reply:
    """An error in Groq's shape; the server's own fault from status 500 on."""
    type_ = "internal_server_error" if status >= 500 else "invalid_request_error"
    return _whole(context, status, {"error": Error(message, type_, code)}, *headers)


def explain(request: ChatRequest, index: int) -> str:
    """A short explanation of server-sent events that echoes the last user message."""
    return f"{OPENINGS[index % len(OPENINGS)]} You said: “{request.last_user_text[:400]}”. {EXPLANATION}"


def _chat(body: bytes, context: Context) -> Reply:
    try:
        request = _decode(body)
        called = _called_function(request)
    except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        return refuse(context, HTTPStatus.BAD_REQUEST, str(error))
    drafts = [_draft(request, context, called, index) for index in range(request.n or 1)]
    usage = _usage(request, drafts, context.pace)
    if not request.stream:
        completion = _completion(request, drafts, usage, context)
        return _whole(context, HTTPStatus.OK, completion, tokens=usage.total_tokens)
    types = [("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache")]
    headers = [*types, *_metadata(context, usage.total_tokens)]
    return Reply(HTTPStatus.OK, headers, _events(request, drafts, usage, context))


def _called_function(request: ChatRequest) -> Function | None:
    """The function that this request obliges the model to call, if it does.

    Raises ValueError when it obliges the model to call one that it does not offer.
    """
    offered = [tool.function for tool in request.tools or ()]
    match request.tool_choice:
        case Tool(function=Function(name=name)):
            wanted = [function for function in offered if function.name == name]
        case "required":
            wanted = offered
        case _:
            return None
    if not wanted:
        raise ValueError("`tool_choice` asks for a tool that is not in `tools`")
    return wanted[0]


@dataclass(frozen=True)
class _Draft:
    """One choice: the pieces of its text, or of the arguments of the call it makes."""

    pieces: list[str]
    finish_reason: str
    call: ToolCall | None

    def script(self) -> list[tuple[Delta, str | None]]:
        """What is streamed for this choice, in order: the last has the finish reason."""
        if self.call is None:
            deltas = [Delta("assistant", "")]
            deltas += [Delta(content=piece) for piece in self.pieces]
        else:
            deltas = [Delta("assistant"), Delta(tool_calls=[self.call])]
            fragments = [FunctionCall(arguments=piece) for piece in self.pieces]
            deltas += [Delta(tool_calls=[ToolCall(0, function=part)]) for part in fragments]
        return [*((delta, None) for delta in deltas), (Delta(), self.finish_reason)]

    def message(self) -> Delta:
        """The same, whole."""
        text = "".join(self.pieces)
        match self.call:
            case ToolCall(id=id_, type=type_, function=FunctionCall(name=name)):
                call = ToolCall(id=id_, type=type_, function=FunctionCall(name, text))
                return Delta("assistant", tool_calls=[call])
            case _:
                return Delta("assistant", text)


def _draft(request: ChatRequest, context: Context, called: Function | None, index: int) -> _Draft:
    if called is None:
        pieces, finish_reason = _pieces(context.write(request, index)), "stop"
        call = None
    else:
        pieces, finish_reason = _pieces(_arguments(called, request.last_user_text)), "tool_calls"
        function = FunctionCall(called.name, arguments="")
        call = ToolCall(0, f"call_{context.number}_{index}", "function", function)
    limit = request.max_completion_tokens or request.max_tokens
    if limit and len(pieces) > limit:
        finish_reason = "length"
    return _Draft(pieces[:limit], finish_reason, call)


def _arguments(function: Function, text: str) -> str:
    """Arguments that fit the function's schema well enough to look at."""
    properties = function.parameters.properties if function.parameters else {}
    return _json({name: _example(schema, text) for name, schema in properties.items()}).decode()


def _example(schema: object, text: str) -> object:
    match cast("dict[str, Any] | bool", schema):
        case {"enum": [first, *_]}:
            return first
        case {"type": "integer" | "number"}:
            return 1
        case {"type": "boolean"}:
            return True
        case {"type": "array"}:
            return []
        case {"type": "object"}:
            return {}
        case _:
            return text


def _usage(request: ChatRequest, drafts: list[_Draft], pace: float) -> Usage:
    prompt = sum(len(_pieces(message.text)) for message in request.messages)
    completion = sum(len(draft.pieces) for draft in drafts)
    prompt_time, completion_time = prompt * PROMPT_PACE, completion * pace
    return Usage(
        queue_time=0.0,
        prompt_tokens=prompt,
        prompt_time=round(prompt_time, 6),
        completion_tokens=completion,
        completion_time=round(completion_time, 6),
        total_tokens=prompt + completion,
        total_time=round(prompt_time + completion_time, 6),
    )


def _events(request: ChatRequest, drafts: list[_Draft], usage: Usage, context: Context) -> list[bytes]:
    new_chunk = partial(Chunk, context.chat_id, context.created, request.model, FINGERPRINT)
    chunks = [
        new_chunk([ChunkChoice(index, line[0], line[1])])
        for turn in zip_longest(*(draft.script() for draft in drafts))
        for index, line in enumerate(turn)
        if line is not None
    ]
    # Groq names the request in the first chunk and in the final one, which carries the
    # usage whether it was asked for or not.
    chunks[0].x_groq = XGroq(context.request_id)
    chunks[-1].x_groq = XGroq(context.request_id, usage)
    if request.stream_options and request.stream_options.include_usage:
        chunks.append(new_chunk([], usage=usage))
    return [b"data: " + data + b"\n\n" for data in [*map(_json, chunks), b"[DONE]"]]


def _completion(request: ChatRequest, drafts: list[_Draft], usage: Usage, context: Context) -> Completion:
    return Completion(
        context.chat_id,
        context.created,
        request.model,
        FINGERPRINT,
        [Choice(index, draft.message(), draft.finish_reason) for index, draft in enumerate(drafts)],
        usage,
        XGroq(context.request_id),
    )


def _whole(
    context: Context,
    status: HTTPStatus,
    content: object,
    *headers: tuple[str, str],
    tokens: int = 0,
) -> Reply:
    types = [("Content-Type", "application/json")]
    return Reply(status, [*types, *_metadata(context, tokens), *headers], _json(content))


def _metadata(context: Context, tokens: int) -> list[tuple[str, str]]:
    """Groq's own headers, with its limits as if nothing had been asked for a day.

    Requests are limited by the day and tokens by the minute.
    """
    remaining = max(0, TOKEN_LIMIT - tokens)
    reset = 60 * (TOKEN_LIMIT - remaining) / TOKEN_LIMIT
    return [
        ("x-request-id", context.request_id),
        ("x-ratelimit-limit-requests", str(REQUEST_LIMIT)),
        ("x-ratelimit-limit-tokens", str(TOKEN_LIMIT)),
        ("x-ratelimit-remaining-requests", str(REQUEST_LIMIT - 1)),
        ("x-ratelimit-remaining-tokens", str(remaining)),
        ("x-ratelimit-reset-requests", f"{86_400 / REQUEST_LIMIT:g}s"),
        ("x-ratelimit-reset-tokens", f"{round(reset, 2):g}s"),
    ]


def _pieces(text: str) -> list[str]:
    """`text` in pieces the size of tokens; joined, they are `text` again."""
    return PIECE.findall(text)


_decode = msgspec.json.Decoder(ChatRequest).decode
_json = msgspec.json.Encoder().encode

PIECE = re.compile(r"\s*\w{1,8}|\s*[^\w\s]|\s+")
FINGERPRINT = "fp_5e8c0de5e8"
PROMPT_PACE = 0.0001  # seconds a token
REQUEST_LIMIT = 14_400
TOKEN_LIMIT = 18_000

# Of different lengths, so that the choices of one answer end at different times.
OPENINGS = ["Happy to explain!", "Sure thing, here goes.", "Bien sûr, with pleasure once more!"]
EXPLANATION = (
    "Server-sent events let a server push text down one ordinary HTTP response, "
    "a little at a time. Each event is a few “field: value” lines, closed by a blank line. "
    "That is why this answer reaches you word by word — déjà vu for anyone who has watched "
    "a typewriter — and not all at once. When nothing is left to say, the stream ends with "
    "[DONE]. 再见 and enjoy! 🎉"
)
MODELS: dict[str, object] = {
    "object": "list",
    "data": [
        {"id": name, "object": "model", "created": 1_733_447_754, "owned_by": owner}
        for name, owner in [("llama-3.3-70b-versatile", "Meta"), ("openai/gpt-oss-20b", "OpenAI")]
    ],
}
BLANK_LINE = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)|(?<=\r\r)")

"""What type checkers know of the dialects with many types of chunks. Checked by `make lint`, never run."""

from __future__ import annotations

from typing import Any, assert_never, assert_type

from msgspec import Struct

import sse_adapters.threads
from sse_core import Chunk, Message, Request, TokenCounts
from sse_core.dialects import (
    anthropic,
    cohere,
    completions,
    gemini,
    groq,
    interactions,
    json,
    mcp,
    openai,
    responses,
)

MESSAGES = [{"role": "user", "content": "hello"}]
client = sse_adapters.threads.Client("https://api.example")


class Number(Struct):
    n: int


def of_anthropic() -> None:
    with client.stream(anthropic.messages(model="any", messages=MESSAGES, max_tokens=9, top_k=1)) as stream:
        for event in stream:
            assert_type(event.text, str)
            assert_type(event.finish_reason, str | None)
            usage_so_far: TokenCounts | None = event.usage
            print(usage_so_far)
            match event:
                case anthropic.ContentBlockDelta(delta=anthropic.TextDelta(text=text)):
                    assert_type(text, str)
                case anthropic.MessageStart(message=message):
                    assert_type(message, anthropic.Message)
                case anthropic.MessageDelta(usage=usage):
                    assert_type(usage, anthropic.Usage | None)
                case anthropic.ContentBlockStart() | anthropic.ContentBlockDelta():
                    pass
                case anthropic.ContentBlockStop() | anthropic.MessageStop():
                    pass
                case anthropic.UnknownEvent(fields=fields):
                    assert_type(fields, dict[str, Any])
                case _:
                    assert_never(event)


def of_cohere() -> None:
    with client.stream(cohere.chat(model="any", messages=MESSAGES, k=1)) as stream:
        for event in stream:
            assert_type(event.text, str)
            usage_so_far: TokenCounts | None = event.usage
            print(usage_so_far)
            match event:
                case cohere.ContentDeltaEvent(part=part):
                    assert_type(part, cohere.ContentPart)
                case cohere.CitationStartEvent(citations=citations):
                    assert_type(citations, tuple[cohere.Citation, ...])
                case cohere.MessageEndEvent(usage=usage):
                    assert_type(usage, cohere.Usage | None)
                case _:
                    pass


def of_interactions() -> None:
    with client.stream(interactions.create(model="any", input="hello", store=False)) as stream:
        for event in stream:
            assert_type(event.text, str)
            match event:
                case interactions.StepDelta(delta=interactions.TextContent(text=text), event_id=id):
                    assert_type(text, str)
                    assert_type(id, str | None)
                case interactions.StepStart(step=step):
                    assert_type(step, interactions.Step)
                case interactions.InteractionCompleted(interaction=interaction):
                    assert_type(interaction, interactions.Interaction)
                case _:
                    pass


def of_completions() -> None:
    with client.stream(completions.create(model="any", prompt="hello", echo=True)) as stream:
        for chunk in stream:
            assert_type(chunk, completions.Completion)


def of_responses() -> None:
    with client.stream(responses.create(model="any", input="hello", store=False)) as stream:
        for event in stream:
            assert_type(event.text, str)
            match event:
                case responses.OutputTextDelta(delta=delta, sequence_number=number):
                    assert_type(delta, str)
                    assert_type(number, int | None)
                case responses.ResponseCompleted(response=response):
                    assert_type(response, responses.Response)
                case _:
                    pass


def of_gemini() -> None:
    with client.stream(gemini.generate(model="any", contents=[])) as stream:
        for chunk in stream:
            assert_type(chunk, gemini.GenerateContentResponse)
            assert_type(chunk.usage, gemini.UsageMetadata | None)


def of_mcp() -> None:
    with client.stream(mcp.post(mcp.JSONRPCRequest(id=1, method="tools/list"))) as stream:
        for message in stream:
            match message:
                case mcp.JSONRPCResponse(result=result):
                    assert_type(result, Any)
                case mcp.JSONRPCRequest() | mcp.JSONRPCNotification() | mcp.JSONRPCError() | mcp.Endpoint():
                    pass
                case _:
                    assert_never(message)


def of_json() -> None:
    assert_type(json.request(Number), Request[Number])
    with client.stream(json.request(Number, done=None)) as stream:
        assert_type(next(stream), Number)


def neutral(
    event: anthropic.MessageStreamEvent
    | cohere.ChatStreamEvent
    | completions.Completion
    | gemini.GenerateContentResponse
    | interactions.InteractionStreamEvent
    | responses.ResponseStreamEvent,
) -> Chunk:
    return event


def natives(message: Message) -> None:
    match message.native:
        case anthropic.Message(content=content):
            assert_type(content, tuple[anthropic.ContentBlock, ...])
        case cohere.ChatResponse(message=answer):
            assert_type(answer, cohere.AssistantMessage)
        case interactions.Interaction(steps=steps):
            assert_type(steps, tuple[interactions.Step, ...])
        case responses.Response() as response:
            assert_type(response.usage, responses.Usage | None)
        case _:
            pass


def strictly() -> None:
    messages = anthropic.messages(model="any", messages=MESSAGES, max_tokens=9, strict=True)
    assert_type(messages, Request[anthropic.MessageStreamEvent])
    assert_type(cohere.chat(model="any", messages=MESSAGES, strict=True), Request[cohere.ChatStreamEvent])
    assert_type(interactions.resume("id", strict=True), Request[interactions.InteractionStreamEvent])
    assert_type(
        gemini.generate(model="any", contents=[], strict=True), Request[gemini.GenerateContentResponse]
    )


def of_documents() -> None:
    assert_type(openai.completion(model="any", messages=MESSAGES), Request[openai.ChatCompletion])
    assert_type(groq.completion(model="any", messages=MESSAGES), Request[openai.ChatCompletion])
    assert_type(anthropic.message(model="any", messages=MESSAGES, max_tokens=9), Request[anthropic.Message])
    assert_type(gemini.generate_content(model="any", contents=[]), Request[gemini.GenerateContentResponse])
    assert_type(responses.response(model="any", input="hello"), Request[responses.Response])
    assert_type(json.document(Number, "/numbers"), Request[Number])

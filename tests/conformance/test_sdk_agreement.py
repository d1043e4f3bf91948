"""The providers' own SDKs read the fixtures as we do, but for where they fail, which is listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import groq
import openai
import pytest

from sse_core.testing.dialects import Expected, Fixture, load
from support.sdks import case_of, describe_sdk

FIXTURES = {fixture.name: fixture for fixture in load() if fixture.dialect in ("openai", "groq")}
SDKS: dict[str, Callable[..., Any]] = {"openai": openai.OpenAI, "groq": groq.Groq}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with each fixture under its name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            fixture = FIXTURES["/".join(self.path.split("/")[1:3])]
            self.send_response(fixture.expected.status)
            self.send_header("Content-Type", fixture.expected.content_type)
            self.end_headers()
            self.wfile.write(fixture.stream)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Answer:
    """What is compared: the first answer's text, parts of tool calls and end, and the usage."""

    def __init__(self) -> None:
        self.text = ""
        self.parts: list[tuple[str, ...]] = []
        self.finish_reason: str | None = None
        self.tokens = 0
        self.failed = False

    def said(self) -> tuple[object, ...]:
        return self.text, self.parts, self.finish_reason, self.tokens, self.failed

    def part(self, id: str | None, name: str | None, arguments: str | None) -> None:
        self.parts.append((id or "", name or "", arguments or ""))


def by_fixture(expected: Expected) -> Answer:
    answer = Answer()
    for chunk in expected.chunks:
        answer.text += chunk.text
        for part in chunk.tool_calls:
            answer.part(part.id, part.name, part.arguments)
        answer.finish_reason = chunk.finish_reason or answer.finish_reason
        if chunk.usage is not None:
            answer.tokens = chunk.usage.total_tokens or answer.tokens
    answer.failed = expected.error is not None
    return answer


def by_sdk(sdk: str, url: str) -> Answer:
    answer = Answer()
    with SDKS[sdk](base_url=url, api_key="any", max_retries=0) as client:
        try:
            for chunk in client.chat.completions.create(model="any", messages=[], stream=True):
                take(answer, chunk)
        except Exception:  # an SDK fails in many ways, not only by its own errors
            answer.failed = True
    return answer


def take(answer: Answer, chunk: Any) -> None:
    usage = getattr(chunk, "usage", None) or getattr(getattr(chunk, "x_groq", None), "usage", None)
    answer.tokens = getattr(usage, "total_tokens", None) or answer.tokens
    for choice in chunk.choices or ():
        if choice.index == 0:
            answer.text += choice.delta.content or ""
            for call in choice.delta.tool_calls or ():
                answer.part(call.id, call.function.name, call.function.arguments)
            if (function := choice.delta.function_call) is not None:
                answer.part(None, function.name, function.arguments)
            answer.finish_reason = choice.finish_reason or answer.finish_reason


SILENT = "ends as if all were well"
NOT_AN_ATTRIBUTE = "gives a chunk without what its type promises, or None in its place"
FAILS = {
    "groq/error-in-x-groq": SILENT,
    "openai/choice-error": SILENT,
    "openai/code-and-message": SILENT,
    "openai/cut-after-empty-finish-reasons": SILENT,
    "openai/cut-between-events": SILENT,
    "openai/cut-inside-an-event": SILENT,
    "openai/error-json-200": SILENT,
    "openai/error-unframed": SILENT,
    "openai/error-unframed-last": SILENT,
    "openai/error-unframed-pretty": SILENT,
    "openai/fastapi-detail": SILENT,
    "openai/finish-reason-error": SILENT,
    "openai/llama-cpp-error-field": SILENT,
    "openai/ollama-native": SILENT,
    "openai/text-in-place-of-events": SILENT,
    "openai/vllm-error-old": SILENT,
    "openai/arguments-as-an-object": NOT_AN_ATTRIBUTE,
    "openai/answer-in-two-choices": NOT_AN_ATTRIBUTE,
    "openai/azure-asynchronous-filter": NOT_AN_ATTRIBUTE,
    "openai/custom-tool-call": NOT_AN_ATTRIBUTE,
    "openai/next-to-nothing": NOT_AN_ATTRIBUTE,
    "openai/null-everywhere": NOT_AN_ATTRIBUTE,
    "openai/text-completion": NOT_AN_ATTRIBUTE,
    "openai/unknown-values": NOT_AN_ATTRIBUTE,
    "openai/half-a-surrogate-pair": "gives halves of characters, which cannot be encoded",
    "openai/keep-alives": "takes a ping for a chunk",
    "openai/mistral-thinking": "leaves content that is a list to the caller",
    "openai: groq/browser-and-debug": "does not know x_groq",
    "openai: groq/compound": "does not know x_groq",
    "openai: groq/recorded-code": "does not know x_groq",
    "openai: groq/recorded-text": "does not know x_groq",
    "openai: groq/reasoning": "does not know x_groq",
    "openai: groq/reasoning-tools-logprobs": "does not know x_groq",
    "openai: groq/text": "does not know x_groq",
    "openai: groq/tool-calls": "does not know x_groq",
}
"""What the SDKs, or code that trusts their types, get wrong; of what one gets wrong, its name first."""


@pytest.mark.parametrize(
    ("sdk", "fixture"),
    [
        case_of(sdk, sdk, fixture, id=f"{sdk}-{name}", fails=FAILS.get(name) or FAILS.get(f"{sdk}: {name}"))
        for sdk in SDKS
        for name, fixture in FIXTURES.items()
    ],
)
def test_the_sdk_agrees_but_for_what_is_listed(url: str, sdk: str, fixture: Fixture) -> None:
    theirs = by_sdk(sdk, f"{url}/{fixture.name}").said()
    assert by_fixture(fixture.expected).said() == theirs, describe_sdk(sdk)


def test_the_list_of_failures_is_about_fixtures() -> None:
    assert {name.rpartition(" ")[2] for name in FAILS} <= FIXTURES.keys()

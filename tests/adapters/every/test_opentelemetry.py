"""The span and the metrics of a stream, on every runtime."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from sse_adapters.opentelemetry import Telemetry, kind_of, model_of
from sse_adapters.server import ChatService, serving
from sse_core import URL, Deadlines, Reconnects, Request, Response, Retries, Session
from sse_core.dialects import (
    anthropic,
    cohere,
    completions,
    events,
    gemini,
    groq,
    interactions,
    openai,
    responses,
)
from support import core
from support.core import STREAM
from support.fetchers import Origin, read_fetched
from support.runners import EVENTS, NetworkRunner
from support.servers import (
    CHUNKED,
    LAST_CHUNK,
    End,
    Peer,
    Play,
    Script,
    chunked,
    event,
    head,
    listening,
    says,
)

SECRET = "s3cret"
REQUEST = groq.chat(model="llama", messages=[{"role": "user", "content": SECRET}])
HEADERS = {"Authorization": f"Bearer {SECRET}"}
DONE = event("[DONE]")


@dataclass
class Seen:
    """What is told to OpenTelemetry's SDK."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    tracers: TracerProvider = field(default_factory=TracerProvider)

    def __post_init__(self) -> None:
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider([self.reader])

    def telemetry(self, **options: Any) -> Telemetry:
        return Telemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)

    @property
    def span(self) -> ReadableSpan:
        """The one span there is."""
        (span,) = self.exporter.get_finished_spans()
        return span

    @property
    def metrics(self) -> dict[str, list[HistogramDataPoint]]:
        data = self.reader.get_metrics_data()
        points: dict[str, list[Any]] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points[metric.name] = list(metric.data.data_points)
        return points


@pytest.fixture
def seen() -> Generator[Seen]:
    seen = Seen()
    yield seen
    seen.tracers.shutdown()
    seen.meters.shutdown()


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_an_answer_has_a_span_and_metrics(each_loop: NetworkRunner, seen: Seen) -> None:
    with serving(ChatService(pace=0, reply="one two three")) as url:
        each_loop.read_url(url, REQUEST, observe=seen.telemetry(), headers=HEADERS)
    span, port = seen.span, URL.parse(url).port
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "llama",
        "server.address": "127.0.0.1",
        "server.port": port,
    }
    attributes = attributes_of(span)
    assert (span.name, span.kind, span.status.status_code) == (
        "chat llama",
        SpanKind.CLIENT,
        StatusCode.UNSET,
    )
    assert attributes.items() >= asked.items()
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.model"] == "llama"
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert attributes["gen_ai.response.id"].startswith("chatcmpl-")
    assert attributes["gen_ai.usage.output_tokens"] == 3
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert attributes["sse_core.verdict"] == "complete"
    assert not span.events

    metrics = seen.metrics
    (duration,) = metrics["gen_ai.client.operation.duration"]
    (first,) = metrics["gen_ai.client.operation.time_to_first_chunk"]
    (gaps,) = metrics["gen_ai.client.operation.time_per_output_chunk"]
    tokens = {
        str(point.attributes["gen_ai.token.type"]): point
        for point in metrics["gen_ai.client.token.usage"]
        if point.attributes
    }
    assert duration.attributes == first.attributes == gaps.attributes == asked
    assert duration.count == first.count == 1
    assert gaps.count == 4  # of five chunks: the role, three words, and the finish reason
    assert duration.explicit_bounds[0] == 0.01
    assert tokens["output"].sum == 3
    assert tokens["output"].attributes == asked | {"gen_ai.token.type": "output"}
    assert set(tokens) == {"input", "output"}


def test_what_a_server_names_is_cut_and_labels_no_metric(network: NetworkRunner, seen: Seen) -> None:
    """E5."""
    name = "m" * 100_000
    choice = {"delta": {"content": "a"}, "finish_reason": name}
    chunk = json.dumps({"id": name, "model": name, "choices": [choice]})
    with listening(says(head(version="1.0"), event(chunk), event("[DONE]"))) as server:
        network.read_url(server.url, REQUEST, observe=seen.telemetry())
    attributes = attributes_of(seen.span)
    assert attributes["gen_ai.response.model"] == attributes["gen_ai.response.id"] == "m" * 256
    assert attributes["gen_ai.response.finish_reasons"] == ("m" * 256,)
    for points in seen.metrics.values():
        assert all("gen_ai.response.model" not in (point.attributes or {}) for point in points)


@pytest.mark.parametrize(
    ("script", "error", "description"),
    [
        (says(head("429 Slow down"), f'{{"error": {{"message": "{SECRET}"}}}}'.encode()), "429", "status"),
        (says(head(), event(f'{{"error": {{"message": "{SECRET}"}}}}')), "ApiError", "provider"),
        (says(head(), event(SECRET)), "InvalidChunk", "rules"),
        (says(head(), event('{"choices": []}')), "StreamIncomplete", "neither"),
        (says(end=End.RESET), "ConnectionFailed", "connection"),
        (says(end=End.SILENCE), "DeadlineExceeded", "response_head"),
    ],
)
def test_an_error_is_told_by_its_name_and_not_in_the_words_of_the_provider(
    script: Script, error: str, description: str, each_loop: NetworkRunner, seen: Seen
) -> None:
    with listening(script) as server:
        result = each_loop.read_url(
            server.url,
            REQUEST,
            observe=seen.telemetry(),
            headers=HEADERS,
            deadlines=Deadlines(response_head=0.05),
        )
    span = seen.span
    assert result.error is not None
    assert span.status.status_code is StatusCode.ERROR
    assert description in (span.status.description or "")
    assert attributes_of(span)["error.type"] == error
    (duration,) = seen.metrics["gen_ai.client.operation.duration"]
    assert (duration.attributes or {})["error.type"] == error
    assert "gen_ai.client.token.usage" not in seen.metrics
    assert SECRET not in span.to_json()


def test_leaving_is_no_error(each_loop: NetworkRunner, seen: Seen) -> None:
    with serving(ChatService(pace=0.01, reply="word " * 1000)) as url:
        client = each_loop.client(url, observe=seen.telemetry())
        stream = client.stream(REQUEST)
        each_loop.call(each_loop.enter, stream)
        each_loop.call(each_loop.next, stream)
        each_loop.call(each_loop.leave, stream)
        each_loop.call(client.close)
    assert seen.span.status.status_code is StatusCode.UNSET
    assert attributes_of(seen.span)["sse_core.verdict"] == "cancelled"


def test_a_stream_that_is_never_begun_has_no_span(each_loop: NetworkRunner, seen: Seen) -> None:
    client = each_loop.client("http://127.0.0.1:1", observe=seen.telemetry())
    each_loop.call(each_loop.close, client.stream(REQUEST))
    assert not seen.exporter.get_finished_spans()


def test_the_parent_is_current_where_the_stream_is_made(network: NetworkRunner, seen: Seen) -> None:
    with serving(ChatService(pace=0, reply="one")) as url:
        client = network.client(url, observe=seen.telemetry())
        with seen.tracers.get_tracer("test").start_as_current_span("parent") as parent:
            stream = client.stream(REQUEST)
        network.call(network.read_whole, stream)
        network.call(client.close)
    span = next(span for span in seen.exporter.get_finished_spans() if span.name == "chat llama")
    assert span.parent is not None
    assert span.parent.span_id == parent.get_span_context().span_id


# What happens on the way.


def in_turn(*scripts: Play) -> Play:
    """Play one after the other, each for one connection."""
    left = iter(scripts)

    def play(peer: Peer) -> None:
        next(left)(peer)

    return play


def events_of(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    return [(each.name, dict(each.attributes or {})) for each in span.events]


ANSWER = says(head("200 OK", "Connection: close"), event('{"choices":[{"delta":{"content":"a"}}]}'), DONE)


def test_another_attempt_is_an_event(each_loop: NetworkRunner, seen: Seen) -> None:
    retries = Retries(base=0.0)
    with listening(in_turn(says(head("503 No"), b"busy"), says(end=End.RESET), ANSWER)) as server:
        each_loop.read_url(server.url, REQUEST, observe=seen.telemetry(), retries=retries)
    assert events_of(seen.span) == [
        ("retry", {"delay": 0.0, "http.response.status_code": 503}),
        ("retry", {"delay": 0.0}),
    ]
    assert seen.span.status.status_code is StatusCode.UNSET


def test_a_redirect_is_an_event(each_loop: NetworkRunner, seen: Seen) -> None:
    redirect = says(head("307 Elsewhere", "Location: /elsewhere", "Connection: close"))
    with listening(in_turn(redirect, ANSWER)) as server:
        each_loop.read_url(server.url, REQUEST, observe=seen.telemetry())
    assert events_of(seen.span) == [("redirect", {"url.origin": server.url})]


def test_a_connection_that_was_of_no_use_any_more_is_an_event(each_loop: NetworkRunner, seen: Seen) -> None:
    def once_only(peer: Peer) -> None:
        peer.read_request()
        peer.send(head("200 OK", CHUNKED), *chunked(event("one")), LAST_CHUNK)
        peer.socket.recv(65536)

    whole = says(head("200 OK", CHUNKED), *chunked(event("two")), LAST_CHUNK)
    with listening(in_turn(once_only, whole)) as server:
        client = each_loop.client(server.url, observe=seen.telemetry())
        assert each_loop.call(each_loop.read_whole, client.stream(EVENTS)).data == ["one"]
        assert each_loop.call(each_loop.read_whole, client.stream(EVENTS)).data == ["two"]
        each_loop.call(client.close)
    first, second = seen.exporter.get_finished_spans()
    assert not first.events
    assert events_of(second) == [("connection replaced", {"url.origin": server.url})]


def credentials(attempt: int, refused: Response | None) -> dict[str, str]:
    return {"X-Own": SECRET}


@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_a_stream_that_another_client_fetches_has_the_same_span(kind: str, seen: Seen) -> None:
    origin = Origin(
        [Response(401)], [OSError("reset")], [STREAM, core.say("a"), core.DONE], [STREAM, core.DONE]
    )
    options = {"auth": credentials, "observe": seen.telemetry(), "retries": Retries(base=0.0)}
    client = {"base_url": f"https://user.test:8443/v1?key={SECRET}", **options}
    assert read_fetched(origin, REQUEST, kind, **client).error is None
    assert seen.span.name == "chat llama"
    assert events_of(seen.span) == [
        ("credentials refused", {"http.response.status_code": 401}),
        ("retry", {"delay": 0.0}),
    ]
    attributes = attributes_of(seen.span)
    assert (attributes["server.address"], attributes["server.port"]) == ("user.test", 8443)
    assert attributes["sse_core.verdict"] == "complete"
    assert seen.metrics["gen_ai.client.operation.duration"][0].count == 1
    assert SECRET not in seen.span.to_json()


def test_without_credentials_a_stream_fails_within_its_span(seen: Seen) -> None:
    def auth(attempt: int, refused: Response | None) -> dict[str, str]:
        raise OSError(SECRET)

    assert read_fetched(Origin(), EVENTS, "threads", auth=auth, observe=seen.telemetry()).error is not None
    assert attributes_of(seen.span)["error.type"] == "ConnectionFailed"
    assert SECRET not in seen.span.to_json()


def test_credentials_are_no_redirect(each_loop: NetworkRunner, seen: Seen) -> None:
    refused = says(head("401 Who?", "Content-Length: 0", "Connection: close"))
    with listening(in_turn(refused, ANSWER)) as server:
        each_loop.read_url(server.url, REQUEST, observe=seen.telemetry(), auth=credentials)
    assert events_of(seen.span) == [("credentials refused", {"http.response.status_code": 401})]


def test_taking_a_stream_up_again_is_an_event_and_a_plain_stream_has_no_metrics(
    each_loop: NetworkRunner, seen: Seen
) -> None:
    request = msgspec.structs.replace(EVENTS, reconnects=Reconnects(delay=0.0))
    with listening(in_turn(says(head(), event("one")), says(head("204 No more")))) as server:
        each_loop.read_url(server.url, request, observe=seen.telemetry())
    assert seen.span.name == "GET"
    assert attributes_of(seen.span) == {
        "http.request.method": "GET",
        "http.response.status_code": 204,
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "sse_core.verdict": "no_content",
    }
    ((name, attributes),) = events_of(seen.span)
    assert (name, attributes["http.response.status_code"]) == ("reconnect", 200)
    assert attributes["delay"] == pytest.approx(0.1)
    assert not seen.metrics


def test_a_plain_stream_may_fail_too(each_loop: NetworkRunner, seen: Seen) -> None:
    with listening(says(end=End.RESET)) as server:
        each_loop.read_url(server.url, observe=seen.telemetry())
    assert attributes_of(seen.span)["error.type"] == "ConnectionFailed"
    assert "http.response.status_code" not in attributes_of(seen.span)


# What can be told of a request.


MESSAGES = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize(
    ("request_", "host", "operation", "provider", "model"),
    [
        (groq.chat(model="m", messages=MESSAGES), "api.groq.com", "chat", "groq", "m"),
        (openai.chat(model="m", messages=MESSAGES), "localhost", "chat", "openai", "m"),
        (openai.chat(model="m", messages=MESSAGES), "x.openai.azure.com", "chat", "azure.ai.openai", "m"),
        (responses.create(model="m", input="hello"), "localhost", "chat", "openai", "m"),
        (anthropic.messages(model="m", messages=[], max_tokens=1), "localhost", "chat", "anthropic", "m"),
        (completions.create(model="m", prompt="hello"), "localhost", "text_completion", "openai", "m"),
        (cohere.chat(model="m", messages=[]), "localhost", "chat", "cohere", "m"),
        (
            interactions.create(model="m", input="hello"),
            "localhost",
            "generate_content",
            "gcp.gemini",
            "m",
        ),
        (
            gemini.generate(model="m", contents=[]),
            "eu-aiplatform.googleapis.com",
            "generate_content",
            "gcp.vertex_ai",
            "m",
        ),
        (events.request("/stream"), "localhost", None, None, None),
        (events.request("/stream", method="POST", body=b'{"model": 1}'), "localhost", None, None, None),
    ],
)
def test_the_operation_the_provider_and_the_model_are_told_by_the_request(
    request_: Request[Any],
    host: str,
    operation: str | None,
    provider: str | None,
    model: str | None,
) -> None:
    session = Session(request_, URL.parse(f"https://{host}/v1"))
    assert kind_of(session, None, None) == (operation, provider)
    assert kind_of(session, "x", "y") == ("x", "y")
    assert model_of(session) == model


def test_what_the_caller_says_of_a_stream_counts(each_loop: NetworkRunner, seen: Seen) -> None:
    telemetry = seen.telemetry(operation="invoke_agent", provider="mine")
    with listening(says(head(), event("one"))) as server:
        each_loop.read_url(server.url, observe=telemetry)
    assert seen.span.name == "invoke_agent"
    assert attributes_of(seen.span)["gen_ai.provider.name"] == "mine"
    assert "gen_ai.client.operation.duration" in seen.metrics

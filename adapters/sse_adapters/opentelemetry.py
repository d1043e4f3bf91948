"""A span and metrics for each stream, by OpenTelemetry's conventions for generative AI.

    Client(base_url, observe=Telemetry())

https://github.com/open-telemetry/semantic-conventions-genai/tree/main/docs/gen-ai says what the names
mean. A stream that is no model's answer has a span by the conventions for HTTP, and no metrics.

Neither prompts nor answers are told, nor headers, nor what a provider says about an error, since that
may quote any of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, TypeAlias, TypeVar

import msgspec
from opentelemetry import context, metrics, trace
from opentelemetry.metrics import Histogram, Meter, MeterProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, TracerProvider

from sse_core import (
    Acquire,
    Action,
    Authorize,
    DeadlineExceeded,
    Deliver,
    Fetch,
    Outcome,
    Response,
    Session,
    Sleep,
    StatusError,
    Stop,
    StreamError,
    Verdict,
    __version__,
)

__all__ = ["Telemetry"]

T = TypeVar("T")
Attributes: TypeAlias = dict[str, str | int | float | Sequence[str]]


class Telemetry:
    """What a client's `observe` can be. The span's parent is the span that is current when a stream is made.

    `operation` and `provider` are `gen_ai.operation.name` and `gen_ai.provider.name`, where the
    path of the request and the host do not tell them. The providers are by default the global ones.
    """

    def __init__(
        self,
        *,
        operation: str | None = None,
        provider: str | None = None,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self.operation = operation
        self.provider = provider
        self.tracer: Tracer = trace.get_tracer("sse_adapters", __version__, tracer_provider)
        self.instruments: Instruments = Instruments(
            metrics.get_meter("sse_adapters", __version__, meter_provider)
        )

    def __call__(self, session: Session[Any]) -> StreamTelemetry:
        """Return who watches one stream."""
        return StreamTelemetry(self, session)


class Instruments:
    """The metrics, with the buckets that the conventions recommend."""

    def __init__(self, meter: Meter) -> None:
        self.duration: Histogram = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.to_first_chunk: Histogram = meter.create_histogram(
            "gen_ai.client.operation.time_to_first_chunk",
            "s",
            "Time to receive the first chunk.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.per_chunk: Histogram = meter.create_histogram(
            "gen_ai.client.operation.time_per_output_chunk",
            "s",
            "Time from one chunk to the next.",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self.tokens: Histogram = meter.create_histogram(
            "gen_ai.client.token.usage",
            "{token}",
            "Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKENS,
        )


class StreamTelemetry:
    """An observer: the span begins with the stream's first action, and ends with its last."""

    def __init__(self, telemetry: Telemetry, session: Session[Any]) -> None:
        self._tracer = telemetry.tracer
        self._instruments = telemetry.instruments
        self._session = session
        self._context = context.get_current()
        self._span: Span = trace.INVALID_SPAN
        self._started = 0.0
        self._begun = False
        self._acquired = 0  # the attempt for which a connection was asked for last
        self._refused: Response | None = None  # the last response that refused the credentials
        self._last_chunk: float | None = None
        self._operation, provider = kind_of(session, telemetry.operation, telemetry.provider)
        self._model = model_of(session) if self._operation else None
        self._attributes = without_none(
            {
                "gen_ai.operation.name": self._operation,
                "gen_ai.provider.name": provider,
                "gen_ai.request.model": self._model,
                "server.address": session.url.host,
                "server.port": session.url.port,
            }
        )

    def action(self, action: Action, now: float) -> None:
        match action:
            case Acquire() | Authorize() | Fetch() if not self._begun:
                self._begun = True
                self._span = self._begin()
            case Acquire(origin, fresh) if self._acquired == self._session.stats.attempts:
                self._note("connection replaced" if fresh else "redirect", {"url.origin": origin})
            case Authorize(_, Response() as refused) if refused is not self._refused:
                self._refused = refused
                self._note("credentials refused", {"http.response.status_code": refused.status})
            case Sleep(deadline):
                event = "retry" if self._session.request.reconnects is None else "reconnect"
                self._note(event, {"delay": deadline - now})
            case Deliver(chunks) if chunks and self._operation:
                self._count(len(chunks), now)
            case Stop() if self._begun:
                self._end()
            case _:
                pass
        if isinstance(action, Acquire):
            self._acquired = self._session.stats.attempts

    def outcome(self, outcome: Outcome, now: float) -> None:
        """Nothing that happens is told before the session has seen it."""

    def _begin(self) -> Span:
        self._started = monotonic()
        if self._operation:
            name = f"{self._operation} {self._model}" if self._model else self._operation
            attributes: Attributes = {**self._attributes, "gen_ai.request.stream": True}
        else:
            name = self._session.request.method
            attributes = {**self._attributes, "http.request.method": name}
        return self._tracer.start_span(name, self._context, SpanKind.CLIENT, attributes)

    def _note(self, event: str, attributes: Attributes) -> None:
        """Add an event to the span, with the status of the response that led to it, if there was one."""
        if self._session.response is not None:
            attributes["http.response.status_code"] = self._session.response.status
        self._span.add_event(event, attributes)

    def _count(self, chunks: int, now: float) -> None:
        """Measure the time between chunks. After the first of those that come together there is none."""
        gaps = [0.0] * (chunks - 1)
        if self._last_chunk is not None:
            gaps.append(now - self._last_chunk)
        self._last_chunk = now
        for gap in gaps:
            self._instruments.per_chunk.record(gap, self._attributes, self._context)

    def _end(self) -> None:
        session, span, seconds = self._session, self._span, monotonic() - self._started
        verdict, error = session.verdict, session.error
        assert verdict is not None  # or there would be more to do
        span.set_attribute("sse_core.verdict", verdict.name.lower())
        failure: Attributes = {}
        if error is not None and verdict is not Verdict.CANCELLED:
            failure = {"error.type": error_type(error)}
            said = str(error) if isinstance(error, DeadlineExceeded) else verdict.value
            span.set_status(Status(StatusCode.ERROR, said))
        span.set_attributes(failure)
        if self._operation:
            answer = answer_of(session)
            span.set_attributes(answer)
            self._measure(seconds, answer, failure)
        elif session.response is not None:
            span.set_attribute("http.response.status_code", session.response.status)
        span.end()

    def _measure(self, seconds: float, answer: Attributes, failure: Attributes) -> None:
        attributes = self._attributes  # not the response's model: the server could name ever new ones
        to_first_chunk = self._session.stats.to_first_event
        self._instruments.duration.record(seconds, {**attributes, **failure}, self._context)
        if to_first_chunk is not None:
            self._instruments.to_first_chunk.record(to_first_chunk, attributes, self._context)
        for kind in ("input", "output"):
            tokens = answer.get(f"gen_ai.usage.{kind}_tokens")
            if isinstance(tokens, int):
                self._instruments.tokens.record(
                    tokens, {**attributes, "gen_ai.token.type": kind}, self._context
                )


def kind_of(
    session: Session[Any], operation: str | None, provider: str | None
) -> tuple[str | None, str | None]:
    """Tell the operation by the request's path, and the provider by the host, or else by the path too."""
    path, _, _ = session.url.target(session.request.path).partition("?")
    found = ((usual, inventor) for ending, usual, inventor in OPERATIONS if path.endswith(ending))
    usual, inventor = next(found, (None, None))
    known = (name for ending, name in PROVIDERS if f".{session.url.host}".endswith(ending))
    return operation or usual, provider or next(known, inventor)


def model_of(session: Session[Any]) -> str | None:
    """Find the model that is asked for in the request's body, or in its path, where Google has it."""
    try:
        model = msgspec.json.decode(session.request.body, type=Asked).model
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        model = None
    match = MODEL.search(session.request.path)
    return match[1] if model is None and match else model


class Asked(msgspec.Struct):
    """The part of a request's body that says which model is to answer."""

    model: str | None = None


def error_type(error: StreamError) -> str:
    """Name an error: by its class, or an HTTP status by its number."""
    return str(error.status) if isinstance(error, StatusError) else type(error).__name__


def answer_of(session: Session[Any]) -> Attributes:
    """Say what came of a request, but not what the answer is."""
    message = session.message
    found: Attributes = without_none({"gen_ai.response.time_to_first_chunk": session.stats.to_first_event})
    if message is None:
        return found
    if message.finish_reason is not None:
        found["gen_ai.response.finish_reasons"] = [capped(message.finish_reason)]
    native = message.native
    usage = message.usage
    return found | without_none(
        {
            "gen_ai.response.id": capped(getattr(native, "id", None) or getattr(native, "response_id", None)),
            "gen_ai.response.model": capped(
                getattr(native, "model", None) or getattr(native, "model_version", None)
            ),
            "gen_ai.usage.input_tokens": None if usage is None else usage.input_tokens,
            "gen_ai.usage.output_tokens": None if usage is None else usage.output_tokens,
        }
    )


def capped(text: T) -> T | str:
    """Cut a text that the server has chosen to a length that every backend takes."""
    return text[:MAX_LENGTH] if isinstance(text, str) else text


def without_none(attributes: Mapping[str, str | int | float | None]) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}


OPERATIONS = (
    ("/chat/completions", "chat", "openai"),
    ("/completions", "text_completion", "openai"),
    ("/responses", "chat", "openai"),
    ("/messages", "chat", "anthropic"),
    ("/v2/chat", "chat", "cohere"),
    (":streamGenerateContent", "generate_content", "gcp.gemini"),
    ("/interactions", "generate_content", "gcp.gemini"),
)
"""How a path ends, the operation, and the provider whose interface it is."""
PROVIDERS = (
    (".api.anthropic.com", "anthropic"),
    (".api.cohere.com", "cohere"),
    (".api.deepseek.com", "deepseek"),
    (".api.groq.com", "groq"),
    (".api.mistral.ai", "mistral_ai"),
    (".api.moonshot.ai", "moonshot_ai"),
    (".api.openai.com", "openai"),
    (".api.perplexity.ai", "perplexity"),
    (".api.x.ai", "x_ai"),
    (".openai.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    (".generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),  # often with a region before it
)
"""How a host ends, and whose it is."""
MODEL = re.compile("models/([^/:?]+)")
MAX_LENGTH = 256
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(4**power for power in range(14))

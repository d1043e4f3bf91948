"""The command line: `sse chat`, `sse tail`, `sse replay` and `sse serve`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from io import TextIOWrapper
from ipaddress import ip_address
from time import sleep
from typing import Any, TextIO

import anyio
import msgspec

from sse_core import URL, Event, Request, StreamError
from sse_core.dialects import events, groq

from .. import anyio as tasks
from .. import sync_loop, threads
from ..base import StreamBase, T
from ..options import StreamOptions
from ..server import ChatService, FixedResponse, serving
from ..transcripts import Recorder, replay_of


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for an error, 130 after Ctrl-C.

    Raises SystemExit(2) for arguments that make no sense.
    """
    arguments = parser().parse_args(argv)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="replace")  # a terminal may lack the characters of an answer
    try:
        arguments.run(arguments)
    except BrokenPipeError:  # whoever read the output has left: what the buffer holds goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (StreamError, OSError, ValueError) as exc:
        print(f"sse: {escaped(str(exc), sys.stderr) or type(exc).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sse: interrupted, the connection is closed", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sse", description="Read event streams, a language model's above all.")
    commands = parser.add_subparsers(required=True, metavar="command")

    chat = commands.add_parser("chat", help="print a model's answer as it is generated")
    chat.add_argument("prompt")
    chat.add_argument("--base-url", help="of an OpenAI-compatible API; by default that of the key's provider")
    chat.add_argument(
        "--key-from", metavar="VARIABLE", help="the environment variable of the key to send there"
    )
    chat.add_argument("--model", help="the model's name")
    chat.epilog = (
        "The key comes from GROQ_API_KEY or OPENAI_API_KEY, and goes to Groq or OpenAI alone, unless "
        "--key-from names it. With neither, and no --base-url, a small server inside this program answers."
    )
    chat.set_defaults(run=run_chat)

    tail = commands.add_parser("tail", help="print the events of any event stream")
    tail.add_argument("url")
    tail.add_argument("--json", action="store_true", help="print each event as one line of JSON")
    tail.set_defaults(run=run_tail)

    for command in (chat, tail):
        choices = ("threads", "asyncio", "trio")
        command.add_argument("--transport", choices=choices, default="threads", help="what reads the stream")
        command.add_argument(
            "-H", "--header", action="append", default=[], type=header, help='a request header, "name: value"'
        )
        command.add_argument("--record", metavar="FILE", help="write a transcript, without credentials")

    replay = commands.add_parser("replay", help="print a stream again from its transcript")
    replay.add_argument("file")
    replay.add_argument("--real-time", action="store_true", help="take as long as it took")
    replay.set_defaults(run=run_replay)

    server = commands.add_parser("serve", help="answer chat requests as Groq does, from no model at all")
    server.add_argument("--host", default="127.0.0.1")
    server.add_argument("--port", type=int, default=8080)
    server.add_argument("--pace", type=float, default=0.02, help="seconds between chunks (default 0.02)")
    server.add_argument(
        "--fixture", metavar="NAME", help="a recorded stream to answer with, such as groq/text"
    )
    server.set_defaults(run=run_serve)
    return parser


def header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError("a header has the form name: value")
    return name.strip(), value.strip()


def run_chat(arguments: argparse.Namespace) -> None:
    with endpoint(arguments.base_url, arguments.key_from) as (base_url, key, model):
        request = groq.chat(
            model=arguments.model or model,
            messages=[{"role": "user", "content": arguments.prompt}],
            stream_options={"include_usage": True},
        )
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = AnswerPrinter()
        try:
            stream = read(arguments, base_url, headers, request, answer.show)
        finally:
            answer.end_line()
        print(answer.summary(stream))


class AnswerPrinter:
    """Prints an answer as it comes."""

    def __init__(self) -> None:
        self._pieces = 0
        self._usage: groq.Usage | None = None

    def show(self, chunk: groq.ChatCompletionChunk) -> None:
        self._usage = chunk.usage or self._usage
        if chunk.text:
            self._pieces += 1
            print(escaped(chunk.text, sys.stdout), end="", flush=True)

    def end_line(self) -> None:
        """End the line that the answer's last text stands on."""
        if self._pieces:
            print(flush=True)

    def summary(self, stream: StreamBase[Any, Any]) -> str:
        """One line: tokens (or else chunks that had text), seconds to the first, rate, verdict."""
        count, unit = (self._usage.completion_tokens, "tokens") if self._usage else (self._pieces, "chunks")
        facts = [f"{count} {unit}"]
        first, last = stream.stats.to_first_content, stream.stats.to_last_content
        if first is not None and last is not None:
            facts.append(f"first after {first:.3f} s")
            if last > first:
                facts.append(f"{count / (last - first):.1f} {unit}/s")
        assert stream.verdict is not None  # the iteration is over
        return f"[{', '.join(facts)}; {stream.verdict.name.lower()}: {stream.verdict.value}]"


@contextmanager
def endpoint(
    base_url: str | None, key_from: str | None = None
) -> Generator[tuple[str, str | None, str], None, None]:
    """Give the base URL, the key and the default model, from the environment or our own server.

    A key goes to its own provider, or to `base_url` if `key_from` names its variable. Raises ValueError for
    a key that is not set, and for one that anyone on the way could read.
    """
    if key_from is not None and not is_set(key_from):
        raise ValueError(f"{key_from} is not set")
    own = {variable: (url, model) for variable, url, model in PROVIDERS}
    for variable, (url, _) in own.items():
        if key_from is None and is_set(variable) and (base_url is None or is_same_server(url, base_url)):
            key_from = variable
    own_url, model = own.get(key_from or "", (None, PROVIDERS[0][2]))
    chosen = base_url or own_url
    if chosen is not None:
        key = os.environ[key_from] if key_from is not None else None
        if key is not None and not is_private(URL.parse(chosen)):
            raise ValueError(f"the key is not sent to {chosen}: over http, anyone on the way could read it")
        yield chosen, key, model
        return
    if key_from is not None:
        raise ValueError(f"say with --base-url where the key of {key_from} is to go")
    print(
        "sse: neither GROQ_API_KEY nor OPENAI_API_KEY is set, so the embedded server answers", file=sys.stderr
    )
    with serving() as url:
        yield url, None, model


def is_set(variable: str) -> bool:
    return bool(os.environ.get(variable))


def is_same_server(url: str, other: str) -> bool:
    return URL.parse(url).authority == URL.parse(other).authority


def is_private(url: URL) -> bool:
    """Whether nobody else can read what is sent: it is encrypted, or stays on this machine."""
    try:
        return url.scheme == "https" or ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"


def escaped(text: str, output: TextIO) -> str:
    """Make control characters visible, if this goes to a terminal; a pipe gets what the server sent."""
    return text.translate(ESCAPES) if output.isatty() else text


def run_tail(arguments: argparse.Namespace) -> None:
    show = show_json if arguments.json else show_text
    read(arguments, arguments.url, {}, events.request(), show)


def show_text(event: Event) -> None:
    if event.last_event_id:
        print(escaped(f"id: {event.last_event_id}", sys.stdout))
    if event.type != "message":
        print(escaped(f"event: {event.type}", sys.stdout))
    for line in event.data.split("\n"):
        print(escaped(f"data: {line}", sys.stdout))
    print(flush=True)


def show_json(event: Event) -> None:
    fields = {"type": event.type, "data": event.data, "last_event_id": event.last_event_id}
    print(escaped(msgspec.json.encode(fields).decode(), sys.stdout), flush=True)


def run_serve(arguments: argparse.Namespace) -> None:
    response = None if arguments.fixture is None else recording(arguments.fixture)
    service = ChatService(pace=arguments.pace, response=response)
    with serving(service, host=arguments.host, port=arguments.port) as url:
        print(f"serving {url}", flush=True)
        while True:
            sleep(3600)  # until Ctrl-C


def recording(name: str) -> FixedResponse:
    """The response that a fixture of the dialects records. Raises ValueError for a name that none has."""
    from sse_core.testing.dialects import find

    try:
        fixture = find(name)
    except KeyError as exc:
        raise ValueError(exc.args[0]) from None
    return FixedResponse(fixture.stream, fixture.expected.status, fixture.expected.content_type)


def run_replay(arguments: argparse.Namespace) -> None:
    client, request = replay_of(arguments.file, in_real_time=arguments.real_time)
    if not request.path.endswith("/chat/completions"):
        read_blocking(client, request, show_text)
        return
    answer = AnswerPrinter()
    try:
        request = msgspec.structs.replace(request, dialect=groq.ChatDialect)
        stream = read_blocking(client, request, answer.show)
    finally:
        answer.end_line()
    print(answer.summary(stream))


def read(
    arguments: argparse.Namespace,
    base_url: str,
    headers: Mapping[str, str],
    request: Request[T],
    show: Callable[[T], None],
) -> StreamBase[T, Any]:
    """Show every chunk of a stream, by one of the transports; return the stream."""
    options: StreamOptions = {"headers": {**headers, **dict(arguments.header)}}
    if arguments.record:
        options["observe"] = Recorder(arguments.record)
    if arguments.transport == "threads":
        return read_blocking(threads.Client(base_url, **options), request, show)

    async def read_in_task() -> StreamBase[T, Any]:
        async with tasks.Client(base_url, **options) as client, client.stream(request) as stream:
            async for chunk in stream:
                show(chunk)
        return stream

    if find_spec(arguments.transport) is None:
        raise ValueError(f"{arguments.transport} is not installed")
    return anyio.run(
        read_in_task, backend=arguments.transport, backend_options=BACKEND_OPTIONS[arguments.transport]
    )


def read_blocking(
    client: sync_loop.Client, request: Request[T], show: Callable[[T], None]
) -> StreamBase[T, Any]:
    with client, client.stream(request) as stream:
        for chunk in stream:
            show(chunk)
    return stream


BACKEND_OPTIONS: Mapping[str, dict[str, Any]] = {
    "asyncio": {},
    "trio": {"restrict_keyboard_interrupt_to_checkpoints": True},  # not between a coroutine and its await
}
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}
"""Control characters: with them a server could change what a terminal shows, or make it type."""
PROVIDERS = (
    ("GROQ_API_KEY", "https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
    ("OPENAI_API_KEY", "https://api.openai.com/v1", "gpt-4o-mini"),
)
"""The environment variable of the key, the base URL, and the default model."""

"""Every example in the README and the docs runs, and prints what stands below it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import anyio
import pytest

from sse_adapters.server import ChatService, FixedResponse, serving
from sse_core import EDGES, State
from support.parley import parley

ROOT = Path(__file__).parents[2]
RUNTIMES = {
    "asyncio": "anyio.run(main)",
    "trio": "anyio.run(main, backend='trio')",
    "uvloop": "anyio.run(main, backend_options={'use_uvloop': True})",
}


def examples() -> Iterator[pytest.ParameterSet]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        blocks = re.finditer(
            r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", path.read_text("utf-8"), re.DOTALL
        )
        for number, block in enumerate(blocks, 1):
            code, output = block[1], block[2]
            runtimes = RUNTIMES if "anyio.run(main)" in code else ("",)
            for runtime in runtimes:
                yield pytest.param(
                    code, output, runtime, id=f"{path.stem}-{number}{runtime and '-' + runtime}"
                )


@pytest.fixture(scope="module")
def groq_url() -> Iterator[str]:
    with serving(ChatService(pace=0)) as url:
        yield url


@pytest.fixture
def events_url() -> Iterator[str]:
    """An endless supply of one event."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError), listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one event\n\n"
                )

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/events"
        listener.shutdown(socket.SHUT_RDWR)  # an example that failed may not have come
        thread.join()


@pytest.fixture(scope="module")
def greetings_url() -> Iterator[str]:
    with serving(ChatService(response=FixedResponse(b'data: {"hello": "world"}\n\n'))) as url:
        yield url


@pytest.fixture
def parley_url() -> Iterator[str]:
    with parley() as url:
        yield url


@pytest.mark.parametrize(("code", "output", "runtime"), list(examples()))
def test_example(
    code: str,
    output: str | None,
    runtime: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if runtime == "uvloop":
        pytest.importorskip("uvloop")
    monkeypatch.setenv("GROQ_API_KEY", "not needed here")
    for public, fixture in (
        ("https://api.groq.com/openai/v1", "groq_url"),
        ("http://localhost:8000/events", "events_url"),
        ("http://127.0.0.1:8000/events", "events_url"),
        ("http://localhost:8000/greetings", "greetings_url"),
        ("https://api.parley.example/v1", "parley_url"),
    ):
        if public in code:
            code = code.replace(public, request.getfixturevalue(fixture))
    if runtime:
        code = code.replace("anyio.run(main)", RUNTIMES[runtime])
    exec(compile(code, "example", "exec", dont_inherit=True), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert printed
    assert output is None or printed == output


def test_the_readme_streams_an_answer_as_other_runtimes_start_it(groq_url: str) -> None:
    """The comment in the asynchronous example names them: asyncio.run and trio.run."""
    import asyncio

    import trio

    from sse_adapters.anyio import Client
    from sse_core.dialects import groq

    texts: list[str] = []

    async def main() -> None:
        request = groq.chat(model="any", messages=[{"role": "user", "content": "hi"}])
        async with Client(groq_url) as client, client.stream(request) as stream:
            texts.append("".join([chunk.text async for chunk in stream]))

    asyncio.run(main())
    trio.run(main)
    anyio.run(main)
    assert len(texts) == 3
    assert len(set(texts)) == 1


def test_the_diagram_of_states_is_drawn_from_the_table() -> None:
    def edges() -> Iterator[str]:
        for state in State:
            for target in State:
                if target in EDGES[state]:
                    yield f"    {state.name} --> {target.name}"

    diagram = "\n".join(
        ["```mermaid", "stateDiagram-v2", "    [*] --> IDLE", *edges(), "    STOPPED --> [*]", "```"]
    )
    assert diagram in (ROOT / "docs" / "design.md").read_text("utf-8")


def test_every_file_that_a_document_links_to_is_there() -> None:
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text("utf-8")):
            assert target.startswith("https://") or (path.parent / target).exists(), f"{path.name}: {target}"

"""The command line's `--record` and `sse replay`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sse_adapters.cli import main
from sse_adapters.server import ChatService, serving
from support.servers import Script, event, head, listening, says

TRANSPORTS = ["threads", "asyncio", "trio"]
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", SECRET)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_answer_is_recorded_and_printed_again(
    transport: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    with serving(ChatService(pace=0.001, reply="one two three")) as url:
        arguments = ["chat", "hello", "--base-url", url, "--transport", transport, "--record", str(path)]
        assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("one two three\n[3 tokens, first after ")
    assert SECRET not in path.read_text("utf-8")
    for options in ([], ["--real-time"]):
        assert main(["replay", str(path), *options]) == 0
        assert capsys.readouterr().out == printed


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_plain_events_are_recorded_and_printed_again(
    transport: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    with listening(says(head(), event("one"), event("two"))) as server:
        assert main(["tail", server.url, "--transport", transport, "--record", str(path)]) == 0
    assert capsys.readouterr().out == "data: one\n\ndata: two\n\n"
    assert main(["replay", str(path)]) == 0
    assert capsys.readouterr().out == "data: one\n\ndata: two\n\n"


@pytest.mark.parametrize(
    "script",
    [
        says(
            head(), event('{"choices": [{"delta": {"content": "so far"}}]}'), event('{"error": "overloaded"}')
        ),
        says(head("429 Slow down"), b'{"error": {"message": "too many"}}'),
        says(),
    ],
)
def test_a_failure_is_printed_again(
    script: Script, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    with listening(script) as server:
        assert main(["chat", "hello", "--base-url", server.url, "--record", str(path)]) == 1
    printed = capsys.readouterr()
    assert main(["replay", str(path)]) == 1
    assert capsys.readouterr() == printed


@pytest.mark.parametrize("text", [None, "no transcript\n"])
def test_what_cannot_be_replayed_is_one_line(
    text: str | None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "run.jsonl"
    if text is not None:
        path.write_text(text)
    assert main(["replay", str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("sse: ")
    assert printed.err.count("\n") == 1

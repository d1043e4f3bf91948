"""The command line, in this process where it can be, in one of its own where signals and pipes matter."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from threading import Thread, main_thread

import pytest

from sse_adapters.cli import commands as cli
from sse_adapters.cli import main
from sse_adapters.server import ChatRequest, ChatService, serving

TRANSPORTS = ["threads", "asyncio", "trio"]
SUMMARY = r"\[3 tokens, first after \d+\.\d{3} s, \d+\.\d tokens/s; complete: the stream said .*\]"
PROGRAM = [sys.executable, "-c", "from sse_adapters.cli import main; raise SystemExit(main())"]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("GROQ_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)


@contextmanager
def answering(reply: bytes, requests: list[bytes] | None = None) -> Generator[str, None, None]:
    """A server that gives one reply to one request, and keeps the request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                request = connection.recv(65536)
                if requests is not None:
                    requests.append(request)
                connection.sendall(reply)

        thread = Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def three_words(request: ChatRequest, index: int) -> str:
    return "one two three"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_chat_prints_the_answer_and_one_line_about_it(
    transport: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(ChatService(pace=0.02, reply=three_words)) as url:  # slow enough for two reads
        assert main(["chat", "hello", "--transport", transport, "--base-url", url, "--model", "any"]) == 0
    text, summary = capsys.readouterr().out.splitlines()
    assert text == "one two three"
    assert re.fullmatch(SUMMARY, summary)


def test_without_a_key_the_embedded_server_answers_and_this_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "serving", partial(serving, ChatService(pace=0)))
    assert main(["chat", "hello"]) == 0
    printed = capsys.readouterr()
    assert "hello" in printed.out
    assert "embedded server" in printed.err


@pytest.mark.parametrize("variable", ["GROQ_API_KEY", "OPENAI_API_KEY"])
def test_the_key_comes_from_the_environment_and_headers_from_the_command_line(
    variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "secret")
    requests: list[bytes] = []
    with answering(
        HEAD + b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n', requests
    ) as url:
        arguments = ["chat", "hello", "--base-url", url, "--key-from", variable]
        assert main([*arguments, "-H", "x-one: 1", "-H", "x-two:2"]) == 0
    head = requests[0].partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nauthorization: bearer secret\r\n" in head
    assert b"\r\nx-one: 1\r\n" in head + b"\r\n"
    assert b"\r\nx-two: 2\r\n" in head + b"\r\n"
    printed = capsys.readouterr()
    assert printed.out.startswith("a\n[1 chunks, first after ")
    assert "secret" not in printed.out + printed.err


def test_each_key_has_the_url_and_the_model_of_its_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, url, model in cli.PROVIDERS:
        with monkeypatch.context() as context:
            context.setenv(variable, "secret")
            with cli.endpoint(None) as found:
                assert found == (url, "secret", model)


@pytest.mark.parametrize("variable", ["GROQ_API_KEY", "OPENAI_API_KEY"])
def test_a_key_goes_to_no_other_server_than_its_own_providers(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E6."""
    monkeypatch.setenv(variable, "secret")
    requests: list[bytes] = []
    with answering(HEAD + b"data: [DONE]\n\n", requests) as url:
        assert main(["chat", "hello", "--base-url", url]) == 0
    assert b"secret" not in requests[0]
    own = next(url for name, url, _ in cli.PROVIDERS if name == variable)
    for base_url, key in [(own, "secret"), (own + "/beta", "secret"), ("https://example.test", None)]:
        with cli.endpoint(base_url) as (url, found, _):
            assert (url, found) == (base_url, key)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_key_may_go_over_http_to_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    with cli.endpoint(f"http://{host}", "MY_KEY") as (_, key, _):
        assert key == "secret"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--base-url", "http://example.test", "--key-from", "MY_KEY"], "anyone on the way could read it"),
        (["--base-url", "http://192.0.2.1", "--key-from", "MY_KEY"], "anyone on the way could read it"),
        (["--key-from", "MY_KEY"], "say with --base-url where the key of MY_KEY is to go"),
        (["--base-url", "https://example.test", "--key-from", "OTHER_KEY"], "OTHER_KEY is not set"),
    ],
)
def test_a_key_goes_nowhere_by_mistake(
    arguments: list[str], why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """E6."""
    monkeypatch.setenv("MY_KEY", "secret")
    assert main(["chat", "hello", *arguments]) == 1
    printed = capsys.readouterr()
    assert why in printed.err
    assert "secret" not in printed.err + printed.out


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_control_characters_and_a_pipe_gets_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """E6."""
    red = json.dumps("\x1b[31mred\x9b\ttab")
    chat = f'data: {{"choices":[{{"delta":{{"content":{red}}}}}]}}\n\n'.encode()
    failure = f'data: {{"error":{{"message":{red}}}}}\n\n'.encode()
    plain = b"id: \x07\nevent: \x1b[2J\ndata: \x7f\n\n"
    with answering(HEAD + chat + failure) as url:
        assert main(["chat", "hello", "--base-url", url]) == 1
    printed = capsys.readouterr()
    assert "\x1b[31mred\x9b\ttab" in printed.out
    assert "\x1b[31mred\x9b\ttab" in printed.err
    output, errors = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", errors)
    with answering(HEAD + chat + failure) as url:
        assert main(["chat", "hello", "--base-url", url]) == 1
    with answering(HEAD + plain) as url:
        assert main(["tail", url]) == 0
    with answering(HEAD + plain) as url:
        assert main(["tail", url, "--json"]) == 0
    shown, told = output.getvalue(), errors.getvalue()
    assert "\\x1b[31mred\\x9b\ttab" in shown
    assert "sse: \\x1b[31mred\\x9b\ttab" in told
    assert "id: \\x07\nevent: \\x1b[2J\ndata: \\x7f\n" in shown
    assert not set(shown + told) & set("\x07\x1b\x7f\x9b")


def test_an_answer_without_text_has_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(HEAD + b"data: [DONE]\n\n") as url:
        assert main(["chat", "hello", "--base-url", url]) == 0
    assert capsys.readouterr().out == "[0 chunks; complete: the stream said that it was done]\n"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_error_is_one_line_and_what_came_before_it_is_printed(
    transport: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = (
        b'data: {"choices":[{"delta":{"content":"so far"}}]}\n\ndata: {"error":{"message":"overloaded"}}\n\n'
    )
    with answering(HEAD + body) as url:
        assert main(["chat", "hello", "--base-url", url, "--transport", transport]) == 1
    printed = capsys.readouterr()
    assert printed.out == "so far\n"
    assert printed.err == "sse: overloaded\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["chat", "hello", "--base-url", "http://127.0.0.1:1/v1"],
        ["tail", "http://127.0.0.1:1"],
        ["tail", "ftp://example.com"],
        ["tail", "no url at all"],
        ["tail", "http://127.0.0.1:1", "-H", "bad name: value"],
        ["serve", "--host", "192.0.2.1"],
    ],
)
def test_whatever_goes_wrong_is_one_line_and_an_exit_code(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("sse: ")
    assert printed.err.count("\n") == 1


def test_a_runtime_that_is_not_installed_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(name: str) -> None:
        return None

    monkeypatch.setattr(cli, "find_spec", nothing)
    assert main(["tail", "http://127.0.0.1:1", "--transport", "trio"]) == 1
    assert capsys.readouterr().err == "sse: trio is not installed\n"


@pytest.mark.parametrize("arguments", [[], ["tail"], ["chat", "hello", "-H", "no colon"]])
def test_arguments_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_tail_prints_the_events_of_any_stream(transport: str, capsys: pytest.CaptureFixture[str]) -> None:
    body = b": hello\n\ndata: one\ndata: two\n\nid: 7\nevent: tick\ndata: three\n\n"
    with answering(HEAD + body) as url:
        assert main(["tail", url, "--transport", transport]) == 0
    assert capsys.readouterr().out == (
        "data: one\ndata: two\n\nid: 7\nevent: tick\ndata: three\n\n"  # which is an event stream again
    )


def test_tail_prints_json_lines_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(HEAD + b"id: 7\nevent: tick\ndata: \xff\n\n") as url:
        assert main(["tail", url, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"type": "tick", "data": "\ufffd", "last_event_id": "7"}


def test_serve_says_where_and_ends_with_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    def interrupt_when_it_serves() -> None:
        while True:
            try:
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    while connection.recv(65536):
                        pass
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    thread = Thread(target=interrupt_when_it_serves)
    thread.start()
    assert main(["serve", "--port", str(port)]) == 130
    thread.join()
    assert capsys.readouterr().out == f"serving http://127.0.0.1:{port}/openai/v1\n"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_ctrl_c_ends_an_answer_cleanly_and_says_so(transport: str) -> None:
    with serving(ChatService(pace=0.01, reply="word " * 10_000)) as url:
        process = subprocess.Popen(
            [*PROGRAM, "chat", "hi", "--base-url", url, "--transport", transport],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.read(5) == b"word "
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == b"sse: interrupted, the connection is closed" + os.linesep.encode()


def test_a_reader_of_the_output_may_leave() -> None:
    with serving(ChatService(pace=0.001, reply="word " * 10_000)) as url:
        process = subprocess.Popen(
            [*PROGRAM, "chat", "hi", "--base-url", url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.read(5) == b"word "
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 1
        process.stderr.close()


def test_what_the_buffer_holds_for_a_reader_that_left_goes_nowhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Left(StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return output.fileno()

    with (tmp_path / "output").open("w") as output:
        monkeypatch.setattr(sys, "stdout", Left())
        with answering(HEAD + b"data: one\n\n") as url:
            assert main(["tail", url]) == 1
        output.write("too late")
    assert (tmp_path / "output").read_text() == ""

"""OpenAI's legacy completions, beyond what the fixtures show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ApiError, Control, Event, InvalidChunk, Message
from sse_core.dialects import completions
from support.core import unhurried

request = completions.create(model="m", prompt="Once")


def read(data: object, type: str = "message") -> Any:
    return request.dialect().read(Event(data if isinstance(data, bytes) else json.dumps(data).encode(), type))


def chunk(*choices: dict[str, object], **fields: object) -> Any:
    return read({"object": "text_completion", "choices": choices, **fields})


def put_together(*chunks: Any) -> Message:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    assert accumulator.add(chunks) == sum(bool(chunk.text) for chunk in chunks)
    return accumulator.message()


def test_a_request() -> None:
    request = completions.create(model="m", prompt=["a", "b"], extra={"new": 1, "stream": False}, echo=True)
    assert (request.method, request.path) == ("POST", "/completions")
    assert dict(request.headers) == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {
        "model": "m",
        "prompt": ["a", "b"],
        "stream": True,
        "new": 1,
        "echo": True,
    }


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        completions.create(model="m", prompt="a", extra={"b": object()})


def test_a_chunk_says_nothing_of_what_a_text_has_not() -> None:
    found = chunk({"text": "a"})
    assert (found.text, found.reasoning, found.tool_calls, found.finish_reason) == ("a", "", (), None)
    assert chunk({"text": "a", "index": 1, "finish_reason": "stop"}).finish_reason is None


def test_a_finish_reason_lets_the_body_end() -> None:
    dialect = request.dialect()
    for reason, may_end in (("", False), (None, False), ("stop", True), (None, True)):
        dialect.read(Event(json.dumps({"choices": [{"text": "", "finish_reason": reason}]}).encode()))
        assert dialect.may_end == may_end


def test_the_end_marker_and_keep_alives() -> None:
    assert read(b"[DONE]") is Control.END
    assert read(b"") is Control.PING
    assert read(b"{}", "ping") is Control.PING


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"message": "no"}},
        [{"error": {"message": "no"}}],
        {"object": "error", "message": "no"},
        {"detail": "no"},
        {"choices": [{"finish_reason": "error", "error": {"message": "no"}}]},
    ],
)
def test_errors(data: object) -> None:
    with pytest.raises(ApiError) as caught:
        read(data)
    assert caught.value.message == "no"


def test_an_error_without_words_and_an_event_named_error() -> None:
    with pytest.raises(ApiError, match="finish_reason 'error'"):
        chunk({"finish_reason": "error"})
    with pytest.raises(ApiError, match="no more"):
        read(b"no more", "error")


def test_what_is_invalid_says_so() -> None:
    for data in (b"[]", b"{", b"Bad Gateway", b'{"choices":[5]}'):
        with pytest.raises(InvalidChunk) as caught:
            read(data)
        assert caught.value.raw == data


def test_a_chat_completion_is_refused_by_name() -> None:
    with pytest.raises(InvalidChunk, match=r"openai\.chat"):
        read({"object": "chat.completion.chunk", "choices": [{"delta": {"content": "a"}}]})


def test_what_comes_once_stays() -> None:
    message = put_together(
        chunk({"text": "a", "prompt_token_ids": [1]}, id="c", created=5, system_fingerprint="f"),
        chunk({"text": "b", "token_ids": [2]}, usage={"prompt_tokens": 1, "total_tokens": 1}),
        chunk({"text": "", "finish_reason": "stop", "logprobs": {"tokens": ["a"]}}),
        chunk({"text": "c"}, {"text": "x", "index": 1}),
    )
    assert (message.text, message.finish_reason) == ("abc", "stop")
    assert message.native == completions.Completion(
        id="c",
        object="text_completion",
        created=5,
        system_fingerprint="f",
        usage=completions.Usage(prompt_tokens=1, total_tokens=1),
        choices=(
            completions.Choice(
                text="abc",
                finish_reason="stop",
                prompt_token_ids=(1,),
                token_ids=(2,),
                logprobs=completions.Logprobs(tokens=("a",)),
            ),
            completions.Choice(text="x", index=1),
        ),
    )


values = st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
chunks = st.fixed_dictionaries(
    {},
    optional={
        "object": values | st.sampled_from(["text_completion", "chat.completion", "error"]),
        "choices": st.lists(
            st.dictionaries(st.sampled_from(["text", "index", "finish_reason", "logprobs", "error"]), values)
        )
        | values,
        "error": values,
        "usage": values,
    },
)


@unhurried
@given(data=st.binary() | chunks.map(lambda chunk: json.dumps(chunk).encode()))
def test_any_event_is_a_chunk_a_control_or_a_documented_error(data: bytes) -> None:
    try:
        found = read(data)
    except (ApiError, InvalidChunk):
        return
    if not isinstance(found, Control):
        message = put_together(found)
        assert (message.text, message.finish_reason) == (found.text, found.finish_reason)

"""The chunks of a chat completion, put together."""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sse_core import Control, Event, InvalidChunk, Message, ToolCall
from sse_core.dialects import groq, openai
from sse_core.dialects.shared.lenient import convert_leniently
from support.core import unhurried


def read(*chunks: object) -> list[openai.ChatCompletionChunk]:
    dialect = openai.ChatDialect()
    found = [dialect.read(Event(json.dumps(chunk).encode())) for chunk in chunks]
    return [chunk for chunk in found if not isinstance(chunk, Control)]


def delta(**fields: object) -> dict[str, object]:
    return {"id": "c1", "choices": [{"index": 0, "delta": fields}]}


def together(*chunks: object) -> Message:
    accumulator = openai.ChatAccumulator()
    accumulator.add(read(*chunks))
    return accumulator.message()


def calls(*parts: list[dict[str, Any]]) -> tuple[ToolCall, ...]:
    return together(*[delta(tool_calls=each) for each in parts]).tool_calls


def part(
    arguments: str | None = None, name: str | None = None, id: str | None = None, index: int | None = None
) -> dict[str, Any]:
    return {"index": index, "id": id, "function": {"name": name, "arguments": arguments}}


def test_nothing_is_a_message_too() -> None:
    message = openai.ChatAccumulator().message()
    assert message == Message(native=openai.ChatCompletion())


def test_a_message_can_be_had_at_any_time() -> None:
    accumulator = openai.ChatAccumulator()
    texts: list[str] = []
    for chunk in read(delta(role="assistant", content=""), delta(content="Hel"), delta(content="lo")):
        accumulator.add([chunk])
        texts.append(accumulator.message().text)
    assert texts == ["", "Hel", "Hello"]


@pytest.mark.parametrize(
    ("chunk", "brought"),
    [
        (delta(content="a"), 1),
        (delta(role="assistant", content="a"), 1),
        (delta(reasoning="a"), 1),
        (delta(reasoning_content="a"), 1),
        (delta(reasoning_details=[{"type": "reasoning.text", "text": "a"}]), 1),
        (delta(content=[{"type": "text", "text": "a"}]), 1),
        (delta(tool_calls=[{"index": 0}]), 1),
        (delta(content="a", tool_calls=[{"index": 0}]), 1),
        ({"choices": [{"index": 0, "delta": {"content": "a"}}, {"index": 1, "delta": {"content": "b"}}]}, 1),
        ({"choices": [{"index": 0, "delta": {"content": ""}}, {"index": 1, "delta": {"content": "b"}}]}, 1),
        (delta(role="assistant", content=""), 0),
        (delta(refusal="no"), 1),
        (delta(audio={"id": "a"}), 1),
        (delta(function_call={"name": "f"}), 1),
        (delta(), 0),
        ({"choices": [{"index": 0, "finish_reason": "stop"}]}, 0),
        ({"choices": []}, 0),
        ({}, 0),
    ],
)
def test_chunks_that_bring_content_are_counted(chunk: object, brought: int) -> None:
    assert openai.ChatAccumulator().add(read(chunk)) == brought
    assert openai.ChatAccumulator().add(read(chunk, chunk)) == brought * 2


def test_no_content_is_not_the_same_as_empty_content() -> None:
    def content(*chunks: object) -> str | None:
        message: str | None = together(*chunks).native.choices[0].message.content
        return message

    assert content(delta(role="assistant", content=None)) is None
    assert content(delta(role="assistant", content="")) == ""
    assert content(delta(content="a")) == "a"


def test_a_part_that_belongs_to_no_other_answer_is_kept_apart() -> None:
    second = {"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}
    message = together(second)
    assert (message.text, message.finish_reason) == ("", None)
    assert [(choice.index, choice.message.content) for choice in message.native.choices] == [(1, "b")]


def test_what_chunks_say_of_the_whole() -> None:
    message = together(
        {"id": "", "created": 0, "model": "", "choices": []},
        {"id": "c1", "created": 7, "model": "m", "provider": "p", "service_tier": "auto", "choices": []},
        {
            "id": "c1",
            "created": 8,
            "model": "n",
            "service_tier": "default",
            "citations": ["u"],
            "choices": [],
        },
    )
    native = message.native
    assert (native.id, native.created, native.model, native.provider) == ("c1", 7, "m", "p")
    assert (native.service_tier, native.citations, native.x_groq) == ("default", ["u"], None)


def test_the_usage_that_says_most_recently_counts() -> None:
    first, last = {"prompt_tokens": 1, "total_tokens": 1}, {"prompt_tokens": 1, "total_tokens": 3}
    message = together(
        {"usage": first}, {**delta(content="a"), "usage": last}, {"usage": {}}, {"usage": None}
    )
    assert message.usage == message.native.usage == openai.Usage(prompt_tokens=1, total_tokens=3)


def test_a_tool_that_ran_comes_again_with_what_it_gave() -> None:
    asked = {"index": 0, "type": "search", "arguments": "{}"}
    message = together(
        delta(executed_tools=[asked, {"type": "nameless"}]),
        delta(executed_tools=[{"index": 0, "output": "found"}, {"type": "nameless too"}]),
    )
    tools = message.native.choices[0].message.executed_tools
    assert [(tool.type, tool.arguments, tool.output) for tool in tools] == [
        ("search", "{}", "found"),
        ("nameless", "", None),
        ("nameless too", "", None),
    ]


def test_what_is_said_once_in_a_spoken_answer_may_never_be_said() -> None:
    audio = together(delta(audio={"data": "AA"})).native.choices[0].message.audio
    assert audio == openai.Audio(data="AA", transcript="")


def test_a_signature_is_the_last_part_of_a_thought() -> None:
    def thought(**fields: object) -> dict[str, object]:
        return delta(reasoning_details=[{"type": "reasoning.text", "index": 0, **fields}])

    message = together(thought(text="a"), thought(text="b"), thought(signature="s"), thought(text="c"))
    details = message.native.choices[0].message.reasoning_details
    assert [(detail.text, detail.signature) for detail in details] == [("ab", "s"), ("c", None)]
    assert message.reasoning == "abc"


def test_a_part_of_a_thought_belongs_to_the_last_one() -> None:
    details = [("reasoning.summary", 0, "a"), ("reasoning.text", 1, "b"), ("reasoning.text", 1, "c")]
    message = together(
        *(
            delta(reasoning_details=[{"type": type, "index": index, "text": text}])
            for type, index, text in details
        )
    )
    built = message.native.choices[0].message.reasoning_details
    assert [(detail.type, detail.text) for detail in built] == [
        ("reasoning.summary", "a"),
        ("reasoning.text", "bc"),
    ]


# Tool calls.


def test_the_parts_of_a_call_by_the_book() -> None:
    assert calls(
        [part("", "f", "a", 0)], [part("{", index=0)], [part("}", index=0)], [part("[]", "g", "b", 1)]
    ) == (ToolCall(id="a", name="f", arguments="{}"), ToolCall(id="b", name="g", arguments="[]"))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # No index at all.
        ([part("{", "f", "a"), part("}")], ["a f {}"]),
        ([part("{", "f", "a"), part("}", None, "a")], ["a f {}"]),
        ([part("{}", "f", "a"), part("{}", "f", "b")], ["a f {}", "b f {}"]),
        ([part("{}", "f", "a"), part("{}", None, "b")], ["a f {}", "b  {}"]),
        ([part("{", "f", "a"), part("{", "g", "b"), part("}", None, "a")], ["a f {}", "b g {"]),
        # Neither index nor id.
        ([part("{", "f"), part("}")], ["None f {}"]),
        ([part("{}", "f"), part("{}", "f")], ["None f {}", "None f {}"]),
        ([part("{}", "f"), part("{}", "g")], ["None f {}", "None g {}"]),
        ([part("{", "f"), part("}", "f")], ["None f {}"]),
        ([part('{"x":', "f"), part("{}", "f"), part("}", "f")], ['None f {"x":{}}']),
        ([part("", "f"), part("{}", "f")], ["None f {}"]),
        ([part("{"), part("}", "f")], ["None f {}"]),
        ([part("{} ", "f", ""), part(" {", "f", ""), part("}", None, "")], ["None f {} ", "None f  {}"]),
        # The same index for all.
        ([part("{}", "f", "a", 0), part("{}", "f", "b", 0)], ["a f {}", "b f {}"]),
        ([part("{}", "f", None, 0), part("{}", "f", None, 0)], ["None f {}", "None f {}"]),
        ([part("{", "f", "a", 0), part("{", "f", "b", 0), part("}", None, None, 0)], ["a f {", "b f {}"]),
        ([part("{", "f", "a", 0), part("{", "g", "b", 0), part("}", None, "a", 0)], ["a f {}", "b g {"]),
        # The same id for all.
        ([part("{}", "f", "a", 0), part("{}", "f", "a", 1)], ["a f {}", "a f {}"]),
        # Ids that change, or come late.
        ([part("{", "f", "a", 0), part("}", None, "b", 0), part(" ", None, "b", 0)], ["a f {} "]),
        ([part("{", "f", None, 0), part("}", None, "b", 0)], ["b f {}"]),
        ([part("{", "f", None, 0), part("}", "f", "b", 0)], ["b f {}"]),
        # Name and id with every part.
        ([part("{", "f", "a", 0), part("}", "f", "a", 0)], ["a f {}"]),
        ([part("{", "f", "a"), part("}", "f", "a")], ["a f {}"]),
        # An index that begins elsewhere, comes late, or goes missing.
        ([part("{", "f", "a", 3), part("}", None, None, 3)], ["a f {}"]),
        ([part("{", "f", "a"), part("}", None, None, 0)], ["a f {}"]),
        ([part("{", "f", "a", 0), part("}")], ["a f {}"]),
        ([part("{", "f", "a", 0), part("}", None, "a")], ["a f {}"]),
        ([part("{}", "f", "a", 0), part("{}", None, None, 1)], ["a f {}", "None  {}"]),
        # By turns.
        (
            [part("{", "f", "a", 0), part("[", "g", "b", 1), part("}", index=0), part("]", index=1)],
            ["a f {}", "b g []"],
        ),
    ],
)
@pytest.mark.parametrize("in_one_chunk", [True, False])
def test_the_parts_of_calls_otherwise(
    parts: list[dict[str, Any]], expected: list[str], in_one_chunk: bool
) -> None:
    found = calls(parts) if in_one_chunk else calls(*[[each] for each in parts])
    assert [f"{call.id} {call.name} {call.arguments}" for call in found] == expected


def test_a_part_without_a_function() -> None:
    (chunk,) = read(delta(tool_calls=[{"index": 0, "id": "a"}]))
    (bare,) = chunk.tool_calls
    assert (bare.name, bare.arguments) == (None, None)
    assert calls([{"index": 0, "id": "a"}], [{"index": 0}]) == (ToolCall(id="a"),)


def test_arguments_that_are_no_text_become_the_json_text_of_what_they_are() -> None:
    """What is null in them stays, unlike what is null in a chunk."""
    arguments = {"city": "Zürich", "days": None, "near": [1.5, {"deep": True}]}
    for sent in (arguments, [None], 7, True):
        (call,) = calls([{"index": 0, "id": "a", "function": {"name": "f", "arguments": sent}}])
        assert call.parsed() == sent
    (call,) = together(delta(function_call={"name": "f", "arguments": arguments})).tool_calls
    assert call.parsed() == arguments
    with pytest.raises(InvalidChunk):
        calls([{"index": 0, "function": 5}])


def test_a_custom_tool_takes_text() -> None:
    message = together(
        delta(tool_calls=[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": ""}}]),
        delta(tool_calls=[{"index": 0, "custom": {"input": "print("}}]),
        delta(tool_calls=[{"index": 0, "custom": {"input": "1)"}}]),
        delta(tool_calls=[{"index": 1, "id": "b", "custom": {"name": "g", "input": "x"}}]),
    )
    assert message.tool_calls == (
        ToolCall(id="a", name="f", arguments="print(1)", custom=True),
        ToolCall(id="b", name="g", arguments="x", custom=True),
    )
    first, _ = message.native.choices[0].message.tool_calls
    custom = openai.CustomCall(name="f", input="print(1)")
    assert first == openai.MessageToolCall(id="a", type="custom", custom=custom)


def test_what_is_to_go_back_is_kept() -> None:
    message = (
        together(
            delta(content="a", extra_content={"google": {"thought_signature": "S"}}),
            delta(tool_calls=[{"id": "a", "function": {"name": "f"}, "extra_content": {"google": {"n": 1}}}]),
            delta(tool_calls=[{"extra_content": {"google": {"n": 2}}}]),
        )
        .native.choices[0]
        .message
    )
    assert (message.content, message.extra_content) == ("a", {"google": {"thought_signature": "S"}})
    assert [call.extra_content for call in message.tool_calls] == [{"google": {"n": 2}}]


def test_the_deprecated_function_call_is_a_tool_call_without_an_id() -> None:
    sent = [delta(function_call={"name": "f"}), delta(function_call={"arguments": "{}"})]
    assert [(call.name, call.arguments) for chunk in read(*sent) for call in chunk.tool_calls] == [
        ("f", None),
        (None, "{}"),
    ]
    message = together(*sent)
    assert message.tool_calls == (ToolCall(name="f", arguments="{}"),)
    assert message.native.choices[0].message.tool_calls == ()


# Properties.

texts = st.none() | st.text(max_size=4)
deltas: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["assistant", "tool", None]),
        "content": texts,
        "reasoning": texts,
        "reasoning_content": texts,
        "refusal": texts,
        "function_call": st.none() | st.fixed_dictionaries({"name": texts, "arguments": texts}),
        "audio": st.none() | st.fixed_dictionaries({"id": texts, "transcript": texts}),
        "tool_calls": st.lists(
            st.builds(
                part,
                st.sampled_from(["", "{", "}", "{}", None]),
                st.sampled_from(["f", "g", "", None]),
                st.sampled_from(["a", "b", "", None]),
                st.sampled_from([0, 1, None]),
            ),
            max_size=2,
        ),
        "reasoning_details": st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["reasoning.text", "reasoning.encrypted"])},
                optional={"text": texts, "data": texts, "signature": texts, "id": texts},
            ),
            max_size=2,
        ),
    },
)
choices: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"index": st.integers(0, 2), "delta": st.none() | deltas},
    optional={
        "finish_reason": st.sampled_from([None, "stop"]),
        "logprobs": st.sampled_from([None, {"content": [{"token": "a"}]}]),
        "token_ids": st.sampled_from([None, [1]]),
        "content_filter_results": st.sampled_from([None, {}, {"hate": {}}]),
    },
)
chunks: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {"id": st.sampled_from(["", "c1", "c2"]), "choices": st.lists(choices, max_size=2)},
    optional={"usage": st.sampled_from([None, {}, {"total_tokens": 1}])},
)


class LongWay(openai.ChatAccumulator):
    """Without the short way through `add`."""

    def add(self, chunks: Any) -> int:
        return super().add([self._longer(chunk) for chunk in chunks])

    def _longer(self, chunk: openai.ChatCompletionChunk) -> openai.ChatCompletionChunk:
        replace = msgspec.structs.replace
        longer = [replace(choice, logprobs=choice.logprobs or openai.Logprobs()) for choice in chunk.choices]
        return replace(chunk, choices=tuple(longer))


def without_logprobs(message: Message) -> Message:
    replace = msgspec.structs.replace
    bare = tuple(
        replace(choice, logprobs=choice.logprobs if choice.logprobs and choice.logprobs.content else None)
        for choice in message.native.choices
    )
    return replace(message, native=replace(message.native, choices=bare))


BOTH = {"tool_calls": [part("{}", "f", "a", 0)], "function_call": {"name": "g", "arguments": "{}"}}


@unhurried
@given(sent=st.lists(chunks, max_size=8), cut=st.integers(0, 8))
@example(sent=[{"id": "c1", "choices": [{"index": 0, "delta": BOTH}]}], cut=0)
def test_the_message_is_what_the_chunks_say_however_they_come(sent: list[object], cut: int) -> None:
    came = read(*sent)
    whole, parted, longer = openai.ChatAccumulator(), openai.ChatAccumulator(), LongWay()
    counted = whole.add(came)
    assert counted == parted.add(came[:cut]) + parted.add(came[cut:]) == longer.add(came)
    message = whole.message()
    assert message == parted.message()
    assert without_logprobs(message) == without_logprobs(longer.message())
    if all(len({choice.index for choice in chunk.choices}) == len(chunk.choices) for chunk in came):
        assert message.text == "".join(chunk.text for chunk in came)
        assert message.reasoning == "".join(chunk.reasoning for chunk in came)
        reasons = [chunk.finish_reason for chunk in came if chunk.finish_reason is not None]
        assert message.finish_reason == (reasons[-1] if reasons else None)
    fragments = [each.arguments or "" for chunk in came for each in chunk.tool_calls]
    if all(len(chunk.choices) == 1 for chunk in came):
        assert sorted("".join(call.arguments for call in message.tool_calls)) == sorted("".join(fragments))


@st.composite
def calls_in_parts(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Tool calls, and their parts by the book: each begins in its turn, and then they go on by turns."""
    whole: list[dict[str, Any]] = []
    rests: list[list[dict[str, Any]]] = []
    parts: list[dict[str, Any]] = []
    for index in range(draw(st.integers(0, 3))):
        kind, argument = draw(st.sampled_from([("function", "arguments"), ("custom", "input")]))
        name, text = draw(st.sampled_from("fg")), draw(st.text(st.sampled_from('{}[]":1a '), max_size=8))
        call = {"id": f"call_{index}", "type": kind}
        whole.append(call | {kind: {"name": name, argument: text}})
        cut = draw(st.integers(0, len(text)))
        parts.append(call | {"index": index, kind: {"name": name, argument: text[:cut]}})
        rests.append([{"index": index, kind: {argument: each}} for each in text[cut:]])
        for _ in range(draw(st.integers(0, 6))):
            rest = draw(st.sampled_from(rests))
            parts += rest[:1]
            del rest[:1]
    return whole, parts + [part for rest in rests for part in rest]


@st.composite
def in_pieces(draw: st.DrawFn, name: str) -> tuple[str | None, list[dict[str, Any]]]:
    pieces = draw(st.none() | st.lists(st.text(max_size=3), min_size=1, max_size=3))
    return None if pieces is None else "".join(pieces), [{name: piece} for piece in pieces or ()]


@st.composite
def answers(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A completion that is not streamed, and its chunks, those of several answers by turns."""
    choices: list[dict[str, Any]] = []
    streams: list[list[dict[str, Any]]] = []
    for index in range(draw(st.integers(1, 3))):
        content, contents = draw(in_pieces("content"))
        reasoning, reasonings = draw(in_pieces("reasoning_content"))
        refusal, refusals = draw(in_pieces("refusal"))
        tool_calls, parts = draw(calls_in_parts())
        message: dict[str, Any] = {"content": content, "tool_calls": tool_calls}
        message |= {"reasoning_content": reasoning or None, "refusal": refusal or None}
        choices.append({"index": index, "message": message, "finish_reason": "stop"})
        deltas = [*reasonings, *contents, *refusals, *[{"tool_calls": [part]} for part in parts]]
        parted = [{"index": index, "delta": each} for each in deltas]
        streams.append([*parted, {"index": index, "delta": {}, "finish_reason": "stop"}])
    turns = draw(st.permutations([at for at, stream in enumerate(streams) for _ in stream]))
    rests = [iter(stream) for stream in streams]
    chunks: list[dict[str, Any]] = [{"id": "c", "choices": [next(rests[at])]} for at in turns]
    return {"id": "c", "choices": choices}, chunks


@unhurried
@given(answers())
def test_an_answer_that_is_taken_apart_is_put_together(
    answer: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    whole, chunks = answer
    expected = convert_leniently(whole, openai.ChatCompletion)
    assert together(*chunks).native == expected


def test_memory_is_that_of_the_strings() -> None:
    """What the accumulator holds of a chunk is its text, and not the chunk."""
    (chunk,) = read(delta(content="text"))
    accumulator = openai.ChatAccumulator()
    before = sys.getrefcount(chunk)
    accumulator.add([chunk, chunk, chunk])
    assert sys.getrefcount(chunk) == before


# The strict mode.

DOCUMENTED: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion.chunk",
    "created": 1700000000,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "delta": {"content": "a", "tool_calls": [{"index": 0, "function": {"arguments": ""}}]},
            "logprobs": {"content": [{"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}]},
            "finish_reason": None,
        }
    ],
    "usage": None,
}


@pytest.mark.parametrize("chat", [openai.chat, groq.chat])
def test_strictly_a_chunk_is_as_documented(chat: Any) -> None:
    dialect = chat(model="m", messages=[], strict=True).dialect()
    assert dialect.read(Event(json.dumps(DOCUMENTED).encode())).text == "a"
    assert dialect.read(Event(b"[DONE]")) is Control.END
    assert dialect.read(Event(b"", "ping")) is Control.PING


@pytest.mark.parametrize(
    ("path", "wrong", "why"),
    [
        (("mood",), "calm", "unknown field `mood`"),
        (("id",), None, r"Expected `str`, got `null` - at `\$\.id`"),
        (("id",), ..., "missing required field `id`"),
        (("object",), "chunk", "Invalid enum value 'chunk'"),
        (("created",), "1700000000", r"Expected `int`, got `str` - at `\$\.created`"),
        (("choices", 0, "index"), ..., r"missing required field `index` - at `\$\.choices\[0\]`"),
        (("choices", 0, "delta", "content"), {}, r"got `object`"),
        (("choices", 0, "delta", "voice"), 1, r"`voice` - at `\$\.choices\[0\]\.delta`"),
        (("choices", 0, "delta", "tool_calls", 0, "index"), None, "Expected `int`, got `null`"),
        (("choices", 0, "logprobs", "content", 0, "logprob"), None, "Expected `float`, got `null`"),
        (("usage",), {}, "missing required field `prompt_tokens`"),
    ],
)
def test_strictly_anything_else_is_an_invalid_chunk(path: tuple[Any, ...], wrong: object, why: str) -> None:
    chunk: Any = json.loads(json.dumps(DOCUMENTED))
    place = chunk
    for step in path[:-1]:
        place = place[step]
    if wrong is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = wrong
    data = json.dumps(chunk).encode()
    openai.ChatDialect().read(Event(data))
    with pytest.raises(InvalidChunk, match=why):
        openai.chat(model="m", messages=[], strict=True).dialect().read(Event(data))

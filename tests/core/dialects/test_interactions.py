"""Gemini's Interactions, beyond what the fixtures show."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import URL, ApiError, Control, Event, InvalidChunk, Message
from sse_core.dialects import interactions
from sse_core.dialects.interactions.events import InteractionEvent, StartEvent
from support.core import unhurried

request = interactions.create(model="m", input="hello")


def event(type: str, **fields: object) -> Event:
    return Event(json.dumps({"event_type": type, **fields}).encode(), type)


def read(type: str, **fields: object) -> Any:
    return request.dialect().read(event(type, **fields))


def start(index: int, **step: object) -> Any:
    return read("step.start", index=index, step=step)


def delta(index: int, **fields: object) -> Any:
    return read("step.delta", index=index, delta=fields)


def put_together(*chunks: Any) -> Message:
    accumulator = request.dialect().accumulator()
    assert accumulator is not None
    accumulator.add(chunks)
    return accumulator.message()


def steps_of(*chunks: Any) -> Any:
    return put_together(*chunks).native.steps


# Requests.


def test_a_request() -> None:
    request = interactions.create(model="m", input="hi", extra={"new": 1, "stream": False}, store=False)
    assert (request.method, request.path) == ("POST", "/interactions")
    assert dict(request.headers) == {"Content-Type": "application/json", "Api-Revision": "2026-05-20"}
    assert json.loads(request.body) == {"model": "m", "input": "hi", "stream": True, "new": 1, "store": False}


def test_a_request_to_an_agent_and_of_another_revision() -> None:
    request = interactions.create(agent="a", input=[{"type": "text", "text": "hi"}], revision="2099-01-01")
    assert dict(request.headers)["Api-Revision"] == "2099-01-01"
    assert json.loads(request.body) == {
        "agent": "a",
        "input": [{"type": "text", "text": "hi"}],
        "stream": True,
    }


def test_what_json_has_no_form_for_is_a_type_error() -> None:
    with pytest.raises(TypeError):
        interactions.create(model="m", input=[{"content": object()}])


def test_taking_an_interaction_up_again() -> None:
    request = interactions.resume("v1_a", last_event_id="b=/")
    assert (request.method, request.body) == ("GET", b"")
    assert dict(request.headers) == {"Api-Revision": "2026-05-20"}
    base = URL.parse("https://generativelanguage.googleapis.com/v1beta")
    assert base.target(request.path) == "/v1beta/interactions/v1_a?stream=true&last_event_id=b%3D%2F"
    assert interactions.resume("a/b?c").path == "/interactions/a%2Fb%3Fc?stream=true"


# Events.


EVENTS = [
    kind for kind in get_args(interactions.InteractionStreamEvent) if kind is not interactions.UnknownEvent
]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
def test_every_event_is_known_by_its_type_and_says_nothing_by_itself(kind: Any) -> None:
    name = kind.__struct_config__.tag
    chunk = read(name)
    assert isinstance(chunk, kind)
    assert (chunk.type, chunk.text, chunk.reasoning, chunk.tool_calls) == (name, "", "", ())
    assert (chunk.finish_reason, chunk.usage) == (None, None)
    message = put_together(chunk)
    assert (message.text, message.reasoning, message.tool_calls, message.finish_reason) == ("", "", (), None)


def test_the_id_that_came_last_is_the_cursor() -> None:
    dialect = request.dialect()
    assert dialect.cursor is None
    chunks: list[Any] = []
    for id, type in (
        ("a", "interaction.created"),
        (None, "step.delta"),
        ("b", "step.delta"),
        ("", "step.stop"),
        ("c", "new"),
        ("d", "interaction.completed"),
    ):
        dialect.read(event(type, event_id=id, delta={"type": "text", "text": "a"}))
        assert dialect.cursor == (id or dialect.cursor)
    assert dialect.cursor == "d"
    data = [event("step.delta", event_id=id, delta={"type": "text", "text": "a"}).raw for id in ("e", None)]
    assert dialect.read_batch(data, chunks) == 2
    assert dialect.cursor == "e"
    assert dialect.read_batch([event("interaction.created", event_id="f").raw], chunks) == 0
    assert dialect.cursor == "e"


@pytest.mark.parametrize("type", ["interaction.completed", "interaction.complete"])
@pytest.mark.parametrize(
    "status", ["completed", "requires_action", "incomplete", "cancelled", "a_new_one", ""]
)
def test_the_last_event_is_a_chunk_and_completes_the_stream(type: str, status: str) -> None:
    dialect = request.dialect()
    chunk = dialect.read(event(type, interaction={"id": "i", "status": status}))
    assert isinstance(chunk, InteractionEvent)
    assert (chunk.finish_reason, dialect.ended) == (status or None, True)


@pytest.mark.parametrize(
    ("interaction", "message", "code"),
    [
        ({}, "the interaction has failed", None),
        ({"errors": []}, "the interaction has failed", None),
        ({"errors": "no"}, "the interaction has failed", None),
        (
            {"errors": [{"code": "internal_error", "message": "no"}, {"message": "other"}]},
            "no",
            "internal_error",
        ),
        ({"steps": [{"type": "thought"}, {"type": "model_output"}]}, "the interaction has failed", None),
        ({"steps": [{"type": "model_output", "error": {"code": 13, "message": "no"}}]}, "no", 13),
    ],
)
def test_an_interaction_that_failed(interaction: dict[str, object], message: str, code: object) -> None:
    with pytest.raises(ApiError) as caught:
        read("interaction.completed", interaction={"status": "failed", **interaction})
    assert (caught.value.message, caught.value.code) == (message, code)


@pytest.mark.parametrize(
    "data",
    [
        {"error": {"code": 503, "message": "no"}},
        {"event_type": "error", "error": {"code": "internal_error", "message": "no"}},
        {"event_type": "interaction.error", "error": {"message": "no"}},
        {"code": 1, "message": "no"},
    ],
)
def test_errors(data: dict[str, object]) -> None:
    with pytest.raises(ApiError) as caught:
        request.dialect().read(Event(json.dumps(data).encode()))
    assert caught.value.message == "no"


def test_the_end_marker_and_a_ping() -> None:
    assert request.dialect().read(Event(b"[DONE]", "done")) is Control.END
    assert request.dialect().read(Event(b"{}", "ping")) is Control.PING


def test_what_is_invalid_says_so() -> None:
    for data in (b"[]", b"{", b"Bad Gateway", b'{"event_type":"step.delta","index":"x"}'):
        with pytest.raises(InvalidChunk) as caught:
            request.dialect().read(Event(data))
        assert caught.value.raw == data


# Usage.


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"total_input_tokens": 1, "total_tool_use_tokens": 2, "total_cached_tokens": 1}, (3, None, None)),
        ({"total_output_tokens": 4, "total_thought_tokens": 8, "total_tokens": 12}, (None, 12, 12)),
        ({"total_output_tokens": 4, "total_reasoning_tokens": 8}, (None, 12, None)),
    ],
)
def test_tokens_of_thoughts_are_of_the_answer_and_those_of_tools_of_the_request(
    usage: dict[str, int], counts: tuple[int | None, ...]
) -> None:
    found = read("interaction.status_update", usage=usage).usage
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == counts


def test_usage_so_far_stays_where_the_last_event_has_none() -> None:
    chunks = [
        read("interaction.status_update", usage={"total_tokens": 1}),
        read(
            "step.delta", delta={"type": "text", "text": "a"}, metadata={"total_usage": {"total_tokens": 2}}
        ),
        read("step.delta", delta={"type": "text", "text": "a"}, metadata={}),
        read("interaction.completed", interaction={"status": "completed"}),
    ]
    assert put_together(*chunks).usage == interactions.Usage(total_tokens=2)


# Steps.


STEPS = [kind for kind in get_args(interactions.Step) if kind is not interactions.Unknown]


@pytest.mark.parametrize("kind", STEPS, ids=lambda kind: kind.__name__)
def test_every_step_is_known_by_its_type(kind: Any) -> None:
    name = kind.__struct_config__.tag
    chunk = start(3, type=name)
    assert isinstance(chunk, StartEvent)
    assert isinstance(chunk.begun, kind)
    assert steps_of(chunk) == (chunk.begun,)


@pytest.mark.parametrize("kind", get_args(interactions.Output), ids=lambda kind: kind.__name__)
def test_every_piece_of_content_is_known_by_its_type(kind: Any) -> None:
    name = kind.__struct_config__.tag or "a_new_one"
    chunk = read("content.start", content={"type": name})
    assert isinstance(chunk, StartEvent)
    assert isinstance(chunk.begun, kind)
    native = put_together(chunk).native
    assert (native.outputs, native.steps) == ((chunk.begun,), ())


@pytest.mark.parametrize("kind", get_args(interactions.Output), ids=lambda kind: kind.__name__)
def test_a_delta_may_come_without_a_start(kind: Any) -> None:
    name = kind.__struct_config__.tag or "a_new_one"
    chunk = delta(0, type=name)
    steps = steps_of(chunk)
    if kind is interactions.Unknown:
        assert steps == ()
    elif kind in get_args(interactions.Content):
        assert steps == (interactions.ModelOutputStep(content=(chunk.delta,)),)
    else:
        assert steps == (chunk.delta,)


def test_a_delta_that_is_not_of_its_step_begins_another() -> None:
    chunks = [
        start(0, type="model_output"),
        delta(0, type="text", text="a"),
        delta(0, type="thought_summary", content={"type": "text", "text": "b"}),
        delta(0, type="thought_signature", signature="s"),
        delta(0, type="arguments_delta", arguments="{}"),
        delta(0, type="google_search_call", arguments={"queries": []}),
        delta(0, type="text_annotation_delta", annotations=[{"type": "url_citation", "url": "u"}]),
        delta(0, type="text", text="c"),
    ]
    message = put_together(*chunks)
    assert (message.text, message.reasoning) == ("ac", "b")
    assert [step.type for step in message.native.steps] == [
        *("model_output", "thought", "function_call", "google_search_call", "model_output"),
    ]
    assert message.native.steps[1].signature == "s"
    assert message.native.steps[4].content[0].annotations == (interactions.URLCitation(url="u"),)


def test_steps_may_begin_with_something_in_them() -> None:
    said = start(
        0, type="model_output", content=[{"type": "text", "text": "a"}, {"type": "image", "uri": "u"}]
    )
    thought = start(1, type="thought", summary=[{"type": "text", "text": "b"}, {"type": "image", "uri": "u"}])
    call = start(2, type="function_call", id="f", name="n", arguments={"x": 1})
    asked = start(3, type="user_input", content=[{"type": "text", "text": "what?"}])
    assert (said.text, thought.reasoning, call.tool_calls[0].arguments) == ("a", "b", '{"x":1}')
    assert (asked.text, asked.reasoning, asked.tool_calls) == ("", "", ())
    more = delta(0, type="text", text="!", annotations=[{"type": "word_info", "text": "!"}])
    message = put_together(said, thought, call, asked, more)
    assert (message.text, message.reasoning, message.tool_calls[0].arguments) == ("a!", "b", '{"x":1}')
    assert [piece.type for piece in message.native.steps[0].content] == ["text", "image", "text"]


def test_a_thought_may_also_have_no_content() -> None:
    chunk = delta(0, type="thought_summary", content=None)
    assert chunk.reasoning == ""
    assert steps_of(chunk, chunk) == (interactions.ThoughtStep(),)


def test_annotations_of_each_kind() -> None:
    for kind in (
        "file_citation",
        "url_citation",
        "place_citation",
        "speech_metadata",
        "word_info",
        "another",
    ):
        chunks = [
            delta(0, type="text", text="a"),
            delta(0, type="text_annotation_delta", annotations=[{"type": kind}]),
        ]
        ((text,),) = (step.content for step in steps_of(*chunks))
        assert (text.text, [each.type for each in text.annotations]) == ("a", [kind])


def test_a_text_may_begin_with_annotations() -> None:
    chunk = delta(0, type="text", text="a", annotations=[{"type": "url_citation"}])
    ((text,),) = (step.content for step in steps_of(chunk, chunk))
    assert (text.text, len(text.annotations)) == ("aa", 2)


# Calls.


def test_arguments_for_a_tool_on_the_server_are_no_tool_call() -> None:
    dialect = request.dialect()

    def calls(*events: Event) -> list[int]:
        chunks = [dialect.read(event) for event in events]
        return [len(chunk.tool_calls) for chunk in chunks if isinstance(chunk, interactions.StepDelta)]

    def begin(index: int, type: str) -> Event:
        return event("step.start", index=index, step={"type": type})

    first, second = (
        event("step.delta", index=index, delta={"type": "arguments_delta", "arguments": "{}"})
        for index in (1, 2)
    )
    assert calls(begin(1, "mcp_server_tool_call"), begin(2, "a_new_call"), first, second) == [0, 0]
    assert calls(event("step.stop", index=1), begin(1, "function_call"), first, second) == [1, 0]
    assert calls(event("step.stop", index=2), begin(2, "code_execution_call"), second) == [0]
    assert calls(begin(2, "function_call"), second, first) == [1, 1]


def test_arguments_that_are_not_whole_are_empty_in_the_answer() -> None:
    call = start(0, type="function_call", id="f", name="n", arguments={})
    message = put_together(call, delta(0, type="arguments_delta", arguments='{"a":'))
    assert message.tool_calls[0].arguments == '{"a":'
    assert message.native.steps[0].arguments == {}


def test_a_call_that_comes_again_whole_keeps_what_it_had() -> None:
    call = start(0, type="function_call", id="f", name="n", arguments={"a": 1})
    again = delta(0, type="function_call", id="f", name="", arguments={}, signature="s")
    (step,) = steps_of(call, again)
    assert step == interactions.FunctionCallStep(id="f", name="n", arguments={"a": 1}, signature="s")


@pytest.mark.parametrize(("given", "arguments"), [({"x": 1}, '{"x":1}'), ({}, "")])
def test_arguments_that_a_call_begins_with_need_not_wait_for_its_end(given: object, arguments: str) -> None:
    chunk = start(0, type="function_call", id="f", name="n", arguments=given)
    (call,) = put_together(chunk).tool_calls
    assert call.arguments == chunk.tool_calls[0].arguments == arguments


def test_the_end_of_a_step_that_has_not_begun() -> None:
    assert steps_of(read("step.stop", index=5), read("content.stop", index=5)) == ()


# Sound and pictures.


def test_sound_that_goes_on_is_one_piece_however_it_is_cut() -> None:
    data = bytes(range(50))
    encoded = b64encode(data).decode()
    padded = [b64encode(data[at : at + 7]).decode() for at in range(0, 50, 7)]
    fragments = [encoded[at : at + 5] for at in range(0, len(encoded), 5)]
    for parts in (padded, fragments):
        chunks = [delta(0, type="audio", mime_type="audio/l16", data=part) for part in parts]
        ((sound,),) = (step.content for step in steps_of(*chunks))
        assert sound.data == encoded


def test_sound_of_another_kind_is_another_piece() -> None:
    chunks = [
        delta(0, type="audio", mime_type="audio/l16", data="AQ=="),
        delta(0, type="audio", mime_type="audio/l16"),
        delta(0, type="audio", mime_type="audio/mp3", data="AQ=="),
        delta(0, type="text", text="a"),
        delta(0, type="audio", mime_type="audio/mp3", data="AQ=="),
    ]
    ((*pieces,),) = (step.content for step in steps_of(*chunks))
    assert [piece.type for piece in pieces] == ["audio", "audio", "text", "audio"]
    assert pieces[0].data == "AQ=="


def test_what_is_no_base64_is_joined_as_it_is() -> None:
    chunks = [delta(0, type="audio", data=data) for data in ("A=", "ü")]
    ((sound,),) = (step.content for step in steps_of(*chunks))
    assert sound.data == "A=ü"


# The interaction as a whole.


def test_the_last_event_may_have_the_steps_or_the_outputs() -> None:
    said = [{"type": "text", "text": "whole"}]
    for fields in ({"steps": [{"type": "model_output", "content": said}]}, {"outputs": said}):
        chunks = [
            delta(0, type="text", text="part"),
            read("interaction.completed", interaction={"status": "completed", **fields}),
        ]
        assert put_together(*chunks).text == "whole"
        assert put_together(chunks[0]).text == "part"


def test_what_the_interaction_is_so_far() -> None:
    chunks = [
        read("interaction.created", interaction={"id": "i", "status": "in_progress", "model": "m"}),
        read("interaction.status_update", status="requires_continuation", continuation_token="t"),
        read("interaction.status_update"),
    ]
    native = put_together(*chunks).native
    assert native == interactions.Interaction(
        id="i", status="requires_continuation", model="m", continuation_token="t"
    )
    ended = read("interaction.completed", interaction={"status": "completed", "updated": "now"})
    assert put_together(*chunks, ended).native == interactions.Interaction(
        id="i", status="completed", model="m", updated="now"
    )
    alone = read("interaction.status_update", interaction_id="j", status="queued")
    assert put_together(alone).native == interactions.Interaction(id="j", status="queued")


inner = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "text", "content", "summary", "arguments", "annotations", "id"]),
            inner | st.sampled_from(["text", "thought", "function_call", "audio", "model_output"]),
            max_size=3,
        )
    ),
    max_leaves=6,
)
NAMES = [kind.__struct_config__.tag for kind in EVENTS]
DELTAS = [kind.__struct_config__.tag for kind in get_args(interactions.Delta)]
deltas = st.fixed_dictionaries(
    {"type": st.sampled_from([*DELTAS, "model_output", "x"])},
    optional=dict.fromkeys(("text", "content", "summary", "arguments", "data", "signature"), inner),
)
events = st.fixed_dictionaries(
    {"event_type": st.sampled_from([*NAMES, "x", "error"])},
    optional={
        "index": inner,
        "event_id": inner,
        "usage": inner,
        **dict.fromkeys(("delta", "step", "content"), deltas | inner),
    },
)


@unhurried
@given(
    data=st.binary() | events.map(lambda event: json.dumps(event).encode()),
    kind=st.sampled_from(["message", "x"]),
)
def test_any_event_is_a_chunk_a_control_or_a_documented_error(data: bytes, kind: str) -> None:
    dialect = request.dialect()
    try:
        chunk = dialect.read(Event(data, kind))
    except (ApiError, InvalidChunk):
        return
    if not isinstance(chunk, Control):
        accumulator = dialect.accumulator()
        assert accumulator is not None
        brought = accumulator.add([chunk])
        message = accumulator.message()
        assert brought == bool(chunk.text or chunk.reasoning or chunk.tool_calls)
        assert (message.text, message.reasoning) == (chunk.text, chunk.reasoning)

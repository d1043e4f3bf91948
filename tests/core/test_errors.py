"""The errors: whose fault each is, whether to try again, and what it carries."""

from __future__ import annotations

import inspect
import pickle
import re
from importlib import import_module

import pytest

import sse_core
from sse_core import (
    ApiError,
    BodyTruncated,
    CertificateRejected,
    ConnectionFailed,
    DeadlineExceeded,
    EventTooLarge,
    Fault,
    InvalidChunk,
    NotAnEventStream,
    ProtocolError,
    ProxyError,
    Response,
    StatusError,
    StreamClosed,
    StreamError,
    StreamIncomplete,
    UnsupportedCoding,
)

TREE = import_module("sse_core.errors")
RESPONSE = Response(200, "OK", (("x-request-id", "req_1"),))

EACH = [
    (ConnectionFailed("no"), Fault.NETWORK, True),
    (CertificateRejected("no"), Fault.SERVER, False),
    (ProxyError("no"), Fault.NETWORK, False),
    (DeadlineExceeded("tls", 1.5), Fault.NETWORK, True),
    (ProtocolError("no"), Fault.SERVER, False),
    (NotAnEventStream("no"), Fault.SERVER, False),
    (UnsupportedCoding("no"), Fault.SERVER, False),
    (BodyTruncated("no"), Fault.NETWORK, True),
    (StreamIncomplete("no"), Fault.SERVER, True),
    (EventTooLarge(1, 2), Fault.SERVER, False),
    (InvalidChunk("no", b"{"), Fault.SERVER, False),
    (ApiError("no"), Fault.SERVER, False),
    (StatusError("no", response=RESPONSE), Fault.SERVER, False),
    (StreamClosed("no"), Fault.CALLER, False),
]


@pytest.mark.parametrize(("error", "fault", "retryable"), EACH)
def test_every_error_says_whose_fault_it_is_and_whether_to_try_again(
    error: StreamError, fault: Fault, retryable: bool
) -> None:
    assert isinstance(error, StreamError)
    assert (error.fault, error.retryable) == (fault, retryable)
    assert error.body == b""


@pytest.mark.parametrize("error", [error for error, _, _ in EACH], ids=lambda error: type(error).__name__)
def test_every_error_can_be_pickled_for_another_process(error: StreamError) -> None:
    error.add_note("seen")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args, vars(again)) == (type(error), error.args, vars(error))


def test_every_error_there_is_was_looked_at() -> None:
    exported = [getattr(sse_core, name) for name in sse_core.__all__]
    errors = {each for each in exported if inspect.isclass(each) and issubclass(each, StreamError)}
    assert errors == {StreamError} | {type(error) for error, _, _ in EACH}


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert TREE.__doc__ is not None
    path: list[str] = []
    drawn: dict[str, str] = {}
    for indent, name in re.findall(r"^    ([│├└─ ]*)(\w+)", TREE.__doc__, re.MULTILINE):
        path[len(indent) // 4 :] = [name]
        if len(path) > 1:
            drawn[name] = path[-2]
    classes = [each for _, each in inspect.getmembers(TREE, inspect.isclass)]
    real = {each.__name__: each.__bases__[0].__name__ for each in classes if issubclass(each, StreamError)}
    assert drawn == {name: base for name, base in real.items() if base != "Exception"}


@pytest.mark.parametrize(
    ("status", "fault", "retryable"),
    [
        (204, Fault.SERVER, False),
        (302, Fault.SERVER, False),
        (400, Fault.CALLER, False),
        (401, Fault.CALLER, False),
        (404, Fault.CALLER, False),
        (408, Fault.CALLER, True),
        (409, Fault.CALLER, True),
        (422, Fault.CALLER, False),
        (429, Fault.CALLER, True),
        (498, Fault.CALLER, False),
        (499, Fault.CALLER, False),
        (500, Fault.SERVER, True),
        (503, Fault.SERVER, True),
        (529, Fault.SERVER, True),
    ],
)
def test_a_status_decides_the_fault_and_the_retry(status: int, fault: Fault, retryable: bool) -> None:
    error = StatusError("no", response=Response(status), code="c", type="t", param=[1], raw=b"raw")
    assert (error.fault, error.retryable, error.status) == (fault, retryable, status)
    assert (error.message, error.code, error.type, error.param) == ("no", "c", "t", [1])
    assert error.raw == error.body == b"raw"


@pytest.mark.parametrize(
    ("said", "status", "retryable"),
    [("true", 400, True), ("false", 503, False), ("maybe", 503, True), ("", 400, False)],
)
def test_the_server_may_say_whether_to_try_again(said: str, status: int, retryable: bool) -> None:
    response = Response(status, headers=(("x-should-retry", said),))
    assert StatusError("no", response=response).retryable is retryable


@pytest.mark.parametrize(
    ("type", "code", "retryable"),
    [
        ("overloaded_error", None, True),
        ("rate_limit_error", None, True),
        ("server_error", "busy", True),
        (None, "rate_limit_exceeded", True),
        ("UNAVAILABLE", 503, True),
        ("odd", 529, True),
        (None, "429", True),
        (None, 500, True),
        ("invalid_request_error", None, False),
        ("invalid_request_error", "400", False),
        (None, 400, False),
        (None, "5000", False),
        (None, "", False),
    ],
)
def test_an_error_inside_the_stream_may_be_temporary(
    type: str | None, code: str | int | None, retryable: bool
) -> None:
    assert ApiError("no", type=type, code=code).retryable is retryable


def test_an_api_error_has_status_and_request_id_once_it_has_its_response() -> None:
    error = ApiError("no", failed_generation="{")
    assert (error.status, error.request_id, error.response) == (None, None, None)
    assert (error.type, error.code, error.param, error.failed_generation) == (None, None, None, "{")
    error.response = RESPONSE
    assert (error.status, error.request_id) == (200, "req_1")


@pytest.mark.parametrize(
    ("headers", "request_id"),
    [((), None), ((("request-id", "b"),), "b"), ((("request-id", "b"), ("x-request-id", "a")), "a")],
)
def test_the_request_id_has_two_names(headers: tuple[tuple[str, str], ...], request_id: str | None) -> None:
    assert StatusError("no", response=Response(500, headers=headers)).request_id == request_id


def test_errors_say_what_their_fields_say() -> None:
    assert str(EventTooLarge(10, 11)) == "an event is larger than max_event_size: 11 bytes seen, 10 allowed"
    assert str(DeadlineExceeded("tls", 1.5, response=RESPONSE)) == "deadline 'tls' exceeded after 1.500 s"
    assert str(ApiError("words")) == "words"
    assert InvalidChunk("no", b"{").raw == b"{"
    assert DeadlineExceeded("tls", 1.5, response=RESPONSE).response is RESPONSE

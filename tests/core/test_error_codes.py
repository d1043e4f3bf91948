"""What the codes of providers' errors say."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sse_core import ApiError, Fault, Response, StatusError
from sse_core.error_codes import is_callers_fault, is_final, worth_retrying
from support.core import unhurried

TEMPORARY: list[str | int] = [
    *("overloaded_error", "overloaded", "server_error", "internal_server_error", "InternalServerError"),
    *("api_error", "timeout_error", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "service_unavailable"),
    *("slow_down", 500, 503, 529, 408, 409, "500", "502"),
]
OF_THE_CALLER: list[str | int] = [
    *("invalid_request_error", "BadRequestError", "authentication_error", "permission_error"),
    *("not_found_error", "INVALID_ARGUMENT", "context_length_exceeded", 400, 401, 404, 499, "400", "422"),
]
BOTH: list[str | int] = ["rate_limit_exceeded", "rate_limit_error", "RateLimitError", 429, "429"]
FINAL = ["insufficient_quota", "billing_error"]
NEITHER: list[str | int | None] = [
    None,
    "",
    "tool_use_failed",
    "None",
    0,
    -1,
    1000,
    200,
    "\u0665\u0660\u0660",
]


@pytest.mark.parametrize("code", [*TEMPORARY, *BOTH])
def test_some_errors_may_pass_by_themselves(code: str | int) -> None:
    assert worth_retrying(code)
    assert worth_retrying(None, code)
    assert ApiError("no", code=code).retryable
    assert not is_final(code)


@pytest.mark.parametrize("code", [*OF_THE_CALLER, *NEITHER, *FINAL])
def test_others_stay(code: str | int | None) -> None:
    if code not in (408, 409):
        assert not worth_retrying(code)
        assert not ApiError("no", code=code).retryable


@pytest.mark.parametrize("code", FINAL)
def test_a_used_up_quota_stays_whatever_else_is_said(code: str) -> None:
    assert is_final(code)
    assert not worth_retrying(code, 429)
    assert not StatusError("no", response=Response(429), code=code).retryable


@pytest.mark.parametrize("code", [*OF_THE_CALLER, *BOTH, *FINAL])
def test_some_errors_are_the_callers_fault(code: str | int) -> None:
    assert is_callers_fault(code)
    assert ApiError("no", type=str(code)).fault is Fault.CALLER


@pytest.mark.parametrize("code", ["overloaded_error", "server_error", 500, "503", *NEITHER])
def test_others_are_the_servers(code: str | int | None) -> None:
    assert not is_callers_fault(code)
    assert ApiError("no", code=code).fault is Fault.SERVER


def test_a_message_alone_counts_as_a_code() -> None:
    """Groq's `x_groq.error` has nothing else, nor have the errors that are only text."""
    assert ApiError("Over capacity").retryable
    assert ApiError("503").retryable
    assert ApiError("Invalid request.").fault is Fault.CALLER
    assert not ApiError("Over capacity", type="tool_use_failed").retryable
    assert not ApiError("the tool said: over capacity").retryable
    assert not StatusError("insufficient quota", response=Response(429)).retryable


def test_a_status_decides_where_there_is_one() -> None:
    unavailable = StatusError("no", response=Response(503), type="invalid_request_error")
    assert (unavailable.fault, unavailable.retryable) == (Fault.SERVER, True)
    full = StatusError("no", response=Response(498), code="capacity_exceeded")
    assert (full.fault, full.retryable) == (Fault.CALLER, True)
    told = StatusError("no", response=Response(503, headers=(("x-should-retry", "false"),)))
    assert not told.retryable


def test_the_request_has_a_name() -> None:
    head = Response(200, headers=(("x-request-id", "in the head"),))
    assert ApiError("no").request_id is None
    assert ApiError("no", request_id="in the report").request_id == "in the report"
    assert ApiError("no", request_id="in the report", response=Response(200)).request_id == "in the report"
    assert ApiError("no", request_id="in the report", response=head).request_id == "in the head"


@unhurried
@given(codes=st.lists(st.none() | st.text() | st.integers()))
@example(codes=[10**5000])  # which str() refuses
def test_any_code_says_something(codes: list[str | int | None]) -> None:
    assert not (worth_retrying(*codes) and is_final(*codes))
    assert is_callers_fault(*codes) in (True, False)

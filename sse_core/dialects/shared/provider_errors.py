"""Finds the error in whatever a provider sends instead of an answer."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Struct

from ...errors import ApiError, InvalidChunk
from ...events.decoder import EventDecoder
from ...events.items import Event
from ...http.response import Response
from .retry_after import retry_after_in


class ErrorObject(Struct, frozen=True):
    """An error in the provider's own words; a field that it does not have is None."""

    message: str
    type: str | None = None
    code: str | int | None = None
    param: object = None
    failed_generation: str | None = None
    request_id: str | None = None
    retry_after: float | None = None


def find_error(data: bytes, *, any_object: bool = False, explicit: bool = False) -> ErrorObject | None:
    """Return the error that a JSON text reports, or None; see `error_in_value`.

    With `any_object`, the text may also be an event stream that has the error in the data of an event.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return error_in_value(msgspec.json.decode(data), any_object=any_object, explicit=explicit)
    except NOT_JSON:
        return error_in_events(data) if any_object else None


def find_message(data: bytes) -> ErrorObject | None:
    """Return the error in a JSON object if it has a message, whether it says that it is an error or not."""
    try:
        fields: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    except NOT_JSON:
        return None
    return error_in_value(fields, any_object=True) if has_message(fields) else None


def error_in_events(data: bytes) -> ErrorObject | None:
    """Return the error in the start of an event stream that is known to report one, or None."""
    decoder = EventDecoder()
    events = decoder.feed(data + b"\n\n") if data.lstrip().startswith(FIELDS) else ()
    found = (find_error(event.raw, any_object=True) for event in events)
    return next((error for error in found if error is not None), None)


def error_in_value(value: object, *, any_object: bool = False, explicit: bool = False) -> ErrorObject | None:
    """Return the error that a JSON value reports, or None.

    The error is an object or a string under `error`, or the first in `errors`; an object that says
    `"object": "error"`; an object in one of the forms that web frameworks and gateways have, which `is_bare`
    tells; or the first of these in an array. With `any_object`, the value is known to report an error, so
    every object is one; with `explicit`, an object is one only if it says so.
    """
    try:
        return _find(value, any_object, explicit)
    except RecursionError:  # a message is encoded as JSON, and may be nested very deeply
        return None


def api_error_from(data: bytes) -> ApiError:
    """Return the error in data that is known to report one, in JSON or as text."""
    return api_error(find_error(data, any_object=True) or ErrorObject(data.decode("utf-8", "replace")), data)


def api_error(error: ErrorObject, raw: bytes, response: Response | None = None) -> ApiError:
    return ApiError(**msgspec.structs.asdict(error), raw=raw, response=response)


def invalid_chunk(event: Event, reason: Exception) -> InvalidChunk:
    message = f"{reason}; the data begins with {event.raw[:SHOWN]!r}"
    if b"}\n{" in event.raw:
        message = f"several chunks in one event: the blank lines between them got lost; {message}"
    return InvalidChunk(message, event.raw)


def _find(value: object, any_object: bool, explicit: bool) -> ErrorObject | None:
    if isinstance(value, list) and value:
        value = cast("list[object]", value)[0]
    if not isinstance(value, dict):
        return None
    report = cast("dict[str, Any]", value)
    error = report.get("error")
    if not error and isinstance(errors := report.get("errors"), list) and errors:
        error = cast("list[object]", errors)[0]
    if not error and not explicit and isinstance(report.get("base_resp"), dict):
        error = failure_of(cast("dict[str, Any]", report["base_resp"]))
    if not error and (any_object or report.get("object") == "error" or (not explicit and is_bare(report))):
        error = report
    if isinstance(error, dict):
        return error_object(cast("dict[str, Any]", error), report)
    if not error:
        return None
    if not isinstance(error, str):
        error = msgspec.json.encode(error).decode()
    found = error_object(report, report)
    if has_message(report):  # then `error` only names it
        return msgspec.structs.replace(found, type=found.type or error)
    return msgspec.structs.replace(found, message=error)


def failure_of(base: dict[str, Any]) -> dict[str, Any] | None:
    """Return MiniMax's report of a request if it says that the request failed."""
    return base if base.get("status_code") else None


def is_bare(report: dict[str, Any]) -> bool:
    """Return whether an object that does not call itself an error is one, as frameworks and gateways send it.

    That is an object with a `detail`, or with a message and a code that is not 200.
    """
    status = report.get("status")  # which may also be a word for how things go
    code = any(report.get(name) and report[name] != 200 for name in CODES if name != "status")
    failed = code or (isinstance(status, int) and status >= 400)
    return bool(report.get("detail")) or (
        failed and any(isinstance(report.get(name), str) for name in MESSAGES)
    )


def has_message(report: dict[str, Any]) -> bool:
    return any(isinstance(report.get(name), str) and report[name] for name in MESSAGES)


def error_object(fields: dict[str, Any], report: dict[str, Any]) -> ErrorObject:
    """Take an error from its object; `report` is the object around that."""

    def text(*names: str) -> str | None:
        found = (fields.get(name) for name in names)
        return next((value for value in found if isinstance(value, str) and value), None)

    def code(*names: str) -> str | int | None:
        return next((fields[name] for name in names if isinstance(fields.get(name), str | int)), None)

    message = text(*MESSAGES, "error") or msgspec.json.encode(fields).decode()
    ids = (each.get(name) for each in (fields, report) for name in ("request_id", "requestId"))
    return ErrorObject(
        message=message,
        type=text("type", "status", "error_type"),
        code=code(*CODES),
        param=fields.get("param"),
        failed_generation=text("failed_generation"),
        request_id=next((each for each in ids if isinstance(each, str)), None),
        retry_after=retry_after_in(fields, message) or retry_after_in(report, ""),
    )


MESSAGES = (
    *("message", "detail", "msg", "error_message", "error_msg", "errorMessage", "error_description"),
    *("status_msg", "title"),
)
"""The fields that have an error's message, the better ones first."""
CODES = ("code", "status_code", "statusCode", "error_code", "errorCode", "status")
FIELDS = (b"data:", b"event:", b":", b"id:", b"retry:")
"""How an event stream begins."""
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Every exception that msgspec raises for bytes that are not the JSON it expects."""
SHOWN = 200
"""How many bytes of an event a message shows."""

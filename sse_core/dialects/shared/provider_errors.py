"""Finds the error in whatever a provider sends instead of an answer."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Struct

from ...errors import ApiError, InvalidChunk
from ...events.items import Event
from ...http.response import Response


class ErrorObject(Struct, frozen=True):
    """An error in the provider's own words; a field that it does not have is None."""

    message: str
    type: str | None = None
    code: str | int | None = None
    param: object = None
    failed_generation: str | None = None
    request_id: str | None = None


def find_error(data: bytes, *, any_object: bool = False, explicit: bool = False) -> ErrorObject | None:
    """Return the error that a JSON text reports, or None; see `error_in_value`."""
    try:
        return error_in_value(msgspec.json.decode(data), any_object=any_object, explicit=explicit)
    except NOT_JSON:
        return None


def error_in_value(value: object, *, any_object: bool = False, explicit: bool = False) -> ErrorObject | None:
    """Return the error that a JSON value reports, or None.

    The error is an object or a string under `error`; or an object that says `"object": "error"`, that has a
    `detail`, or a `code` and a `message`; or the first element of an array. With `any_object`, the value is
    known to report an error, so every object is one; with `explicit`, only the first two forms are.
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
    if not error and (any_object or report.get("object") == "error" or (not explicit and is_bare(report))):
        error = report
    if isinstance(error, dict):
        return error_object(cast("dict[str, Any]", error), report)
    if not error:
        return None
    kind = report.get("error_type")
    message = error if isinstance(error, str) else msgspec.json.encode(error).decode()
    return ErrorObject(message, type=kind if isinstance(kind, str) else None)


def is_bare(report: dict[str, Any]) -> bool:
    """Whether an object that does not call itself an error is one, as web frameworks and gateways send it."""
    code = report.get("code")
    return bool(report.get("detail") or (code and code != 200 and isinstance(report.get("message"), str)))


def error_object(fields: dict[str, Any], report: dict[str, Any]) -> ErrorObject:
    """Take an error from its object; `report` is the object around that."""

    def text(*names: str) -> str | None:
        return next((fields[name] for name in names if isinstance(fields.get(name), str)), None)

    def code(*names: str) -> str | int | None:
        return next((fields[name] for name in names if isinstance(fields.get(name), str | int)), None)

    request_id = report.get("request_id")
    return ErrorObject(
        message=text("message", "detail", "error") or msgspec.json.encode(fields).decode(),
        type=text("type", "status", "error_type"),
        code=code("code", "status_code"),
        param=fields.get("param"),
        failed_generation=text("failed_generation"),
        request_id=request_id if isinstance(request_id, str) else None,
    )


NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Every exception that msgspec raises for bytes that are not the JSON it expects."""
SHOWN = 200
"""How many bytes of an event a message shows."""

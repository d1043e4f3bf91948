"""Finding the error in whatever a provider sends instead of an answer."""

from __future__ import annotations

from typing import Any, cast

import msgspec
from msgspec import Struct

from ...errors import ApiError, InvalidChunk
from ...events.items import Event


class ErrorObject(Struct, frozen=True):
    """An error in the provider's own words; None where it has none."""

    message: str
    type: str | None = None
    code: str | int | None = None
    param: object = None
    failed_generation: str | None = None
    request_id: str | None = None


def find_error(data: bytes, *, bare: bool = False, named: bool = False) -> ErrorObject | None:
    """Return the error that a JSON text reports, or None; see `error_of`."""
    try:
        return error_of(msgspec.json.decode(data), bare=bare, named=named)
    except NOT_JSON:
        return None


def error_of(value: object, *, bare: bool = False, named: bool = False) -> ErrorObject | None:
    """Return the error that a JSON value reports, or None.

    It may be under `error`, as an object or as a string, in an object that says
    `"object": "error"`, that has a `detail`, or a `code` and a `message`, or in an array of
    one. With `bare`, the value is known to be about an error, so that any object is one;
    with `named`, only what says that it is an error is one.
    """
    try:
        return reported(value, bare, named)
    except RecursionError:  # from putting it into words, where it is nested very deeply
        return None


def error_in(data: bytes) -> ApiError:
    """Return the error that `data` is known to be about, be it JSON or text."""
    return api_error(find_error(data, bare=True) or ErrorObject(data.decode("utf-8", "replace")), data)


def api_error(error: ErrorObject, raw: bytes) -> ApiError:
    return ApiError(**msgspec.structs.asdict(error), raw=raw)


def invalid_chunk(event: Event, reason: Exception) -> InvalidChunk:
    message = f"{reason}; the data begins with {event.raw[:SHOWN]!r}"
    if b"}\n{" in event.raw:
        message = f"several chunks in one event: something dropped the blank lines between them; {message}"
    return InvalidChunk(message, event.raw)


def reported(value: object, bare: bool, named: bool) -> ErrorObject | None:
    if isinstance(value, list) and value:
        value = cast("list[object]", value)[0]
    if not isinstance(value, dict):
        return None
    report = cast("dict[str, Any]", value)
    error = report.get("error")
    if not error and (bare or report.get("object") == "error" or (not named and is_bare(report))):
        error = report
    if isinstance(error, dict):
        return error_object(cast("dict[str, Any]", error), report)
    if not error:
        return None
    kind = report.get("error_type")
    message = error if isinstance(error, str) else msgspec.json.encode(error).decode()
    return ErrorObject(message, type=kind if isinstance(kind, str) else None)


def is_bare(report: dict[str, Any]) -> bool:
    """Whether an object is an error that does not say so, as web frameworks and gateways send it."""
    code = report.get("code")
    return bool(report.get("detail") or (code and code != 200 and isinstance(report.get("message"), str)))


def error_object(fields: dict[str, Any], report: dict[str, Any]) -> ErrorObject:
    """Name what an error's object says; `report` is what it came in."""

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
"""All that msgspec raises for bytes that are not the JSON it expects."""
SHOWN = 200
"""Bytes of an event that a message shows."""

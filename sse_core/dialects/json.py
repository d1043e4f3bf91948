"""Events whose data is JSON of a type of your own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar, overload

import msgspec

from ..events.items import Event
from ..reading.dialect import Control
from ..reading.request import Request
from .shared.document import DOCUMENT_HEADERS, DocumentDialect
from .shared.fast_dialect import FastDialect, never_ordinary
from .shared.provider_dialect import JSON_HEADERS, is_heartbeat, is_heartbeat_data
from .shared.provider_errors import NOT_JSON, find_error, invalid_chunk
from .shared.typed_events import reported_error

__all__ = ["JSONDialect", "document", "request"]

T = TypeVar("T")


class JSONDialect(FastDialect[T], Generic[T]):
    """Reads each event's data with `decoder`, until the event whose data is `done`.

    If `done` is None, the stream ends with its body. An event of type `error` is an error, and so is data
    that `decoder` refuses and that reports one. An event without data is a keep-alive, and so is a heartbeat
    like a time or a word, if all chunks are objects or arrays.
    """

    special_type = "error"

    def __init__(self, decoder: msgspec.json.Decoder[T], done: bytes | None) -> None:
        self._decode = decoder.decode
        self._done = done
        self.ends_with_body: bool = done is None
        self._takes_scalars = any(is_chunk(scalar, decoder) for scalar in SCALARS)
        done_is_a_chunk = done is not None and is_chunk(done, decoder)
        self.decode_ordinary: Callable[[bytes], T] = never_ordinary if done_is_a_chunk else decoder.decode

    def read_special(self, event: Event) -> T | Control:
        if event.type == self.special_type:
            raise reported_error(event)
        data = event.raw.strip()
        if data == self._done:
            return Control.END
        if not data:
            return Control.PING
        try:
            return self._decode(data)
        except NOT_JSON as exc:
            if find_error(data, explicit=True) is not None:  # the user's own type may have a `detail`
                raise reported_error(event) from None
            if is_heartbeat(event.type) or (is_heartbeat_data(data) and not self._takes_scalars):
                return Control.NOISE
            raise invalid_chunk(event, exc) from exc


SCALARS = (b"null", b"true", b"0", b'""')
"""JSON values that are no object or array, one of each type."""


def as_bytes(done: object) -> bytes | None:
    if not isinstance(done, bytes | str | None):
        raise TypeError(f"done is the data of the end marker, as bytes or str, not {done!r:.100}")
    return done.encode() if isinstance(done, str) else done


def is_chunk(data: bytes, decoder: msgspec.json.Decoder[Any]) -> bool:
    try:
        decoder.decode(data)
    except NOT_JSON:
        return False
    return True


@overload
def request(
    type: type[T],
    path: str = "",
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
    done: bytes | str | None = b"[DONE]",
) -> Request[T]: ...


@overload
def request(
    type: Any,
    path: str = "",
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
    done: bytes | str | None = b"[DONE]",
) -> Request[Any]: ...


def request(
    type: Any,
    path: str = "",
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
    done: bytes | str | None = b"[DONE]",
) -> Request[Any]:
    """Ask for a stream of `type`, any type that msgspec knows, at `path` below the client's base URL.

    `body` is sent as JSON unless it is None. `done` is the data of the end marker; None if the stream
    ends with its body.

    Raises TypeError for a type that msgspec does not know, or a body that JSON has no form for.
    """
    return Request(
        dialect=partial(JSONDialect[Any], msgspec.json.Decoder(type), as_bytes(done)),
        method=method,
        path=path,
        headers=headers if body is None else (*JSON_HEADERS, *headers),
        body=b"" if body is None else msgspec.json.encode(body),
    )


@overload
def document(
    type: type[T],
    path: str = "",
    *,
    method: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
) -> Request[T]: ...


@overload
def document(
    type: Any,
    path: str = "",
    *,
    method: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
) -> Request[Any]: ...


def document(
    type: Any,
    path: str = "",
    *,
    method: str | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
) -> Request[Any]:
    """Ask for one JSON document at `path` below the client's base URL, of any type that msgspec knows.

    `body` is sent as JSON unless it is None. `method` is POST if there is a body, and else GET. No body
    in the answer, as in a 204, is null: `None` is a type as well.

    Raises TypeError for a type that msgspec does not know, or a body that JSON has no form for.
    """
    return Request(
        dialect=partial(DocumentDialect[Any], msgspec.json.Decoder(type).decode),
        method=method or ("GET" if body is None else "POST"),
        path=path,
        headers=(*(() if body is None else JSON_HEADERS), *DOCUMENT_HEADERS, *headers),
        body=b"" if body is None else msgspec.json.encode(body),
    )

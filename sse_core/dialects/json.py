"""Events whose data is JSON of a type of your own."""

from __future__ import annotations

from functools import partial
from typing import Any, Generic, TypeVar, overload

import msgspec

from ..events.items import Event
from ..reading.dialect import Control
from ..reading.request import Request
from .shared.fast_dialect import FastDialect, never_ordinary
from .shared.provider_dialect import JSON_HEADERS
from .shared.provider_errors import NOT_JSON, find_error, invalid_chunk
from .shared.typed_events import reported_error

__all__ = ["JSONDialect", "request"]

T = TypeVar("T")


class JSONDialect(FastDialect[T], Generic[T]):
    """Reads each event's data with `decoder`, until the event whose data is `done`.

    If `done` is None, the stream ends with its body. An event of type `error` is an error, and so is data
    that `decoder` refuses and that reports one. An event without data is a keep-alive.
    """

    special_type = "error"

    def __init__(self, decoder: msgspec.json.Decoder[T], done: bytes | None) -> None:
        self._decode = decoder.decode
        self._done = done
        self.ends_with_body = done is None
        self.decode_ordinary = (
            never_ordinary if done is not None and is_chunk(done, decoder) else decoder.decode
        )

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
            raise invalid_chunk(event, exc) from exc


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
    done: bytes | None = b"[DONE]",
) -> Request[T]: ...


@overload
def request(
    type: Any,
    path: str = "",
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
    done: bytes | None = b"[DONE]",
) -> Request[Any]: ...


def request(
    type: Any,
    path: str = "",
    *,
    method: str = "POST",
    headers: tuple[tuple[str, str], ...] = (),
    body: object = None,
    done: bytes | None = b"[DONE]",
) -> Request[Any]:
    """Ask for a stream of `type`, any type that msgspec knows, at `path` below the client's base URL.

    `body` is sent as JSON unless it is None. `done` is the data of the end marker; None if the stream
    ends with its body.

    Raises TypeError for a type that msgspec does not know, or a body that JSON has no form for.
    """
    return Request(
        dialect=partial(JSONDialect[Any], msgspec.json.Decoder(type), done),
        method=method,
        path=path,
        headers=headers if body is None else (*JSON_HEADERS, *headers),
        body=b"" if body is None else msgspec.json.encode(body),
    )

"""Events whose data is JSON of a type of your own."""

from __future__ import annotations

from functools import partial
from typing import Any, Generic, TypeVar, overload

import msgspec

from ..events.items import Event
from ..reading.dialect import Mark
from ..reading.request import Request
from .shared.fast_dialect import PlainDialect, refused
from .shared.provider_dialect import JSON
from .shared.provider_errors import NOT_JSON, find_error, invalid_chunk
from .shared.typed_events import reported_error

__all__ = ["JSONDialect", "request"]

T = TypeVar("T")


class JSONDialect(PlainDialect[T], Generic[T], keeps_short_way=True):
    """Reads each event's data with `decoder`, until one whose data is `done`, or until the body ends.

    `event: error` is an error, and so is data that `decoder` refuses but that reports one.
    Events without data are keep-alives.
    """

    special_type = "error"

    def __init__(self, decoder: msgspec.json.Decoder[T], done: bytes | None) -> None:
        self._decode = decoder.decode
        self._done = done
        self.ends_with_body = done is None
        self.plain = refused if done is not None and is_chunk(done, decoder) else decoder.decode

    def read(self, event: Event) -> T | Mark:
        if event.type == "error":
            raise reported_error(event)
        plain = self.plain  # as in TaggedDialect
        try:
            return plain(event.raw)
        except NOT_JSON:
            return self._read_special(event)

    def _read_special(self, event: Event) -> T | Mark:
        data = event.raw.strip()
        if data == self._done:
            return Mark.END
        if not data:
            return Mark.PING
        try:
            return self._decode(data)
        except NOT_JSON as exc:
            if find_error(data, named=True) is not None:  # for a type of the user's may have a `detail`
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
    """Ask for a stream of `type`, which is any that msgspec knows, at `path` below the client's base URL.

    `body` is sent as JSON unless it is None. `done` is the data of the event behind the last,
    or None if the stream ends with its body.

    Raises TypeError for a type that msgspec does not know, or a body that JSON has no form for.
    """
    return Request(
        dialect=partial(JSONDialect[Any], msgspec.json.Decoder(type), done),
        method=method,
        path=path,
        headers=headers if body is None else (*JSON, *headers),
        body=b"" if body is None else msgspec.json.encode(body),
    )

"""The exchange's vectors: HTTP/1.1 responses, and what a client must make of them.

As with the decoder's, a vector says nothing about how the response is cut into pieces:
`chunkings` of `vectors` supplies the cuts, and `complaint` says what went wrong under one of them.

    for vector in load():
        for pieces in chunkings(vector.octets, seed=1):
            exchange = Exchange(vector.method, "/", [("Host", "localhost")])
            assert complaint(exchange, vector, pieces) is None
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sse_core import Exchange
from sse_core.testing.vectors import json_schema, octets_of, printed, read_folder, spec_folder

__all__ = ["ErrorName", "ExchangeVector", "complaint", "load", "schema", "vectors_folder"]

ErrorName = Literal["ConnectionFailed", "ProtocolError", "BodyTruncated"]
"""The classes of `sse_core` that a response can end in."""


class ExchangeVector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A response to one request, and all that a client must make of it.

    The response is text in `stream`, or bytes in `stream_hex` when it is not valid UTF-8; with
    `closed`, the connection ends behind it. `status` is null where no head may come out, `headers`
    has some of its fields, and `body` or `body_hex` is what must be delivered, before an error too.
    `ended` says that the body has come to its end, and `error` which error there must be.
    """

    name: Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
    why: str
    clause: Annotated[str, Meta(pattern=r"^RFC 911[02], [0-9]+(\.[0-9]+)*$")]
    status: int | None
    ended: bool
    method: str = "GET"
    stream: str | UnsetType = UNSET
    stream_hex: str | UnsetType = UNSET
    closed: bool = False
    headers: dict[str, str] = {}
    body: str | UnsetType = UNSET
    body_hex: str | UnsetType = UNSET
    error: ErrorName | None = None

    def __post_init__(self) -> None:
        _ = self.octets, self.content
        if self.ended and self.error is not None:
            raise ValueError(f"{self.name}: a response ends well or in an error, not both")

    @property
    def octets(self) -> bytes:
        """The response as it goes over the wire."""
        return octets_of(self.name, "stream", self.stream, self.stream_hex)

    @property
    def content(self) -> bytes:
        """The body without its framing."""
        if self.body is UNSET and self.body_hex is UNSET:
            return b""
        return octets_of(self.name, "body", self.body, self.body_hex)


def load(folder: Path | None = None) -> list[ExchangeVector]:
    """All vectors of a folder, by default those of this project; the errors are those of `vectors.load`."""
    return read_folder(folder or vectors_folder(), list[ExchangeVector])


def vectors_folder() -> Path:
    """Where this project's vectors are: in the installed package, or in `spec` beside its source."""
    return spec_folder("exchange")


def complaint(exchange: Exchange, vector: ExchangeVector, pieces: Iterable[bytes]) -> str | None:
    """What a fresh exchange gets wrong on a vector's response in these pieces; None if nothing.

    Empty pieces are left out, for they would say that the connection has ended.
    """
    body = b"".join(map(exchange.receive, filter(None, pieces)))
    if vector.closed:
        body += exchange.receive(b"")
    response, error = exchange.response, exchange.error

    found = (response and response.status, body, exchange.ended, error and type(error).__name__)
    expected = (vector.status, vector.content, vector.ended, vector.error)
    if found != expected:
        return f"status, body, end and error {found}, not {expected}"
    wrong = {name: response and response.header(name) for name in vector.headers}
    return None if wrong == vector.headers else f"headers {wrong}, not {vector.headers}"


def schema() -> str:
    """The JSON Schema of a vector file, as `spec/exchange/schema.json` has it."""
    document = json_schema("Vectors for a client that receives HTTP/1.1 responses", list[ExchangeVector])
    # What __post_init__ checks, said in JSON Schema as far as it can be.
    definition = document["$defs"]["ExchangeVector"]
    definition["oneOf"] = [{"required": ["stream"]}, {"required": ["stream_hex"]}]
    definition["not"] = {"required": ["body", "body_hex"]}
    return printed(document)

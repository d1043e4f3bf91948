"""The decoder's vectors: what they are, how to load them, how to hold a decoder against them.

A vector is a stream and what comes of it. It says nothing about how the stream is cut into
pieces, because the answer may not depend on it: `chunkings` supplies the cuts, and `complaint`
says what a decoder got wrong under one of them.

    for vector in load():
        for chunks in chunkings(vector.octets, seed=1):
            assert complaint(ReferenceDecoder(), vector, chunks) is None
"""

from __future__ import annotations

import atexit
import inspect
import random
import tarfile
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated, Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sse_core.testing.reference import ReferenceDecoder

__all__ = [
    "Clause",
    "DecodedEvent",
    "Decoder",
    "EndReport",
    "ExpectedEvent",
    "Vector",
    "chunkings",
    "complaint",
    "json_schema",
    "load",
    "octets_of",
    "printed",
    "prompt_positions",
    "read_folder",
    "schema",
    "spec_folder",
    "vectors_folder",
]


Clause = Literal[
    "9.2.5 byte order mark",
    "9.2.5 line endings",
    "9.2.5 comments",
    "9.2.6 UTF-8 decoding",
    "9.2.6 field parsing",
    "9.2.6 event field",
    "9.2.6 data field",
    "9.2.6 id field",
    "9.2.6 retry field",
    "9.2.6 unknown fields",
    "9.2.6 dispatch",
    "9.2.6 end of stream",
]
"""The sections of the WHATWG HTML standard that a vector can be about."""


class ExpectedEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event that must come out, as text.

    `raw_hex` gives the undecoded data, and is there only when that is not the UTF-8 form of `data`.
    """

    data: str
    type: str = "message"
    last_event_id: str = ""
    raw_hex: str | UnsetType = UNSET

    @property
    def raw(self) -> bytes:
        """The data before UTF-8 decoding."""
        return self.data.encode() if self.raw_hex is UNSET else bytes.fromhex(self.raw_hex)


class Vector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stream, and all that a decoder must make of it.

    The stream is text in `stream`, or bytes in `stream_hex` when it is not valid UTF-8.
    `last_event_id`, `reconnection_time` (milliseconds, null if never set) and `dropped` (bytes of
    the block that no blank line finished, a line end being one) are what stands once
    the stream has ended. `from` names the public thread or test that a case was learnt from.
    """

    name: Annotated[str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$")]
    why: str
    clause: Clause
    events: list[ExpectedEvent]
    stream: str | UnsetType = UNSET
    stream_hex: str | UnsetType = UNSET
    last_event_id: str = ""
    reconnection_time: Annotated[int, Meta(ge=0)] | None = None
    dropped: Annotated[int, Meta(ge=0)] = 0
    learnt_from: str | UnsetType = msgspec.field(default=UNSET, name="from")

    def __post_init__(self) -> None:
        _ = self.octets

    @property
    def octets(self) -> bytes:
        """The stream as it goes over the wire."""
        return octets_of(self.name, "stream", self.stream, self.stream_hex)


class DecodedEvent(Protocol):
    """What is looked at in an event."""

    @property
    def type(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def last_event_id(self) -> str: ...
    @property
    def raw(self) -> bytes: ...


class EndReport(Protocol):
    """What is looked at in the report on the end of the stream.

    It may also have `events`. Nothing may be dispatched at the end of a stream, so they are
    wrong; but a decoder that does it has to put them somewhere to be told.
    """

    @property
    def dropped(self) -> int: ...


class Decoder(Protocol):
    """What a decoder has to offer to be checked."""

    @property
    def last_event_id(self) -> str: ...
    @property
    def reconnection_time(self) -> int | None: ...
    def feed(self, data: bytes, /) -> Sequence[DecodedEvent]: ...
    def eof(self) -> EndReport: ...


def load(folder: Path | None = None) -> list[Vector]:
    """All vectors of a folder, file by file in order of their names; by default those of this project.

    FileNotFoundError: there is no vector file. msgspec.ValidationError: a file is not what the
    schema says; the message names the file and the place in it.
    """
    return read_folder(folder or vectors_folder(), list[Vector])


def vectors_folder() -> Path:
    """Where this project's vectors are: in the installed package, or in `spec` beside its source."""
    return spec_folder("decoder")


def chunkings(stream: bytes, seed: int) -> Iterator[list[bytes]]:
    """Ways to cut a stream: whole, byte by byte, every cut in two, and some at random.

    Half of the random ones have empty chunks strewn in. The same seed gives the same cuts.
    """
    yield [stream]
    yield [stream[at : at + 1] for at in range(len(stream))]
    for at in range(1, len(stream)):
        yield [stream[:at], stream[at:]]
    dice = random.Random(seed)
    inside = range(1, len(stream))
    for _ in range(RANDOM_PAIRS):
        cuts = sorted(dice.sample(inside, dice.randint(0, min(len(inside), 8))))
        pieces = [stream[start:stop] for start, stop in pairwise([0, *cuts, len(stream)])]
        yield pieces
        yield [b"", *(part for piece in pieces for part in (piece, *[b""] * dice.randint(0, 2)))]


def prompt_positions(stream: bytes) -> list[int]:
    """For every event, the offset of the byte that completes it, as the reference sees it.

    A decoder that has been given the stream up to and including that byte owes the event.
    """
    decoder = ReferenceDecoder()
    return [offset for offset in range(len(stream)) for _ in decoder.feed(stream[offset : offset + 1])]


def complaint(decoder: Decoder, vector: Vector, chunks: Sequence[bytes]) -> str | None:
    """What a fresh decoder gets wrong on a vector's stream in these chunks; None if nothing.

    Looks at the events and at when each came out, at the last event ID and the reconnection time,
    and at what the end of the stream cut off.
    """
    due = _due(vector.octets)
    events: list[DecodedEvent] = []
    received = 0
    for chunk in chunks:
        events += decoder.feed(chunk)
        received += len(chunk)
        owed = sum(position < received for position in due)
        if len(events) != owed:
            return f"{len(events)} events after {received} bytes, which hold {owed}"
    report = decoder.eof()
    events += getattr(report, "events", ())

    found = [(event.type, event.data, event.last_event_id, event.raw) for event in events]
    expected = [(event.type, event.data, event.last_event_id, event.raw) for event in vector.events]
    if found != expected:
        return f"events {found}, not {expected}"
    if decoder.last_event_id != vector.last_event_id:
        return f"last event ID {decoder.last_event_id!r}, not {vector.last_event_id!r}"
    if decoder.reconnection_time != vector.reconnection_time:
        return f"reconnection time {decoder.reconnection_time}, not {vector.reconnection_time}"
    if report.dropped != vector.dropped:
        return f"{report.dropped} bytes dropped, not {vector.dropped}"
    return None


def schema() -> str:
    """The JSON Schema of a vector file, as `spec/decoder/schema.json` has it."""
    document = json_schema("Vectors for a decoder of event streams", list[Vector])
    # What Vector.__post_init__ checks, said in JSON Schema as far as it can be.
    document["$defs"]["Vector"]["oneOf"] = [{"required": ["stream"]}, {"required": ["stream_hex"]}]
    return printed(document)


# What vectors of any kind have in common.

T = TypeVar("T", bound=msgspec.Struct)


def spec_folder(subject: str) -> Path:
    """Where the vectors on a subject are: beside the source, or unpacked from the installed archive."""
    return (unpacked(ARCHIVE) if ARCHIVE.is_file() else Path(__file__).parents[2] / "spec") / subject


@cache
def unpacked(archive: Path) -> Path:
    """Unpack an archive of ours into a folder that is there as long as the process, and return it."""
    folder = Path(mkdtemp(prefix="sse-core-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    with tarfile.open(archive) as tar:
        for member in tar:
            path, content = folder / member.name, tar.extractfile(member)
            assert content is not None  # for they are all files
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())
    return folder


def read_folder(folder: Path, kind: type[list[T]]) -> list[T]:
    """All vectors of a folder, file by file in order of their names; the errors are those of `load`."""
    files = sorted(path for path in folder.glob("*.json") if path.name != "schema.json")
    if not files:
        raise FileNotFoundError(f"no vectors in {folder}")
    decoder = msgspec.json.Decoder(kind)
    vectors: list[T] = []
    for path in files:
        try:
            vectors += decoder.decode(path.read_bytes())
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(f"{path.name}: {error}") from error
    return vectors


def octets_of(name: str, what: str, text: str | UnsetType, hexadecimal: str | UnsetType) -> bytes:
    """What a vector gives as text or, only if not UTF-8, in hexadecimal; anything else is a ValueError."""
    if text is not UNSET and hexadecimal is UNSET:
        return text.encode()
    if text is not UNSET or hexadecimal is UNSET:
        raise ValueError(f"{name}: give either {what} or {what}_hex")
    octets = bytes.fromhex(hexadecimal)
    try:
        octets.decode()
    except UnicodeDecodeError:
        return octets
    raise ValueError(f"{name}: this {what} is valid UTF-8, so give it as text")


def json_schema(title: str, kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a file of vectors, as a document that may be added to."""
    document: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(kind),
    }
    for definition in document["$defs"].values():
        definition["description"] = inspect.cleandoc(definition["description"])
    return document


def printed(document: dict[str, Any]) -> str:
    """A JSON document as a file in `spec` has it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


@cache
def _due(stream: bytes) -> tuple[int, ...]:
    return tuple(prompt_positions(stream))


RANDOM_PAIRS = 6
ARCHIVE = Path(__file__).with_name("spec.tar.gz")
"""What `hatch_build.py` has packed; only an installed package has it."""

"""Ring 2: content codings, alone and in the lives of sessions."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from random import Random
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given

from sse_core import (
    ApiError,
    BodyTruncated,
    Deliver,
    Done,
    EventDecoder,
    Failed,
    Limits,
    ProtocolError,
    Reason,
    Receive,
    Received,
    Release,
    State,
    StatusError,
    StreamClosed,
    StreamIncomplete,
    UnsupportedCoding,
    Verdict,
    Yield,
)
from sse_core.dialects import events
from support.core import DONE, ERROR, FINISH, Life, answer, cut_at, cuts, framed, places, say, unhurried
from support.counting import measured_memory

MODULE: Any = import_module("sse_core.http.codings")
brotli: Any = import_module("brotli")
zstd: Any = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
Pieces = list[bytes]


# What servers do: each returns what it sends for each of `data`, flushed, and then what ends the stream.


def deflated(data: Pieces, wbits: int) -> Pieces:
    compressor = zlib.compressobj(wbits=wbits)
    sent = [compressor.compress(each) + compressor.flush(zlib.Z_SYNC_FLUSH) for each in data]
    return [*sent, compressor.flush()]


def with_gzip(data: Pieces) -> Pieces:
    return deflated(data, 31)


def with_members(data: Pieces) -> Pieces:
    """Each of `data` in a member of its own (RFC 1952, 2.2)."""
    return [*map(gzip.compress, data), b""]


def with_zlib(data: Pieces) -> Pieces:
    return deflated(data, 15)


def without_frame(data: Pieces) -> Pieces:
    return deflated(data, -15)


def with_brotli(data: Pieces) -> Pieces:
    compressor = brotli.Compressor()
    return [*(compressor.process(each) + compressor.flush() for each in data), compressor.finish()]


def with_zstd(data: Pieces) -> Pieces:
    compressor = zstd.ZstdCompressor()
    return [*(compressor.compress(each, compressor.FLUSH_BLOCK) for each in data), compressor.flush()]


def with_frames(data: Pieces) -> Pieces:
    return [*map(zstd.compress, data), b""]


def twice(data: Pieces) -> Pieces:
    return with_gzip(with_gzip(data))


def three_times(data: Pieces) -> Pieces:
    return with_zstd(with_brotli(with_zlib(data)))


SERVERS: dict[str, tuple[str, Callable[[Pieces], Pieces]]] = {
    "gzip": ("gzip", with_gzip),
    "x-gzip": ("X-GZip", with_gzip),
    "members": ("gzip", with_members),
    "deflate": ("deflate", with_zlib),
    "raw deflate": ("deflate", without_frame),
    "br": ("br", with_brotli),
    "zstd": ("zstd", with_zstd),
    "frames": ("zstd", with_frames),
    "twice": ("gzip, identity,,gzip", twice),
    "three times": ("deflate, br ,zstd", three_times),
}
every_server = pytest.mark.parametrize(("name", "server"), SERVERS.values(), ids=SERVERS)
SAID = [say("Hel"), b": ping\n\n", say("lo"), FINISH, DONE]
STREAM = "Content-Type: text/event-stream"
LIMIT = Limits().max_expansion


def decoder_of(value: str, max_expansion: int = LIMIT) -> Any:
    decoding = MODULE.content_decoder(value, max_expansion)
    assert decoding is not None
    return decoding


def drained(decoding: Any, data: bytes) -> Pieces:
    """Every step of what `data` brings."""
    steps = [decoding.decode(data)]
    while decoding.pending:
        steps.append(decoding.decode())
    return steps


def decoded(decoding: Any, *data: bytes) -> bytes:
    return b"".join(step for each in data for step in drained(decoding, each))


def head(coding: str) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\n{STREAM}\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ).encode()


# Any coding.


@every_server
def test_what_is_flushed_comes_out_with_its_last_byte(name: str, server: Callable[[Pieces], Pieces]) -> None:
    decoding, decoder = decoder_of(name), EventDecoder()
    *flushed, end = server([b"data: %d\n\n" % number for number in range(50)])[:51]
    for number, sent in enumerate(flushed):
        assert [event.data for event in decoder.feed(decoded(decoding, sent))] == [str(number)]
    assert decoded(decoding, end) == b""
    assert decoding.error is None


@every_server
def test_however_it_is_cut_it_is_the_same(name: str, server: Callable[[Pieces], Pieces]) -> None:
    whole = b"".join(server(SAID))
    for pieces in cuts(whole):
        decoding = decoder_of(name)
        assert decoded(decoding, *pieces) == b"".join(SAID)
        assert decoding.ended and decoding.error is None


@every_server
@unhurried
@given(places=places)
def test_however_a_response_is_cut_its_chunks_are_the_same(
    name: str, server: Callable[[Pieces], Pieces], places: list[int]
) -> None:
    whole = head(name) + framed(*filter(None, server(SAID[:-1]))) + b"0\r\n\r\n"
    life = Life().ask().receive(*filter(None, cut_at(whole, places)))
    assert life.ended_well(Verdict.FINISHED).text == "Hello"


@every_server
def test_a_body_that_is_cut_has_not_ended(name: str, server: Callable[[Pieces], Pieces]) -> None:
    whole = b"".join(server([b"data: 1\n\n"]))
    decoding = decoder_of(name)
    for byte in whole[:-1]:
        decoded(decoding, bytes([byte]))
        assert not decoding.ended and decoding.error is None
    decoded(decoding, whole[-1:])
    assert decoding.ended


@every_server
def test_what_is_not_so_coded_is_an_error(name: str, server: Callable[[Pieces], Pieces]) -> None:
    for noise in (b"\xff" * 40, b"data: not compressed\n\n" * 3):
        decoding = decoder_of(name)
        assert decoded(decoding, noise) == b""
        assert isinstance(decoding.error, ProtocolError)
        assert f"its coding, {name.lower().split(',')[-1].strip().removeprefix('x-')}," in str(decoding.error)
        assert drained(decoding, b"".join(server(SAID))) == [b""]


@every_server
def test_what_comes_behind_the_end_is_an_error(name: str, server: Callable[[Pieces], Pieces]) -> None:
    decoding = decoder_of(name)
    assert decoded(decoding, *server(SAID)) == b"".join(SAID)
    assert decoded(decoding, b"garbage!") == b""
    assert isinstance(decoding.error, ProtocolError)


@pytest.mark.parametrize(("name", "server"), [("gzip", with_gzip), ("deflate", with_zlib)])
@pytest.mark.parametrize("end", [b"\x00" * 8, b"\xff" * 8])
def test_nothing_is_lost_to_a_wrong_checksum(
    name: str, server: Callable[[Pieces], Pieces], end: bytes
) -> None:
    broken = b"".join(server(SAID))[:-8] + end
    for pieces in cuts(broken):
        decoding = decoder_of(name)
        assert decoded(decoding, *pieces) == b"".join(SAID)
        assert isinstance(decoding.error, ProtocolError) and not decoding.pending


def test_nothing_is_lost_to_garbage_behind_the_end() -> None:
    for name in ("gzip", "deflate", "zstd"):
        decoding = decoder_of(name)
        server = SERVERS[name][1]
        assert decoded(decoding, b"".join(server(SAID)) + b"garbage!") == b"".join(SAID)
        assert isinstance(decoding.error, ProtocolError)
    assert decoder_of("deflate").ended


def test_zstd_with_a_window_over_eight_mebibytes_is_refused() -> None:
    """RFC 9659, 3."""
    options = {zstd.CompressionParameter.window_log: 24}
    compressor = zstd.ZstdCompressor(options=options)
    decoding = decoder_of("zstd")
    assert decoded(decoding, compressor.compress(SAID[0]) + compressor.flush(compressor.FLUSH_BLOCK)) == b""
    assert "window" in str(decoding.error) or "memory" in str(decoding.error)


# Which codings.


REGISTERED = [
    *("aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "identity", "pack200-gzip"),
    *("x-compress", "x-gzip", "zstd"),
]


def test_names_are_registered_or_not() -> None:
    """D3: IANA's registry of content codings."""
    assert [name for name in REGISTERED if not MODULE.is_registered(name)] == ["identity"]
    assert not any(map(MODULE.is_registered, ("rot13", "utf-8", "none", "GZIP")))


@pytest.mark.parametrize("value", ["utf-8", "none", "rot13, x", "text/event-stream"])
def test_leniently_a_name_that_is_not_registered_is_no_coding(value: str) -> None:
    """D3."""
    assert MODULE.content_decoder(value, LIMIT, lenient=True) is None
    decoder = MODULE.content_decoder(f"gzip, {value}", LIMIT, lenient=True)
    assert decoded(decoder, gzip.compress(b"hello")) == b"hello"


def test_leniently_a_registered_one_is_refused_all_the_same() -> None:
    with pytest.raises(UnsupportedCoding, match="unsupported content coding: 'compress'"):
        MODULE.content_decoder("compress", LIMIT, lenient=True)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_leniently_a_body_that_is_not_coded_is_given_as_it_is(name: str) -> None:
    """D3: a proxy may undo a coding and leave its name there."""
    pieces = [SAID[0], b"", SAID[1], b"".join(SAID[2:])]
    decoder = MODULE.content_decoder(name, LIMIT, lenient=True)
    assert decoded(decoder, *pieces) == b"".join(SAID)
    assert decoder.ended and decoder.error is None and not decoder.pending


def test_leniently_too_much_is_an_error_and_so_is_what_breaks_later() -> None:
    bomb = gzip.compress(b"\0" * 2**26)
    for name, body, begins in (
        ("gzip", bomb, b"\0"),
        ("gzip, gzip", gzip.compress(bomb), b"\0"),
        ("gzip", gzip.compress(SAID[0]) + b"garbage", SAID[0]),
        ("gzip, gzip", gzip.compress(SAID[0]), b""),
    ):
        decoder = MODULE.content_decoder(name, 2, lenient=True)
        came = decoded(decoder, body)
        assert came.startswith(begins) and came != body
        assert isinstance(decoder.error, ProtocolError)
    long = MODULE.content_decoder("gzip", LIMIT, lenient=True)
    members = gzip.compress(b"") * 1000
    assert decoded(long, members, b"garbage") == b""
    assert isinstance(long.error, ProtocolError), "more came than is kept for this"


@pytest.mark.parametrize("value", [None, "", "identity", " Identity , identity", ","])
def test_where_there_is_no_coding_there_is_nothing_to_decode(value: str | None) -> None:
    assert MODULE.content_decoder(value, LIMIT) is None


@pytest.mark.parametrize("value", ["compress", "gzip, rot13", "gzip;q=1", "x" * 1000])
def test_an_unknown_coding_is_named(value: str) -> None:
    with pytest.raises(UnsupportedCoding, match=r"un(known|supported) content coding: '") as caught:
        MODULE.content_decoder(value, LIMIT)
    assert value.split(", ")[-1][:50] in str(caught.value) and len(str(caught.value)) < 120


def test_there_are_at_most_three_layers() -> None:
    with pytest.raises(UnsupportedCoding, match="more than 3 content codings"):
        MODULE.content_decoder("gzip, gzip, gzip, gzip", LIMIT)


@pytest.mark.parametrize("name", ["br", "zstd"])
def test_a_library_that_is_not_installed_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("brotli", "compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    life = Life().ask().receive(head(f"gzip, {name}"))
    assert isinstance(life.action, Release)
    error = life.ended(Verdict.REFUSED, UnsupportedCoding)
    assert f"the content coding '{name}': to decode it, install sse-core[{name}]" in str(error)
    body = answer(b"any", f"Content-Encoding: {name}", status="500 Oops")
    assert Life().ask().receive(body).ended(Verdict.REFUSED, StatusError).body == b"any"


def test_a_brotli_that_knows_no_limits_will_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    old: Any = ModuleType("brotli")
    old.Decompressor = object
    monkeypatch.setitem(sys.modules, "brotli", old)
    with pytest.raises(UnsupportedCoding, match=r"install sse-core\[br\]"):
        decoder_of("br")


# Limits.


@pytest.mark.parametrize(
    ("name", "compress", "reader"),
    [
        ("gzip", gzip.compress, lambda: zlib.decompressobj(31).decompress),
        ("deflate", zlib.compress, lambda: zlib.decompressobj().decompress),
        ("br", brotli.compress, lambda: brotli.Decompressor().process),
        ("zstd", zstd.compress, lambda: zstd.ZstdDecompressor().decompress),
    ],
)
@pytest.mark.parametrize("more", [0, 1, 100])
def test_what_fills_one_step_is_followed_by_the_rest(
    name: str, compress: Callable[[bytes], bytes], reader: Callable[[], Callable[[bytes], bytes]], more: int
) -> None:
    """All is given that a part of a body decodes to, also if that is exactly one step."""
    whole = compress(b"a" * (MODULE.OUTPUT_STEP + more))
    for size in range(1, len(whole) + 1):
        assert decoded(decoder_of(name), whole[:size]) == reader()(whole[:size])


def test_the_shortest_body_has_two_bytes() -> None:
    decoding = decoder_of("deflate")
    assert decoded(decoding, b"\x03\x00") == b""
    assert decoding.ended and decoding.error is None


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_body_that_expands_less_than_the_limit_may_be_large(in_pieces: bool) -> None:
    data = b"".join(say(str(number)) for number in range(MODULE.FREE_OUTPUT // 40))
    coded = gzip.compress(data)
    assert MODULE.FREE_OUTPUT < len(data) < 30 * len(coded)
    decoding = decoder_of("gzip", 30)
    assert decoded(decoding, *cut_at(coded, range(0, len(coded), 1000) if in_pieces else [])) == data
    assert decoding.ended and decoding.error is None


BOMBS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "br": ("br", lambda data: brotli.compress(data, quality=5)),
    "zstd": ("zstd", zstd.compress),
    "gzip twice": ("gzip, gzip", lambda data: gzip.compress(gzip.compress(data))),
}


@pytest.mark.parametrize(("name", "compress"), BOMBS.values(), ids=BOMBS)
def test_a_bomb_goes_off_in_steps_and_not_for_long(name: str, compress: Callable[[bytes], bytes]) -> None:
    bomb = compress(b"\0" * 2**26)
    decoding = decoder_of(name)
    with measured_memory() as memory:
        size = len(decoding.decode(bomb))
        while decoding.pending:
            size += len(decoding.decode())
    assert memory.most < 4 * MODULE.OUTPUT_STEP + len(bomb) + 2**17
    assert size <= MODULE.FREE_OUTPUT + LIMIT * len(bomb) < 2**26
    assert "expands to more than 1000 times its size" in str(decoding.error)


# A1: like urllib3's CVE-2025-66418 and CVE-2025-66471. What is counted is the same on every machine.


def empty(member: bytes) -> bytes:
    return member * 60_000


NOTHING: dict[str, tuple[str, bytes]] = {
    "members": ("gzip, gzip", gzip.compress(empty(gzip.compress(b"")))),
    "three times": ("gzip, gzip, gzip", gzip.compress(gzip.compress(empty(gzip.compress(b""))))),
    "frames": ("zstd, gzip", gzip.compress(empty(zstd.compress(b"")))),
    "frames to skip": ("zstd, gzip", gzip.compress(empty(b"\x50\x2a\x4d\x18\0\0\0\0"))),
    "blocks": ("deflate, gzip", gzip.compress(b"\x78\x9c" + empty(b"\0\0\0\xff\xff"))),
    "a long name": ("gzip, gzip", gzip.compress(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03" + b"a" * 2**23)),
}
"""Much that brings nothing, in a few kilobytes."""


class Counting:
    """Counts what every decompressor does in a step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = self.taken = self.given = 0
        original = MODULE.DecodingLayer._decompress

        def decompress(layer: Any, data: bytes, limit: int) -> bytes:
            piece: bytes = original(layer, data, limit)
            self.calls += 1
            self.taken += len(data)
            self.given += len(piece)
            return piece

        monkeypatch.setattr(MODULE.DecodingLayer, "_decompress", decompress)

    def step(self, decoder: Any, data: bytes = b"") -> bytes:
        """Take a step, and check what it took."""
        self.calls = self.taken = self.given = 0
        piece: bytes = decoder.decode(data)
        last = 3 * (MODULE.INPUT_STEP + MODULE.OUTPUT_STEP)  # one call of each layer may go beyond
        assert self.taken + self.given <= MODULE.STEP_WORK + last
        assert self.calls <= MODULE.STEP_WORK / MODULE.CALL_COST + 3
        return piece


@pytest.mark.parametrize(("name", "body"), NOTHING.values(), ids=NOTHING)
def test_a_step_is_bounded_though_nothing_comes_of_it(
    name: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, decoder = Counting(monkeypatch), decoder_of(name)
    assert count.step(decoder, body) == b""
    assert decoder.pending
    steps = 1
    while decoder.pending:
        assert count.step(decoder) == b""
        steps += 1
    assert 1 < steps < 5000


@pytest.mark.parametrize("name", BOMBS)
def test_a_step_is_bounded_whatever_comes_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, compress = BOMBS[name]
    count, decoder = Counting(monkeypatch), decoder_of(value)
    count.step(decoder, compress(b"\0" * 2**24))
    while decoder.pending:
        count.step(decoder)


def test_members_count_in_the_expansion() -> None:
    decoder = decoder_of("gzip, gzip", 10)
    assert decoded(decoder, gzip.compress(empty(gzip.compress(b"")))) == b""
    assert "expands" in str(decoder.error)


def test_what_was_received_before_does_not_pay_for_a_bomb() -> None:
    """Of a stream that has brought much, a kilobyte is no more dangerous than at its start."""
    noise = Random(0).randbytes(2**18)
    decoder = decoder_of("gzip", 100)
    assert decoded(decoder, *with_members([noise] * 20)) == noise * 20
    bomb = gzip.compress(b"\0" * 2**23)
    assert len(decoded(decoder, bomb)) <= MODULE.FREE_OUTPUT + 100 * len(bomb)
    assert "expands" in str(decoder.error)


def test_what_is_still_to_be_decoded_is_paid_for() -> None:
    """However few steps are taken between two reads."""
    noise = Random(0).randbytes(2**21)
    whole, decoder = zlib.compress(noise, 0), decoder_of("deflate", 1)
    body = b"".join(decoder.decode(whole[at : at + 2**18]) for at in range(0, len(whole), 2**18))
    assert decoder.pending
    assert body + decoded(decoder, b"") == noise and decoder.error is None


def test_an_inner_layer_that_gives_nothing_is_counted_too() -> None:
    empty = gzip.compress(b"") * 200_000
    decoding = decoder_of("gzip, gzip", 10)
    assert decoded(decoding, gzip.compress(empty)) == b""
    assert "expands" in str(decoding.error)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_what_expands_much_but_to_little_is_decoded(name: str) -> None:
    data = b"\0" * MODULE.FREE_OUTPUT
    decoding = decoder_of(name, 1)
    assert decoded(decoding, BOMBS[name][1](data)) == data
    assert decoding.ended and decoding.error is None


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd", "gzip twice"])
@pytest.mark.parametrize("size", [2**16 - 1, 2**16, 2**16 + 1, 2**17])
def test_a_step_has_about_its_size(name: str, size: int) -> None:
    value, compress = BOMBS[name]
    decoding = decoder_of(value)
    steps = drained(decoding, compress(b"x" * size))
    assert b"".join(steps) == b"x" * size and decoding.ended
    assert max(map(len, steps)) < 2 * MODULE.OUTPUT_STEP


def test_many_members_in_one_piece_take_linear_time() -> None:
    members = gzip.compress(b"x") * 50_000
    assert decoded(decoder_of("gzip"), members) == b"x" * 50_000


# In the lives of sessions.


def test_a_life_with_gzip() -> None:
    hello, *rest = with_gzip([say("Hel"), say("lo"), FINISH, DONE])
    life = Life().ask()
    assert life.then(Received(head("gzip"))) == Deliver([])
    assert isinstance(life.then(Done()), Receive)
    assert isinstance(life.then(Received(framed(hello))), Deliver)
    assert life.text == "Hel"
    life.then(Done())
    life.receive(framed(*rest)).ended_well(Verdict.COMPLETE)
    assert life.text == "Hello"


def test_a_deliver_may_follow_a_deliver() -> None:
    number = 3 * MODULE.OUTPUT_STEP // len(b"data: 1000\n\n")
    body = gzip.compress(b"".join(b"data: %d\n\n" % each for each in range(number)))
    life = Life(request=events.request()).ask()
    life.then(Received(answer(body, STREAM, "Content-Encoding: gzip")))
    assert 1000 < len(life.chunks) < number
    assert isinstance(life.then(Done()), Deliver)
    while isinstance(life.action, Deliver):
        life.then(Done())
    life.ended_well(Verdict.FINISHED)
    assert [event.data for event in life.chunks] == [str(each) for each in range(number)]
    assert (
        max(len(action.chunks) for action in life.actions if isinstance(action, Deliver))
        < MODULE.OUTPUT_STEP / 8
    )


def test_a_step_without_an_event_is_passed_over() -> None:
    body = b":" * (3 * MODULE.OUTPUT_STEP) + b"\n" + say("a") + DONE
    life = Life().ask().receive(head("gzip"))
    life.then(Received(framed(gzip.compress(body))))
    while isinstance(life.action, Yield):
        life.then(Done())
    assert isinstance(life.action, Deliver) and life.text == "a"
    life.then(Done())
    life.ended_well(Verdict.COMPLETE)


def test_what_ends_the_stream_in_one_step_leaves_the_rest() -> None:
    life = Life().ask().receive(head("gzip"))
    life.then(Received(framed(gzip.compress(DONE + b":" * 3 * MODULE.OUTPUT_STEP))))
    assert isinstance(life.action, Release)
    life.ended_well(Verdict.COMPLETE)


def test_leaving_between_two_steps() -> None:
    life = Life().ask()
    life.then(Received(head("gzip") + framed(gzip.compress(say("a") * MODULE.OUTPUT_STEP))))
    assert life.state is State.DELIVERING
    assert isinstance(life.then(Failed(Reason.CANCELLED)), Release)
    life.ended(Verdict.CANCELLED, StreamClosed)


def test_an_error_of_the_framing_waits_for_what_came_before_it() -> None:
    body = gzip.compress(b":" * MODULE.OUTPUT_STEP + b"\n" + say("a"))
    life = Life().ask().receive(head("gzip") + framed(body) + b"zz\r\n")
    while isinstance(life.action, Deliver):
        life.then(Done())
    life.ended(Verdict.INVALID, ProtocolError)
    assert life.text == "a"


@pytest.mark.parametrize("length", [1, 10, 20, 1000])
def test_a_body_that_ends_inside_its_coding_is_truncated(length: int) -> None:
    coded = gzip.compress(say("a") + FINISH)
    body = coded[: min(length, len(coded) - 1)]
    error = (
        Life()
        .ask()
        .receive(answer(body, STREAM, "Content-Encoding: gzip"))
        .ended(Verdict.BODY_CUT, BodyTruncated)
    )
    assert str(error) == "the body ended inside its content coding"
    assert error.response is not None and error.retryable


def test_an_empty_body_is_not_cut() -> None:
    life = Life().ask().receive(answer(b"", STREAM, "Content-Encoding: gzip"))
    life.ended(Verdict.UNFINISHED, StreamIncomplete)


def test_chunks_come_before_the_error_of_their_coding() -> None:
    life = Life().ask().receive(head("gzip") + framed(gzip.compress(say("a")) + b"garbage"))
    error = life.ended(Verdict.INVALID, ProtocolError)
    assert life.text == "a" and error.response is life.session.response is not None


def test_an_error_event_may_be_compressed() -> None:
    life = Life().ask().receive(head("deflate"), framed(zlib.compress(ERROR)))
    assert life.ended(Verdict.ERROR_EVENT, ApiError).message == "overloaded"


def test_a_document_in_place_of_events_may_be_compressed() -> None:
    body = b'{"error":{"message":"no model"}}'
    life = Life().ask().receive(answer(gzip.compress(body), STREAM, "Content-Encoding: gzip"))
    assert life.ended(Verdict.ERROR_EVENT, ApiError).message == "no model"


def test_the_limit_on_expansion_is_the_clients() -> None:
    bomb = head("gzip") + framed(gzip.compress(b":" * 2**22))
    life = Life(limits=Limits(max_expansion=10)).ask().receive(bomb)
    assert "more than 10 times" in str(life.ended(Verdict.INVALID, ProtocolError))


@pytest.mark.parametrize("coding", ["compress", "gzip, gzip, gzip, gzip"])
def test_a_stream_of_a_coding_that_cannot_be_decoded_is_refused_at_once(coding: str) -> None:
    life = Life().ask()
    assert isinstance(life.then(Received(head(coding))), Release)
    error = life.ended(Verdict.REFUSED, UnsupportedCoding)
    assert error.response is not None and not error.retryable


# Refused responses.


def refusal(body: bytes, coding: str, limits: Limits = Limits()) -> StatusError:
    life = Life(limits=limits).ask()
    life.receive(answer(body, f"Content-Encoding: {coding}", status="400 Bad Request"), b"")
    return life.ended(Verdict.REFUSED, StatusError)


@pytest.mark.parametrize("name", ["gzip", "deflate", "br", "zstd"])
def test_a_refused_body_is_decoded_too(name: str) -> None:
    body = b'{"error":{"message":"no such model"}}'
    error = refusal(BOMBS[name][1](body), name)
    assert (error.message, error.body) == ("no such model", body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "rot13"])
@pytest.mark.parametrize("body", [b'{"error":{"message":"not coded"}}', b""])
def test_a_refused_body_that_cannot_be_decoded_is_kept_as_it_is(coding: str, body: bytes) -> None:
    assert refusal(body, coding).body == body


def test_what_can_be_decoded_of_a_refused_body_is_kept() -> None:
    assert refusal(with_gzip([b"some", b"more"])[0], "gzip").body == b"some"


@pytest.mark.parametrize("limit", [1000, 2**16 + 10])
def test_no_more_of_a_refused_body_is_decoded_than_is_kept(limit: int) -> None:
    error = refusal(gzip.compress(b"x" * 2**20), "gzip", Limits(max_error_body=limit))
    assert 0 < len(error.body) <= limit
    assert error.body == b"x" * len(error.body)

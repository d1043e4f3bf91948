"""Ring 2: content codings, alone and in the lives of sessions."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable
from importlib import import_module
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


@pytest.mark.parametrize("value", [None, "", "identity", " Identity , identity", ","])
def test_where_there_is_no_coding_there_is_nothing_to_decode(value: str | None) -> None:
    assert MODULE.content_decoder(value, LIMIT) is None


@pytest.mark.parametrize("value", ["compress", "gzip, rot13", "gzip;q=1", "x" * 1000])
def test_an_unknown_coding_is_named(value: str) -> None:
    with pytest.raises(UnsupportedCoding, match="unknown content coding: '") as caught:
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
    assert size <= max(MODULE.FREE_OUTPUT, LIMIT * len(bomb)) < 2**26
    assert "expands to more than 1000 times its size" in str(decoding.error)


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
    yields = 0
    while isinstance(life.action, Yield):
        yields += 1
        life.then(Done())
    assert yields == 2
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


@pytest.mark.parametrize("coding", ["rot13", "gzip, gzip, gzip, gzip"])
def test_a_stream_of_an_unknown_coding_is_refused_at_once(coding: str) -> None:
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

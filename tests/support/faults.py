"""A proxy that cuts, resets, stalls, frames anew and drips a real server's answers, and what must hold then.

A *life* is one stream. Its request has a name in a header, by which the proxy knows what to do to
each of its attempts.
"""

from __future__ import annotations

import http.client
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sse_adapters.server import ChatService, serving
from sse_core import (
    BodyTruncated,
    ConnectionFailed,
    DeadlineExceeded,
    Deadlines,
    Request,
    Retries,
    StreamIncomplete,
    Verdict,
)
from sse_core.dialects import groq
from support.keepalive import leave
from support.runners import NetworkRunner, Result, outcome
from support.servers import End, Peer, chunked, listening

REPLY = "Hi, naïve ☕ reader: each word comes once."
MESSAGES: Any = [{"role": "user", "content": "What is SSE?"}]
DOCUMENTED = (BodyTruncated, ConnectionFailed, DeadlineExceeded, StreamIncomplete)
"""What a network can do to a stream."""


class Framing(Enum):
    """How the end of a body is known (RFC 9112, 6.3)."""

    CHUNKED = "chunks, other than the server's"
    LENGTH = "Content-Length"
    CLOSE = "the end of the connection"


@dataclass(frozen=True)
class Fault:
    """What happens to one answer: by default nothing."""

    share: float = 1.0
    """How much of it gets through; then comes the `end`, if that is not all."""
    end: End = End.CLOSE
    framing: Framing = Framing.CHUNKED
    chunk: int = 100
    """The largest size of a chunk, in bytes."""
    piece: int = 65536
    """The largest size of what is sent at a time."""


class Faulty:
    """A script: asks the server behind for each answer, and passes on what the life's faults leave of it."""

    def __init__(self, url: str, faults: Callable[[str, int], Fault], drops: Callable[[], bool]) -> None:
        self.sent: defaultdict[str, list[bytes]] = defaultdict(list)
        """For each life, what was sent in each attempt that got to the server."""
        self._netloc = urlsplit(url).netloc
        self._faults = faults
        self._drops = drops

    def __call__(self, peer: Peer) -> None:
        while not self._drops():
            peer.received.clear()
            peer.read_request()
            name, answer = self._fetch(bytes(peer.received))
            fault = self._faults(name, len(self.sent[name]))
            dice = random.Random(f"{name} {len(self.sent[name])}")
            data = framed(answer, fault, dice)
            passed = data[: round(len(data) * fault.share)]
            self.sent[name].append(passed)
            peer.send(*cut(passed, fault.piece, dice))
            whole = len(passed) == len(data)
            if not whole and fault.end is End.RESET:
                return peer.reset()
            if not whole and fault.end is End.SILENCE:
                return peer.wait_until_gone()
            if not whole or fault.framing is Framing.CLOSE:
                return leave(peer)
        return leave(peer)

    def _fetch(self, request: bytes) -> tuple[str, bytes]:
        """Ask the server; return the life's name, and the body of the answer."""
        head, _, body = request.partition(b"\r\n\r\n")
        _, target, *_ = head.decode().split(" ")
        name = re.findall(r"(?mi)^life: (.*)\r$", head.decode() + "\r")[0]
        connection = http.client.HTTPConnection(self._netloc)
        try:
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            return name, connection.getresponse().read()
        finally:
            connection.close()


def framed(body: bytes, fault: Fault, dice: random.Random) -> bytes:
    """Put a body into a response."""
    start = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    match fault.framing:
        case Framing.CHUNKED:
            chunks = chunked(*cut(body, fault.chunk, dice))
            return f"{start}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(chunks) + b"0\r\n\r\n"
        case Framing.LENGTH:
            return f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body
        case Framing.CLOSE:
            return f"{start}\r\n".encode() + body


def cut(data: bytes, most: int, dice: random.Random) -> Iterator[bytes]:
    """Cut data into pieces of up to so many bytes."""
    start = 0
    while start < len(data):
        size = dice.randint(1, most)
        yield data[start : start + size]
        start += size


def text_in(response: bytes) -> str:
    """The text of the events that are complete in the start of a response. Knows no error, and no hurry."""
    head, _, body = response.partition(b"\r\n\r\n")
    if b"Transfer-Encoding" in head:
        body, rest = b"", body
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            if rest:
                body += rest[: int(size, 16)]
                rest = rest[int(size, 16) + 2 :]
    events = [event.removeprefix(b"data: ") for event in body.split(b"\n\n")[:-1]]
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events if event != b"[DONE]"]
    return "".join(delta.get("content", "") for delta in deltas)


# Lives, and what must hold for each.


@dataclass(frozen=True)
class Plan:
    """What befalls one life: a fault for each attempt, and nothing after these."""

    faults: tuple[Fault, ...]
    retries: int

    @property
    def silent(self) -> bool:
        """Whether there may be a silence, so that only a deadline ends it."""
        return any(fault.share < 1 and fault.end is End.SILENCE for fault in self.faults)


def random_plan(dice: random.Random) -> Plan:
    faults = tuple(random_fault(dice) for _ in range(dice.choice([0, 1, 1, 2, 3])))
    return Plan(faults, dice.choice([0, 0, 1, 3]))


def random_fault(dice: random.Random) -> Fault:
    return Fault(
        # The head and the first events are half of what can go wrong.
        share=dice.choice([1.0, dice.random(), dice.random() / 5]),
        end=dice.choice([End.CLOSE, End.CLOSE, End.RESET, End.RESET, End.SILENCE]),
        framing=dice.choice([*Framing, Framing.CHUNKED]),
        chunk=dice.choice([1, 10, 1000]),
        piece=dice.choice([1, 10, 100, 1000, 65536, 65536]),
    )


def live(network: NetworkRunner, plans: list[Plan], seed: int, silence: float = 0.1) -> list[Result]:
    """Live all these lives side by side over few clients' connections, and check each of them.

    `silence` is how many seconds the client waits for a byte, where there may be one.
    """
    dice = random.Random(seed)

    def fault_of(name: str, attempt: int) -> Fault:
        faults = plans[int(name)].faults
        return faults[attempt] if attempt < len(faults) else Fault()

    with behind_faults(fault_of, lambda: dice.random() < 0.05) as (url, faulty):
        short = Deadlines(response_head=silence, between_bytes=silence)
        clients = {
            (retries, silent): network.client(
                url,
                deadlines=short if silent else Deadlines(),
                retries=Retries(attempts=retries, base=0.001) if retries else None,
            )
            for retries, silent in {(plan.retries, plan.silent) for plan in plans}
        }
        streams = [
            clients[plan.retries, plan.silent].stream(named(str(number))) for number, plan in enumerate(plans)
        ]
        reading = [network.start(network.read_whole, stream) for stream in streams]
        results = [outcome(future) for future in reading]
        for client in clients.values():
            network.call(client.close)
    for number, (plan, stream, result) in enumerate(zip(plans, streams, results, strict=True)):
        sent, name = faulty.sent[str(number)], f"{plan}, life {number} of seed {seed}"
        check(result, sent, stream.stats.attempts, name, hurried=plan.silent)
    return results


def check(result: Result, sent: list[bytes], attempts: int, name: str, *, hurried: bool = False) -> None:
    """A life ends with all of the text, or with a documented error and all that came before it, once.

    `sent` is what was sent in each of the attempts that got through. A hurried one may have ended
    before it could be read.
    """
    text = "".join(chunk.text for chunk in result.chunks)
    assert REPLY.startswith(text), f"{name}: {text!r} came twice, or with a gap"
    if result.error is None:
        assert text == REPLY, f"{name}: {text!r} is not all"
        assert result.verdict in (Verdict.COMPLETE, Verdict.FINISHED), name
        return
    assert isinstance(result.error, DOCUMENTED), f"{name}: {result.error!r}"
    assert result.verdict not in (None, Verdict.COMPLETE, Verdict.FINISHED), name
    came = text_in(sent[-1]) if sent else ""
    # What is under way when a connection is reset, or when a deadline passes, is lost with it.
    lost = hurried or isinstance(result.error.__cause__, ConnectionError)
    refused = not text and len(sent) < attempts  # perhaps the last one
    assert text == came or refused or (lost and came.startswith(text)), (
        f"{name}: {came!r}, not {text!r}: {result.error!r}"
    )


def named(name: str) -> Request[Any]:
    request = groq.chat(model="m", messages=MESSAGES)
    return msgspec.structs.replace(request, headers=(*request.headers, ("Life", name)))


@contextmanager
def behind_faults(
    faults: Callable[[str, int], Fault], drops: Callable[[], bool] = lambda: False
) -> Generator[tuple[str, Faulty]]:
    """The embedded server behind the proxy. `drops` says whether a connection ends before a request."""
    with serving(ChatService(pace=0, reply=REPLY)) as base_url:
        script = Faulty(base_url, faults, drops)
        with listening(script) as server:
            yield f"{server.url}{urlsplit(base_url).path}", script

"""The checks of fetchers: a good one passes them, blocking or not, and each planted fault is found."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

import sse_adapters.anyio
import sse_adapters.threads
from sse_adapters import async_loop, sync_loop
from sse_adapters.server import ChatService, serving
from sse_adapters.testing import Cannot, TransportFailures, check_fetcher, fetcher_checks
from sse_core import Exchange, Fetch, Response, Verdict
from sse_core.dialects import groq

REQUEST = groq.chat(model="any", messages=[{"role": "user", "content": "Hello"}])


def exchange_for(request: Fetch) -> tuple[Exchange, str, int]:
    url = urlsplit(request.url)
    target = f"{url.path}?{url.query}" if url.query else url.path
    headers = [("Host", url.netloc), *request.headers]
    return Exchange(request.method, target, headers, request.body), url.hostname or "", url.port or 80


class Blocking:
    """Over a transport and an exchange of ours."""

    def __init__(self) -> None:
        self._transport = sse_adapters.threads.Transport()
        self._exchange: Exchange
        self._body: list[bytes] = []
        self.now = self._transport.now
        self.abort = self._transport.abort
        self.close = self._transport.close
        self.sleep = self._transport.sleep

    def fetch(self, request: Fetch, deadline: float | None) -> Response:
        self._exchange, host, port = exchange_for(request)
        self._transport.open(host, port, deadline)
        self._transport.send(self._exchange.data_to_send(), deadline)
        while self._exchange.response is None:
            self._body.append(self._exchange.receive(self._transport.receive(deadline)))
        return self._exchange.response

    def receive(self, deadline: float | None) -> bytes:
        while True:
            data, self._body = b"".join(self._body), []
            if data or self._exchange.ended:
                return data
            if self._exchange.error is not None:
                raise ConnectionError(str(self._exchange.error))
            self._body = [self._exchange.receive(self._transport.receive(deadline))]


class Asynchronous:
    """The same, with `await`."""

    def __init__(self) -> None:
        self._transport = sse_adapters.anyio.Transport()
        self._exchange: Exchange
        self._body: list[bytes] = []
        self.abort = self._transport.abort
        self.close = self._transport.close
        self.sleep = self._transport.sleep

    @property
    def now(self) -> Any:
        return self._transport.now

    async def fetch(self, request: Fetch, deadline: float | None) -> Response:
        self._exchange, host, port = exchange_for(request)
        await self._transport.open(host, port, deadline)
        await self._transport.send(self._exchange.data_to_send(), deadline)
        while self._exchange.response is None:
            self._body.append(self._exchange.receive(await self._transport.receive(deadline)))
        return self._exchange.response

    async def receive(self, deadline: float | None) -> bytes:
        while True:
            data, self._body = b"".join(self._body), []
            if data or self._exchange.ended:
                return data
            if self._exchange.error is not None:
                raise ConnectionError(str(self._exchange.error))
            self._body = [self._exchange.receive(await self._transport.receive(deadline))]


class HoldsBack(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        data = b""
        while piece := super().receive(deadline):
            data += piece
        return data


class RaisesForStatus(Blocking):
    def fetch(self, request: Fetch, deadline: float | None) -> Response:
        response = super().fetch(request, deadline)
        if response.status != 200:
            raise ValueError(response.status)
        return response


class TakesACutForAnEnd(Blocking):
    def receive(self, deadline: float | None) -> bytes:
        try:
            return super().receive(deadline)
        except ConnectionError:
            return b""


class LosesHeaders(Blocking):
    def fetch(self, request: Fetch, deadline: float | None) -> Response:
        response = super().fetch(request, deadline)
        return Response(response.status, response.reason, tuple(dict(response.headers).items()))


class ForgetsTheQuery(Blocking):
    def fetch(self, request: Fetch, deadline: float | None) -> Response:
        url = request.url.partition("?")[0]
        return super().fetch(Fetch(request.method, url, request.headers, request.body, None), deadline)


class NeverSleeps(Blocking):
    def __init__(self) -> None:
        super().__init__()
        self.sleep = lambda deadline: None


@pytest.mark.parametrize("check", fetcher_checks(Blocking), ids=str)
def test_a_good_one_passes(check: Any) -> None:
    check()


@pytest.mark.parametrize("check", fetcher_checks(Asynchronous, run=anyio.run), ids=str)
def test_a_good_one_that_is_awaited_passes(check: Any) -> None:
    check()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (HoldsBack, "a_body_comes_as_it_is_sent"),
        (RaisesForStatus, "a_status_is_no_error"),
        (TakesACutForAnEnd, "a_body_that_is_cut_is_an_error"),
        (LosesHeaders, "header_names_are_in_lower_case_and_none_is_lost"),
        (ForgetsTheQuery, "the_request_arrives_as_it_is"),
        (NeverSleeps, "sleep_lasts_until_its_deadline"),
    ],
)
def test_a_fault_is_found(make: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check = next(check for check in fetcher_checks(make) if str(check) == name)
    monkeypatch.setattr("sse_adapters.testing.fetchers.CHECKS", [check.contract])
    monkeypatch.setattr("sse_adapters.testing.subject.PATIENCE", 0.5)
    with pytest.raises(TransportFailures, match=name):
        check_fetcher(make)


def test_what_a_client_cannot_do_is_declared_by_name() -> None:
    names = {str(check) for check in fetcher_checks(Blocking)}
    without = {str(check) for check in fetcher_checks(Blocking, cannot=list(Cannot))}
    assert {name for name in names - without if "abort" in name or "cut" in name or "late" in name} == (
        names - without
    )
    assert len(names - without) == 6


def test_streams_come_over_a_fetcher() -> None:
    with serving(ChatService(pace=0, reply="As you wish.")) as base_url:
        with sync_loop.FetchClient(base_url, Blocking) as client:
            stream = client.stream(REQUEST)
            assert (stream.final().text, stream.verdict) == ("As you wish.", Verdict.COMPLETE)

        async def main() -> str:
            async with async_loop.FetchClient(base_url, Asynchronous) as client:
                return (await client.stream(REQUEST).final()).text

        assert anyio.run(main) == "As you wish."

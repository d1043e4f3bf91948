"""Misuse of clients is found where it is made, in words that name it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import sse_adapters.anyio
import sse_adapters.asyncio
import sse_adapters.portal
import sse_adapters.threads
from sse_adapters import async_loop, sync_loop
from sse_adapters.transcripts import AsyncReplayClient, ReplayClient
from sse_core import Deadlines, Session
from sse_core.dialects import events, groq
from support.runners import EVENTS, AsyncMemory, SyncMemory
from support.servers import says

SECRET = "s3cret"
URL = "http://localhost"
NETWORK: list[Any] = [
    sse_adapters.threads.Client,
    sse_adapters.portal.Client,
    sse_adapters.anyio.Client,
    sse_adapters.asyncio.Client,
]
"""Untyped, for calls that a type checker would not let through."""
CLIENTS = pytest.mark.parametrize("client", NETWORK, ids=["threads", "portal", "anyio", "asyncio"])


def memory(**options: Any) -> Any:
    return sync_loop.Client("http://memory", lambda: SyncMemory(says()), **options)


def async_memory(**options: Any) -> Any:
    return async_loop.Client("http://memory", lambda: AsyncMemory(says()), **options)


IN_MEMORY = pytest.mark.parametrize("client", [memory, async_memory])
SHARED: dict[str, dict[str, Any]] = {
    r"TypeError: deadlines has to be Deadlines, such as .*, not float": {"deadlines": 3.0},
    r"TypeError: deadlines has to be Deadlines, .*, not None": {"deadlines": None},
    r"TypeError: deadlines has to be Deadlines, .*, not the class Deadlines": {"deadlines": Deadlines},
    r"TypeError: limits has to be Limits, .*, not int": {"limits": 10},
    r"TypeError: retries has to be Retries, such as .*, or None, not int": {"retries": 3},
    r"TypeError: retries has to be Retries, .*, not bool": {"retries": True},
    r"TypeError: headers has to be a mapping of names to values, not list": {"headers": [("TE", SECRET)]},
    r"TypeError: headers has to be a mapping of names to values, not None": {"headers": None},
    r"TypeError: the value of 'TE' in headers has to be a str, not None": {"headers": {"TE": None}},
    r"TypeError: the value of 'TE' in headers has to be a str, not bytes": {"headers": {"TE": b"s3cret"}},
    r"TypeError: a name in headers has to be a str, not bytes": {"headers": {b"TE": SECRET}},
    r"ValueError: each name in headers has to be a token .*, without ' '": {"headers": {"T E": SECRET}},
    r"ValueError: the value of 'TE' in headers .* no header can carry": {"headers": {"TE": f"{SECRET}\r\n"}},
    r"ValueError: the value of 'Authorization' in headers has no key in it": {
        "headers": {"Authorization": "Bearer "}
    },
    r"ValueError: the value of 'authorization' in headers has no key in it": {
        "headers": {"authorization": "Bearer None"}
    },
    r"ValueError: the value of 'x-api-key' in headers has no key in it": {"headers": {"x-api-key": ""}},
    r"TypeError: observe has to be a function .* or None, not str": {"observe": "run.jsonl"},
    r"TypeError: .* has no option 'timeout': use deadlines=Deadlines\(...\)": {"timeout": 3},
    r"TypeError: .* has no option 'max_retries': use retries=Retries": {"max_retries": 3},
    r"TypeError: .* has no option 'api_key': use headers= for a key, or auth=": {"api_key": SECRET},
    r"TypeError: .* has no option 'verify': use ssl_context=": {"verify": False},
    r"TypeError: .* has no option 'proxy': use proxies=Proxies": {"proxy": f"http://{SECRET}@a"},
    r"TypeError: .* has no option 'deadline'$": {"deadline": Deadlines()},
}
OF_CLIENTS: dict[str, dict[str, Any]] = {
    r"TypeError: pool has to be PoolLimits, such as .*, not int": {"pool": 10},
    r"TypeError: proxies has to be Proxies, such as .*, or None, not str": {"proxies": f"http://{SECRET}@a"},
    r"TypeError: proxies has to be Proxies, .*, not dict": {"proxies": {"http": SECRET}},
    r"TypeError: auth has to be a function of the attempt's number .* or None, not str": {"auth": SECRET},
    r"TypeError: auth has to be a function .*, not dict": {"auth": {"Authorization": SECRET}},
}
OF_NETWORKS: dict[str, dict[str, Any]] = {
    r"TypeError: ssl_context has to be an ssl.SSLContext, .*, or None, not bool": {"ssl_context": False},
    r"TypeError: ssl_context has to be an ssl.SSLContext, .*, not str": {"ssl_context": "ca.pem"},
    r"TypeError: server_hostname has to be a str or None, not bytes": {"server_hostname": b"a"},
    r"TypeError: uds has to be a path or None, not int": {"uds": 3},
    r"TypeError: local_address has to be a str or None, not tuple": {"local_address": ("127.0.0.1", 0)},
    r"TypeError: socket_options has to be a list .*, not str": {"socket_options": "TCP_NODELAY"},
    r"TypeError: each of socket_options has to be a tuple .*, not int": {"socket_options": (1, 2, 3)},
}
OF_REQUESTS: dict[str, dict[str, Any]] = {
    r"TypeError: a request has no option 'pool': it is one of its client's": {"pool": None},
    r"TypeError: a request has no option 'auth': it is one of its client's": {"auth": None},
    r"TypeError: a request has no option 'ssl_context': it is one of its client's": {"ssl_context": None},
}


def named(words: str, misuse: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        misuse()
    message = f"{caught.typename}: {caught.value}"
    assert re.match(words, message), message
    assert SECRET not in message


@CLIENTS
@pytest.mark.parametrize(("words", "options"), (SHARED | OF_CLIENTS | OF_NETWORKS).items())
def test_an_option_of_a_client(client: Any, words: str, options: dict[str, Any]) -> None:
    named(words, lambda: client(URL, **options))


@IN_MEMORY
@pytest.mark.parametrize(("words", "options"), (SHARED | OF_CLIENTS).items())
def test_an_option_of_a_client_with_transports_of_ones_own(
    client: Any, words: str, options: dict[str, Any]
) -> None:
    named(words, lambda: client(**options))


@IN_MEMORY
@pytest.mark.parametrize(("words", "options"), (SHARED | OF_REQUESTS).items())
def test_an_option_of_a_request(client: Any, words: str, options: dict[str, Any]) -> None:
    made = client()
    named(words, lambda: made.stream(EVENTS, **options))
    made.close()


@pytest.mark.parametrize("client", [sync_loop.FetchClient, async_loop.FetchClient])
@pytest.mark.parametrize("option", ["pool", "proxies", "ssl_context", "uds"])
def test_a_client_that_fetches_has_no_connections_of_its_own(client: Any, option: str) -> None:
    words = f"TypeError: a FetchClient has no option '{option}': it is one of its HTTP client's"
    named(words, lambda: client(URL, SyncMemory, **{option: None}))


@pytest.mark.parametrize("client", [memory, async_memory])
def test_a_client_with_transports_of_ones_own_has_no_sockets(client: Any) -> None:
    words = "TypeError: this client has no option 'uds': it is one of its transports'"
    named(words, lambda: client(uds="/a/socket"))


@CLIENTS
@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        (None, "TypeError: base_url has to be a str, not None"),
        (b"http://localhost", "TypeError: base_url has to be a str, not bytes"),
        (f"localhost/?key={SECRET}", "ValueError: not an absolute http or https URL"),
        (f"http://{SECRET}@localhost", "ValueError: credentials in a URL are not supported"),
    ],
)
def test_a_base_url(client: Any, base_url: object, words: str) -> None:
    named(words, lambda: client(base_url))


@pytest.mark.parametrize(
    "client", [sync_loop.Client, async_loop.Client, sync_loop.FetchClient, async_loop.FetchClient]
)
def test_what_makes_transports_is_called(client: Any) -> None:
    words = "TypeError: what makes transports has to be a class or a function, not SyncMemory"
    named(words, lambda: client(URL, SyncMemory(says())))
    named("TypeError: base_url has to be a str, not None", lambda: client(None, SyncMemory))


@pytest.mark.parametrize("client", [ReplayClient, AsyncReplayClient])
def test_a_replay_checks_the_same(client: Any) -> None:
    named("TypeError: deadlines has to be Deadlines", lambda: client(URL, "run.jsonl", deadlines=3.0))


@IN_MEMORY
@pytest.mark.parametrize(
    ("request_", "given"),
    [
        ("/events", "str"),
        (None, "None"),
        (groq.chat, "function"),
        (events.EventsDialect, "the class EventsDialect"),
        ({"model": SECRET}, "dict"),
    ],
)
def test_only_a_request_can_be_streamed(client: Any, request_: object, given: str) -> None:
    made = client()
    words = rf"TypeError: request has to be a Request, such as events.request\(path\), not {given}$"
    named(words, lambda: made.stream(request_))
    made.close()


@IN_MEMORY
@pytest.mark.parametrize("observer", [None, "an observer", object()])
def test_an_observer_is_one(client: Any, observer: object) -> None:
    def observe(session: Session[Any]) -> Any:
        return observer

    made = client(observe=observe)
    named("TypeError: what observe returns has to be an Observer, not ", lambda: made.stream(EVENTS))
    made.close()


@CLIENTS
def test_what_may_be_none_may_be_none(client: Any) -> None:
    client(URL, **dict.fromkeys(("retries", "observe", "auth", "proxies", "ssl_context"))).close()
    client(URL, **dict.fromkeys(("server_hostname", "uds", "local_address"))).close()

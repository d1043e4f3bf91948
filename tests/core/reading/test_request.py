"""What to ask for, and that nothing secret of it is shown."""

from __future__ import annotations

from sse_core import URL, Proxy, Request, Send
from sse_core.dialects import events
from sse_core.dialects.events import EventsDialect


def test_a_request_is_a_get_unless_it_says_otherwise() -> None:
    request = Request(dialect=EventsDialect)
    assert (request.method, request.path, request.headers, request.body) == ("GET", "", (), b"")


def test_a_request_shows_no_credentials() -> None:
    headers = (("Authorization", "Bearer s3cret"),)
    request = events.request("/feed?key=s3cret", headers=headers, body=b"s3cret")
    assert repr(request) == "<Request GET /feed>"


def test_what_repr_leaves_out_rich_does_not_show_either() -> None:
    hiding = [events.request("/feed?key=s3cret"), URL.parse("https://h/?key=s3cret")]
    assert [value.__rich_repr__() for value in hiding] == [[], []]
    assert [Send(b"s3cret", None).__rich_repr__(), Proxy.parse("u:s3cret@h").__rich_repr__()] == [[], []]

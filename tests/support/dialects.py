"""What the tests of dialects have in common: events of any form, and what a dialect makes of one."""

from __future__ import annotations

import json
from typing import Any

from sse_core import Event, Request


def octets(data: object) -> bytes:
    """The data of an event, given as bytes, text or a JSON value."""
    if isinstance(data, bytes):
        return data
    return data.encode() if isinstance(data, str) else json.dumps(data).encode()


def read_event(request: Request[Any], data: object, type: str = "message") -> Any:
    """What a fresh dialect makes of one event: a chunk, or a Control."""
    return request.dialect().read(Event(octets(data), type))

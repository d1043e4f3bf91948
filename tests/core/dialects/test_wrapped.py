"""A dialect around another: what it does not say itself is what the other says."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from sse_core import Dialect
from sse_core.dialects import groq
from sse_core.dialects.shared.wrapped import WrappedDialect


class Wrapped(WrappedDialect[Any, Any]):
    def read(self, event: object) -> Any:
        return event


@pytest.mark.parametrize("name", get_type_hints(Dialect))
def test_every_attribute_is_that_of_the_dialect_inside(name: str) -> None:
    inner = groq.chat(model="m", messages=[]).dialect()
    value = object()
    setattr(inner, name, value)
    assert getattr(Wrapped(inner), name) is value

"""The providers' own SDKs: which versions we were compared with, and what is known to fail in them."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest

COMPARED = {
    "anthropic": "2.14.0",
    "cohere": "7.3.1",
    "google-genai": "3.6.1",
    "groq": "1.7.0",
    "openai": "3.57.0",
}
"""The versions of the SDKs that we were last compared with; later ones may know more, and fail less."""


def describe_sdk(sdk: str) -> str:
    """Return an SDK's name and version, for messages of tests that a newer one makes fail."""
    return f"{sdk} {version(sdk)} (last compared with {COMPARED[sdk]})"


def case_of(sdk: str, *values: Any, id: str, fails: str | None) -> Any:
    """Return parameters for a test that fails for the reason `fails`. It must, or the reason is stale."""
    marks = [pytest.mark.xfail(strict=True, reason=f"{describe_sdk(sdk)} {fails}")] if fails else []
    return pytest.param(*values, id=id, marks=marks)

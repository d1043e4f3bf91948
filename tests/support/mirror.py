"""Which tests are about which module: those of the same name in the mirrored folder, or those in a table."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"


def modules() -> dict[str, Path]:
    """Return every module of both packages that has any code, by its full name."""
    found: dict[str, Path] = {}
    for parent, package in ((ROOT, "sse_core"), (ROOT / "adapters", "sse_adapters")):
        for path in sorted((parent / package).rglob("*.py")):
            parts = path.relative_to(parent).with_suffix("").parts
            if has_code(path):
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def has_code(path: Path) -> bool:
    """Whether there is more in a module than what it says of itself."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def mirrored_tests(module: str) -> list[Path]:
    """Return the test files that mirror a module: `sse_core.http.pool` has `tests/core/http/test_pool.py`.

    A provider's folder of dialects is one thing: `sse_core.dialects.gemini.answer` has `test_gemini.py`.
    """
    package, *rooms, name = module.split(".") if "." in module else (module, "package")
    if package == "sse_adapters":
        return there(Path("adapters", *(rooms or ["every"])), name)
    match rooms:
        case ["dialects"] if (ROOT / "sse_core/dialects" / name).is_dir():
            return there(Path("core/dialects"), f"{name}*")
        case ["dialects", provider] if provider != "shared":
            return there(Path("core/dialects"), f"{provider}*")
        case _:
            return there(Path("core", *rooms[:1]), name)


def there(folder: Path, name: str) -> list[Path]:
    return sorted((TESTS / folder).glob(f"test_{name}.py"))


def own_tests(module: str) -> list[Path]:
    """Return the files with a module's own tests; none if there are none."""
    row = ELSEWHERE.get(module) or ELSEWHERE.get(module.rpartition(".")[0] + ".*") or ""
    return mirrored_tests(module) or [TESTS / f"{name}.py" for name in row.split()]


ELSEWHERE = {
    "sse_core._version": "docs/test_wheel",
    # Values, which have no tests but those of the machines that use them.
    "sse_core.events.items": "core/events/test_decoder",
    "sse_core.http.body_source": "core/session/test_session",
    "sse_core.http.response": "core/http/test_exchange",
    "sse_core.reading.limits": "core/session/test_session",
    "sse_core.reading.verdict": "core/session/test_session",
    "sse_core.session.actions": "core/session/test_session",
    "sse_core.session.fetched": "core/session/test_session",
    "sse_core.session.states": "core/session/test_exploration",
    "sse_core.session.stats": "core/session/test_deadlines",
    # Parts of a machine, seen only in the whole of it.
    "sse_core.http.decompressors": "core/http/test_codings",
    "sse_core.http.field_values": "core/http/test_media_types core/http/test_codings",
    "sse_core.http.socks": "core/http/test_tunnel",
    "sse_core.session.hop": "core/session/test_connections",
    "sse_core.session.lifecycle": "core/session/test_session core/session/test_attempts",
    "sse_core.session.receiving": "core/session/test_session",
    "sse_core.session.reconnecting": "core/session/test_attempts",
    "sse_core.session.route": "core/session/test_connections",
    "sse_core.session.timing": "core/session/test_deadlines",
    # What several dialects share is tested in one of them, or over all fixtures.
    "sse_core.dialects.groq": "core/dialects/test_chat core/dialects/test_chat_accumulator",
    "sse_core.dialects.openai": "core/dialects/test_chat core/dialects/test_chat_accumulator",
    "sse_core.dialects.shared.document": "core/dialects/test_documents",
    "sse_core.dialects.shared.fast_dialect": "core/test_fast_paths",
    "sse_core.dialects.shared.joined": "core/dialects/test_faults core/dialects/test_gemini",
    "sse_core.dialects.shared.lenient": "core/dialects/test_types",
    "sse_core.dialects.shared.paths": "core/dialects/test_faults core/dialects/test_gemini",
    "sse_core.dialects.shared.provider_dialect": "core/dialects/test_chat",
    "sse_core.dialects.shared.provider_errors": "core/dialects/test_chat",
    "sse_core.dialects.shared.retry_after": "core/dialects/test_faults",
    "sse_core.dialects.shared.strict": "conformance/test_strict_fixtures",
    "sse_core.dialects.shared.strict_dialect": "conformance/test_strict_fixtures",
    "sse_core.dialects.shared.typed_events": "core/dialects/test_anthropic core/dialects/test_responses",
    "sse_core.reading.message_builder": "core/dialects/test_chat_accumulator",
    # Kits are tested by what they find.
    "sse_core.testing.adversarial": "conformance/test_strategies",
    "sse_core.testing.dialects": "conformance/test_dialect_fixtures",
    "sse_core.testing.exchanges": "conformance/test_exchange_kit",
    "sse_core.testing.pairs": "conformance/test_pairs",
    "sse_core.testing.reference": "conformance/test_reference conformance/test_decoder_vectors",
    "sse_core.testing.sessions": "conformance/test_session_kit",
    "sse_core.testing.strategies": "conformance/test_strategies",
    "sse_core.testing.*": "conformance/test_kit conformance/test_decoder_kit",
    "sse_adapters.testing": "adapters/testing/test_transport_checks",
    "sse_adapters.testing.*": "adapters/testing/test_transport_checks adapters/every/test_transports",
    # Both loops do the same, and transports keep the same contract: tests run over all of them.
    **dict.fromkeys(
        ("sse_adapters.async_loop", "sse_adapters.base", "sse_adapters.sync_loop"),
        "adapters/every/test_loops adapters/every/test_reading adapters/every/test_closing"
        " adapters/every/test_pool adapters/every/test_tls",
    ),
    **dict.fromkeys(
        ("sse_adapters.anyio", "sse_adapters.asyncio", "sse_adapters.portal", "sse_adapters.threads"),
        "adapters/every/test_transports adapters/every/test_transport_sockets"
        " adapters/every/test_reading adapters/every/test_closing",
    ),
    "sse_adapters.event_loops": "adapters/every/test_transport_sockets adapters/every/test_closing",
    "sse_adapters.forking": "adapters/every/test_forks adapters/every/test_exits",
    "sse_adapters.sockets": "adapters/every/test_transport_sockets adapters/every/test_closing",
    # What a folder gives on, and what its one module sends.
    "sse_adapters.cli": "adapters/cli/test_commands",
    "sse_adapters.server": "adapters/server/test_service",
    "sse_adapters.server.replies": "adapters/server/test_service",
}
"""Where modules are tested that have no tests of their name, and why there."""

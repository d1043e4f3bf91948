"""What the packages promise as a whole: what they import, export and explain."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import sse_core
from sse_core.dialects import (
    anthropic,
    cohere,
    completions,
    events,
    gemini,
    groq,
    interactions,
    json,
    mcp,
    openai,
    responses,
)

FOLDER = Path(sse_core.__file__).parent
FILES = {
    ".".join(path.relative_to(FOLDER).with_suffix("").parts): path
    for path in sorted(FOLDER.rglob("*.py"))
    if "testing" not in path.parts
}
IMPURE = {
    *("socket", "ssl", "select", "selectors", "asyncio", "threading", "multiprocessing", "subprocess"),
    *("time", "datetime", "random", "secrets", "uuid", "os", "io", "pathlib", "logging", "warnings"),
    *("anyio", "trio", "sniffio", "httpx", "requests"),
}
FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "breakpoint", "compile", "__import__"}
ROOMS = {
    "_version": 0,
    "checks": 0,
    "error_codes": 0,
    "errors": 1,
    "events": 2,
    "http": 2,
    "reading": 3,
    "session": 4,
    "dialects": 4,
}
"""How far out each room lies. Rooms of one number do not know each other."""
VALUES = {"http.response", "http.url"}
"""Plain values, which import nothing of ours but checks: any room may import them."""
PUBLIC = [
    sse_core,
    *(anthropic, cohere, completions, events, gemini, groq, interactions, json, mcp, openai, responses),
]


def imports(module: str) -> set[str]:
    """The full names of the modules that a module imports, relative to sse_core where they are of it."""
    found: set[str] = set()
    package = ["", *module.split(".")[:-1]]
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module or "")
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) + 1 - node.level], node.module or ""])
            names = [base] if node.module else [base + alias.name for alias in node.names]
            found |= {"." + name.strip(".") for name in names}
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def test_every_module_is_in_a_room() -> None:
    assert {room(module) for module in FILES} - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("module", FILES)
def test_no_module_touches_the_world(module: str) -> None:
    assert {name.partition(".")[0] for name in imports(module)} & IMPURE == set()
    called = {
        node.func.id
        for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called & FORBIDDEN_CALLS == set()


@pytest.mark.parametrize("module", FILES.keys() - {"__init__"})
def test_imports_go_inwards_only(module: str) -> None:
    """Also those that only a type checker reads."""
    here = room(module)
    for name in imports(module):
        top = name.partition(".")[0]
        if name.startswith("."):
            there = room(name[1:])
            inwards = ROOMS[there] < ROOMS[here] or there == here or name[1:] in VALUES
            assert inwards, f"{module} imports {name}"
            assert module not in VALUES or there == "checks"
        elif name == "h11":
            assert module == "http.exchange"
        elif top == "socksio":
            assert module == "http.socks"
        elif top == "idna":
            assert module == "http.url"
        elif name == "msgspec":
            assert here != "events" and module not in ("errors", "http.exchange", "http.response")
        else:
            assert top in sys.stdlib_module_names


def test_the_walk_over_imports_sees_them() -> None:
    assert imports("http.exchange") >= {"h11", ".errors", "collections.abc"}
    assert imports("dialects.groq") >= {".reading.request", ".dialects.openai", ".dialects.chat.chunks"}
    assert ".http.response" in imports("errors")


def imported_by(statement: str) -> set[str]:
    """The modules that are there in a fresh interpreter after a statement."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_imports_next_to_nothing() -> None:
    there = imported_by("import sse_core; sse_core.EventDecoder")
    assert "sse_core.events.decoder" in there
    heavy = {"socket", "ssl", "anyio", "trio", "asyncio", "threading", "logging", "h11", "msgspec"}
    assert there & heavy == set()


def test_importing_all_of_it_imports_no_runtime() -> None:
    there = imported_by("from sse_core import *; from sse_core.dialects import events, groq, openai")
    assert {"h11", "msgspec", "sse_core.session.session", "sse_core.dialects.groq"} <= there
    assert there & {"socket", "ssl", "select", "anyio", "trio", "asyncio", "logging", "random"} == set()


@pytest.mark.parametrize("module", PUBLIC)
def test_every_exported_name_is_there_and_they_are_sorted(module: ModuleType) -> None:
    exported: list[str] = module.__all__
    assert all(getattr(module, name) is not None for name in exported)
    assert len(set(exported)) == len(exported)
    constants_then_classes_then_the_rest = sorted(
        exported, key=lambda name: (not name.isupper(), not name[0].isupper(), name)
    )
    assert exported == constants_then_classes_then_the_rest


def test_what_is_imported_late_is_exported_and_is_where_it_says() -> None:
    assert set(sse_core.LATER) <= set(sse_core.__all__)
    for name, module in sse_core.LATER.items():
        assert getattr(sse_core, name) is getattr(import_module(f"sse_core.{module}"), name)


def test_the_lists_of_names_say_the_same() -> None:
    """What is imported at once, what only type checkers import, what is imported late, and `__all__`."""
    tree = ast.parse(FILES["__init__"].read_text(encoding="utf-8"))
    names = {
        (alias.name, node.module)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    at_once = {name for name, _ in names if name not in sse_core.LATER}
    assert {(name, module) for name, module in names if name not in at_once} == set(sse_core.LATER.items())
    assert at_once | set(sse_core.LATER) == set(sse_core.__all__)
    assert len(names) == len(sse_core.__all__)


def test_every_public_name_is_listed_before_it_is_used() -> None:
    code = "import sse_core; print(*set(sse_core.__all__) - set(dir(sse_core)))"
    assert not subprocess.check_output([sys.executable, "-c", code], text=True).split()


def test_a_late_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(vars(sse_core), "Session", raising=False)
    session = sse_core.Session
    assert vars(sse_core)["Session"] is session


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sse_core' has no attribute 'nothing'"):
        getattr(sse_core, "nothing")  # noqa: B009 - a type checker knows that it is not there


def explained() -> Iterator[tuple[str, object]]:
    """Every public class and function, and every public method and property of theirs."""
    for module in PUBLIC:
        for name in module.__all__:
            value = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            yield f"{module.__name__}.{name}", value
            for member, what in vars(value).items() if inspect.isclass(value) else ():
                if not member.startswith("_") and isinstance(what, property | classmethod):
                    yield f"{module.__name__}.{name}.{member}", what
                elif not member.startswith("_") and inspect.isfunction(what):
                    yield f"{module.__name__}.{name}.{member}", getattr(value, member)


def test_every_public_class_and_function_has_a_docstring() -> None:
    there = dict(explained())
    assert len(there) > 100
    silent = [name for name, what in there.items() if not inspect.getdoc(what)]
    classes = [
        name for name, what in there.items() if inspect.isclass(what) and not vars(what).get("__doc__")
    ]
    assert (silent, classes) == ([], [])


@pytest.mark.parametrize("module", FILES)
def test_every_module_says_what_it_is(module: str) -> None:
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    assert ast.get_docstring(tree) or module == "_version"

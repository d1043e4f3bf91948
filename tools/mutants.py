"""Changes one thing in the packages, and looks whether any test notices: `make mutants`.

    make mutants                                       # forty mutants, taken at random
    make mutants ARGS="--seed 7 --sample 100"          # others, and more of them
    make mutants ARGS="--only sse_core.http.*"         # of some modules

Each mutant is tried in a copy of the tree. First the tests of its module run (`tests/support/mirror.py`
says which), then, if none of them fails, those of its whole package. A mutant that survives shows a missing
test, or is equivalent: no program can tell it from the original. `equivalents.toml` lists those that are
known, with the reason.

Other tools do not fit: mutmut calls every function by way of another, which the tests that count calls
notice, and cosmic-ray changes the work tree.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.mirror import modules, own_tests  # noqa: E402 - once it can be found

EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
PATIENCE = 60
"""Seconds that one test may take; a mutant that loops for ever is noticed by that."""
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "dist")


@dataclass(frozen=True)
class Mutant:
    """A module's source with one change in it."""

    module: str
    path: Path
    line: int
    before: str
    """The line as it is, and as it would be; if there are several, the first that differs."""
    after: str
    source: str

    def __str__(self) -> str:
        place = f"{self.path.relative_to(ROOT)}:{self.line}"
        return f"{place}\n    - {self.before}\n    + {self.after}"

    @property
    def key(self) -> tuple[str, str, str]:
        return self.module, self.before, self.after


# What is changed.


def mutants_of(module: str, path: Path) -> Iterator[Mutant]:
    """Make every mutant of a module that is another program."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    original, lines = ast.dump(tree), source.splitlines()
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, replacement in changes(tree):
        start = starts[node.lineno - 1] + node.col_offset
        stop = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        text = source.encode()
        mutated = (text[:start] + replacement.encode() + text[stop:]).decode()
        try:
            if ast.dump(ast.parse(mutated)) == original:
                continue
        except SyntaxError:
            continue
        pairs = zip([*lines, ""], [*mutated.splitlines(), ""], strict=False)
        number, (before, after) = next(
            (number, pair) for number, pair in enumerate(pairs, 1) if pair[0] != pair[1]
        )
        yield Mutant(module, path, number, before.strip(), after.strip(), mutated)


def changes(tree: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Give nodes, and what might stand in their place."""
    for node in executed(tree):
        if isinstance(node, ast.expr):
            for other in other_expressions(node):
                text = ast.unparse(other)
                yield node, text if isinstance(other, BINDING) else f"({text})"
        elif isinstance(node, ast.stmt):
            yield from ((node, other) for other in other_statements(node))


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Walk over what runs, and has to do with what a program does: not over annotations and docstrings."""
    for name, value in ast.iter_fields(node):
        if name in UNUSED or (isinstance(node, ast.ClassDef) and name == "keywords"):
            continue
        children: list[Any] = value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]
        for child in children:
            if not isinstance(child, ast.AST) or is_left_out(child):
                continue
            yield child
            yield from executed(child)


def is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Expr(ast.Constant()) | ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Assert():
            return True
        case ast.If(ast.Name("TYPE_CHECKING")):
            return True
        case ast.Assign([ast.Name("__all__" | "__slots__")]):
            return True
        case ast.Assign(value=ast.Call(ast.Name("TypeVar" | "ParamSpec" | "TypeVarTuple"))):
            return True
        case ast.AnnAssign(annotation=ast.Name("TypeAlias")):
            return True
        case ast.Raise(ast.Call(ast.Name("NotImplementedError"))):
            return True
        case _:
            return False


UNUSED = ("annotation", "returns", "bound", "decorator_list", "type_params")
BINDING = (ast.Constant, ast.Name, ast.Attribute, ast.Call, ast.Subscript)
"""Expressions that need no parentheses, whatever is around them."""
SWAPPED: dict[type[Any], type[Any]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.LShift: ast.RShift,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}


def other_expressions(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, [op, *ops], comparators) if type(op) in SWAPPED:
            yield ast.Compare(left, [swapped(op), *ops], comparators)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(swapped(op), values)
        case ast.BinOp(left, op, right) if type(op) in SWAPPED:
            yield ast.BinOp(left, swapped(op), right)
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.Constant(bytes() as value):
            yield ast.Constant(value[1:] if value else b"?")
        case ast.Constant(str() as value) if " " not in value:  # what has a space is for people
            yield ast.Constant(value[1:] if value else "?")
        case ast.Subscript(value, ast.Slice(lower, upper)):
            if lower is not None:
                yield ast.Subscript(value, ast.Slice(None, upper))
            if upper is not None:
                yield ast.Subscript(value, ast.Slice(lower, None))
        case ast.Call(function, arguments, keywords):
            for keyword in keywords:
                yield ast.Call(function, arguments, [other for other in keywords if other is not keyword])
        case _:
            pass


def swapped(op: ast.AST) -> Any:
    return SWAPPED[type(op)]()


def other_statements(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.Expr() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
            yield "pass"
        case ast.AugAssign(target, op, value):
            yield "pass"
            if type(op) in SWAPPED:
                yield ast.unparse(ast.AugAssign(target, swapped(op), value))
        case ast.Assign([ast.Attribute() | ast.Subscript()]):
            yield "pass"
        case ast.Return(value) if value is not None and not isinstance(value, ast.Constant):
            yield "return None"
        case _:
            pass


# Whether anybody notices.


class Copies:
    """Copies of the tree, one for each worker: the work tree itself is never changed."""

    def __init__(self, folder: Path, number: int) -> None:
        self._free: SimpleQueue[Path] = SimpleQueue()
        for each in range(number):
            shutil.copytree(ROOT, folder / str(each), ignore=NOT_COPIED)
            self._free.put(folder / str(each))

    def run(self, tests: Iterable[str], mutant: Mutant | None = None) -> str:
        """Run tests until one fails. Return which, and how; empty if all pass."""
        copy = self._free.get()
        try:
            if mutant is None:
                return self._pytest(copy, tests)
            path = copy / mutant.path.relative_to(ROOT)
            original, changed = path.read_bytes(), path.stat()
            path.write_text(mutant.source, encoding="utf-8")
            try:
                return self._pytest(copy, tests)
            finally:
                path.write_bytes(original)
                os.utime(path, ns=(changed.st_atime_ns, changed.st_mtime_ns))
        finally:
            self._free.put(copy)

    def _pytest(self, copy: Path, tests: Iterable[str]) -> str:
        options = ["-x", "-q", "--no-header", "--tb=line", "-p", "no:randomly", "--hypothesis-seed=0"]
        options += ["-o", f"faulthandler_timeout={PATIENCE}"]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        environment = {**os.environ, "PYTHONPATH": f"{copy}:{copy / 'adapters'}"}
        ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        if ran.returncode == 0:
            return ""
        said = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return said[0] if said else f"pytest ends with {ran.returncode}"


def try_out(copies: Copies, mutant: Mutant) -> str:
    """Return the test that notices a mutant; empty if it survives."""
    if noticed := copies.run(tests_of([mutant]), mutant):
        return noticed
    core = mutant.module.startswith("sse_core")
    noticed = copies.run(("tests/core", "tests/conformance") if core else ("tests/adapters",), mutant)
    name = re.match(r"FAILED ([^\[ ]+)", noticed)
    if name and (failure := copies.run([name[1]])):
        raise BrokenTree(failure)
    return noticed


def tests_of(mutants: Iterable[Mutant]) -> list[str]:
    """Return the files with the own tests of the modules that are changed."""
    found = {file for mutant in mutants for file in own_tests(mutant.module)}
    return [str(file.relative_to(ROOT)) for file in sorted(found)]


class BrokenTree(Exception):
    """A test fails without any change, so that nothing can be said."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Tries out whether the tests notice a change.")
    parser.add_argument("--seed", type=int, default=0, help="another seed takes other mutants")
    parser.add_argument("--sample", type=int, default=40, help="how many")
    parser.add_argument("--only", default="*", help="modules, such as sse_core.http.*")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    chosen = {name: path for name, path in modules().items() if fnmatch(name, options.only)}
    mutants = [mutant for name, path in chosen.items() for mutant in mutants_of(name, path)]
    equivalents = {
        (row["module"], row["before"], row["after"])
        for row in tomllib.loads(EQUIVALENTS.read_text())["mutant"]
    }
    sample = random.Random(options.seed).sample(mutants, min(options.sample, len(mutants)))
    tried = [mutant for mutant in sample if mutant.key not in equivalents]
    print(f"{len(tried)} of {len(mutants)} mutants, with the seed {options.seed}", flush=True)

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.workers) as pool:
        copies = Copies(Path(folder), options.workers)
        if failure := copies.run(tests_of(tried)):
            raise BrokenTree(failure)
        survivors: list[Mutant] = []
        for mutant, noticed in zip(tried, pool.map(partial(try_out, copies), tried), strict=True):
            print(f"{'killed' if noticed else 'SURVIVED'} {mutant}\n    {noticed}", flush=True)
            survivors += [] if noticed else [mutant]
    print(
        f"{len(tried) - len(survivors)} killed, {len(survivors)} survived, "
        f"{len(sample) - len(tried)} are equivalent"
    )
    for mutant in survivors:
        print(mutant)
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

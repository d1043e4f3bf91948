"""Every module has tests that are found by its name, or the table says where they are."""

from __future__ import annotations

import pytest

from support.mirror import ELSEWHERE, TESTS, mirrored_tests, modules, own_tests

MODULES = modules()


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_tests(module: str) -> None:
    assert own_tests(module), f"there is no test file of the name of {module}, and no row for it in ELSEWHERE"


@pytest.mark.parametrize("module", ELSEWHERE)
def test_the_table_has_no_row_too_many(module: str) -> None:
    about = [name for name in MODULES if name == module or name.rpartition(".")[0] + ".*" == module]
    assert not all(map(mirrored_tests, about)), "there is no such module, or it has tests by its name"
    assert all((TESTS / f"{name}.py").exists() for name in ELSEWHERE[module].split())

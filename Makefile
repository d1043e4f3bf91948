# Two commands do everything: both make .venv first, with whatever Python 3.11 or newer is here.
PYTHON ?= python3
BIN = .venv/bin
WORKERS ?= 2

demo: .venv/run
	$(BIN)/sse chat "What are server-sent events?"

test: .venv/test
	$(BIN)/coverage erase
	COVERAGE_PROCESS_START=pyproject.toml $(BIN)/pytest -n $(WORKERS) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: .venv/lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/python -m tests.typing.known sse_core
	$(BIN)/python -m tests.typing.known sse_adapters

bench: .venv/bench
	$(BIN)/python -m benchmarks.goals

fuzz: .venv/test
	-$(BIN)/python -m pip install --quiet atheris  # has wheels for some Pythons; without it inputs are random
	$(BIN)/python fuzz/run.py --seconds 60
	$(BIN)/python fuzz/faults.py --seconds 60

mutants: .venv/test
	$(BIN)/python tools/mutants.py $(ARGS)

.venv/run: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/test: .venv/run
	$(BIN)/python -m pip install --quiet --group test
	touch $@

.venv/bench: .venv/run benchmarks/requirements.txt
	$(BIN)/python -m benchmarks.environments
	touch $@

.venv/lint: .venv/test
	$(BIN)/python -m pip install --quiet --group lint
	touch $@

clean:
	rm -rf .venv .coverage* .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

.PHONY: demo test lint bench fuzz mutants clean

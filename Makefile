# Two commands do everything: both make .venv first, with whatever Python 3.11 or newer is here.
PYTHON ?= python3
BIN = .venv/bin

demo: .venv/run
	$(BIN)/sse chat "What are server-sent events?"

test: .venv/test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	$(BIN)/coverage report

lint: .venv/lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pyright

bench: .venv/bench
	$(BIN)/python -m benchmarks.goals

fuzz: .venv/test
	-$(BIN)/python -m pip install --quiet atheris  # has wheels for some Pythons; without it inputs are random
	$(BIN)/python fuzz/run.py --seconds 60
	$(BIN)/python fuzz/faults.py --seconds 60

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
	rm -rf .venv .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

.PHONY: demo test lint bench fuzz clean

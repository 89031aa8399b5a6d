# `make demo`, `make test` and `make docs` set everything up by themselves; they need Python 3.12 or newer and nothing else.

PYTHON ?= $(shell for python in python3.12 python3.13 python3.14 python3 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then echo $$python; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test slow experiments kills fuzz mutants docs lint types setup clean

demo: $(VENV)/runtime
	$(BIN)/codingschemes demo --out $${DEMO_OUT:-demo}

# Types are checked meanwhile: mypy takes one core.
test: lint
	@$(BIN)/mypy >$(VENV)/types.txt 2>&1 & types=$$!; \
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal; tests=$$?; \
	wait $$types; typed=$$?; cat $(VENV)/types.txt; exit $$((tests || typed))

slow: $(VENV)/development
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m slow

experiments: $(VENV)/development
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -m slow tests/slow/test_scripts.py --verbose --durations=0

docs: $(VENV)/documentation
	$(BIN)/sphinx-build -q -W --keep-going -c docs . build/docs
	@echo "build/docs/docs/index.html"

kills: $(VENV)/development
	OPENBLAS_NUM_THREADS=1 $(BIN)/python experiments/kills.py

fuzz: $(VENV)/development
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzzing --hypothesis-profile=fuzz

mutants: $(VENV)/development
	OPENBLAS_NUM_THREADS=1 $(BIN)/python experiments/mutants.py

lint: $(VENV)/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/development
	$(BIN)/mypy

setup: $(VENV)/development

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "codingschemes needs Python 3.12 or newer: install it, or name it with make PYTHON=/path/to/python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/development: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/runtime

$(VENV)/documentation: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@ $(VENV)/runtime

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

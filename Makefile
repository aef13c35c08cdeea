# Everything runs in a virtual environment, which is made when it is first needed.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGING := pyproject.toml hatch_build.py runs/public/troop.py runs/__main__.py

.PHONY: demo install dev quick test check format clean help

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.installed ## Install Troop and repair a small library, in a minute
	$(BIN)/troop demo

install: $(VENV)/.installed ## Install Troop into a virtual environment, .venv

dev: $(VENV)/.dev ## Install Troop and what its tests and checks need

quick: $(VENV)/.dev ## Run the tests that start no engine and no program, in a minute or two
	$(BIN)/python -m pytest -n auto -m 'not docker and not postgres and not slow'

test: $(VENV)/.dev ## Run the whole test suite
	$(BIN)/python -m pytest -n auto

check: $(VENV)/.dev ## Check style, types and the rules for imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove what the other targets have made
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Troop needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python $(PACKAGING)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python $(PACKAGING)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.installed

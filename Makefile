# Every target sets up what it needs: a fresh clone and Python 3.11 or newer are enough.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help demo test check bench chaos compat screenshots format clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "loopwatch needs Python 3.11 or newer; name one with: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "python's venv module is missing: install it (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }

$(VENV)/.installed-all: pyproject.toml | $(VENV)/bin/python
	@echo "installing loopwatch[all] into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing loopwatch[dev] into $(VENV)"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed-all

demo: $(VENV)/.installed-all ## start collector, agents and dashboards; Ctrl-C stops them
	@$(BIN)/loopwatch demo

# Some hundred processes are started: what Python compiled is kept for the next, whatever the environment says.
test: export PYTHONDONTWRITEBYTECODE :=
# Two workers more than there are cores, for each waits a part of its time: for processes to start, pages to be drawn.
test: WORKERS = $(shell $(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 2)')
# A worker takes whole files, so that what a module starts (a collector, a browser) is started once; in the order of
# their names, which begins with the longest (e2e) and lets the many short ones (unit) fill up the end.
test: $(VENV)/.installed-dev ## run every test
	@$(BIN)/python tests/chromium.py --install
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.installed-dev ## format, lint, types, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyright
	@$(MAKE) --no-print-directory test

format: $(VENV)/.installed-dev ## rewrite the sources in the house format
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format .

bench: $(VENV)/.installed-dev ## run the benchmarks and print their tables
	@$(BIN)/python -m tests.bench

chaos: $(VENV)/.installed-dev ## kill collector and sender at random moments; print what was lost
	@$(BIN)/python -m tests.chaos

compat: $(VENV)/.installed-dev ## run other instrumentations, each in its own environment, and keep what they send
	@$(BIN)/python -m tests.compat

screenshots: $(VENV)/.installed-dev ## take the pictures of README and docs
	@$(BIN)/python tests/chromium.py --install
	@$(BIN)/python -m tests.screenshots

clean: ## remove the environment and caches (stored data stays)
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis

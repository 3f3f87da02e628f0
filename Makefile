# Every target makes what it needs: .venv comes from tools/bootstrap.py, which does nothing
# when nothing changed. The Python to start from can be named: make test PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
# Tests wait for other processes often enough that half as many workers again pay.
WORKERS := $(shell echo $$(( ($$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) * 3 + 1) / 2 )))

.DEFAULT_GOAL := help
.PHONY: help run serve test test-all check fmt bench lock clean install install-test

help:  ## list the targets
	@grep -E '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed 's/:.*  ## /\t/' | expand -t 14

install:
	@$(PYTHON) tools/bootstrap.py run

install-test:
	@$(PYTHON) tools/bootstrap.py test

run: install  ## a server, 25 virtual stations and one bulk command over them
	@$(BIN)/csms demo $(ARGS)

serve: install  ## the server, with its data in ./data
	@$(BIN)/csms serve --data-dir data $(ARGS)

test: install-test  ## the whole test suite, without the long campaigns
	$(BIN)/python -m pytest -q -n $(WORKERS) -m "not campaign" $(ARGS)

test-all: install-test  ## everything, the long campaigns too
	$(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS)

check: install-test  ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: install-test  ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install-test  ## measure csms against the naive central system
	$(BIN)/python -m bench $(ARGS)

lock:  ## write the lock files again (needs uv; ARGS=--upgrade for newer versions)
	$(PYTHON) tools/lock $(ARGS)

clean:  ## remove what the targets made
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
	find csms tests bench tools -name __pycache__ -type d -exec rm -rf {} +

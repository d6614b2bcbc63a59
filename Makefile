# Everything a reader of the README runs, and what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DB ?= bpsvc.db
REPORTS ?= reports
export BPSVC_DB := $(DB)
export MPLBACKEND := Agg

.PHONY: help demo test check fix guarantee slow lock clean
help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: $(VENV)/.installed  ## train the lecture's XOR net and watch gradients vanish; write both reports
	$(BIN)/bpsvc submit specs/xor.json specs/vanishing.json
	$(BIN)/bpsvc report xor --output $(REPORTS)
	$(BIN)/bpsvc report vanishing --output $(REPORTS)

test: $(VENV)/.installed  ## the fast tests
	$(BIN)/python -m pytest -n auto

guarantee: $(VENV)/.installed  ## break things on purpose
	$(BIN)/python -m pytest -n auto -m guarantee

slow: $(VENV)/.installed  ## the tests that take more than a few seconds
	$(BIN)/python -m pytest -n auto -m slow

check: $(VENV)/.installed  ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fix: $(VENV)/.installed  ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:            ## pin every dependency anew, with hashes
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --extra test --extra dev pyproject.toml -o requirements.lock

clean:           ## forget environment and caches (never results)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

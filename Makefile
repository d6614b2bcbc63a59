# Everything a reader of the README runs, and what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PEERS_VENV ?= .venv-peers
PEERS_BIN := $(PEERS_VENV)/bin
DB ?= bpsvc.db
REPORTS ?= reports
export BPSVC_DB := $(DB)
export MPLBACKEND := Agg
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo gallery test check fix guarantee slow oracle interop bench docs published lock clean
help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# scikit-learn is no more than a few tables of data to the gallery.
$(VENV)/.tables: $(VENV)/.installed requirements-tables.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tables.lock
	@touch $@

# The peers live apart: nothing of bpsvc needs them. PyTorch is large and not to be had everywhere: without it its rows say so.
$(PEERS_VENV)/.installed: requirements-peers.lock pyproject.toml
	$(PYTHON) -m venv $(PEERS_VENV)
	$(PEERS_BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.lock
	$(PEERS_BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(PEERS_VENV)/.torch: $(PEERS_VENV)/.installed
	-$(PEERS_BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	@touch $@

demo: $(VENV)/.installed  ## train the lecture's XOR net and watch gradients vanish; write both reports
	$(BIN)/bpsvc submit specs/xor.json specs/vanishing.json
	$(BIN)/bpsvc report xor --output $(REPORTS)
	$(BIN)/bpsvc report vanishing --output $(REPORTS)

gallery: $(VENV)/.tables  ## train every spec in specs/ and write reports/gallery/
	$(BIN)/python reports/build_gallery.py

test: $(VENV)/.installed  ## the fast tests
	$(BIN)/python -m pytest -n auto --dist worksteal

guarantee: $(VENV)/.installed  ## break things on purpose
	$(BIN)/python -m pytest -n auto -m guarantee

slow: $(VENV)/.installed  ## the tests that take more than a few seconds
	$(BIN)/python -m pytest -n auto --dist worksteal -m slow

oracle: $(PEERS_VENV)/.installed  ## hold the engine against JAX and optax
	$(PEERS_BIN)/python -m pytest -n auto -m oracle tests/oracle

interop: $(PEERS_VENV)/.installed  ## DuckDB, Polars, pandas and Datasette read what bpsvc writes
	$(PEERS_BIN)/python -m pytest -m interop tests/interop

bench: $(PEERS_VENV)/.installed $(PEERS_VENV)/.torch  ## measure against scikit-learn, PyTorch and JAX: benchmarks/RESULTS.md
	$(PEERS_BIN)/python -m benchmarks.bench

docs: $(VENV)/.installed  ## write the reference pages, run the tutorial, draw its pictures
	$(BIN)/python -m docs.generate

published: $(VENV)/.installed  ## reproduce published results
	$(BIN)/python -m benchmarks.published

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
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --constraint requirements.lock --extra test --extra dev --extra oracle --extra peers --extra interop pyproject.toml -o requirements-peers.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --constraint requirements-peers.lock --extra tables pyproject.toml -o requirements-tables.lock

clean:           ## forget environment and caches (never results)
	rm -rf $(VENV) $(PEERS_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

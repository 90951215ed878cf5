# Everything a person needs: `make serve` and `make test` work on a machine with only Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help serve test lint format train evaluate bench lock clean

help: ## Show these targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(VENV)/serve.stamp: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/serve.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

serve: $(VENV)/serve.stamp ## Set up and start the service on this machine, at first with a made-up school
	$(BIN)/growth serve --demo

test: $(VENV)/dev.stamp ## Set up and run the tests
	$(BIN)/pytest -n auto --dist loadfile

lint: $(VENV)/dev.stamp ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp ## Bring the code into house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(VENV)/serve.stamp ## Refit heads, calibration and thresholds; writes models/retrained
	$(BIN)/growth train --version retrained

evaluate: $(VENV)/serve.stamp ## Print the figures on the development struggles
	$(BIN)/growth evaluate

bench: $(VENV)/dev.stamp ## Run the speed ratios (a quiet machine, some minutes)
	$(BIN)/pytest tests/benchmarks -o addopts="" -s

lock: $(VENV)/dev.stamp ## Renew the lock files from pyproject.toml
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra build --extra oidc --extra postgres -o requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra build --extra oidc --extra postgres --extra dev -o requirements-dev.lock pyproject.toml

clean: ## Remove what the targets made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

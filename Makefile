# Hejie 和解. `make` lists what can be made.
# Everything is installed into .venv from pinned requirements with hashes; uv is used when it is there.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test prove check bench demo install requirements migration translations web clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: .venv/run.stamp ## start Hejie with the demonstration cases; prints the address and one account per role
	$(BIN)/hejie run --demo

demo: .venv/run.stamp ## play the demonstration and print the timeline of each case
	$(BIN)/hejie demo

test: .venv/dev.stamp ## all tests, on SQLite and PostgreSQL, with a browser where there is one (8 minutes at most)
	$(BIN)/pytest -n $(WORKERS) -m "not prove"

prove: .venv/dev.stamp ## kills, races, long random runs, corpora, fuzzing (45 minutes at most)
	$(BIN)/pytest -n $(WORKERS) -m prove

check: .venv/dev.stamp ## style, types, import rules, diagrams, one migration head, no duplicated requirements
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy examples/worker/serve.py examples/worker/track.py
	$(BIN)/lint-imports
	$(BIN)/hejie check .

bench: .venv/dev.stamp ## measure steps, timers and memory, each beside a bare transaction of the same run
	$(BIN)/hejie bench

install: .venv/dev.stamp ## install everything that the tests need

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Hejie needs Python 3.11 or newer."; exit 2; }
	$(if $(UV),$(UV) venv -q --allow-existing --python $(PYTHON) .venv,$(PYTHON) -m venv .venv)

.venv/run.stamp: requirements/run.txt pyproject.toml | .venv/bin/python
	$(call sync,requirements/run.txt)
	@touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml | .venv/bin/python
	$(call sync,requirements/dev.txt)
	@touch $@ .venv/run.stamp

# $(1): a requirements file with hashes. The checkout itself is installed last, without fetching anything.
define sync
$(if $(UV),$(UV) pip install -q --python $(BIN)/python --require-hashes -r $(1),$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1))
$(if $(UV),$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .,$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .)
endef

requirements: .venv/dev.stamp ## pin the requirements anew after a change of pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
		--extra build --extra dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header \
		--extra build -c requirements/dev.txt pyproject.toml -o requirements/run.txt

migration: .venv/dev.stamp ## write a migration from the models: make migration NAME="add handover receipt"
	$(BIN)/alembic -c migrations/alembic.ini revision --autogenerate -m "$(NAME)"

web: ## build the browser bundles anew (needs Node)
	cd web && npm ci --ignore-scripts && npm run build

clean: ## remove what was installed and built, keep data
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .hypothesis

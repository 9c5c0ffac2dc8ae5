# Every target works from a clean clone; `make help` prints this list.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
BENCH_STAMP := .venv-bench/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test prove check format generate bench bench-growth bench-webhooks images lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with .venv/bin/kairan and the checkers

$(STAMP): requirements/bootstrap.lock requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## play a community's year through a real stack and open its page
	@$(BIN)/kairan demo

test: setup ## all tests, on a real broker, a real database and a real browser
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

prove: setup ## the long proofs in full: kills, outages, order (about 15 minutes)
	KAIRAN_PROVE=full $(BIN)/pytest -m prove --timeout 1800

check: setup ## format, lint, types, walls, and the generated contracts against the code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m shared.catalogue.generate --check

format: setup ## rewrite the code in the one format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

generate: setup ## write docs/ that come from the code: schemas, catalogue, AsyncAPI
	$(BIN)/python -m shared.catalogue.generate

bench: setup ## the benchmarks of the spine; benchmarks/README.md says how they measure
	$(BIN)/python -m benchmarks.run

bench-growth: $(BENCH_STAMP) ## the science against truth, peers and real streams (ARGS=--json, ARGS=--markdown, ...)
	@.venv-bench/bin/python -m benchmarks.growth $(ARGS)

bench-webhooks: setup ## the acceptance table of the webhooks, on real parts (ARGS=--json, ARGS="--only cost", ...)
	@$(BIN)/python -m benchmarks.webhooks $(ARGS)

$(BENCH_STAMP): $(STAMP) requirements/bench.lock
	@$(PYTHON) -m venv --without-pip .venv-bench
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r requirements/bench.lock
	@touch $@

images: ## build the images of the four services, labelled with the version from git
	deploy/images/build

lock: setup ## resolve the dependencies anew into requirements/*.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --extra embedded --extra dev pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -c requirements/runtime.lock pyproject.toml requirements/bench.in -o requirements/bench.lock

clean: ## remove .venv, .venv-bench and the default home
	rm -rf .venv .venv-bench .kairan

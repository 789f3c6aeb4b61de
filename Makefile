# make run     everything on this machine: installs, starts, opens the dashboard
# make test    installs what the tests need, checks and tests everything
# make check   lint, types, layers, what is known against the packages
# make bench    what a file and a viewer cost, side by side with other ways; takes more than an hour
# make chaos   uploads while everything breaks: make chaos ROUNDS=20 SEED=7
# make clean   removes what `install` made; the state folder .stocktrail stays

PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/runtime-installed
TESTING := .venv/testing-installed
BENCH := .venv/bench/bin
BENCHING := .venv/bench/installed

ROUNDS ?= 200
SEED ?= 1
JOBS ?= 2

.PHONY: install run test check chaos bench clean

install: $(TESTING)

run: $(RUNTIME)
	$(BIN)/python -m streamlit run app.py

test: $(TESTING) check
	@command -v chromium-headless-shell >/dev/null || { echo "Installing Debian's chromium for the browser tests"; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium-headless-shell; }
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder tests/browser
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --ignore tests/browser

check: $(TESTING)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_layers.py
	$(BIN)/python -m tests.advisories

chaos: $(TESTING)
	$(BIN)/python -m tests.chaos --rounds $(ROUNDS) --seed $(SEED) --jobs $(JOBS)

bench: $(BENCHING)
	$(BENCH)/python -m bench

clean:
	rm -rf .venv .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --upgrade pip

$(RUNTIME): .venv/pyvenv.cfg requirements.txt lambdas/requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	@touch $@

$(TESTING): $(RUNTIME) requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(BENCHING): .venv/pyvenv.cfg bench/requirements.txt requirements.txt requirements-dev.txt lambdas/requirements.txt
	$(PYTHON) -m venv .venv/bench # of its own: awswrangler wants an older pyarrow
	$(BENCH)/python -m pip install -q --disable-pip-version-check -r bench/requirements.txt
	@touch $@

# make run      everything on this machine: installs, starts, opens the dashboard
# make test     installs what the tests need, checks and tests everything
# make check    lint, types, layers, what is known against the packages
# make bench    what a file and a viewer cost, side by side with other ways; takes more than an hour
# make chaos    uploads while everything breaks: make chaos ROUNDS=20 SEED=7
# make deploy   to AWS: make deploy STAGE=test, with the parameters in stages/test.yaml; shows the changes and asks, unless CONFIRM=no
# make destroy  deletes a stage's stack, after asking; the tables, the bucket and the users stay
# make build    what deploy sends: sam build, and `slim`, which takes botocore's descriptions of what the Lambdas never ask out: 15 of 23 MB
# make clean    removes what `install` made; the state folder .stocktrail stays

PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/runtime-installed
TESTING := .venv/testing-installed
BENCH := .venv/bench/bin
BENCHING := .venv/bench/installed

ROUNDS ?= 200
SEED ?= 1
JOBS ?= 2

STAGE ?=
CONFIRM ?= yes
BUILD ?= .aws-sam/build
BUILT := $(BUILD)/template.yaml
TEMPLATE ?= $(BUILT)
ASKED := dynamodb dynamodbstreams s3 sns sqs

ifneq ($(AWS_REGION),) # which SAM does not look at
export AWS_DEFAULT_REGION := $(AWS_REGION)
endif

.PHONY: install run test check chaos bench build slim deploy destroy stage clean

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

build: $(TESTING)
	PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 $(BIN)/sam build
	$(MAKE) slim

deploy: stage $(TESTING) $(if $(filter $(BUILT),$(TEMPLATE)),build)
	SAM_CLI_TELEMETRY=0 $(BIN)/sam deploy --template-file $(TEMPLATE) --stack-name stocktrail-$(STAGE) \
		--capabilities CAPABILITY_IAM --resolve-s3 --no-fail-on-empty-changeset \
		$(if $(wildcard stages/$(STAGE).yaml),--parameter-overrides file://stages/$(STAGE).yaml) \
		$(if $(filter no,$(CONFIRM)),--no-confirm-changeset,--confirm-changeset)
	@$(BIN)/python -m operate deployed $(STAGE)

destroy: stage $(TESTING)
	@$(BIN)/python -m operate destroy $(STAGE)

stage:
	@test -n "$(STAGE)" || { echo "Which stage? Such as: make deploy STAGE=test"; exit 2; }

slim:
	find $(BUILD)/*/botocore/data -mindepth 1 -maxdepth 1 -type d $(ASKED:%=! -name %) -exec rm -r {} +

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

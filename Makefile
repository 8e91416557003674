# Everything a contributor runs. `make` alone says what there is.
#
# One .venv serves all: `demo` and `run` need requirements/run.lock only, the others requirements/dev.lock.
# A stamp in .venv holds the sums of lock and pyproject.toml, so that nothing is installed twice.

PYTHON ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
SOURCES := emcheck firmware_sim tests bench
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --quiet

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-run demo run test check format bench bench-body bench-range lock clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(1) is the lock to install: `dev` holds all of `run` too, so either stamp satisfies `run`.
define install
	@set -eu; \
	usable='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	sum=$$(cat requirements/$(1).lock pyproject.toml | cksum); \
	if $(BIN)/python -c "$$usable" 2>/dev/null; then \
		for stamp in $(1) dev; do \
			want=$$(cat requirements/$$stamp.lock pyproject.toml | cksum); \
			if [ "$$(cat $(VENV)/.stamp-$$stamp 2>/dev/null)" = "$$want" ]; then exit 0; fi; \
		done; \
	else \
		python=; \
		for name in $(CANDIDATES); do \
			if "$$name" -c "$$usable" 2>/dev/null; then python=$$name; break; fi; \
		done; \
		if [ -z "$$python" ]; then \
			echo "No Python 3.11, 3.12 or 3.13 with venv found (tried: $(CANDIDATES))." >&2; \
			echo "Install one, on Debian and Ubuntu with: apt-get install python3 python3-venv," >&2; \
			echo "or name one: make setup PYTHON=/path/to/python3.12" >&2; \
			exit 1; \
		fi; \
		echo "Making $(VENV) with $$("$$python" --version)"; \
		"$$python" -m venv --clear $(VENV); \
	fi; \
	echo "Installing requirements/$(1).lock (hashes checked)"; \
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/$(1).lock; \
	$(BIN)/python -m pip install --quiet --no-deps --no-index --no-build-isolation --editable .; \
	echo "$$sum" > $(VENV)/.stamp-$(1)
endef

# Published detectors, which only `make bench-body DATA=FOLDER` compares with; without them it says so.
define detectors
	sum=$$(cksum < requirements/detectors.lock); \
	if [ "$$(cat $(VENV)/.stamp-detectors 2>/dev/null)" != "$$sum" ]; then \
		echo "Installing requirements/detectors.lock (hashes checked)" >&2; \
		if $(BIN)/python -m pip install --quiet --require-hashes -r requirements/detectors.lock; then \
			echo "$$sum" > $(VENV)/.stamp-detectors; \
		else \
			echo "The published detectors could not be installed; their rows say so." >&2; \
		fi; \
	fi
endef

setup: ## Make .venv with everything for development (nothing is done twice)
	$(call install,dev)

setup-run:
	$(call install,run)

demo: setup-run ## Show a night of curfew monitoring, from broker to findings
	@$(BIN)/emcheck demo $(ARGS)

run: setup-run ## Run the service (make run ARGS="--config emcheck.toml")
	@$(BIN)/emcheck serve $(ARGS)

test: setup ## Run all tests, in random order, warnings as errors, on all cores
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal $(ARGS)

check: setup ## Lint, format, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

format: setup ## Mend what the formatter and the linter can mend by themselves
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Print the benchmark's table
	@$(BIN)/python -m bench $(ARGS)

bench-body: setup ## Print the body check's table: simulated tags, and real recordings where DATA=FOLDER is named
	@if [ -n "$(DATA)" ]; then $(detectors); fi
	@$(BIN)/python -m bench.body $(DATA) $(ARGS)

bench-range: setup ## Print what levels tell of in and out, and the walk test, on real recordings (DATA=FOLDER)
	@test -n "$(DATA)" || { echo "Name the folder of the recordings: make bench-range DATA=FOLDER" >&2; exit 2; }
	@$(BIN)/python -m bench.ranging $(DATA) $(ARGS)

lock: setup ## Lock all dependencies anew, with hashes and without registry addresses
	$(COMPILE) --upgrade --group dev --all-extras pyproject.toml -o requirements/dev.lock
	$(COMPILE) --group build --all-extras pyproject.toml --constraint requirements/dev.lock -o requirements/run.lock
	$(COMPILE) --upgrade --group pyproject.toml:detectors --constraint requirements/dev.lock -o requirements/detectors.lock

clean: ## Remove what was made here, the virtual environment included
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

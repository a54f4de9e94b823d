# Everything a person runs here. `make` alone lists it. Needs Python 3.11 or newer and make, nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PORT ?= 8000
WORKERS ?= 2
ROUNDS ?= 20
SERVICE ?= pypi
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
FLASK := $(BIN)/flask --app web

.DEFAULT_GOAL := help
.PHONY: help run test check format scenarios bench soak lock chromium audit clean
.DELETE_ON_ERROR:

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BIN)/.run ## start a trial on 127.0.0.1:8000 (another port: make run PORT=8080)
	@TRIAL=1 $(FLASK) seed-trial
	@TRIAL=1 exec $(FLASK) serve --port $(PORT)

test: $(BIN)/.dev chromium check ## everything a change must pass
	@$(BIN)/python -m pytest -n $(WORKERS)

check: $(BIN)/.dev ## format, lint, security lint, types, import contracts and secrets only
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/bandit -q -c pyproject.toml -r engine handlers web -x web/assets
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tests.leaks

format: $(BIN)/.dev ## put the code into the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

scenarios: $(BIN)/.run ## play every scenario that lies beside a diagram
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && for folder in bpmn/*/; do \
		DATA_DIR="$$data" $(FLASK) scenarios --story "$$folder" || exit 1; \
	done

bench: $(BIN)/.dev ## measure speed, sweep, inbox and memory, judging nothing (at full size: make bench FULL=1)
	@for module in complete_in_process complete_over_http sweep recompute inbox weight long_life lint; do \
		$(BIN)/python -m tests.benchmarks.$$module || exit 1; \
	done

soak: $(BIN)/.dev ## storms, outages, very long lives; the server killed 20 times (or: make soak ROUNDS=100)
	@$(BIN)/python -m pytest -q -s tests/soak/storms.py tests/soak/faults.py tests/soak/long_lives.py tests/soak/mutants.py
	@for round in $$(seq $(ROUNDS)); do \
		echo "round $$round of $(ROUNDS)"; $(BIN)/python -m pytest -q tests/test_killed_server.py || exit 1; \
	done

lock: ## write requirements*.txt anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		-o requirements.txt pyproject.toml
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		-c requirements.txt --group dev -o requirements-dev.txt pyproject.toml

audit: ## ask the package index for known holes in what is locked (needs uv and the network; or: make audit SERVICE=osv)
	@command -v uvx >/dev/null || { echo "make audit needs uv, see https://docs.astral.sh/uv/"; exit 1; }
	@told=$$(uvx pip-audit@2.10.1 -s $(SERVICE) --strict --no-deps --disable-pip -r requirements.txt 2>&1); found=$$?; \
	echo "$$told"; \
	case "$$found $$told" in \
		0*) exit 0 ;; \
		*Found*"known vulnerabilit"*) echo "Raise what is named in pyproject.toml, then: make lock"; exit 1 ;; \
	esac; \
	echo "No result: not every locked package was answered for, so nothing is known about holes in any of them."; \
	echo "Run it where https://pypi.org/pypi/<name>/<version>/json answers, or, with SERVICE=osv, https://api.osv.dev."; \
	exit 2

clean: ## remove the virtual environment and what tests leave (not var/, which holds data)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-artifacts

$(BIN)/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; say which one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making a virtual environment in .venv …"
	@"$(PYTHON)" -m venv .venv

# Stamps: the environment is brought up to date when a lock file is newer than the last installation from it.
$(BIN)/.run: requirements.txt | $(BIN)/python
	@echo "Installing what the application needs …"
	@$(PIP) -r requirements.txt
	@touch $@

$(BIN)/.dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing what the tests need …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

# The browser tests drive the system's own Chromium, in a window nobody sees.
chromium:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	packages="chromium fonts-noto-cjk"; \
	if [ "$$(id -u)" = 0 ]; then sudo=; elif sudo -n true 2>/dev/null; then sudo="sudo -n"; else sudo=none; fi; \
	if [ "$$sudo" = none ] || ! command -v apt-get >/dev/null; then \
		echo "The browser tests need Chromium and a Chinese font. On Debian or Ubuntu: sudo apt-get install $$packages"; \
		exit 1; \
	fi; \
	echo "Installing $$packages …"; \
	$$sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends $$packages >/dev/null

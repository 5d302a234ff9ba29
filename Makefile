# One command per job; `make` alone lists them. Everything runs in .venv, which each command makes for itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
INSTALLED := $(VENV)/installed
TESTED := $(VENV)/installed-for-tests

.DEFAULT_GOAL := help
.PHONY: help site build test check lint benchmark lighthouse screenshots wheel clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

site: $(INSTALLED) ## build README, exports and website, and serve the website on localhost
	$(BIN)/atlas serve

build: $(INSTALLED) ## build README, exports and website into build/site
	$(BIN)/atlas build

test: $(TESTED) lint ## run every test
	$(BIN)/pytest -n auto --dist worksteal

lint: $(TESTED) ## check types, style and records
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/atlas check

check: $(INSTALLED) ## check the records alone
	$(BIN)/atlas check

benchmark: $(TESTED) ## measure the budgets and compare with the committed figures
	$(BIN)/python benchmarks/catalogue.py
	$(BIN)/python benchmarks/explore.py

lighthouse: $(TESTED) build ## let Lighthouse measure home, Explore and a paper
	$(BIN)/python benchmarks/lighthouse.py

screenshots: $(TESTED) build ## take pictures of every kind of page into build/screenshots
	$(BIN)/python tests/website/screenshots.py build/screenshots

wheel: $(INSTALLED) ## build the wheel into dist/
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove what the commands made
	rm -rf $(VENV) build dist

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[site,tables,intake]'
	@touch $@

$(TESTED): $(INSTALLED)
	$(PIP) --editable '.[site,tables,intake,dev,reference]'
	@touch $@

# The one door: every target sets up what it needs, from constraints.txt, into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := src/elman/page/index.html
PACKAGES := web/node_modules/.package-lock.json
INSTALLED := $(VENV)/.installed

.PHONY: help demo test check format bench browser docs tutorial-table web wheel constraints clean

help:	## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*##/\t/' | expand -t 16

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[train,hub,serve,zst,docs,dev]"
	@touch $@

demo: $(INSTALLED)	## train on Python's own manual for a minute, score it, stream a sample
	@rm -rf models/demo
	@$(BIN)/elman train --minutes 1 --out models/demo
	@echo
	@$(BIN)/elman generate models/demo "The if statement is" -n 400 --temperature 0.7

test: check browser web	## everything that CI runs
	@$(BIN)/python -m pytest -n 2 -m "not alone"
	@$(BIN)/python -m pytest -m alone

browser:	## install chromium for the tests of pages, on Debian as root; elsewhere install it yourself
	@command -v chromedriver >/dev/null || ! command -v apt-get >/dev/null || [ "$$(id -u)" != 0 ] || \
		(apt-get update -qq && apt-get install -y -qq chromium chromium-driver) >/dev/null

check: $(INSTALLED)	## format, lint, types
	@$(BIN)/ruff format --check --quiet src tests benchmarks docs examples
	@$(BIN)/ruff check --quiet src tests benchmarks docs examples
	@$(BIN)/mypy

format: $(INSTALLED)	## rewrite the code in the project's format
	@$(BIN)/ruff check --fix --quiet src tests benchmarks docs examples
	@$(BIN)/ruff format --quiet src tests benchmarks docs examples

docs: $(INSTALLED)	## rewrite the generated parts of the book and build it into site/
	@$(BIN)/python docs/generate.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(INSTALLED)	## measure speed and memory; run it alone on the machine (one table: python -m benchmarks NAME)
	@$(BIN)/python -m benchmarks

tutorial-table: $(INSTALLED)	## train every lyrics recipe in full and write docs/tutorial-table.md (20 minutes)
	@$(BIN)/python -m benchmarks.tutorials

web: $(PAGE)	## build the playground into src/elman/page, with node and npm

$(PACKAGES): web/package-lock.json
	@cd web && npm ci --silent --ignore-scripts
	@touch $@

$(PAGE): $(PACKAGES) $(shell find web -name node_modules -prune -o -type f -print)
	@cd web && npm run --silent build -- --logLevel warn

wheel: $(INSTALLED) web	## build the wheel into dist/
	@$(BIN)/python -m build --wheel --outdir dist

constraints:	## pin the newest versions of everything anew (torch stays as constraints.txt has it)
	$(PYTHON) -m venv $(VENV)-constraints
	$(VENV)-constraints/bin/python -m pip install --quiet "$$(grep '^torch==' constraints.txt | cut -d+ -f1)" ".[train,hub,serve,zst,docs,dev]"
	$(VENV)-constraints/bin/python -m pip freeze --exclude elman | sed 's/+cpu$$//' > constraints.txt
	rm -rf $(VENV)-constraints

clean:	## remove what the targets made, but no models
	rm -rf $(VENV) dist build web/node_modules src/elman/page .pytest_cache .mypy_cache .ruff_cache .hypothesis

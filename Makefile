# `make help` lists the targets. Everything lives in .venv, made with python3 -m venv and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
RECIPE ?= quick
DATA ?= auto
OUT ?=
ROUNDS ?= 5
COUNT ?= 10000
KILLS ?= 50
EVERY ?= 1

.DEFAULT_GOAL := help
.PHONY: help install explorer reproduce test lint types layers unit fuzz chaos cuts benchmark benchmark-quality format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(PIP) --editable '.[test]'
	@touch $@

install: $(VENV)/.installed  ## make .venv and install latentspace into it
	@echo "installed: $(BIN)/latentspace"

reproduce: install  ## run the report's studies (RECIPE=quick|homework|FILE, DATA=SPEC, OUT=DIR)
	$(BIN)/latentspace reproduce --recipe $(RECIPE) --data $(DATA) $(if $(OUT),--out $(OUT))

# Side by side: types fill what the tests leave free of two cores.
test:  ## lint, types, layers, tests
	@$(MAKE) --no-print-directory --jobs 2 lint layers types unit

lint: $(VENV)/.tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.tested
	$(BIN)/mypy

layers: $(VENV)/.tested
	$(BIN)/lint-imports

# One thread a process: results do not depend on the machine's core count. Three fill two cores: some tests wait.
# The many processes of the tests compile each module once, whatever the surroundings say.
unit: $(VENV)/.tested
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 3 --dist worksteal

fuzz: $(VENV)/.tested  ## damaged inputs for every reader (COUNT=10000 each)
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m fuzz --count $(COUNT)

chaos: $(VENV)/.tested  ## trainings and searches, killed and gone on with (KILLS=50 each)
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m chaos --kills $(KILLS)

cuts: $(VENV)/.tested  ## each file operation of a training, an evaluation, a page and a search, failed in turn (EVERY=1)
	OMP_NUM_THREADS=1 PYTHONPATH=tests $(BIN)/python -m cuts --every $(EVERY)

$(VENV)/.benchmarked: $(VENV)/.installed
	$(PIP) --editable '.[benchmark]'
	@touch $@

benchmark: $(VENV)/.benchmarked  ## speed, searches, start-up, growth, measured: tables in benchmarks/results/ (an hour)
	PYTHONPATH=benchmarks $(BIN)/python -m speed --rounds $(ROUNDS)
	$(BIN)/python benchmarks/start.py --rounds $(ROUNDS)
	$(BIN)/python benchmarks/search_trials.py --rounds $(ROUNDS)
	$(BIN)/python benchmarks/growth.py

benchmark-quality: $(VENV)/.benchmarked  ## the time that the plain loop and ours take to given errors (an hour)
	$(BIN)/python benchmarks/time_to_quality.py

format: $(VENV)/.tested  ## bring the code into shape
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## remove what the targets made: .venv and caches (runs/ stays)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

explorer:  ## make the explorer's page anew from explorer/web (needs Node)
	cd explorer/web && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent check && npm run --silent build

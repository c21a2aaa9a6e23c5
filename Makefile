# Kysely. `make` alone prints the commands; two of them do all the set-up: `make analysis` and `make test`.

INSTRUMENT ?= operating_mode
PYTHON     ?= $(firstword $(foreach p,python3 python3.11 python3.12 python3.13 python3.14,\
                $(shell $(p) -c 'import sys; sys.version_info >= (3, 11) and print("$(p)")' 2>/dev/null)))
BIN        := .venv/bin
PY         := $(BIN)/python
PYTEST     := $(PY) -m pytest -n 2 --dist worksteal
SETUP      := .venv/.runtime
SETUP_TEST := .venv/.test

.DEFAULT_GOAL := help
.PHONY: help analysis report serve check-questionnaires test test-long test-reference check format bench lock clean

help:  ## print this list
	@echo "Kysely: asks, analyses and publishes the operating-mode study."; echo
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS="$$(printf '\t')" read -r name text; \
	  do printf '  make %-22s %s\n' "$$name" "$$text"; done

# ---- the main job

# The results of another form than the first stand in a folder of their own.
ifdef FORM
export KYSELY_BUILD := build/$(FORM)
OF_FORM := --form $(FORM)
endif

analysis: $(SETUP)  ## analyse the responses (simulates the study first if there are none): tables, charts, reports; FORM=full of that form
	@$(PY) -m kysely simulate $(INSTRUMENT) $(OF_FORM) --if-no-responses
	@$(if $(FORM),,$(PY) -m kysely simulate $(INSTRUMENT) --falsification)
	@$(PY) -m kysely extract $(INSTRUMENT) $(OF_FORM)
	@$(PY) -m analysis $(INSTRUMENT)
	@$(PY) -m reports --instrument $(INSTRUMENT)

# The language of the machine is in the environment under the same name; only LANG=sv after `make report` is meant.
ifeq ($(origin LANG),command line)
REPORT_LANGUAGE := --language $(LANG)
unexport LANG
endif

report: $(SETUP)  ## write reports again from the estimates in build/: all, or REPORT=topline LANG=sv FORMAT=pdf of them
	@$(PY) -m reports $(REPORT) --instrument $(INSTRUMENT) $(REPORT_LANGUAGE) $(if $(FORMAT),--format $(FORMAT))

serve: $(SETUP)  ## run the survey and the page of charts on http://127.0.0.1:8000
	@$(PY) -m kysely serve

check-questionnaires: $(SETUP)  ## tell every fault of the questionnaires, plans and claims, with file and line
	@$(PY) -m kysely check --codebooks; asked=$$?; $(PY) -m analysis --check && exit $$asked

# ---- for those who change it

test: $(SETUP_TEST)  ## run all tests, with a real browser and both databases (about twenty minutes)
	@$(PY) -m tests.chromium
	@$(PY) -m tests.java
	$(PYTEST) -x --ignore tests/reference tests

test-long: $(SETUP_TEST)  ## the same tests with the full counts of the long ones (hours)
	@$(PY) -m tests.chromium
	@$(PY) -m tests.java
	KYSELY_LONG=1 $(PYTEST) --ignore tests/reference tests

test-reference: $(SETUP_TEST)  ## compare with R: the study anew where R's survey package is installed, and ../shared/reference
	$(PY) -m pytest tests/reference

check: $(SETUP_TEST)  ## format, lint, types, imports, questionnaires, documentation and links
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory check-questionnaires
	$(PY) -m pytest -q tests/docs

format: $(SETUP_TEST)  ## put the code into the common form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(SETUP_TEST)  ## measure against the bare minimum and print the ratios (an hour of quiet machine)
	$(PY) -m benchmarks

lock: $(SETUP_TEST)  ## renew the lock files from pyproject.toml
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --extra build \
	  --custom-compile-command 'make lock' -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 --extra build --extra test \
	  -c requirements.lock --custom-compile-command 'make lock' -o requirements-test.lock pyproject.toml

clean:  ## remove what is derived (build/); the databases in instance/ stay
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# ---- set-up: an environment of its own in .venv, exactly as locked

$(SETUP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Kysely needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python3 …"; exit 1; }
	@echo "Setting up .venv (once, a minute or two) …"
	@$(PYTHON) -m venv .venv || { echo "Python can't make an environment; on Debian: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(SETUP_TEST): $(SETUP) requirements-test.lock
	@echo "Setting up what the tests need …"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

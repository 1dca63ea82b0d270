# Every target sets up the environment by itself. PYTHON chooses the interpreter it is made with.

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

# Where it is set, as images of containers do, every process compiles torch and Ray anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup search dashboard export test test-quick check docs bench table1 table2

# Only what is given on make's own command line is passed on, never a variable of the environment.
given = $(if $(filter command,$(firstword $(origin $(1)))),'$(2)$(subst ','\'',$($(1)))')

help:  ## show this list
	@awk -F ':.*##' '/^[a-z0-9-]+:.*##/ {printf "make %-11s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make the environment .venv (under three minutes)

$(READY): setup.cfg pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "$(PYTHON) is not Python 3.11 or newer; name one that is: make PYTHON=python3.11" >&2; \
	    exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-compile \
	    -c requirements.txt -e ".[dev]"
	@touch $@

search: $(READY)  ## search: CONSTRAINT PROTOTYPE SPACE EXPERIMENT DATA DATA_ROOT BUDGET NAME ARGS="key=value …"
	@$(VENV)/bin/gensynth search $(call given,EXPERIMENT,experiment=) \
	    $(call given,CONSTRAINT,constraint=) \
	    $(call given,PROTOTYPE,prototype=) $(call given,SPACE,search_space=) \
	    $(call given,DATA,data=) $(call given,DATA_ROOT,data.root=) \
	    $(call given,BUDGET,budget.candidates=) $(call given,NAME,name=) \
	    $(if $(filter command,$(firstword $(origin ARGS))),$(ARGS))

dashboard: $(READY)  ## look at a run in the browser: RUN=runs/NAME, the newest when not given
	@$(VENV)/bin/gensynth dashboard $(call given,RUN)

export: $(READY)  ## write a network out: RUN TRIAL FORMAT OUT
	@$(VENV)/bin/gensynth export $(call given,RUN) $(call given,TRIAL,--trial=) \
	    $(call given,FORMAT,--format=) $(call given,OUT,--output=)

test: $(READY)  ## all tests, whole searches included (within 15 minutes on two cores)
	@$(VENV)/bin/pytest -n 2 --dist loadscope -m "slow or not slow"

test-quick: $(READY)  ## the quick tests (within 3 minutes)
	@$(VENV)/bin/pytest -n 2 --dist loadscope

check: $(READY) docs  ## lint, format, types, order of the rooms, documentation
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

docs: $(READY)  ## build the documentation into build/site
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict

bench: $(READY)  ## run the benchmarks and print their tables (hours: SEEDS=50 PROCESSES=2)
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check -c requirements.txt -e ".[bench]"
	@for name in speed.training speed.overhead sampler.price; do \
	    $(VENV)/bin/python -m benchmarks.$$name || exit; done
	@$(VENV)/bin/python -m benchmarks.sampler.generator $(call given,SEEDS,--seeds=) \
	    $(call given,PROCESSES,--processes=)
	@for name in sampler.claims sampler.generators sampler.asking; do $(VENV)/bin/python -m benchmarks.$$name || exit; done

table1: $(READY)  ## train the rows of Table 1 and print it: DATA_ROOT ROWS=a,b SEEDS EPOCHS ARGS="key=value …"
	@$(VENV)/bin/python -m benchmarks.paper.table1 $(call given,DATA_ROOT,--data-root=) \
	    $(call given,ROWS,--rows=) $(call given,SEEDS,--seeds=) $(call given,EPOCHS,--epochs=) \
	    $(if $(filter command,$(firstword $(origin ARGS))),$(ARGS))

table2: $(READY)  ## measure the speed of the rows of Table 2 and print it: ROWS=a,b TURNS
	@$(VENV)/bin/python -m benchmarks.paper.table2 $(call given,ROWS,--rows=) \
	    $(call given,TURNS,--turns=)

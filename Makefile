# `make demo` and `make test` do all set-up themselves; see README.md.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHARED ?= ../shared
export FACTORY_SHARED ?= $(abspath $(SHARED))

.PHONY: demo test bench check format setup models clean

demo: $(VENV)/.run models
	exec $(BIN)/python manage.py up --demo

test: $(VENV)/.dev models
	sh tests/packages.sh
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile \
	  --no-loadscope-reorder --durations 30 $(ARGS)

bench: $(VENV)/.dev models
	$(BIN)/python -m bench $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.dev models

# Weights that lie beside the checkout are used where they are.
models:
	@mkdir -p var
	@if [ ! -e var/models ] && [ -d $(SHARED)/models ]; then \
	  ln -s $(abspath $(SHARED)/models) var/models; fi

# Never var/: it holds the database, the secret key and events not yet recorded.
clean:
	rm -rf $(VENV) .*_cache .hypothesis

$(VENV)/.run: requirements.txt
	@echo "Installing the packages into $(VENV); this takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

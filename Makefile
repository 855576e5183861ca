# Two commands do all the set-up: `make run` and `make test`. Needs Python 3.11 or newer, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check mypy pyright audit fix catalogs graphs screenshots lock wheel compiled test-compiled clean

run: $(VENV)/.run
	@exec $(BIN)/iqamati run

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(MAKE) --jobs=2 --output-sync mypy pyright
	$(BIN)/lint-imports
	$(BIN)/python tools/catalogs.py check
	$(BIN)/iqamati graph --check
	$(BIN)/python -m tools.audit --if-able

mypy pyright: $(VENV)/.dev
	$(BIN)/$@

audit: $(VENV)/.dev
	$(BIN)/python -m tools.audit

fix: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

catalogs: $(VENV)/.dev
	$(BIN)/python tools/catalogs.py update

graphs: $(VENV)/.run
	$(BIN)/iqamati graph

screenshots: $(VENV)/.dev
	$(BIN)/python tools/screenshots.py docs/images

wheel: $(VENV)/.dev
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

# Needs a C compiler and Python's headers. LEVEL=0 builds in half the time.
LEVEL ?= 3
compiled: $(VENV)/.dev
	rm -rf build/compiled
	IQAMATI_COMPILED=$(LEVEL) $(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/compiled .
	$(BIN)/python -m pip install --quiet --no-deps --target build/compiled build/compiled/iqamati-*.whl

COMPILED_TESTS := $(addprefix tests/,packaging/test_compiled.py unit store runtime telegram wire hardening dialogs fuzz)
test-compiled: compiled
	TEST_COMPILED=1 $(BIN)/python -m pytest -n auto --dist loadfile -o pythonpath="build/compiled ." $(COMPILED_TESTS)

lock: $(VENV)/.dev
	$(BIN)/uv pip compile -q --universal --python-version 3.11 pyproject.toml --generate-hashes --no-emit-index-url --no-header -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --group pyproject.toml:fuzz --generate-hashes --no-emit-index-url --no-header -o requirements/fuzz.txt

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Iqamati needs Python 3.11 or newer")'
	@echo 'Setting up $(VENV); once, about a minute.'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

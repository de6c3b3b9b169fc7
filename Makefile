# Two commands a person needs: `make run` and `make test`. The rest is for those who build Cellwright.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check bench faults slow audit docs clean

run: $(VENV)/.product
	@exec $(BIN)/python manage.py up

test: $(VENV)/.checks browser check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not browser and not processes"
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m browser
	$(BIN)/python -m pytest -q -n 3 --dist load -m processes

check: $(VENV)/.checks
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.checks browser
	$(BIN)/python -m benchmarks

# make faults SIZE=large SEED=7 CAMPAIGNS="kills broker" OUT=lines.jsonl
faults: $(VENV)/.checks
	@$(BIN)/python -m tests.faults $(CAMPAIGNS) $(if $(SIZE),--size $(SIZE)) $(if $(SEED),--seed $(SEED)) $(if $(OUT),--out $(OUT))

# Large numbers of what `make test` tries a sample of: hostile requests and files. Properties with other examples each
# time. What takes longest. Then the audit.
slow: $(VENV)/.checks browser
	CELLWRIGHT_SLOW=1 $(BIN)/python -m pytest -q -n 2 --dist load tests/web/test_safety_*.py
	CELLWRIGHT_SLOW=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not browser and not processes" --ignore-glob="*/test_safety_*"
	CELLWRIGHT_SLOW=1 $(BIN)/python -m pytest -q -n 3 --dist load -m processes
	CELLWRIGHT_SLOW=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile -m browser
	@$(BIN)/python -m tests.audit

# Known flaws of what is installed, which an advisory service is asked for, and secrets in what is committed.
audit: $(VENV)/.checks
	@$(BIN)/python -m tests.audit

# What is made of the docs: the glossary, the table of settings, and the pictures of the pages.
docs: $(VENV)/.checks browser
	$(BIN)/python -m webapp.docs.glossary
	$(BIN)/python -m webapp.docs.settings_page
	CELLWRIGHT_SLOW=1 CELLWRIGHT_DOCS_IMAGES=docs/images $(BIN)/python -m pytest -q tests/browser/test_docs_screenshots.py

browser: $(VENV)/.checks
	@$(BIN)/python tests/browser/find_browser.py --install

clean:
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "The environment could not be made: on Debian and Ubuntu, install python3-venv." >&2; exit 1; }

$(VENV)/.product: requirements.txt | $(VENV)/bin/python
	@echo "Installing what Cellwright runs on, once (about 3 GB, most of it PyTorch) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

# pip would compile on one core. What cannot be compiled are samples of wrong code that some packages bring along.
$(VENV)/.checks: requirements-dev.txt requirements-traces.txt requirements.txt | $(VENV)/bin/python
	@echo "Installing what the checks need, once ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --target $(VENV)/traces -r requirements-traces.txt
	@touch $@ $(VENV)/.product

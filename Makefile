# make run    the app at http://localhost:8501, set up on first use
# make test   everything the continuous integration checks; ARGS="tests/unit -k crop" a part of it
# make check  lint, types and unit tests, for every save: about a minute
# make lint   ruff, mypy, browser code, audit (also make audit)   make bench   the benchmarks and one table of limits: 15 minutes
# make fuzz   20,000 damaged files: no crash, no hang, no foreign error (docs/reliability.md)
# make crowd  twenty visitors at once over WebSockets: no error, nobody waits twice as long as another
# make kill   every model's process killed, stopped, out of memory in whatever it does: half an hour
# make soak   uploads, clips, live video, restarts for 30 minutes: everything is freed afterwards
# make lock   requirements.lock anew, with hashes; make bom   the list of all parts (docs/reliability.md)
# make mutants   wrong numbers on purpose, to see whether a test fails (docs/mutants.md): 20 minutes

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Tests with processes, servers and browsers depend on what else a machine does: one that failed is
# tried once more, and the summary names it (RERUN): to be looked at, but no reason to stop.
AGAIN := --reruns=1 --rerun-show-tracebacks
# A browser that hangs takes its tests' process with it, not the rest of the tests.
REPLACED := -n 1 --max-worker-restart=3 --timeout-method=thread $(AGAIN)
# What is installed: REQUIREMENTS=requirements.lock takes nothing but files of known hashes.
REQUIREMENTS ?= requirements.txt

.PHONY: run test check lint audit bench fuzz crowd kill soak lock bom mutants clean

run: $(VENV)/installed-$(REQUIREMENTS)
	@.ci/prepare libraries || true
	$(BIN)/python -m streamlit run streamlit_app.py $(ARGS)

test: $(VENV)/installed-dev
	@.ci/prepare libraries
	@PYTHON=$(BIN)/python .ci/prepare browser
	@$(MAKE) --no-print-directory lint
ifdef ARGS
	$(BIN)/python -m pytest $(ARGS)
else
	$(BIN)/python -m pytest --ignore=tests/browser $(AGAIN)
	$(BIN)/python -m pytest tests/browser $(REPLACED)
endif

check: lint
	@$(BIN)/python -m pytest -q --collect-only tests >/dev/null || $(BIN)/python -m pytest -q --collect-only tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/unit $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	@.ci/javascript
	@$(MAKE) --no-print-directory audit || echo "What the audit says stops no test: see make audit."

# Ends with an error where a weakness is known, which may be news of today about an old package.
audit: $(BIN)/python
	@PYTHON=$(BIN)/python .ci/supply audit

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks._all $(ARGS)

lock: $(BIN)/python
	PYTHON=$(BIN)/python .ci/supply lock

bom: $(BIN)/python
	PYTHON=$(BIN)/python .ci/supply bom

fuzz: $(VENV)/installed-dev
	$(BIN)/python -m tests.fuzz $(ARGS)

crowd: $(VENV)/installed-dev
	$(BIN)/python -m tests.crowd $(ARGS)

kill: $(VENV)/installed-dev
	$(BIN)/python -m tests.kill_table $(ARGS)

soak: $(VENV)/installed-dev
	@PYTHON=$(BIN)/python .ci/prepare browser
	$(BIN)/python -m tests.soak $(ARGS)

mutants: $(VENV)/installed-dev
	$(BIN)/python -m tests.mutants $(ARGS)

# The stamps make a second run instant; they are older than the requirements after a change.
$(VENV)/installed-$(REQUIREMENTS): $(REQUIREMENTS) | $(BIN)/python
	@echo "Installing the packages (some gigabytes on first use, a few minutes) ..."
	$(PIP) -r $(REQUIREMENTS)
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt requirements-ray.txt requirements-remote.txt requirements.txt | $(BIN)/python
	@echo "Installing the packages (some gigabytes on first use, a few minutes) ..."
	$(PIP) -r requirements-dev.txt
	@touch $(VENV)/installed-requirements.txt $@

$(BIN)/python:
	@$(PYTHON) -m estimators.supported
	$(PYTHON) -m venv $(VENV)

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache test-results output

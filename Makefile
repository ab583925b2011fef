# `make` or `make help` lists what there is. PYTHON chooses the interpreter that the environment is made with.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# A stamp of the requirements that were installed last, and no other: after a rollback they are installed again. It counts
# where this folder lies too: normalform is used from its source here, and .venv knows that by its path.
REQUIREMENTS := requirements.txt normalform/pyproject.toml
RUNTIME := .venv/installed-$(shell (pwd; cat $(REQUIREMENTS)) | cksum | cut -d' ' -f1)
DEV := .venv/installed-dev-$(shell (pwd; cat $(REQUIREMENTS) requirements-dev.txt) | cksum | cut -d' ' -f1)

# The tools of clients/browser, by the lock file that they were installed from. Only its check needs them.
BROWSER := clients/browser
BROWSER_TOOLS := $(BROWSER)/node_modules/.installed-$(shell cksum < $(BROWSER)/package-lock.json | cut -d' ' -f1)

# Runs a command that says nothing for a minute, with a dot every two seconds.
define patiently
	@(while sleep 2; do printf .; done) & dots=$$!; $(1); code=$$?; kill $$dots; echo; exit $$code
endef

# Processes that share the tests; each starts parts (Valkey, PostgreSQL, …) of its own. 0: none, in this process.
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup run test test-sqlite test-postgresql check check-browser format messages
.PHONY: bench bench-sync bench-images bench-uploads bench-client bench-studio bench-browser kinto generators soak

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(RUNTIME)  ## make the environment (.venv) and install what the server needs

run: $(RUNTIME)  ## run the whole server: web, worker, beat, Valkey; PORT=8000 DATA_DIR=var
	@exec $(BIN)/python manage.py serve

test: test-sqlite test-postgresql  ## run the whole suite on SQLite, then on PostgreSQL

test-sqlite: $(DEV)  ## run the suite on SQLite; ARGS="tests/images -k hash" chooses
	$(BIN)/pytest --database=sqlite -n $(JOBS) $(ARGS)

test-postgresql: $(DEV)  ## run the suite on PostgreSQL; ARGS as above
	$(BIN)/pytest --database=postgresql -n $(JOBS) $(ARGS)

check: $(DEV) check-browser  ## lint, format, types, import rules, migrations, docs, translations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=clients/python/src $(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pytest --quiet tests/test_architecture.py tests/test_documented.py tests/tools

# Where there is no npm it is left out, unless REQUIRE_ALL_PARTS says that nothing may be.
check-browser:  ## types, lint, vendored files, syntax and node tests of clients/browser; needs Node 20 or newer
	@if command -v npm >/dev/null && node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)'; then \
	  $(MAKE) --no-print-directory $(BROWSER_TOOLS) && npm --prefix $(BROWSER) run --silent check; \
	else \
	  echo "clients/browser isn't checked: there is no npm with Node 20 or newer here."; \
	  test "$$REQUIRE_ALL_PARTS" != 1; \
	fi

format: $(DEV)  ## let ruff repair and format what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

messages: $(DEV)  ## update and compile the translations under locale/; names texts that lack one
	$(BIN)/python -m tools.translations

bench: bench-sync  ## measure sync, and the ways to serve (a quarter of an hour)
	$(BIN)/python -m benchmarks.web_servers

bench-sync: $(DEV)  ## measure sync beside its peers (four minutes); ARGS="writes patches peers reads streams" chooses
	$(BIN)/python -m benchmarks.sync $(ARGS)

kinto:  ## install the server that bench-sync stands beside, in an environment of its own (.venv-kinto)
	$(PYTHON) -m venv .venv-kinto
	.venv-kinto/bin/pip install --quiet 'kinto[postgresql]==26.5.0' granian==2.8.7

generators:  ## install what makes clients of /api/schema, which make soak tries (.venv-clients, and by npm)
	$(PYTHON) -m venv .venv-clients
	.venv-clients/bin/pip install --quiet -r tests/serving/made_clients/requirements.txt
	npm --prefix tests/serving/made_clients ci --silent --no-audit --no-fund

bench-images: $(DEV)  ## measure normalising and serving pictures beside their peers (three minutes)
	$(BIN)/python -m benchmarks.normalizing
	$(BIN)/python -m benchmarks.serving

bench-client: $(DEV)  ## measure what the Python client costs beside plain httpx (a minute or two)
	PYTHONPATH=clients/python/src $(BIN)/python -m benchmarks.client

bench-uploads: $(DEV)  ## measure the upload pipeline beside the normaliser, and scans beside a million photos (five minutes)
	$(BIN)/python -m benchmarks.upload_pipeline

bench-studio: $(DEV)  ## measure the studio beside the catalogue and the normaliser (seven minutes); ARGS="postgresql sqlite pictures workers" chooses
	$(BIN)/python -m benchmarks.studio $(ARGS)

bench-browser: $(DEV)  ## measure the browser client beside the same by hand (six minutes); ARGS="library page painting modules studio" chooses
	PYTHONPATH=clients/python/src $(BIN)/python -m benchmarks.browser $(ARGS)

soak: $(DEV)  ## the long runs: more schedules, more faults
	$(BIN)/pytest --database=sqlite -m soak --timeout=3600 $(ARGS)
	$(BIN)/pytest --database=postgresql -m soak --timeout=3600 $(ARGS)

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) can't make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Making the environment .venv (some seconds) …"
	$(call patiently,$(PYTHON) -m venv .venv)

$(RUNTIME): | .venv/bin/python
	@echo "Installing what the server needs (a minute, only when requirements changed) …"
	@rm -f .venv/installed-*
	$(call patiently,$(PIP) -r requirements.txt)
	@touch $@

$(DEV): | .venv/bin/python
	@echo "Installing what tests and checks need (a minute or two, only when requirements changed) …"
	@rm -f .venv/installed-*
	$(call patiently,$(PIP) -r requirements-dev.txt)
	@touch $(RUNTIME) $@

$(BROWSER_TOOLS): $(BROWSER)/package-lock.json
	npm --prefix $(BROWSER) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

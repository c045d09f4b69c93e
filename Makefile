# Every target sets up what it needs by itself; `make` alone lists them.

PYTHON_ENV := .venv/bin/python
PORT := 8000
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup demo run check test deployment-test bench eval lint types js bundle lock audit messages clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## create .venv with everything that Arboris needs to run
	@deploy/setup.sh

demo: setup ## analyse the sample novel end to end, show it in the terminal, stop again
	@$(PYTHON_ENV) manage.py demo

run: setup ## serve web and workers on http://127.0.0.1:8000 until Ctrl-C
	@$(PYTHON_ENV) manage.py serve --port $(PORT)

check: ## the quick part, in a minute: static checks and tests without processes: make check T=tests/queue
	@deploy/setup.sh dev
	@$(PYTHON_ENV) -m tests.run --fast $(T)

test: ## all checks and tests, on SQLite and on a private MariaDB and PostgreSQL
	@deploy/setup.sh test
	@$(PYTHON_ENV) -m tests.run

deployment-test: ## every step of docs/deployment.md in a bare Debian, as root, ten minutes or more
	@deploy/setup.sh test
	@$(PYTHON_ENV) -m tests.bench.deployment

bench: ## measure the figures of docs on this machine, about an hour: make bench ONLY="drain pickup"
	@deploy/setup.sh test
	@$(PYTHON_ENV) -m tests.bench $(ONLY)

eval: DATA ?= tests/evaluation
eval: ## score the offline analyzer, on other labelled chapters with DATA=directory
	@deploy/setup.sh
	@$(PYTHON_ENV) manage.py eval_analyzer "$(DATA)"

lint: ## ruff and the import contracts
	@deploy/setup.sh dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports

types: ## mypy, strict
	@deploy/setup.sh dev
	.venv/bin/mypy

js: ## check the pages' scripts with TypeScript's checker (needs Node)
	@deploy/js/check.sh

bundle: ## build the editor's and the charts' library anew from deploy/js/package-lock.json (needs Node)
	@deploy/js/check.sh bundle

lock: ## recompile the locks after a change of deploy/requirements/*.in (UPGRADE=1: newest versions)
	@test -x .venv/bin/uv || deploy/setup.sh dev
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o requirements.txt deploy/requirements/base.in
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o deploy/requirements/dev.txt deploy/requirements/dev.in
	$(COMPILE) $(if $(UPGRADE),--upgrade) -o tests/bench/peers/requirements.txt tests/bench/peers/requirements.in

audit: ## ask the vulnerability services about everything in the locks (needs the network, and npm)
	@deploy/setup.sh dev
	.venv/bin/pip-audit --strict --disable-pip --require-hashes \
		-r requirements.txt -r deploy/requirements/dev.txt
	cd deploy/js && npm audit --package-lock-only

messages: ## collect the texts for translation and compile the catalogues (needs gettext)
	@deploy/setup.sh dev
	$(PYTHON_ENV) manage.py makemessages --all --no-location --no-wrap --no-obsolete \
		--ignore .venv --ignore .venv-peers --ignore staticfiles --ignore "tests/*"
	$(PYTHON_ENV) manage.py compilemessages --ignore .venv --ignore .venv-peers

clean: ## remove .venv, caches and collected static files; data/ stays
	rm -rf .venv .venv-peers deploy/js/node_modules staticfiles .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# All that a machine needs for these is Python 3.11 or newer with its venv module; everything else is made ready here.

PYTHON := $(or $(PYTHON),$(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name)))))
BIN := .venv/bin

# Some machines forbid Python to keep compiled modules; every plugin and command would then compile Pulumi's SDK anew,
# which takes seconds each time.
export PYTHONDONTWRITEBYTECODE :=

# Two files of tests at a time on two processors; more than four would only wait for the disk and each other's engines.
PARALLEL := --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: demo recording test test-soak lint bench fuzz setup environment toolchain containers format

demo: setup  ## a whole migration on the real engine, from amd64 to ARM64 on Spot and back
	$(BIN)/python -m migrate.sandbox.demo

test: lint setup containers  ## all checks and all tests, in random order, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/pytest $(PARALLEL) -m "not soak" --cov --cov-report=term

test-soak: setup containers  ## the tests that take many minutes, and are in no other run
	$(BIN)/pytest $(PARALLEL) -m soak

lint: environment  ## style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup containers  ## one figure a line: NAME VALUE UNIT
	@$(BIN)/python -m tests.bench

recording: setup  ## the picture of the demo in the README, from a real run
	$(BIN)/python -m tests.recording

FUZZED := documents tar compression layer elf zip dockerfile

fuzz: environment  ## two minutes of coverage-guided fuzzing for each target; FUZZ_SECONDS=600 for longer (needs uv)
	uv sync --frozen --inexact --group fuzz
	@for target in $(FUZZED); do \
		$(BIN)/python -m tests.fuzz $$target -max_total_time=$(or $(FUZZ_SECONDS),120) || exit 1; \
	done

hunt: environment  ## let anything happen to a migration, newly chosen at every run; EXAMPLES=20000 SEED=7 for other ones
	MIGRATE_FREE_EXAMPLES=$(or $(EXAMPLES),3000) $(BIN)/pytest tests/properties/test_migrations.py \
		$(if $(SEED),--hypothesis-seed=$(SEED))

setup: environment toolchain  ## make everything ready, and say where the tools are

environment:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer with its venv module was found on PATH." >&2; \
		echo "On Debian: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3 ..." >&2; \
		exit 3; \
	fi
	@$(PYTHON) -m migrate.sandbox.toolchain.bootstrap

toolchain: environment
	@$(BIN)/python -m migrate.sandbox.toolchain

containers: environment  ## the Docker engine for real containers, where this machine can run one
	@$(BIN)/python -m migrate.sandbox.prepare_containers

format: environment  ## put the sources into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

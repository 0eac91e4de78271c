# tripletlab: `make` lists the targets.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(or $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done),python3)
BIN := .venv/bin
READY := .venv/ready

# Your own photos: make sweep PHOTOS="a b" CROPPED="c" LFW=path. They reach the recipes through the
# environment, so that no character of a path means anything to the shell.
export PHOTOS CROPPED LFW SPACE SOURCE ADVISORIES
DATA := $(if $(PHOTOS),--photos "$$PHOTOS") $(if $(CROPPED),--cropped "$$CROPPED") \
  $(if $(LFW),--lfw "$$LFW")
FLAGS := $(if $(filter-out 0,$(FRESH)),--fresh)
# A misspelt variable would change nothing: `make sweep PHOTO=folder` would train on synthetic people
KNOWN := PHOTOS CROPPED LFW SPACE SOURCE ADVISORIES SET FRESH PORT WRITE PYTHON BIN
GIVEN := $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
UNKNOWN := $(filter-out $(KNOWN) TORTURE_% SHELL MAKE% -%,$(GIVEN))
$(if $(UNKNOWN),$(error no such variable: $(UNKNOWN); there are $(KNOWN)))
# One process more than there are cores, at most four: some tests wait for servers and windows
PROCESSES := from tripletlab.system.processor import cores; print(min(4, cores() + 1))
PYTEST = $(BIN)/python -m pytest --numprocesses $$($(BIN)/python -c '$(PROCESSES)') \
  --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help sweep report ui webcam data train test torture fuzz check bench format lock audit sbom clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\n  make sweep PHOTOS="folder …" LFW=folder   on your own photos (one sub-folder a person)\n'
	@printf "  make sweep PHOTOS=\"'my photos' ~/more\"     several folders, quotes round one with spaces\n"
	@printf '  make train SET="miner=hard margin=0.4"    any key of the config\n'
	@printf '  make sweep SPACE=seeds                    another of the spaces in sweeps/\n'

sweep: $(READY) ## the paper's grid: four runs, their table, the champion (FRESH=1 begins anew)
	@$(BIN)/tripletlab sweep $(if $(SPACE),"$$SPACE") $(FLAGS) $(DATA) $(SET)

report: $(READY) ## the latest sweep's report in the browser (SPACE=name: of that space)
	@$(BIN)/tripletlab report $(if $(SPACE),"$$SPACE") $(SET)

ui: $(READY) ## the runs in the browser, http://127.0.0.1:5000
	@$(BIN)/tripletlab ui --port $(or $(PORT),5000) $(SET)

webcam: $(READY) ## the champion at the camera (SOURCE=0, a video or a folder of photos)
	@$(BIN)/tripletlab export champion bundle --update $(SET) || \
	  { [ -f bundle/bundle.json ] && echo "bundle/ stays as it was: it may not be the champion" >&2; }
	@$(BIN)/tripletlab webcam bundle --source "$${SOURCE:-0}"

data: $(READY) ## photos to faces, without training
	@$(BIN)/tripletlab prepare $(FLAGS) $(DATA) $(SET)

train: $(READY) ## one run
	@$(BIN)/tripletlab train $(FLAGS) $(DATA) $(SET)

test: $(READY) ## the tests
	@$(PYTEST)

torture: $(READY) ## kills, full disks, lost servers at random moments: a table (TORTURE_KILLS=50)
	@$(BIN)/python -m pytest -m torture --session-timeout=86400 -o faulthandler_timeout=4000 tests/torture

check: $(READY) ## format, lint, types, import order, and all tests, those of several minutes too
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(PYTEST) -m 'not cluster and not torture and not fuzz'

bench: $(READY) ## the speed of everything, as a table (SET="--only camera"; WRITE=1: into docs/performance.md)
	@$(BIN)/python benchmarks/bench.py $(if $(filter-out 0,$(WRITE)),--write docs/performance.md) $(SET)

fuzz: $(READY) ## damaged files of every kind, more than 10,000: none may crash, hang or run code
	@$(BIN)/python -m pytest -m fuzz tests/fuzzing

format: $(READY) ## format the code, and correct what ruff can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY) ## pin every package anew, after a change of pyproject.toml (needs the network)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	  --extra train --extra webcam --group dev pyproject.toml -o requirements.lock

audit: $(READY) ## known vulnerabilities of the pinned packages (ADVISORIES=folder: OSV's, without the network)
	@$(if $(ADVISORIES),$(BIN)/python tools/audit.py "$$ADVISORIES",$(BIN)/pip-audit --strict \
	  --require-hashes --disable-pip --progress-spinner off -r requirements.lock) || { echo \
	  "not every package is known to be safe: see above. Where PyPI cannot be asked: make audit ADVISORIES=folder" >&2; exit 1; }

sbom: $(READY) ## what is installed: CycloneDX in dist/sbom.json, licences in docs/licences.md
	@mkdir -p dist
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --of JSON -o dist/sbom.json $(BIN)/python
	@echo "dist/sbom.json: CycloneDX"
	@$(BIN)/python tools/licences.py

clean: ## remove the environment and prepared data; runs in mlruns/ stay
	@du -shc .venv data dist 2>/dev/null | tail -1 | awk '{print "frees " $$1 " (.venv, data, dist); mlruns/ stays"}'
	@rm -rf .venv data dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c '$(SUITABLE)' 2>/dev/null || \
	  { echo "tripletlab needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1): make PYTHON=/path/to/one" >&2; exit 2; }
	@echo "Setting up .venv with $$($(PYTHON) -V): 4.0 GB on disk, a few minutes."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

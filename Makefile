# forequake: everything runs in .venv, which the first target makes. `make help` lists the targets.
PYTHON ?= python3
ARGS ?=
# Processes of the test suite; each starts its own servers.
WORKERS ?= 2
BIN := .venv/bin
PINS := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo ridgecrest dashboard secrets test unit check format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: .venv/.dev ## Make .venv with all that development needs

demo: .venv/.runtime ## Run the example experiment and print its results
	@$(BIN)/forequake run examples/california/config.yml

ridgecrest: .venv/.runtime ## Run the aftershock models of Ridgecrest in environments of their own (some 2 minutes)
	@for file in config rates empty_windows; do $(BIN)/forequake run examples/ridgecrest/$$file.yml || exit $$?; done

dashboard: .venv/.runtime ## Open the dashboard on the default store
	@$(BIN)/forequake dashboard

secrets: ## Make the passwords of docker-compose.yml that are missing
	@$(PYTHON) docker/make_secrets.py secrets

test: .venv/.dev ## Run the whole test suite (ARGS="-k name" selects, WORKERS=1 for one process)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

unit: .venv/.dev ## Run the fast tests only: no server, no browser
	@$(BIN)/python -m pytest -m "not contract and not mongo and not prefect and not browser and not slow" $(ARGS)

check: .venv/.dev ## Check format, lint, types and layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/.dev ## Measure the tests beside pyCSEP, into benchmarks/RESULTS.md (ARGS="--turns 1 --slowest-turns 0" is shorter)
	@$(BIN)/python -m benchmarks.kernels $(ARGS)

bench-readers: .venv/.dev ## Measure forecast readers beside pyCSEP, into benchmarks/READERS.md
	@$(BIN)/python -m benchmarks.readers $(if $(FLOATCSEP),--floatcsep-python $(FLOATCSEP)) $(ARGS)

bench-experiment: .venv/.dev ## Measure a whole experiment beside floatCSEP, into benchmarks/EXPERIMENT.md
	@$(BIN)/python -m benchmarks.experiment $(if $(FLOATCSEP),--floatcsep-python $(FLOATCSEP)) $(ARGS)

bench-growth: .venv/.dev ## Measure how runs grow with their windows, into benchmarks/GROWTH.md (ARGS="--windows 100")
	@$(BIN)/python -m benchmarks.growth $(ARGS)

bench-store: .venv/.dev ## Measure both stores, into benchmarks/STORE.md (N=100000 for a short one)
	@$(BIN)/python -m benchmarks.store $(if $(N),--sizes $(N))

bench-dashboard: .venv/.dev ## Measure how soon pages are there, into benchmarks/DASHBOARD.md (ARGS="--windows 100")
	@$(BIN)/python -m benchmarks.dashboard $(ARGS)

bench-catalogs: .venv/.dev ## Measure how fast catalogs are read, beside pyCSEP (N=10000 for a short one)
	@$(BIN)/python -m benchmarks.catalogs $(if $(N),--events $(N) --large $(N))

bench-catalog-forecasts: .venv/.dev ## Measure how simulated catalogs are read, into benchmarks/CATALOG_FORECASTS.md
	@$(BIN)/python -m benchmarks.catalog_based_readers

bench-regions: .venv/.dev ## Measure regions beside pyCSEP, into benchmarks/REGIONS.md
	@$(BIN)/python -m benchmarks.regions

bench-at-rest: .venv/.dev ## Measure how forecasts lie in stores and caches, into benchmarks/AT_REST.md
	@$(BIN)/python -m benchmarks.at_rest

format: .venv/.dev ## Format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove what make made: .venv and caches (results are kept)
	@if [ -e .venv/.made-by-make ]; then rm -rf .venv; else rm -f .venv/.runtime .venv/.dev; fi
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find forequake stores flows dashboard tests -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call packages,what to install,in words). pip prints errors only.
define packages
	@if [ ! -x $(BIN)/pip ]; then \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
			{ echo "forequake needs Python 3.11 or later: make PYTHON=/path/to/python"; exit 1; }; \
		echo "Making .venv"; \
		$(PYTHON) -m venv .venv && touch .venv/.made-by-make; \
	fi
	@echo "Installing $(2) into .venv: a minute or two"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '$(1)'
endef

.venv/.runtime: $(PINS)
	$(call packages,.,forequake and what it runs with)
	@touch $@

.venv/.dev: $(PINS)
	$(call packages,.[dev],forequake and what its tests need)
	@touch .venv/.runtime $@

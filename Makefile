# The two commands are `make run` and `make test`; `make help` lists the rest.
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
PRESET ?= release

.DEFAULT_GOAL := help
.PHONY: help run demo test build install package bench lint sanitize fuzz coverage deps clean
PROGRAMS = gpu-monitoring-api gpu-exporter gpuctl

help: ## List the targets and their variables
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@printf '%s\n' '' 'Variables: JOBS=N (processes to build and test with), PRESET=release|dev|asan|tsan|coverage|clang.'

run: ## Start the server; with PROMETHEUS_URL from that, else from a demo fleet with a past (NODES, GPUS_PER_NODE, SEED, HISTORY, PORT)
	@scripts/deps.sh build run
	@scripts/build.sh release gpu-monitoring-api gpu-exporter gpuctl
	@scripts/run.sh

demo: ## As `make run` with its demo fleet, and stand-ins for DStack, HakuRiver and GPUd, which plain `make run` never has
	@scripts/deps.sh build run
	@scripts/build.sh release gpu-monitoring-api gpu-exporter gpu-demo-peers gpuctl
	@scripts/run.sh --peers

test: ## Build and run all tests; FOLDER=handlers only one folder's, VERBOSE=1 with their output
	@scripts/deps.sh build test
	@scripts/build.sh $(PRESET)
	@scripts/test.sh $(PRESET)

build: ## Build everything
	@scripts/deps.sh build
	@scripts/build.sh $(PRESET)

install: ## Build the programs and install them below PREFIX (/usr/local) with pages, completions and units; DESTDIR goes before it
	@scripts/deps.sh build
	@scripts/build.sh release $(PROGRAMS)
	@cmake --install build --prefix "$(or $(PREFIX),/usr/local)"

package: ## Build the programs and a Debian package of them in build/package
	@scripts/deps.sh build package
	@scripts/build.sh release $(PROGRAMS)
	@cd build && cpack

bench: ## Run the benchmarks and the comparisons of bench/load; writes build/bench/report.md
	@scripts/deps.sh build bench
	@scripts/build.sh release
	@scripts/bench.sh

lint: ## Check format, static analysis, scripts, Dockerfile and layers of what changed; LINT=all of everything
	@scripts/deps.sh build test lint
	@scripts/lint.sh

sanitize: ## Run all tests under AddressSanitizer with UndefinedBehaviorSanitizer, then ThreadSanitizer
	@scripts/deps.sh build test sanitize
	@scripts/sanitize.sh

fuzz: ## Run each fuzzer of tests/fuzz for a minute (FUZZ_SECONDS) from its corpus
	@scripts/deps.sh build sanitize
	@scripts/fuzz.sh

coverage: ## Run all tests instrumented; report in build/coverage/report, fails below 85 % of lines
	@scripts/deps.sh build test coverage
	@scripts/build.sh coverage
	@scripts/coverage.sh

deps: ## Install what every target needs
	@scripts/deps.sh build run test sanitize coverage lint bench package

clean: ## Remove what was built, logs and unpacked tools
	rm -rf build .run web/node_modules

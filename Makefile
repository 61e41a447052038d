# Every target explains itself: make help.

GO      ?= go
BIN     := bin/treq-telemetry
CACHE   := $(CURDIR)/.cache/bin
# Flags for run (make run ARGS="--listen :8002") and demo (make demo RATE=50).
ARGS    ?=
RATE    ?= 5
# For how long each fuzz target runs.
FUZZTIME ?= 30s
# Those that make test runs: what reads bytes of strangers, and what reads them back.
FUZZED  := telemetry/otlp:FuzzTraces telemetry/otlp:FuzzTracesFromJSON telemetry/journal:FuzzParseHead telemetry/journal:FuzzRecovery \
	server/config:FuzzLoad server/api:FuzzPost
# Another vulnerability database, such as file:///srv/vulndb.
VULNDB  ?= https://vuln.go.dev

STEP := scripts/step
export PATH := $(CACHE):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help build run demo test unit e2e lint fmt vuln torture bench microbench profile fuzz collector fixtures deploy-check reproducible docs dashboards dashboard tools e2e-tools clean

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/treq-telemetry (PGO=1: as released, which takes the compiler a minute longer)
	@CGO_ENABLED=0 $(GO) build -trimpath $(if $(PGO),-pgo=cmd/treq-telemetry/release.pgo) -o $(BIN) ./cmd/treq-telemetry

run: build ## Build and serve on http://localhost:8002 (DEMO=1: with traffic; ARGS="…": more flags)
ifdef DEMO
	@scripts/run-with-demo $(BIN) $(RATE) $(ARGS)
else
	@exec $(BIN) serve $(ARGS)
endif

demo: build ## Send realistic chat traffic to a running service (RATE=5 chats a second; ARGS="…")
	@exec $(BIN) demo --rate $(RATE) $(ARGS)

test: ## Run everything: format, vet, staticcheck, unit tests with the race detector, fuzz targets for a while, end-to-end tests
	@$(STEP) "tools" $(MAKE) --no-print-directory tools
	@$(MAKE) --no-print-directory lint
	@$(STEP) "unit tests" $(MAKE) --no-print-directory unit
	@$(STEP) "fuzz targets" scripts/fuzz $(FUZZTIME) $(FUZZED)
	@$(STEP) "deploy" $(MAKE) --no-print-directory deploy-check
	@$(STEP) "end-to-end tests" $(MAKE) --no-print-directory e2e

unit: ## Run the tests inside packages, with the race detector
	@$(GO) test -race -timeout 15m $$($(GO) list ./... | grep -v -e /test/e2e -e /test/torture)
	@$(GO) test -race -timeout 15m -tags purego ./telemetry/redact
	@cd otel-collector && $(GO) test -race -timeout 15m ./...

e2e: e2e-tools collector ## Run the built product against real clients, sinks and scrapers
	@$(GO) test -race -timeout 30m ./test/e2e/...

lint: tools ## Check the format, vet and staticcheck
	@$(STEP) "gofumpt" scripts/format-check
	@$(STEP) "go vet" $(GO) vet ./...
	@$(STEP) "staticcheck" staticcheck ./...
	@cd otel-collector && ../$(STEP) "go vet, Collector" $(GO) vet ./...
	@cd otel-collector && ../$(STEP) "staticcheck, Collector" staticcheck ./...

fmt: tools ## Rewrite the sources as gofumpt likes them
	@find . \( -name .cache -o -name node_modules -o -name bin \) -prune -o -name "*.go" -print | xargs gofumpt -w

vuln: tools ## Look for known vulnerabilities in what the product calls
	@govulncheck -db $(VULNDB) ./...

bench: $(CACHE)/otelcol-bench ## Measure the whole job beside the OpenTelemetry Collector (FULL=1: everything; ARGS="…")
	@$(GO) run ./bench $(if $(FULL),-full) $(ARGS)

# The Collector of the bench, built by the project's own builder at pinned versions.
$(CACHE)/otelcol-bench: bench/collector/builder.yaml bench/collector/go.mod
	@mkdir -p $(CACHE)
	@cd bench/collector && CGO_ENABLED=0 $(GO) tool builder --config builder.yaml
	@mv .cache/otelcol-bench/otelcol-bench $@
	@touch $@

collector: bin/otelcol-treq ## Build bin/otelcol-treq: the OpenTelemetry Collector with our connector and processors

# What the Collector is built from; its builder is the bench's.
COLLECTOR := otel-collector/builder.yaml otel-collector/go.mod go.mod bench/collector/go.mod \
	$(shell find otel-collector telemetry -name '*.go' ! -name '*_test.go') $(shell find telemetry -name '*.json' ! -path '*/testdata/*')

bin/otelcol-treq: $(COLLECTOR)
	@mkdir -p bin
	@cd otel-collector && CGO_ENABLED=0 $(GO) tool -modfile=../bench/collector/go.mod builder --config builder.yaml
	@mv .cache/otelcol-treq/otelcol-treq $@

profile: ## Record anew what released programs are compiled for (a quiet machine, four minutes)
	@scripts/profile cmd/treq-telemetry/release.pgo

microbench: ## Run the packages' own benchmarks
	@$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v /test/e2e)

# The size of make torture: ci, or full for a night.
TORTURE ?= ci

torture: ## Kill, cut, fill, damage and flood the product; write the table of RELIABILITY.md (TORTURE=full: a night; ROWS="S1|S2": only these)
	@TORTURE=$(TORTURE) $(GO) test -count=1 -timeout 12h -v -run 'TestScorecard/^($(or $(ROWS),.*))$$' ./test/torture $(if $(ROWS),,-update)

fuzz: ## Run every fuzz target for FUZZTIME (30s)
	@scripts/fuzz $(FUZZTIME)

fixtures: ## Record again what real clients send (test/recorded)
	@test/recorded/record.sh

deploy-check: collector ## Hold deploy/, the release and the files of scale-out to the programs that read them
	@scripts/install-prometheus $(CACHE)
	@scripts/install-mimir $(CACHE)
	@scripts/install-systemd-analyze
	@scripts/install-containers
	@cd deploy/check && $(GO) vet . && $(GO) test -count=1 .

reproducible: ## Build the committed source twice; both must be the same program
	@scripts/reproducible

docs: ## Write the generated parts of docs/
	@$(GO) test . ./server/config ./telemetry/objective ./test/cases -run "TestDocumentedInstruments|TestDocumentedRooms|TestDocumentedCases|TestReferenceIsCurrent" -update

dashboards: ## Write the Grafana dashboards
	@cd deploy/grafana/generate && $(GO) run . ../dashboards

tools: $(CACHE)/.tools ## Install the pinned Go tools into .cache/bin

$(CACHE)/.tools: tools/go.mod tools/go.sum
	@mkdir -p $(CACHE)
	@cd tools && GOBIN=$(CACHE) ../scripts/again $(GO) install tool
	@touch $@

# Where Node packages are installed: the clients, the driver of the browser, the
# dashboard's sources and the panel for Next.js.
NODE = test/e2e/js test/e2e/dashboard server/dashboard/web deploy/nextjs

dashboard: ## Build the dashboard's sources into server/dashboard/dist
	@cd server/dashboard/web && node build.mjs

e2e-tools: tools ## Install what end-to-end tests run: Node and Python packages, Chromium, Prometheus and Alertmanager
	@scripts/install-node
	@for d in $(NODE); do $(MAKE) --no-print-directory -C $$d -f $(CURDIR)/test/e2e/js/Makefile || exit 1; done
	@scripts/install-chromium
	@scripts/install-tmux
	@scripts/install-langsmith $(CURDIR)/.cache
	@scripts/install-prometheus $(CACHE)

clean: ## Remove what was built and installed here, but no data
	@rm -rf bin .cache $(addsuffix /node_modules,$(NODE))

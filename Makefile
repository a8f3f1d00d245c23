# `make` lists what there is. Nothing here is needed to import the packages:
# go get, go build and go test do as always.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory

# Where .ci/deps puts a newer Node.js than the system's, if it has to.
export PATH := $(CURDIR)/.tmp/node/node_modules/.bin:$(PATH)

# ARGS are the flags that make run passes on: make run ARGS="--addr=:4000".
ARGS ?=
# FUZZTIME is how long each fuzz target runs, BENCH which benchmarks do.
FUZZTIME ?= 60s
BENCH ?= .
# ROUNDS is how often make compare runs each load; COMPARE are further flags of it:
# make compare COMPARE="-loads=burst,echo -peers=parlor,node".
ROUNDS ?= 5
COMPARE ?=

# Pinned, so that what lints today lints the same next year.
GOLANGCI_LINT := .tmp/bin/golangci-lint-v2.15.0

# Where Go code is. There are npm packages with Go code in them, for tools that
# would walk node_modules; the go command itself is told in go.mod.
GO_DIRS := $(patsubst %/,%,$(filter-out bin/,$(wildcard */)))
GO_FILES = $$(find $(GO_DIRS) -name node_modules -prune -o -name '*.go' -print) $(wildcard *.go)

# Tests in Node.js: the real client in one, Node's own server in the other.
NPM_TESTS := internal/jstest adapter/redisadapter/testdata/node namespaces/admin/testdata/node

# A module of its own, for a server that the tests of adapter/redisadapter start.
INTEROP := internal/interop

WEB := cmd/parlor/internal/web
# The client that is served below the Socket.IO path; what Node's server offers, without the source maps.
CLIENT := $(WEB)/dist/socket.io.min.js
CLIENT_FILES := socket.io.js socket.io.esm.min.js socket.io.msgpack.min.js socket.io.min.js
# The Admin UI, without source maps, with the icons that it uses and the licences of both.
ADMIN := $(WEB)/dist/admin
ADMIN_PAGE := $(ADMIN)/page/index.html
ADMIN_ICONS := css/materialdesignicons.min.css fonts/materialdesignicons-webfont.woff2 LICENSE
WEB_INSTALLED := $(WEB)/node_modules/.package-lock.json

# The chat app, and what it is built from: all in its directory that is not
# built or installed itself.
APP := examples/js-client
APP_BUILT := $(WEB)/dist/app/index.html
APP_INSTALLED := $(APP)/node_modules/.package-lock.json
APP_SOURCES := $(shell find $(APP) \( -name node_modules -o -name dist -o -name '*.tsbuildinfo' \) -prune -o -type f -print)

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X github.com/seed3686fee0/parlor/cmd/parlor/internal/app.version=$(VERSION)

.PHONY: help
help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Serve on http://localhost:3000/, the chat app included; ARGS= for flags
	@exec bin/parlor $(ARGS)

.PHONY: cluster
cluster: build ## Serve on http://localhost:8080/ with three instances behind nginx; ARGS= for flags, PORT= for another port
	@.ci/deps redis nginx
	@exec examples/cluster/run.sh $(ARGS)

.PHONY: build
build: $(CLIENT) $(ADMIN_PAGE) $(APP_BUILT) ## Build bin/parlor, the chat app included
	@go build -trimpath -ldflags "$(LDFLAGS)" -o bin/ ./cmd/parlor

.PHONY: test
test: deps check cross ## Run all checks and tests, installing what they need
	cd $(APP) && npm run check
	go test -race -timeout 20m ./...
	cd $(INTEROP) && go test -race ./...
	@# The race detector allocates on its own account, and slows everything down:
	@# budgets, and packages with tests that it switches off, are tested without it.
	go test -run 'Alloc|Budget' ./...
	go test -timeout 20m -skip '^(TestApp|TestAdminUI)$$' $$(grep -rlE --exclude-dir=node_modules --include='*_test.go' '^//go:build !race' $(GO_DIRS) | xargs -r -n1 dirname | sort -u | sed 's|^|./|')

.PHONY: stress
stress: ## Restart instances under 2,000 clients, then two minutes of everything at once; count what is lost and what grows
	@.ci/deps cc redis nginx
	STRESS=1 go test -p 1 -count=1 -v -timeout 10m ./internal/stress/...
	STRESS=1 go test -race -count=1 -v -timeout 10m ./internal/stress/soak

.PHONY: check
check: $(CLIENT) $(ADMIN_PAGE) ## Check formatting, and vet
	@unformatted=$$(gofmt -l $(GO_FILES)); [ -z "$$unformatted" ] || { echo "make fmt would change:" $$unformatted >&2; exit 1; }
	go vet ./...
	cd $(INTEROP) && go vet ./...

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Lint with the pinned golangci-lint (building it takes a minute or two, once)
	$(GOLANGCI_LINT) run

.PHONY: cross
cross: ## Build for Windows and macOS, and vet for Windows, tests included, and for 32 bits
	GOOS=windows GOARCH=amd64 go build ./...
	GOOS=windows GOARCH=amd64 go vet ./...
	GOOS=darwin GOARCH=arm64 go build ./...
	GOOS=linux GOARCH=386 go vet ./...

.PHONY: test-386
test-386: ## Test the codecs on a 32-bit processor, which this one has to be able to be
	GOARCH=386 go test ./server/packet/... ./server/engine ./adapter/redisadapter/internal/wire

.PHONY: fmt
fmt: ## Format the Go code
	@gofmt -w $(GO_FILES)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME= (60s), and keep what it finds
	@for dir in $$(grep -rlE --exclude-dir=node_modules --include='*_test.go' '^func Fuzz' $(GO_DIRS) | xargs -rn1 dirname | sort -u); do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$dir/*_test.go | cut -d' ' -f2); do \
			echo "== $$dir $$target"; \
			go test -run='^$$' -fuzz="^$$target$$" -fuzztime=$(FUZZTIME) ./$$dir || exit 1; \
			go run ./internal/corpus/fold ./$$dir $$target || exit 1; \
		done; \
	done

.PHONY: bench
bench: ## Run the benchmarks that match BENCH= (all)
	go test -run='^$$' -bench='$(BENCH)' -benchmem ./...

.PHONY: compare
compare: build ## Compare with other Socket.IO servers under load, and write docs/compare.md; ROUNDS= (5) of each load, COMPARE= for flags
	@.ci/deps redis || true # without it a row is left out
	@cd $(INTEROP) && go run ./compare -parlor $(CURDIR)/bin/parlor -rounds $(ROUNDS) $(COMPARE)

.PHONY: deps
deps: $(CLIENT) $(ADMIN_PAGE) $(APP_BUILT) ## Install what the tests need: a C compiler, Node.js, Chromium, Redis, nginx, curl, npm packages
	@.ci/deps node cc browser redis nginx curl
	@for dir in $(NPM_TESTS); do \
		[ $$dir/node_modules/.package-lock.json -nt $$dir/package-lock.json ] || (cd $$dir && npm ci); \
	done

.PHONY: clean
clean: ## Delete what was built or installed here
	rm -rf bin .tmp $(addsuffix /node_modules,$(NPM_TESTS)) $(WEB)/node_modules $(addprefix $(WEB)/dist/,$(CLIENT_FILES) admin app) $(addprefix $(APP)/,node_modules dist)

$(WEB_INSTALLED): $(WEB)/package-lock.json
	@.ci/deps node
	@cd $(WEB) && npm ci && touch node_modules/.package-lock.json

$(CLIENT): $(WEB_INSTALLED)
	@cd $(WEB) && cp $(addprefix node_modules/socket.io-client/dist/,$(CLIENT_FILES)) dist/

$(ADMIN_PAGE): $(WEB_INSTALLED)
	@rm -rf $(ADMIN) && mkdir -p $(ADMIN)/page $(addprefix $(ADMIN)/icons/,$(dir $(ADMIN_ICONS)))
	@for file in $(ADMIN_ICONS); do cp $(WEB)/node_modules/@mdi/font/$$file $(ADMIN)/icons/$$file; done
	@cp $(WEB)/node_modules/@socket.io/admin-ui/LICENSE $(ADMIN)/page/LICENSE.txt
	@cp -R $(WEB)/node_modules/@socket.io/admin-ui/ui/dist/. $(ADMIN)/page && find $(ADMIN)/page -name '*.map' -delete && touch $@

$(APP_BUILT): $(APP_SOURCES) $(APP_INSTALLED)
	@cd $(APP) && npm run build
	@rm -rf $(@D) .tmp/app && mkdir -p .tmp && cp -R $(APP)/dist .tmp/app && mv .tmp/app $(@D) && touch $@

$(APP_INSTALLED): $(APP)/package-lock.json
	@.ci/deps node
	@cd $(APP) && npm ci && touch node_modules/.package-lock.json

$(GOLANGCI_LINT):
	@mkdir -p $(@D)
	@echo "building $(notdir $@)"
	@GOBIN=$(abspath $(@D))/new go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(patsubst golangci-lint-%,%,$(notdir $@))
	@mv $(@D)/new/golangci-lint $@ && rm -r $(@D)/new

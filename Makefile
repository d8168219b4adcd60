# Everything a developer or an operator does with this tree. `make help` lists it.

GO       ?= go
BIN      := bin/gatepass
FUZZTIME ?= 10s
FUZZFLOOR ?= 500
N ?= 20
SEED ?= 0
SCHEDULES ?= 1000000
FIRST ?= 1
# The binary says which commit it is from where there is a git work tree to ask.
VCS      := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
# The race detector needs a C compiler; without one the tests run all the same.
RACE     := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)
# The timeout is for each package; e2e takes some minutes, more where other work runs.
TEST     := $(GO) test $(RACE) -shuffle=on -timeout 25m
# The race detector allocates and is slow, so the tests that do less under it, which
# have these names, are run once more without it. skips_test.go sees that none is missed.
RACELESS := 'Alloc|Budget|Timing|AtEachStep'
BUDGETED := ./perf/... ./server ./queue ./logic ./codec/... ./auth/... ./storage/... ./worlds/...

.PHONY: help run build check lint test race house mutants fuzz soak bench load profile notices generate tidy clean

help: ## list these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

build: ## build bin/gatepass, static
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=$(VCS) -o $(BIN) ./cmd/gatepass

run: build ## build and start a login server with a demo account (Ctrl-C ends it)
	./$(BIN) dev

test: ## run every test, with the race detector where there is a C compiler
	$(if $(RACE),,@echo "no C compiler found: the tests run without the race detector")
	$(TEST) ./...
	$(if $(RACE),$(GO) test -shuffle=on -run $(RACELESS) $(BUDGETED))

race: ## run the concurrent packages again and again under the race detector
	$(GO) test -race -shuffle=on -count=5 ./queue ./server ./logic ./auth ./storage/...

lint: ## format, vet, static checks, tidiness of go.mod
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags purego ./auth/...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff

check: lint test ## lint and test, and see that neither changed the tree
	@test -z "$$(git status --porcelain)" || { git status --short; echo "the work tree is not clean"; exit 1; }

house: ## print how far a usual change spreads, and how large the pieces are
	$(GO) test -count=1 -run TestHouse -v .

mutants: ## try N random changes of PKG (N=20; all packages but e2e and cmd; SEED=0: any): does a test notice?
	$(GO) run ./mutants -n $(N) -seed $(SEED) $(or $(PKG),$(shell $(GO) list ./... | grep -v -e /e2e -e /cmd/))

fuzz: ## run every fuzz target of PKG for FUZZTIME (default 10s); each must make FUZZFLOOR (500) executions a second
	@GO="$(GO)" FUZZTIME=$(FUZZTIME) FUZZFLOOR=$(FUZZFLOOR) .ci/fuzz $(PKG)

soak: ## play SCHEDULES (default 1000000) of the pass under faults, from seed FIRST
	$(GO) test -count=1 -timeout 2h -run 'TestSim$$' -v ./worlds -first $(FIRST) -schedules $(SCHEDULES)

bench: ## run the benchmarks of the stages and of the parts
	$(GO) test -run '^$$' -bench . -benchmem ./queue ./codec/... ./auth/... ./storage/... ./worlds/... ./perf

load: build ## measure logins against the floor, held connections, worlds' changes, moves of keys, patches
	./$(BIN) bench login
	./$(BIN) bench login --rate 1000
	./$(BIN) bench hold
	./$(BIN) bench worlds
	./$(BIN) bench pass --return
	./$(BIN) bench login --protocol native --accounts 2000
	./$(BIN) bench login --protocol native --accounts 2000 --token
	./$(BIN) bench hold --protocol native
	./$(BIN) bench worlds --protocol native
	./$(BIN) bench patch
	./$(BIN) bench patch --protocol native

profile: ## CPU profile of a login through all stages, as text
	$(GO) test -run '^$$' -bench 'Pipeline' -cpuprofile bin/cpu.prof -o bin/perf.test ./perf
	$(GO) tool pprof -top bin/perf.test bin/cpu.prof | head -40

notices: ## write THIRD-PARTY-NOTICES, the licences of all modules in bin/gatepass
	@GO="$(GO)" .ci/notices

generate: ## make what is generated from codec/native/gatepass.proto
	$(GO) run ./codec/native/internal/generate codec/native

tidy: ## tidy go.mod and format the code
	$(GO) mod tidy
	gofmt -w .

clean: ## remove what make built
	rm -rf bin

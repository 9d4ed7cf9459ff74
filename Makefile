# Every target does its own set-up: `make demo` and `make test` are all that a fresh Debian machine
# with Swift needs. `make help` lists the targets.

# One set of flags for all, so that the commands and the tests share one build; a bare `swift test`
# would add testability a second time and build everything anew. Testability does not reach the hot
# loops, which are C. Release, because numerical code in debug is 100 times slower.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
PREFIX ?= /usr/local
SWIFT_SOURCES := $(wildcard Sources Tests Benchmarks Fuzz Examples Package.swift)

.DEFAULT_GOAL := help
.PHONY: help dependencies build demo test torture fuzz sanitize lint bench interop reproduce pages install package clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

dependencies: ## Install the Debian packages that are missing.
	@scripts/install-dependencies.sh

build: dependencies ## Build the three commands into .build/release.
	swift build $(SWIFT_FLAGS)

demo: build ## Teach a small tree Mamba a new skill and see it answer (half a minute).
	@scripts/demo.sh

test: dependencies ## Run the tests; FILTER=KernelsTests runs one target's.
	swift build $(SWIFT_FLAGS) --build-tests
	swift test -c release --skip-build $(if $(FILTER),--filter $(FILTER))

torture: build ## Kill training at every call and at random moments, fill its disk (half an hour).
	@scripts/torture.sh long

fuzz: dependencies ## Give changed files to every reader; TARGET=json for one, FUZZ_SECONDS=60 (a quarter of an hour).
	@scripts/fuzz.sh $(TARGET)

sanitize: dependencies ## Run tests with the compiler's sanitizers (an hour); PART=address, thread or undefined, FILTER=...
	@scripts/sanitize.sh $(PART) $(if $(PART),$(FILTER))

lint: ## Check the format of the Swift sources.
	swift format lint --strict --recursive $(SWIFT_SOURCES)

bench: build ## Measure beside the machine's limits and PyTorch's programs; PART=... for a part (20 minutes).
	swift build -c release --package-path Benchmarks
	@scripts/bench.sh $(PART)

interop: build ## Exchange files with llama.cpp's programs and the hub's client, and compare what they read (needs a network once).
	@scripts/interop.sh

reproduce: build ## Prepare the paper's comparison on mamba-130m: records, seven tasks, one command (needs a network).
	@scripts/reproduce.sh

pages: build ## Make manual pages, and completion for bash, zsh and fish, in out/share (needs python3).
	@command -v python3 >/dev/null || { echo 'make: python3 is missing, which makes the manual pages; install it' >&2; exit 1; }
	@python3 scripts/manual/make_pages.py out/share

# Beside the programs nothing is needed but the libraries that they were built with, Swift's among them.
install: pages ## Install commands, manual pages and completion below PREFIX=/usr/local.
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share
	install $(addprefix .build/release/,mtl-finetune mtl-eval mtl-chat) $(DESTDIR)$(PREFIX)/bin
	cp -R out/share/. $(DESTDIR)$(PREFIX)/share

package: ## Make a tarball that runs anywhere and a .deb, in out/package (needs python3).
	@scripts/package.sh

clean: ## Delete everything that was built, and the demonstration's output.
	rm -rf .build .build-package Benchmarks/.build Fuzz/.build Examples/.build out/demo out/share out/package

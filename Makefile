# The two commands to know: `make demo` and `make test`. Both do all the set-up.

SWIFT ?= swift
# An import of a module that a target does not declare is an error: this keeps the pipelines apart.
CHECKED := --explicit-target-dependency-import-check error

.PHONY: demo build test lint bench example setup clean

## Builds everything and runs all three pipelines on real documents.
## DOCS=DIR and DOCS2=LATER_DIR run the same story on your own.
demo: build
	@Scripts/demo.sh $(if $(DOCS),--documents "$(DOCS)") $(if $(DOCS2),--later "$(DOCS2)")

## Builds the four executables, optimised, into .build/release.
build: setup
	$(SWIFT) build -c release $(CHECKED)

## Builds and runs every test.
test: setup
	$(SWIFT) build --build-tests $(CHECKED)
	$(SWIFT) test --skip-build --disable-xctest

## Checks the style of every Swift file.
lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

## Measures against git, DVC and the data's own size; see docs/performance.md.
bench: build
	@Benchmarks/run.sh $(BENCH)

## Makes the example repository anew with the released commands.
example: build
	@Scripts/make-example.sh

setup:
	@Scripts/setup.sh

clean:
	rm -rf .build .demo

# The two commands to know: `make demo` and `make test`. Both do all the set-up.

SWIFT ?= swift
# An import of a module that a target does not declare is an error: this keeps the pipelines apart.
CHECKED := --explicit-target-dependency-import-check error

.PHONY: demo build test test-documents test-retrieval torture bounds lint fuzz bench bench-all bench-build bench-check example setup clean

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

## Interrupts, starves and crowds ftictl in every way, in three quarters of an hour; see docs/reliability.md.
## TORTURE="--short --seed 7" asks less. Ends with an error when anything is violated.
torture: setup
	$(SWIFT) build -c release $(CHECKED) --product ftictl
	@python3 Benchmarks/torture/torture.py $(TORTURE)

## Feeds hostile inputs of up to 5 GB to every program and measures what they take; see docs/hostile-input.md.
bounds: build
	@python3 Tests/bounds.py .build/release --large $(BOUNDS)

## Reads real manuals and odd documents, and compares the rows with what independent readers see: Tests/Documents/README.md.
## DOCUMENTS="odd --show html/cdata.html" asks a part. Ends with an error when a figure is not met.
test-documents: build
	@Tests/Documents/setup.sh
	@"$${FTI_CORPORA:-Tests/Documents/.data}"/.venv/bin/python Tests/Documents/measure.py .build/release $(DOCUMENTS)

## Measures what is found and answered on two real manuals; CORPORA=FOLDER has them, else they are fetched.
test-retrieval: build
	@Tests/Retrieval/setup.sh $(or $(CORPORA),Tests/Retrieval/.data)
	@$(or $(CORPORA),Tests/Retrieval/.data)/.venv/bin/python Tests/Retrieval/measure.py .build/release $(or $(CORPORA),Tests/Retrieval/.data)

## Checks the style of every Swift file, and that every Python file is one.
lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Examples/library \
		Benchmarks/Package.swift Benchmarks/Sources
	@python3 -m compileall -q -x '\.(venv|data|scratch)/' Benchmarks Tests/Documents Tests/Retrieval

## Fuzzes every parser for so many seconds: make fuzz SECONDS=60, or only some: FUZZ_TARGETS="trees rows".
SECONDS ?= 60
fuzz: setup
	@Tests/Fuzz/run.sh $(SECONDS) $(FUZZ_TARGETS)

## Measures fti against other tools in under ten minutes; see docs/performance.md.
## BENCH="--only model --rounds 9" asks a part. Ends with an error when a promise does not hold.
bench: bench-build
	@Benchmarks/.venv/bin/python Benchmarks/bench.py $(BENCH)

## The same with the peers that take minutes, and a model of 3 GB.
bench-all: bench-build
	@Benchmarks/.venv/bin/python Benchmarks/bench.py --all $(BENCH)

## Builds what is measured, the programs that measure, and the peers' environment.
bench-build: build
	@Benchmarks/setup.sh
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks

## Checks that the benchmarks' programs compile, without running any.
bench-check:
	$(SWIFT) build --package-path Benchmarks --scratch-path .build/benchmarks

## Makes the example repository anew with the released commands.
example: build
	@Scripts/make-example.sh

setup:
	@Scripts/setup.sh

clean:
	rm -rf .build .demo

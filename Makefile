# Start with `make demo` and `make test`. Both install what they need.

SWIFT ?= swift
# Importing a module that the target does not declare is an error. This keeps the pipelines apart.
CHECKED := --explicit-target-dependency-import-check error

.PHONY: demo build test test-documents test-retrieval test-page test-serve test-encoders test-models packages test-packages demo-llm demo-twin \
	torture bounds lint fuzz bench bench-all bench-build bench-check bench-serve bench-encoders bench-models example setup clean

## Builds everything and runs all three pipelines on real documents.
## DOCS=DIR and DOCS2=LATER_DIR run the demo on your own documents; EMBEDDER=minilm runs it with a real sentence embedder.
demo: build
	@Scripts/demo.sh $(if $(DOCS),--documents "$(DOCS)") $(if $(DOCS2),--later "$(DOCS2)") $(if $(EMBEDDER),--embedder "$(EMBEDDER)")

## Builds the four executables in release mode, into .build/release.
build: setup
	$(SWIFT) build -c release $(CHECKED)

## Builds and runs every test.
test: setup
	$(SWIFT) build --build-tests $(CHECKED)
	$(SWIFT) test --skip-build --disable-xctest

## Kills ftictl, injects errors and runs crowds of writers; takes about 45 minutes. See docs/reliability.md.
## TORTURE="--short --seed 7" runs a part. Fails if a guarantee is violated.
torture: setup
	$(SWIFT) build -c release $(CHECKED) --product ftictl
	@python3 Benchmarks/torture/torture.py $(TORTURE)

## Gives every program hostile inputs of up to 5 GB and measures memory and time; see docs/hostile-input.md.
bounds: build
	@python3 Tests/bounds.py .build/release --large $(BOUNDS)

## Reads real manuals and odd documents, and compares the rows with those of independent readers; see Tests/Documents/README.md.
## DOCUMENTS="odd --show html/cdata.html" runs a part. Fails if a figure misses its limit.
test-documents: build
	@Tests/Documents/setup.sh
	@"$${FTI_CORPORA:-Tests/Documents/.data}"/.venv/bin/python Tests/Documents/measure.py .build/release $(DOCUMENTS)

## Measures retrieval and answers on two real manuals, from CORPORA=FOLDER or else downloaded.
test-retrieval: build
	@Tests/Retrieval/setup.sh $(or $(CORPORA),Tests/Retrieval/.data)
	@$(or $(CORPORA),Tests/Retrieval/.data)/.venv/bin/python Tests/Retrieval/measure.py .build/release $(or $(CORPORA),Tests/Retrieval/.data)

## Tests the page of the inference service in headless Chromium, which it installs; look at the pictures in
## Tests/Page/.pictures. PAGE="--only stops" runs a part.
test-page: build
	@Tests/Page/setup.sh
	@python3 -B Tests/Page/test.py .build/release $(PAGE)

## Makes a Debian package and an OCI image of each program, in dist/; see docs/deployment.md. PACKAGES="ftictl" makes only those.
packages: build
	@python3 Packaging/build.py $(PACKAGES)

## Installs each package alone in a clean root, runs it and removes it; runs each image. Needs root and Debian or Ubuntu.
test-packages:
	@Tests/Packages/setup.sh
	@$(MAKE) --no-print-directory packages
	@python3 Tests/Packages/test.py $(PACKAGES)

## Fine-tunes a small language model on the handbook, serves it, asks through the client of OpenAI, and rolls back. The
## first run installs 2.1 GB from PyPI into $$XDG_CACHE_HOME/fti/llm.
demo-llm: build
	@Scripts/demo-llm.sh

## Shows in eight acts how fti refuses eight well-known defects of such pipelines; see Examples/llm-twin/README.md.
demo-twin: build
	@Examples/llm-twin/run.sh

## Tests the service with LangChain, a real small language model and load; `make test` asks it through OpenAI's client. Installs
## 2 GB from PyPI into $$XDG_CACHE_HOME/fti. SERVE="with_langchain" runs a part.
test-serve: build
	@Scripts/test-serve.sh $(SERVE)

## Fine-tunes a small language model with few steps, kills and resumes it, and looks at what the models hold. Installs 2.1 GB
## from PyPI into $$XDG_CACHE_HOME/fti/llm. MODELS="lineage readme" runs a part.
test-models: build
	@Tests/Models/run.sh test $(MODELS)

## Fine-tunes it as Examples/trl has it and measures its answers beside those of the base, in .bench-models. Fails if SFT is not
## surely better. MODELS=--bf16 trains faster on processors with AVX-512 BF16.
bench-models: build
	@Tests/Models/run.sh measure $(MODELS)

## Compares tokens with those of Hugging Face's libraries, on real texts in 24 scripts and on every character, and vectors and
## scores with those of sentence-transformers; kills an embedding run 50 times. Installs 2 GB from PyPI into
## $$XDG_CACHE_HOME/fti/encoders.
test-encoders: build
	$(SWIFT) build --build-tests $(CHECKED)
	@python=$$(Tests/Encoders/setup.sh) && "$$python" Tests/Encoders/tokens.py && "$$python" Tests/Encoders/vectors.py
	@python3 -B Tests/Encoders/kills.py .build/release

## Measures the encoder beside sentence-transformers and ONNX Runtime; see docs/performance.md. Fails if a figure misses its limit.
bench-encoders: build
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks --product encode
	@python=$$(Tests/Encoders/setup.sh) && \
		"$$python" Benchmarks/encoder/figures.py .build/benchmarks/release/encode .build/release/ftictl $(ENCODERS)

## Measures the service beside FastAPI and Chroma, and moves its release under load; see docs/performance.md. Fails if a figure
## misses its limit. SERVE="--only chat" runs a part.
bench-serve: build
	@Benchmarks/serve/run.sh $(SERVE)

## Checks the style of every Swift file, and the syntax of the Python files of benchmarks and measurements.
lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Examples/library \
		Benchmarks/Package.swift Benchmarks/Sources
	@python3 -m compileall -q -x '\.(venv|data|scratch)/' Benchmarks Examples Packaging Scripts Tests/Documents \
		Tests/Encoders Tests/Models Tests/Packages Tests/Page Tests/Retrieval Tests/ServeTests

## Fuzzes every parser for the given time: make fuzz SECONDS=60. FUZZ_TARGETS="trees rows" runs only those.
SECONDS ?= 60
fuzz: setup
	@Tests/Fuzz/run.sh $(SECONDS) $(FUZZ_TARGETS)

## Measures fti against other tools; takes less than ten minutes. See docs/performance.md.
## BENCH="--only model --rounds 9" runs a part. Fails if a promise does not hold.
bench: bench-build
	@Benchmarks/.venv/bin/python Benchmarks/bench.py $(BENCH)

## The same, with the tools that take minutes and a model of 3 GB.
bench-all: bench-build
	@Benchmarks/.venv/bin/python Benchmarks/bench.py --all $(BENCH)

## Builds the executables and the benchmark programs, and installs the other tools.
bench-build: build
	@Benchmarks/setup.sh
	$(SWIFT) build -c release --package-path Benchmarks --scratch-path .build/benchmarks

## Checks that the benchmark programs compile, without running them.
bench-check:
	$(SWIFT) build --package-path Benchmarks --scratch-path .build/benchmarks

## Rebuilds the example repository with the release build.
example: build
	@Scripts/make-example.sh

setup:
	@Scripts/setup.sh

clean:
	rm -rf .build .demo .demo-llm .demo-twin .bench-models dist

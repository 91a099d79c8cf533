# The commands of this project. Each one sets up what it needs, says what it is doing, and the
# second time repeats none of it. Settings: JOBS, HEED_TORCH, HEED_WERROR=ON,
# HEED_BENCHMARKS=ON, PREFIX, FUZZ_SECONDS; and for asan, tsan and fuzz FOLDERS, as in
# `make asan FOLDERS="io text"`.
.DEFAULT_GOAL := help
.PHONY: help setup setup-tests build demo test bench asan tsan fuzz format lint install dist wheel \
        docs clean distclean

# Compiling a file that uses torch takes up to 2 GB of memory.
JOBS ?= $(shell awk -v n="$$(nproc)" '/MemTotal/ {m = int($$2 / 2e6); if (m < 1) m = 1; \
          print (m < n ? m : n)}' /proc/meminfo)
export JOBS
PREFIX ?= /usr/local
FOLDERS ?=
FUZZ_SECONDS ?= 60
HEED_WERROR ?= OFF
settings = -DHEED_WERROR=$(HEED_WERROR) -DHEED_TORCH="$(HEED_TORCH)" \
           $(if $(HEED_BENCHMARKS),-DHEED_BENCHMARKS=$(HEED_BENCHMARKS))

# $(call built,PRESET[,TARGETS]): configures and builds build/PRESET.
built = cmake --preset $(1) $(settings) --log-level=WARNING && \
        cmake --build --preset $(1) -j $(JOBS) $(if $(2),--target $(2))
# The test programs of FOLDERS (all if empty), as targets and as an argument of ctest.
empty :=
programs = $(FOLDERS:%=heed_%_test)
only = -R '^($(if $(FOLDERS),$(subst $(empty) ,|,$(strip $(programs))),heed_.*_test))\.'

help:  ## print this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup:  ## Debian packages and torch, into .venv; only what is missing
	@tools/setup.sh

setup-tests:
	@tools/setup.sh --tests

build: setup  ## the program, build/release/heed, and the library that it is made of
	@echo "build: build/release"
	@$(call built,release,heed_program)

demo: build  ## train a sentiment classifier, try it, and draw its attention
	@tools/demo.sh

test: settings += -DHEED_TESTS=ON
test: setup-tests  ## all tests
	@echo "test: build/release"
	@$(call built,release)
	@ctest --preset release -j $(JOBS)

bench: settings += -DHEED_BENCHMARKS=ON
bench: setup  ## the benchmarks: every program build/release/benchmarks/heed_bench_*
	@$(call built,release)
	@for program in build/release/benchmarks/heed_bench_*; do \
	  echo "bench: $$program"; $$program || exit 1; done

asan: settings += -DHEED_TESTS=ON
asan: setup-tests  ## the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@echo "asan: build/asan"
	@$(call built,asan,$(programs))
	@ctest --preset asan -j $(JOBS) $(only)

# Without the two large suites of the tile engine, which would take many minutes: the suites TileEdges
# and AdditiveScore run the same scheduling on several threads.
tsan: FOLDERS = base kernels
tsan: settings += -DHEED_TESTS=ON
tsan: setup-tests  ## the unit tests of the threaded folders without torch under ThreadSanitizer
	@echo "tsan: build/tsan"
	@$(call built,tsan,$(programs))
	@ctest --preset tsan -j $(JOBS) $(only) -E '\.(Brgemm)?Tiles$$'

# FOLDERS may name those without torch; the sources of the others clang reads in `make lint`.
fuzz:  ## each fuzz target for FUZZ_SECONDS (60), after the unit tests of FOLDERS under clang's sanitizers
	@tools/setup.sh --checks
	@echo "fuzz: build/fuzz, and the library of build/release"
	@$(call built,release,heed)
	@$(call built,fuzz,$(programs) heed_fuzz)
	@$(if $(FOLDERS),ctest --preset fuzz -j $(JOBS) $(only))
	@tools/fuzz.sh $(FUZZ_SECONDS)

format:  ## rewrite the sources as .clang-format says
	@tools/setup.sh --checks
	@tools/lint.sh format

lint:  ## check format, layers, files, headers; clang's warnings and clang-tidy
	@tools/setup.sh --checks
	@tools/lint.sh all

install: build  ## install under PREFIX (default /usr/local)
	@cmake --build --preset release -j $(JOBS) --target heed_share
	@cmake --install build/release --prefix "$(PREFIX)"

dist: build  ## one archive that runs on a Debian without Python or torch, in build/
	@cmake --build --preset release -j $(JOBS) --target heed_share
	@tools/dist.sh

wheel: build  ## the Python package, build/wheel/heed-*.whl, for the torch in .venv
	@cmake --build --preset release -j $(JOBS) --target heed_share
	@HEED_BUILD=build/release python3 python/wheel_backend.py build/wheel

docs:  ## the pages and the reference of the headers as a site, build/site/index.html
	@tools/setup.sh --docs
	@tools/docs.sh

clean:  ## remove what was built; set-up stays
	rm -rf build

distclean: clean  ## remove what was built and what set-up put into .venv
	rm -rf .venv

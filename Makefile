# Every target but arm64 and gpu does its own set-up: a virtual environment, torch, CMake and ninja
# from PyPI, the build. Stamp files in the environment keep a second run from doing it again. arm64
# uses the machine's cross compiler, qemu and GoogleTest, gpu the torch and CUDA toolkit that are
# there; both name what is missing.
#
#   make demo | test | bench | bench-peers | bench-flamo | bench-modules | lint | format | sanitize |
#        smoke | arm64 | ptxrun | ptxrun-ci | ptxrun-counts | ptxrun-mutations | emulated | emulated-ci |
#        gpu | cpp-example | clean
#
# TORCH='torch==2.11.*' or PYTHON=python3.13 get an environment and a build folder of their own; the
# package in python/polezero holds the library of the last one made.
PYTHON ?= python3
DEFAULT_TORCH := torch==2.15.*
TORCH ?= $(DEFAULT_TORCH)

ifneq ($(TORCH),$(DEFAULT_TORCH))
TAG += -$(subst ==,,$(subst .*,,$(TORCH)))
endif
ifneq ($(origin PYTHON),file)
TAG += -py$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
endif
empty :=
TAG := $(subst $(empty) ,,$(TAG))
VENV ?= .venv$(TAG)
BUILD ?= build/dev$(TAG)
SANITIZED := build/sanitize$(TAG)
SMOKE := build/smoke$(TAG)
EXAMPLE := build/cpp-example$(TAG)

SHELL := /bin/bash
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export POLEZERO_BUILD_DIR := $(BUILD)
CMAKE := cmake -S . -G Ninja -DPython_EXECUTABLE=$(abspath $(VENV))/bin/python

.PHONY: demo test bench bench-peers bench-flamo bench-modules lint format sanitize smoke arm64 ptxrun ptxrun-ci ptxrun-build ptxrun-counts ptxrun-mutations emulated emulated-build emulated-ci gpu cpp-example clean compile build
.DEFAULT_GOAL := test
.NOTPARALLEL:

# ---- set-up
INSTALLED := .torch$(subst torch==,-,$(subst .*,,$(TORCH)))

$(VENV)/$(INSTALLED):
	$(PYTHON) -m venv $(VENV)
	python -m pip install --quiet --upgrade 'pip>=25.1'
	pip install '$(TORCH)'
	@touch $@

# .group-NAME: a dependency group of pyproject.toml
$(VENV)/.group-%: $(VENV)/$(INSTALLED) pyproject.toml
	pip install --quiet --group $*
	@touch $@

# GoogleTest is the system's, or Debian's where apt can be used; otherwise the C++ tests are skipped.
$(VENV)/.googletest:
	@mkdir -p $(VENV)
	@sudo=; [ "$$(id -u)" = 0 ] || sudo='sudo -n'; \
	if [ ! -e /usr/include/gtest/gtest.h ] && command -v apt-get >/dev/null; then \
	  { $$sudo apt-get update -qq && $$sudo apt-get install -qq -y libgtest-dev; } </dev/null || true; \
	fi
	@touch $@

# ---- build
# Without the C++ tests and benchmarks, which a former `make test` or `make bench` may have added to
# the folder.
compile: $(VENV)/.group-build
	@[ -e $(BUILD)/build.ninja ] || $(CMAKE) -B $(BUILD)
	@cmake --build $(BUILD) --target polezero polezero_python
	@cmake --install $(BUILD) --prefix python/polezero >/dev/null

# pip runs the same CMake once more, which then has nothing left to do.
$(VENV)/.editable: setup.py pyproject.toml | compile
	pip install --quiet --no-build-isolation --no-deps -e .
	@touch $@

build: $(VENV)/.editable

# $(call package,BUILD FOLDER,FOLDER): the package in FOLDER/site; python/polezero stays as it is.
package = rm -rf $(2)/site && mkdir -p $(2)/site && \
	(cd python && find polezero -name '*.py' -exec cp --parents -t ../$(2)/site {} +) && \
	cmake --install $(1) --prefix $(2)/site/polezero >/dev/null

# ---- what people type
# Under test, what malloc gives is full of 0x7f, which is 3.4e38 in float32, and not of the zeros of
# fresh memory: nothing unwritten passes for a result. (What torch allocates is full of NaN besides,
# see conftest.py.) Without the thread caches, which hand small pieces on as they are.
FILLED = GLIBC_TUNABLES=glibc.malloc.perturb=128:glibc.malloc.tcache_count=0

# Python tests run in two processes, of two threads each, which sleep while they wait for one another: a machine with
# two cores is busy with both. Each process begins with one half of the tests, file after file.
test: build $(VENV)/.group-test $(VENV)/.googletest
	@grep -q POLEZERO_TESTS:BOOL=ON $(BUILD)/CMakeCache.txt || $(CMAKE) -B $(BUILD) -DPOLEZERO_TESTS=ON
	@cmake --build $(BUILD) --target tests/cpp/all
	@export $(FILLED); $(call cpp_tests,$(BUILD))
	$(FILLED) OMP_WAIT_POLICY=passive python -m pytest -n 2 --dist worksteal tests/python

# Whether a build for another torch (TORCH='torch==2.11.*') loads, filters and differentiates, and has
# its ops registered as that torch wants them. Without CUDA kernels, which see nothing of torch.
smoke: $(VENV)/.group-build
	@[ -e $(SMOKE)/build.ninja ] || $(CMAKE) -B $(SMOKE) -DPOLEZERO_CUDA=OFF
	@cmake --build $(SMOKE)
	@$(call package,$(SMOKE),$(SMOKE))
	PYTHONPATH=$(SMOKE)/site python tests/python/smoke_version.py

# $(call cpp_tests,BUILD FOLDER)
cpp_tests = if [ -x $(1)/tests/cpp/polezero_api_tests ]; then \
	  ctest --test-dir $(1) --output-on-failure; \
	else \
	  echo 'C++ tests skipped: GoogleTest is not installed and apt-get could not install libgtest-dev (once it is: make clean $@)'; \
	fi

demo: build $(VENV)/.group-demo
	python examples/train_filter.py $(if $(AUDIO),"$(AUDIO)")

bench: build $(VENV)/.group-bench
	python benchmarks/run.py
	@$(kernels_bench)

# Every peer is optional. philtorch 0.7 requires torch 2.14, hence an environment of its own.
bench-peers: build $(VENV)/.group-bench $(VENV)/.peers .venv-philtorch/.done
	python benchmarks/run.py --peers
	@$(kernels_bench)

# Configured each time: Google Benchmark or Intel IPP may have been installed since.
kernels_bench = set -e -o pipefail; $(CMAKE) -B $(BUILD) -DPOLEZERO_BENCHMARKS=ON >/dev/null; \
	cmake --build $(BUILD) --target benchmarks/all; \
	if [ -x $(BUILD)/benchmarks/kernels_bench ]; then \
	  $(BUILD)/benchmarks/kernels_bench | tee benchmarks/results/kernels.txt; \
	else \
	  echo 'The kernels alone are not measured: Google Benchmark is not installed (Debian: apt-get install libbenchmark-dev)'; \
	fi

# torchaudio loads beside a torch with the same CUDA, whatever its metadata say: 2.11.0 beside torch
# 2.11 (CUDA 13.0), 2.11.1 beside torch 2.15 (13.2).
TORCHAUDIO := torchaudio==2.11.$(if $(filter torch==2.11.%,$(TORCH)),0,1)

$(VENV)/.peers: $(VENV)/$(INSTALLED)
	-pip install --quiet --no-deps '$(TORCHAUDIO)'
	-pip install --quiet --group peers
	@touch $@

.venv-philtorch/.done:
	$(PYTHON) -m venv .venv-philtorch
	.venv-philtorch/bin/pip install --quiet 'torch==2.14.*' 'philtorch==0.7.*' numpy
	@touch $@

# Peers that take the torch that is there, but much else beside it: their environments are laid over $(VENV).
FLAMO := .venv-flamo$(TAG)
EQUALISERS := .venv-equalisers$(TAG)
SITE_PACKAGES := -c 'import sysconfig; print(sysconfig.get_path("purelib"))'

bench-flamo: build $(VENV)/.group-bench $(FLAMO)/.done
	set -o pipefail; $(FLAMO)/bin/python benchmarks/measure_responses.py | tee benchmarks/results/responses.txt

bench-modules: build $(VENV)/.group-bench $(EQUALISERS)/.done
	set -o pipefail; $(EQUALISERS)/bin/python benchmarks/measure_modules.py | tee benchmarks/results/modules.txt

$(FLAMO)/.done: PEERS := 'flamo==0.2.*'
$(EQUALISERS)/.done: PEERS := 'dasp-pytorch==0.0.*' 'grafx==0.6.*'
$(FLAMO)/.done $(EQUALISERS)/.done: $(VENV)/$(INSTALLED)
	python -m venv $(@D)
	echo "import site; site.addsitedir('$$(python $(SITE_PACKAGES))')" \
	  > "$$($(@D)/bin/python $(SITE_PACKAGES))/torch-of-polezero.pth"
	$(@D)/bin/python -m pip install --quiet $(PEERS) '$(TORCHAUDIO)'
	@touch $@

SOURCES = $(shell find csrc include tests/cpp examples/cpp benchmarks -name '*.h' -o -name '*.cpp' \
  -o -name '*.cuh' -o -name '*.cu')

lint: $(VENV)/.group-lint
	@clang-format --dry-run -Werror $(SOURCES)
	ruff check
	ruff format --check
	mypy

format: $(VENV)/.group-lint
	@clang-format -i $(SOURCES)
	ruff check --fix
	ruff format

# AddressSanitizer and UndefinedBehaviorSanitizer: all C++ tests, then a short Python program. Python
# itself leaks, and is not built with the sanitizers, so their libraries are loaded ahead of it.
sanitize: $(VENV)/.group-build $(VENV)/.group-test $(VENV)/.googletest
	@[ -e $(SANITIZED)/build.ninja ] || $(CMAKE) -B $(SANITIZED) -DCMAKE_BUILD_TYPE=Sanitize \
	  -DPOLEZERO_WERROR=OFF -DPOLEZERO_CUDA=OFF -DPOLEZERO_TESTS=ON
	@cmake --build $(SANITIZED)
	@$(call package,$(SANITIZED),$(SANITIZED))
	@$(call cpp_tests,$(SANITIZED))
	LD_PRELOAD="$$(for l in asan ubsan stdc++; do $${CXX:-c++} -print-file-name=lib$$l.so; done | xargs)" \
	  ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=$(SANITIZED)/site python tests/python/smoke.py

# What nvcc makes of the CUDA kernels, run without a GPU (tests/ptxrun/README.md): CI's share; all of it, with more
# seeds, orders of blocks and late stores; and whether wrong kernels are found.
PTXRUN := build/ptxrun
ptxrun-build: $(VENV)/.group-build $(VENV)/.googletest
	@cmake -S tests/ptxrun -B $(PTXRUN) -G Ninja -DPTXRUN_POLEZERO=$(CURDIR) >/dev/null
	@cmake --build $(PTXRUN)

ptxrun-ci:
	@if command -v nvcc >/dev/null; then \
	  $(MAKE) --no-print-directory ptxrun-build && ctest --test-dir $(PTXRUN) -j 2 --output-on-failure; \
	else \
	  echo 'ptxrun is skipped: nvcc was not found, whose PTX it runs (CUDA toolkit 13.0)'; \
	fi

ptxrun: ptxrun-build
	ctest --test-dir $(PTXRUN) -j 2 --output-on-failure
	POLEZERO_SEED=1 PTXRUN_SLICE=60 ctest --test-dir $(PTXRUN) -j 2 --output-on-failure -R polezero -E counts
	POLEZERO_SEED=2 PTXRUN_SLICE=2000 ctest --test-dir $(PTXRUN) -j 2 --output-on-failure -R polezero -E counts
	PTXRUN_WEAK=1 $(PTXRUN)/polezero/polezero_ptxrun_tests --gtest_brief=1 --gtest_filter='GpuLfilter*:GpuSosfilt*:GpuLpv*'

# What every kernel does for a sample now, into csrc/kernels/cuda/counts.txt
ptxrun-counts: ptxrun-build
	cmake --build $(PTXRUN) --target ptxrun_counts

ptxrun-mutations: ptxrun-build
	tests/ptxrun/tools/ptxrun-mutations $(PTXRUN)

# The Python tests on torch's CUDA device, without a GPU: ptxrun in the place of CUDA's runtime, the kernels as PTX, aten
# by the CPU (tests/ptxrun/README.md). All that make their tensors where --device says, or CI's share.
# make emulated TESTS='tests/python/test_autograd.py -k sosfilt'
EMULATED := build/emulated$(TAG)
TESTS ?= $(patsubst %,tests/python/test_%.py,autograd autograd_graph compile cuda emulated errors functorch nonfinite \
  numerics opcheck promotion semantics)
emulated_tests = on=$(abspath $(BUILD))/tests/ptxrun; LD_PRELOAD=$$on/libptxrun_cudart.so LD_LIBRARY_PATH=$$on/driver \
  PTXRUN_TORCH=$$on/torch/libptxrun_torch.so PTXRUN_PROCESSORS=4 PTXRUN_GO_ON=1 PYTORCH_NO_CUDA_MEMORY_CACHING=1 \
  PYTHONPATH=$(abspath $(EMULATED))/site OMP_WAIT_POLICY=passive \
  python -m pytest -n 2 --dist worksteal --device emulated $(1)

emulated-build: build $(VENV)/.group-test
	@grep -q POLEZERO_EMULATED:BOOL=ON $(BUILD)/CMakeCache.txt || $(CMAKE) -B $(BUILD) -DPOLEZERO_EMULATED=ON
	@cmake --build $(BUILD) --target emulated
	@$(call package,$(BUILD),$(EMULATED))
	@cp $(BUILD)/tests/ptxrun/torch/libpolezero.so $(EMULATED)/site/polezero/lib

emulated: emulated-build
	$(call emulated_tests,$(TESTS))

emulated-ci:
	@if command -v nvcc >/dev/null; then \
	  $(MAKE) --no-print-directory emulated TESTS='tests/python/test_cuda.py tests/python/test_emulated.py'; \
	else \
	  echo 'The emulated GPU is skipped: nvcc was not found (CUDA toolkit 13.0)'; \
	fi

# The Torch-free kernels and their tests, cross-compiled and run by qemu. Debian's packages:
# g++-aarch64-linux-gnu qemu-user googletest
arm64:
	@bash tests/cpp/arm64.sh

# Tests, compute-sanitizer, benchmark and stress on the GPU of this machine: what fits in ten minutes.
# make gpu OUT=<folder for log and JSON> STAGES='tests sanitizer bench stress'
gpu:
	@PYTHON='$(PYTHON)' OUT='$(OUT)' STAGES='$(STAGES)' bash tests/gpu.sh

cpp-example: build
	cmake -S examples/cpp -B $(EXAMPLE) -G Ninja -DCMAKE_BUILD_TYPE=Release \
	  -Dpolezero_DIR=$(CURDIR)/python/polezero/share/cmake/polezero
	cmake --build $(EXAMPLE)
	bash examples/cpp/run.sh $(EXAMPLE)

clean:
	rm -rf build python/polezero/{lib,include,share,_build.py} python/polezero/_C.*.so

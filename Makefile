# A thin face on CMake: every target sets up what is missing, builds what it needs and runs it.
# BUILD: the build's folder; JOBS: compilations at a time; CXX: the compiler.
BUILD ?= build
JOBS ?= $(shell nproc)
MINUTES ?= 1
CRASHES ?= 200
# What a full build has of GPUs: kernels for them where nvcc is, and the emulator. make GPU='-DCUDA=OFF -DEMULATED=OFF' leaves them out.
GPU ?= -DCUDA=ON -DEMULATED=ON
# Instruction sets of the CPU that a full build has kernels for (CMakeLists.txt).
SETS ?= all
full = $(GPU) -DINSTRUCTION_SETS=$(SETS)
TARGET ?= all
MAKEFLAGS += --no-print-directory
# Configures and builds: $(call built,FOLDER,TARGETS,CMAKE OPTIONS)
built = mkdir -p $(1); cmake -S . -B $(1) $(3) >$(1)/configure.log 2>&1 || { cat $(1)/configure.log; exit 1; }; \
  sed -n 's/^-- \(.*\(nvcc\|CUDA\|instruction set\).*\)/\1/p' $(1)/configure.log; cmake --build $(1) -j$(JOBS) --target $(2)

.PHONY: all setup demo test bench check format sanitize tsan crash-test fuzz gpu-check gpu-package clean help
all: setup
	@$(call built,$(BUILD),all,$(full))

# Installs what the build needs and lacks; says first what and why.
setup:
	@tools/setup

# Full fine-tuning against LoRA on the model in data/pocket, in about a minute; the report lies in runs/demo. A folder that was never
# configured is built for this machine's processor alone and without kernels for GPUs: all of them take longer to compile than the demo to
# run, and it needs none. `make` adds them.
demo: FRESH := $(if $(wildcard $(BUILD)/CMakeCache.txt),,-DCUDA=OFF -DEMULATED=OFF -DINSTRUCTION_SETS=native)
demo: setup
	@$(call built,$(BUILD),afina,$(FRESH))
	tools/demo $(BUILD)/afina

test: all
	$(BUILD)/tests

# Matrix multiplication against oneDNN and the processor's peak; the split of a training step by operation.
bench:
	@tools/setup bench
	@$(call built,$(BUILD),bench_matmul bench_step)
	$(BUILD)/bench_matmul
	$(BUILD)/bench_step

# Rules that a compiler does not know: who includes whom, lengths of files, layout; in what is built, symbols of each instruction set.
check:
	test/check.sh $(BUILD)

format:
	@tools/setup format
	git ls-files -z '*.h' '*.cpp' '*.cu' '*.cuh' | xargs -0 clang-format -i

# The tests under AddressSanitizer (leaks included) and UndefinedBehaviorSanitizer: a build of its own, slower.
sanitize: setup
	@$(call built,$(BUILD)-sanitize,tests,-DSANITIZE=ON)
	ASAN_OPTIONS=halt_on_error=1:detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  $(BUILD)-sanitize/tests

# The tests that compute with several threads under ThreadSanitizer: a build of its own, much slower.
TSAN_TESTS ?= threads,gemm,operations,training,methods,micro_batches,batches,checkpoints,runs
tsan: setup
	@$(call built,$(BUILD)-tsan,tests,-DSANITIZE=thread)
	TSAN_OPTIONS=halt_on_error=1 AFINA_THREADS=4 $(BUILD)-tsan/tests --run_test=$(TSAN_TESTS)

# kill -9 at 200 random moments, inside checkpoints, on slow, small and full disks, with checkpoints damaged afterwards.
crash-test: all
	AFINA_CRASHES=$(CRASHES) $(BUILD)/tests --run_test=crashes --log_level=message

# Damaged files against every reader for MINUTES minutes each (or RUNS runs), or against TARGET alone.
fuzz: setup
	@$(call built,$(BUILD),fuzz)
	$(BUILD)/fuzz $(TARGET) $(if $(RUNS),$(RUNS)x,$(MINUTES))

# On a machine with a GPU: all tests on it, sanitizers, repeatability, agreement with the CPU, and speed against floors and peers, written
# to runs/gpu-check/gpu.md. Without one it says what it would do.
gpu-check: setup
	@$(call built,$(BUILD),afina tests gpu_bench,-DCUDA=ON -DEMULATED=ON -DINSTRUCTION_SETS=$(SETS))
	test/gpu_check.sh $(BUILD)

# The same to be carried, as a folder and as one file: gpu-package/ needs neither Boost nor a compiler. There: gpu-package/test/gpu_check.sh bin
gpu-package: setup
	@$(call built,$(BUILD)-package,afina tests gpu_bench,-DPACKAGE=ON -DCUDA=ON -DEMULATED=ON -DBENCH=OFF)
	rm -rf gpu-package
	mkdir -p gpu-package/bin gpu-package/data gpu-package/test/reference
	cp $(BUILD)-package/afina $(BUILD)-package/tests $(BUILD)-package/gpu_bench gpu-package/bin/
	cp -r data/pocket data/samples data/configs gpu-package/data/
	cp -r test/stored test/gpu_check.sh gpu-package/test/
	cp test/reference/gpu_peers.py gpu-package/test/reference/
	strip -g gpu-package/bin/afina gpu-package/bin/gpu_bench  # tests names lines of kernels
	tar czf gpu-package.tar.gz gpu-package
	@du -sh gpu-package gpu-package.tar.gz

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-tsan $(BUILD)-package gpu-package gpu-package.tar.gz

help:
	@echo "make            build $(BUILD)/afina"
	@echo "make demo       full fine-tuning against LoRA on a small model, about a minute"
	@echo "make test       the tests, some minutes"
	@echo "make bench      speed beside oneDNN and the processor's peak"
	@echo "make check      rules of the sources            make format   lay the sources out"
	@echo "make sanitize   the tests under ASan and UBSan   make fuzz MINUTES=10 | RUNS=1000000 [TARGET=gguf]"
	@echo "make tsan       the tests of threads under TSan   make crash-test CRASHES=200, kill -9 and disks that fail"
	@echo "make gpu-check  tests and speed on a GPU          make gpu-package   the same, to be carried to one"
	@echo "make setup      install what is missing          make clean"

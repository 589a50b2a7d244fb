# A thin face on CMake: every target sets up what is missing, builds what it needs and runs it.
# BUILD: the build's folder; JOBS: compilations at a time; CXX: the compiler.
BUILD ?= build
JOBS ?= $(shell nproc)
MINUTES ?= 1
CRASHES ?= 200
TARGET ?= all
MAKEFLAGS += --no-print-directory
# Configures and builds: $(call built,FOLDER,TARGETS,CMAKE OPTIONS)
built = mkdir -p $(1); cmake -S . -B $(1) $(3) >$(1)/configure.log 2>&1 || { cat $(1)/configure.log; exit 1; }; \
  sed -n 's/^-- \(.*\(nvcc\|CUDA\).*\)/\1/p' $(1)/configure.log; cmake --build $(1) -j$(JOBS) --target $(2)

.PHONY: all setup demo test bench check format sanitize tsan crash-test fuzz gpu-check clean help
all: setup
	@$(call built,$(BUILD),all)

# Installs what the build needs and lacks; says first what and why.
setup:
	@tools/setup

# Full fine-tuning against LoRA on the model in data/pocket, in about a minute; the report lies in runs/demo.
demo: setup
	@$(call built,$(BUILD),afina)
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
TSAN_TESTS ?= threads,operations,training,methods,micro_batches,batches,checkpoints,runs
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

# The tests of the GPU's kernels, on a GPU where there is one; else on the emulated one, saying why.
gpu-check: setup
	@$(call built,$(BUILD)-cuda,tests,-DCUDA=ON)
	$(BUILD)-cuda/tests --run_test=operations,gpu,emulator

clean:
	rm -rf $(BUILD) $(BUILD)-sanitize $(BUILD)-tsan

help:
	@echo "make            build $(BUILD)/afina"
	@echo "make demo       full fine-tuning against LoRA on a small model, about a minute"
	@echo "make test       the tests, some minutes"
	@echo "make bench      speed beside oneDNN and the processor's peak"
	@echo "make check      rules of the sources            make format   lay the sources out"
	@echo "make sanitize   the tests under ASan and UBSan   make fuzz MINUTES=10 | RUNS=1000000 [TARGET=gguf]"
	@echo "make tsan       the tests of threads under TSan   make crash-test CRASHES=200, kill -9 and disks that fail"
	@echo "make setup      install what is missing          make clean"

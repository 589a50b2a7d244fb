# A thin front end for CMake: every target installs what is missing, builds what it needs and runs it.
# BUILD: build folder; JOBS: number of parallel compilations; CXX: compiler.
BUILD ?= build
JOBS ?= $(shell nproc)
MINUTES ?= 1
CRASHES ?= 200
# GPU part of a full build: CUDA kernels if nvcc is installed, and the emulator.
# make GPU='-DCUDA=OFF -DEMULATED=OFF' leaves both out.
GPU ?= -DCUDA=ON -DEMULATED=ON
# Instruction sets of the CPU that a full build has kernels for (CMakeLists.txt).
SETS ?= all
# Model of make demo: pocket or smollm2.
MODEL = pocket
full = $(GPU) -DINSTRUCTION_SETS=$(SETS)
# Where `make install` puts things: below PREFIX, and all of that below DESTDIR, for packagers.
PREFIX ?= /usr/local
DESTDIR ?=
TARGET ?= all
MAKEFLAGS += --no-print-directory
# Configures and builds: $(call built,FOLDER,TARGETS,CMAKE OPTIONS)
built = mkdir -p $(1); cmake -S . -B $(1) $(3) >$(1)/configure.log 2>&1 || { cat $(1)/configure.log; exit 1; }; \
  sed -n 's/^-- \(.*\(nvcc\|CUDA\|instruction set\).*\)/\1/p' $(1)/configure.log; cmake --build $(1) -j$(JOBS) --target $(2)

.PHONY: all setup demo debug test bench check format sanitize tsan crash-test fuzz gpu-check gpu-package install uninstall deb clean help
all: setup
	@$(call built,$(BUILD),all,$(full))

# Installs what the build needs and is missing, after saying what and why.
setup:
	@tools/setup

# Full fine-tuning against LoRA on the model in data/pocket, in about a minute and a half; writes its
# report to runs/demo. With MODEL=smollm2 on SmolLM2, in some minutes, to runs/demo-smollm2. A build
# folder that was never configured is built for this machine's processor alone and without GPU kernels:
# all kernels together take longer to compile than the demo takes to run, and it needs none of the
# others. `make` adds them.
demo: FRESH := $(if $(wildcard $(BUILD)/CMakeCache.txt),,-DCUDA=OFF -DEMULATED=OFF -DINSTRUCTION_SETS=native)
demo: setup
	@$(call built,$(BUILD),afina,$(FRESH))
	tools/demo $(BUILD)/afina $(MODEL)

# build-debug/afina for a debugger: not optimised but for kernels, with all variables, for this
# machine's processor alone. 'afina step --breakpoint' stops in it (docs/look-inside.md).
debug: setup
	@$(call built,$(BUILD)-debug,afina,-DCMAKE_BUILD_TYPE=Debug -DCUDA=OFF -DEMULATED=OFF -DINSTRUCTION_SETS=native)

test: all
	test/run.sh $(BUILD)
	test/install.sh $(BUILD)

# Matrix multiplication compared with oneDNN and the processor's peak; time of a training step by operation;
# tokenizers compared with Hugging Face's library, if PYTHON has it (test/bench/tokenizers.sh).
bench:
	@tools/setup bench
	@$(call built,$(BUILD),bench_matmul bench_step bench_tokenizer)
	$(BUILD)/bench_matmul
	$(BUILD)/bench_step
	test/bench/tokenizers.sh $(BUILD)

# Rules that no compiler checks: includes, lengths of files, layout; in the build, symbols of each instruction set.
check:
	test/check.sh $(BUILD)

format:
	@tools/setup format
	git ls-files -z '*.h' '*.cpp' '*.cu' '*.cuh' | xargs -0 clang-format -i

# The tests under AddressSanitizer (including leaks) and UndefinedBehaviorSanitizer: a separate, slower build.
sanitize: setup
	@$(call built,$(BUILD)-sanitize,tests,-DSANITIZE=ON)
	ASAN_OPTIONS=halt_on_error=1:detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
	  $(BUILD)-sanitize/tests

# The multi-threaded tests under ThreadSanitizer: a separate, much slower build.
TSAN_TESTS ?= threads,gemm,operations,training,methods,micro_batches,batches,checkpoints,runs
tsan: setup
	@$(call built,$(BUILD)-tsan,tests,-DSANITIZE=thread)
	TSAN_OPTIONS=halt_on_error=1 AFINA_THREADS=4 $(BUILD)-tsan/tests --run_test=$(TSAN_TESTS)

# kill -9 at 200 random moments, while checkpoints are written, on slow, small and full disks, with
# checkpoints damaged afterwards.
crash-test: all
	AFINA_CRASHES=$(CRASHES) $(BUILD)/tests --run_test=crashes --log_level=message

# Feeds damaged files to every reader for MINUTES minutes each (or RUNS runs), or only to TARGET.
fuzz: setup
	@$(call built,$(BUILD),fuzz)
	$(BUILD)/fuzz $(TARGET) $(if $(RUNS),$(RUNS)x,$(MINUTES))

# On a machine with a GPU: all tests on it, sanitizers, repeatability, agreement with the CPU, and
# speed compared with floors and with PyTorch; writes runs/gpu-check/gpu.md. Without a GPU it says
# what it would do.
gpu-check: setup
	@$(call built,$(BUILD),afina tests gpu_bench,-DCUDA=ON -DEMULATED=ON -DINSTRUCTION_SETS=$(SETS))
	test/gpu_check.sh $(BUILD)

# The same as a folder and an archive to copy to another machine: gpu-package/ needs neither Boost nor
# a compiler. Run there: gpu-package/test/gpu_check.sh bin
gpu-package: setup
	@$(call built,$(BUILD)-package,afina tests gpu_bench,-DPACKAGE=ON -DCUDA=ON -DEMULATED=ON -DBENCH=OFF)
	rm -rf gpu-package
	mkdir -p gpu-package/bin gpu-package/data gpu-package/test/reference
	cp $(BUILD)-package/afina $(BUILD)-package/tests $(BUILD)-package/gpu_bench gpu-package/bin/
	cp -r data/pocket data/samples data/configs gpu-package/data/
	cp -r test/stored test/gpu_check.sh gpu-package/test/
	cp test/reference/gpu_peers.py gpu-package/test/reference/
	strip -g gpu-package/bin/afina gpu-package/bin/gpu_bench  # not tests: it reports source lines of kernels
	tar czf gpu-package.tar.gz gpu-package
	@du -sh gpu-package gpu-package.tar.gz

# The program, its manual, completion for shells, a small model with data, and the libraries for
# find_package(afina). A build folder that was never configured is built without the emulator.
install: FRESH := $(if $(wildcard $(BUILD)/CMakeCache.txt),,-DEMULATED=OFF -DINSTRUCTION_SETS=$(SETS))
install: setup
	@$(call built,$(BUILD),installed,$(FRESH))
	@DESTDIR="$(DESTDIR)" cmake --install $(BUILD) --prefix "$(PREFIX)" >$(BUILD)/install.log || { cat $(BUILD)/install.log; exit 1; }
	@echo "installed below $(DESTDIR)$(PREFIX), $$(grep -c . $(BUILD)/install_manifest.txt) files; make uninstall removes them"

uninstall:
	@packaging/uninstall $(BUILD)/install_manifest.txt "$(DESTDIR)"

# Debian packages of the program and of the libraries, for any processor, without CUDA. Boost is
# linked in, as every release has another version of it.
deb:
	@tools/setup deb
	@$(call built,$(BUILD)-deb,installed,-DCUDA=OFF -DEMULATED=OFF -DTESTS=OFF -DBENCH=OFF -DINSTRUCTION_SETS=$(SETS) \
	  -DBoost_USE_STATIC_LIBS=ON -DCMAKE_INSTALL_PREFIX=/usr -DZSH_COMPLETIONS=share/zsh/vendor-completions)
	@cd $(BUILD)-deb && rm -f *.deb && cpack >package.log 2>&1 || { cat package.log; exit 1; }
	@ls -sh $(BUILD)-deb/*.deb

clean:
	rm -rf $(BUILD) $(BUILD)-debug $(BUILD)-sanitize $(BUILD)-tsan $(BUILD)-deb $(BUILD)-package gpu-package gpu-package.tar.gz

help:
	@echo "Begin with 'make demo': full fine-tuning against LoRA on a small model, in minutes, with a report"
	@echo
	@echo "make            build $(BUILD)/afina              make install   PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)"
	@echo "make deb        Debian packages                   make uninstall what make install installed"
	@echo "make test       run the tests, some minutes"
	@echo "make bench      speed compared with oneDNN and the processor's peak"
	@echo "make check      check the rules of the sources    make format   format the sources"
	@echo "make sanitize   the tests under ASan and UBSan    make fuzz MINUTES=10 | RUNS=1000000 [TARGET=gguf]"
	@echo "make tsan       multi-threaded tests under TSan   make crash-test CRASHES=200: kill -9 and failing disks"
	@echo "make gpu-check  tests and speed on a GPU          make gpu-package   the same, to copy to a GPU machine"
	@echo "make debug      build build-debug/afina for gdb; afina step --breakpoint stops in it"
	@echo "make setup      install what is missing           make clean"

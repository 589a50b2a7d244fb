# A thin face on CMake.
BUILD ?= build
JOBS ?= $(shell nproc)
all:
	cmake -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=Release >/dev/null
	cmake --build $(BUILD) -j$(JOBS)
test: all
	$(BUILD)/tests
.PHONY: all test

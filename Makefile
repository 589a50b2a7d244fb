# A thin face on CMake.
BUILD ?= build
JOBS ?= $(shell nproc)
all:
	cmake -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=Release >/dev/null
	cmake --build $(BUILD) -j$(JOBS)
test: all
	$(BUILD)/tests
# Every fuzz target for MINUTES minutes, or TARGET alone.
MINUTES ?= 1
TARGET ?= all
fuzz:
	cmake -S . -B $(BUILD) -DCMAKE_BUILD_TYPE=Release >/dev/null
	cmake --build $(BUILD) -j$(JOBS) --target fuzz
	$(BUILD)/fuzz $(TARGET) $(MINUTES)
.PHONY: all test fuzz

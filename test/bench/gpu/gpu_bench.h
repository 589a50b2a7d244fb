// What the parts of the GPU benchmark share: the device, how big the trials are, how time is taken,
// and the table they write.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/kernel.h"

namespace afina::bench {

struct Setting {
  Device device = Device::cuda;
  bool tiny = false;  // a few elements, to try the program itself on the emulated device
  // Measured by measure_ceilings: bytes read and written per second by a copy, FLOPs per second of
  // the quickest matmul of 8192³.
  double copy_rate = 0, bf16_rate = 0, f32_rate = 0;
};

// Seconds of one call: calls in a row for a while, then one wait, the median of several such.
double seconds_of(const Setting& s, const std::function<void()>& call);
// Normal values, made on the host and copied.
Tensor random_on(const Setting& s, const Shape& shape, Dtype dtype, uint64_t number);

void measure_ceilings(Setting& s);
// Every kernel and every variant against its floor. `only`: the slots whose name contains it.
void bench_kernels(const Setting& s, const std::string& only);
// Steps of whole models: tokens/s, share of the matmul rate, memory. `only`: the models whose name
// contains it.
void bench_steps(const Setting& s, const std::string& only);
// Three steps of one model that are not captured: what a profiler is to look at (`ncu
// --launch-skip`), the third alone profiled by slot.
void one_step(const Setting& s, const std::string& model, const std::string& method, int64_t rows);
// Loss and every gradient of a model on the device beside those on the CPU; false when one is
// further off than it may be.
bool check_parity(const Setting& s);

}  // namespace afina::bench

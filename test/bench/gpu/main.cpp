// The GPU benchmark and its checks: part of `make gpu-check` (test/gpu_check.sh), which explains
// what each part is for.
//
//   gpu_bench DEVICE [tiny] device | parity | kernels [WORD] | steps [NAME] | step NAME METHOD ROWS
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "engine/random.h"
#include "engine/threads.h"
#include "test/bench/gpu/gpu_bench.h"

namespace afina::bench {

double seconds_of(const Setting& s, const std::function<void()>& call) {
  call();  // loads kernels, chooses algorithms, takes memory
  wait_for(s.device);
  if (s.tiny) return 1.;
  double once = seconds_now();
  call();
  wait_for(s.device);
  once = seconds_now() - once;
  int calls = once > 0.02 ? 1 : int(0.02 / once) + 1;
  std::vector<double> all;
  for (int i = 0; i < 5; ++i) {
    double start = seconds_now();
    for (int c = 0; c < calls; ++c) call();
    wait_for(s.device);
    all.push_back((seconds_now() - start) / calls);
  }
  std::sort(all.begin(), all.end());
  return all[all.size() / 2];
}

Tensor random_on(const Setting& s, const Shape& shape, Dtype dtype, uint64_t number) {
  Random random(3, "gpu bench", number);
  // A pattern of some normal values, and the rest copied on the device: making as many as a large
  // tensor holds would take longer than the trial. Never zeros, which run faster.
  int64_t size = shape.size(), made = std::min<int64_t>(size, 65521);
  std::vector<float> pattern(static_cast<size_t>(made));
  for (size_t i = 0; i < pattern.size(); ++i) pattern[i] = 0.5f * float(random.normal(i));
  Tensor first = Tensor::from(pattern, {made}, dtype, s.device), all(shape, dtype, s.device);
  auto* to = all.data<char>();
  const size_t bytes = all.bytes();
  memory(s.device).copy(to, first.data(), first.bytes());
  for (size_t done = first.bytes(); done < bytes; done *= 2)
    memory(s.device).copy(to + done, to, std::min(done, bytes - done));
  wait_for(s.device);
  return all;
}

}  // namespace afina::bench

using namespace afina;

int main(int count, char** words) {
  flush_denormals();
  std::vector<std::string> all(words + 1, words + count);
  bench::Setting s;
  if (all.empty() || (all[0] != "cuda" && all[0] != "emulated")) {
    std::fprintf(stderr,
                 "gpu_bench cuda|emulated [tiny] device | parity | kernels [WORD] | steps [NAME] | "
                 "step NAME METHOD ROWS\n");
    return 2;
  }
  s.device = all[0] == "cuda" ? Device::cuda : Device::emulated;
  all.erase(all.begin());
  if (!all.empty() && all[0] == "tiny") {
    s.tiny = true;
    all.erase(all.begin());
  }
  std::string part = all.empty() ? "device" : all[0];
  try {
    if (const char* why = why_absent(s.device)) {
      std::printf("%s\n", why);
      return 3;
    }
    if (part == "device") std::printf("ready\n");
    else if (part == "parity") return bench::check_parity(s) ? 0 : 1;
    else if (part == "step" && all.size() == 4)
      bench::one_step(s, all[1], all[2], std::stoll(all[3]));
    else {
      bench::measure_ceilings(s);
      if (part == "kernels") bench::bench_kernels(s, all.size() > 1 ? all[1] : "");
      else if (part == "steps") bench::bench_steps(s, all.size() > 1 ? all[1] : "");
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gpu_bench: %s\n", e.what());
    return 1;
  }
  return 0;
}

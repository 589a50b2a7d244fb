// The matmul beside the machine's multiply-add peak and beside oneDNN, in one run, on the shapes of
// a small language model.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/bf16_sums.h"
#include "engine/blocks.h"
#include "engine/gemm_table.h"
#include "engine/random.h"
#include "engine/scratch.h"
#include "test/bench/peak.h"
#if defined(AFINA_ONEDNN)
#include "test/bench/onednn.h"
#endif

using namespace afina;
using bench::seconds;

namespace {

// f32, bf16 or bf16 summed by tiles: "bf16t" in the table.
const char* kind_of(Dtype in) {
  return in == Dtype::f32 ? "f32" : bf16_sums() == Bf16Sums::tiles ? "bf16t" : "bf16";
}

struct Case {
  std::string what;
  int64_t m, n, k;
  bool ta, tb, accumulate;
  int64_t k2 = 0;
};

// Forward (NT), gradient of x (NN) and of the weight (TN, accumulating) of a linear layer of `in`
// to `out`, for `tokens`.
void linear(std::vector<Case>& all, const std::string& name, int64_t tokens, int64_t out,
            int64_t in) {
  all.push_back({name + " y=xWt", tokens, out, in, false, true, false});
  all.push_back({name + " dx=dyW", tokens, in, out, false, false, false});
  all.push_back({name + " dW+=dyt x", out, in, tokens, true, false, true});
}

std::vector<Case> cases(bool quick, int64_t tokens) {
  std::vector<Case> all;
  linear(all, "576 > 576", tokens, 576, 576);
  linear(all, "576 > 192", tokens, 192, 576);
  linear(all, "576 > 1536", tokens, 1536, 576);
  linear(all, "1536 > 576", tokens, 576, 1536);
  for (int64_t r : {8, 16, 64}) {
    std::string name = "r" + std::to_string(r);
    linear(all, name + " A 576", tokens, r, 576);
    linear(all, name + " B 576", tokens, 576, r);
  }
  all.push_back({"576 > 576 with r16", tokens, 576, 576, false, true, false, 16});
  all.push_back({"one token 576 > 1536", 1, 1536, 576, false, true, false});
  all.push_back({"one token 576 > 49152", 1, 49152, 576, false, true, false});
  if (!quick) linear(all, "576 > 49152", tokens, 49152, 576);
  return all;
}

// Where the engine's tensors lie as well: at multiples of 64.
struct Bytes {
  std::unique_ptr<char, void (*)(void*)> memory;
  explicit Bytes(size_t bytes)
      : memory(static_cast<char*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64)), std::free) {}
  char* data() const { return memory.get(); }
};

Bytes values(int64_t count, Dtype dtype) {
  Bytes bytes(size_t(count) * size_of(dtype));
  Random random(1, "bench");
  for (int64_t i = 0; i < count; ++i) {
    float x = random.uniform(i & 0xffff) - 0.5f;
    bf16 h = to_bf16(x);
    if (dtype == Dtype::bf16) reinterpret_cast<bf16*>(bytes.data())[i] = h;
    else reinterpret_cast<float*>(bytes.data())[i] = x;
  }
  return bytes;
}

// Times of each, taken in turns so that what else the machine does hits all alike: the best of
// those.
std::vector<double> race(const std::vector<std::function<void()>>& runners, double budget) {
  std::vector<std::vector<double>> times(runners.size());
  double end = seconds() + budget;
  for (int round = 0; round < 3 || (seconds() < end && round < 2000); ++round)
    for (size_t i = 0; i < runners.size(); ++i) {
      if (round > 0 && times[i].back() > budget) continue;
      // Caches, code and threads warm: in a step, too, one product follows another. A thread that
      // slept while the other program ran is awake again only after a tenth of a millisecond,
      // longer than the thinnest products.
      double from = seconds();
      do runners[i]();
      while (seconds() - from < 3e-4);
      from = seconds();
      runners[i]();
      times[i].push_back(seconds() - from);
    }
  std::vector<double> result;
  for (auto& t : times) result.push_back(*std::min_element(t.begin(), t.end()));
  return result;
}

void measure(const Case& c, Dtype in, double peak, double budget) {
  const GemmTable& table = gemm_table(isa());
  Dtype out = c.accumulate ? Dtype::f32 : in;
  auto a = values(c.m * (c.k + c.k2), in), b = values((c.k + c.k2) * c.n, in),
       y = values(c.m * c.n, out);
  Gemm g;
  g.m = c.m;
  g.n = c.n;
  g.k = c.k;
  g.a = a.data();
  g.b = b.data();
  g.c = y.data();
  g.lda = c.ta ? c.m : c.k;
  g.ldb = c.tb ? c.k : c.n;
  g.ldc = c.n;
  g.ta = c.ta;
  g.tb = c.tb;
  g.in = in;
  g.out = out;
  g.accumulate = c.accumulate;
  g.k2 = c.k2;
  g.a2 = a.data() + size_t(c.m * c.k) * size_of(in);
  g.b2 = b.data() + size_t(c.n * c.k) * size_of(in);
  g.lda2 = c.ta ? c.m : c.k2;
  g.ldb2 = c.tb ? c.k2 : c.n;
  Bytes packed(table.packed_b_bytes(c.n, c.k, in));
  table.gemm_pack_b(packed.data(), g);
  Gemm gp = g;
  gp.packed_b = packed.data();
  std::vector<std::function<void()>> runners = {[&] { table.gemm(g); }, [&] { table.gemm(gp); }};
#if defined(AFINA_ONEDNN)
  std::unique_ptr<bench::OneDnn> plain = bench::OneDnn::made(g, false),
                                 ready = bench::OneDnn::made(g, true);
  if (plain && ready) {
    runners.push_back([&] { plain->run(); });
    runners.push_back([&] { ready->run(); });
  }
#endif
  auto t = race(runners, budget);
  double flops = 2.0 * double(c.m) * double(c.n) * double(c.k + c.k2) * 1e-9;
  std::printf("%-5s %-24s %5lld %5lld %5lld %8.1f %8.1f", kind_of(in), c.what.c_str(),
              (long long)c.m, (long long)c.n, (long long)(c.k + c.k2), flops / t[0], flops / t[1]);
  if (t.size() > 2)
    std::printf(" %8.1f %8.1f   %5.2f %5.2f", flops / t[2], flops / t[3], t[2] / t[0], t[3] / t[1]);
  else std::printf(" %8s %8s   %5s %5s", "none", "none", "", "");
  if (peak > 0) std::printf("   %3.0f%%", 100 * flops / std::min(t[0], t[1]) / peak);
  if (c.m == 1) std::printf("   %.1f GB/s", double(c.n * c.k) * double(size_of(in)) / t[0] * 1e-9);
  std::printf("\n");
  std::fflush(stdout);
}

// The products of a frozen layer with its weight in blocks beside those with the plain one.
void in_blocks(const Case& c, Dtype in, double budget) {
  const GemmTable& table = gemm_table(isa());
  auto a = values(c.m * c.k, in), b = values(c.n * c.k, in), y = values(c.m * c.n, in),
       exact = values(c.n * c.k, Dtype::f32);
  Gemm g;
  g.m = c.m;
  g.n = c.n;
  g.k = c.k;
  g.a = a.data();
  g.b = b.data();
  g.c = y.data();
  g.lda = c.k;
  g.ldb = c.tb ? c.k : c.n;
  g.ldc = c.n;
  g.tb = c.tb;
  g.in = g.out = in;
  const Shape shape = c.tb ? Shape{c.n, c.k} : Shape{c.k, c.n};
  Tensor weight(shape, Dtype::f32);
  std::copy_n(reinterpret_cast<const float*>(exact.data()), weight.size(), weight.data<float>());
  std::vector<Tensor> held;
  std::vector<std::function<void()>> runners = {[&] { table.gemm(g); }};
  for (BaseForm form : {BaseForm::nf4, BaseForm::nf4_double, BaseForm::int8, BaseForm::q4_0,
                        BaseForm::q8_0, BaseForm::q4_k}) {
    held.push_back(afina::in_blocks(form, weight, in, c.what));
    Gemm blocks = g;
    blocks.blocks = held.back().blocks();
    runners.push_back([&table, blocks] { table.gemm(blocks); });
  }
  const auto t = race(runners, budget);
  const double flops = 2.0 * double(c.m) * double(c.n) * double(c.k) * 1e-9;
  std::printf("%-5s %-20s %8.1f", kind_of(in), c.what.c_str(), flops / t[0]);
  for (size_t i = 1; i < t.size(); ++i) std::printf("  %8.1f (%.2f)", flops / t[i], t[0] / t[i]);
  std::printf("\n");
  std::fflush(stdout);
}
void all_in_blocks(Dtype in, int64_t tokens) {
  std::printf("\n%-26s %8s  %15s  %15s  %15s  %15s  %15s  %15s\n", "GFLOP/s (share of plain)",
              "plain", "nf4", "nf4-double", "int8", "q4_0", "q8_0", "q4_k");
  std::vector<Case> all;
  linear(all, "576 > 1536", tokens, 1536, 576);
  linear(all, "1536 > 576", tokens, 576, 1536);
  all.push_back({"one token", 1, 1536, 576, false, true, false});
  for (const Case& c : all)
    if (!c.ta) in_blocks(c, in, 0.35);
}

// Heads of 64 queries and 256 keys, one_thread inside a parallel loop, as attention calls it.
void attention(Dtype in, double peak) {
  const int64_t heads = 72;
  auto q = values(heads * 64 * 64, in), k = values(heads * 256 * 64, in);
  const GemmTable& table = gemm_table(isa());
  auto t = race({[&] {
                  parallel_for(heads, 1, [&](int64_t h, int64_t end) {
                    for (; h < end; ++h) {
                      Gemm g;
                      g.m = 64;
                      g.n = 256;
                      g.k = 64;
                      g.lda = 64;
                      g.ldb = 64;
                      g.ldc = 256;
                      g.tb = true;
                      g.one_thread = true;
                      g.in = in;
                      g.a = q.data() + size_t(h * 64 * 64) * size_of(in);
                      g.b = k.data() + size_t(h * 256 * 64) * size_of(in);
                      g.c = scratch(8, 64 * 256 * 4);
                      table.gemm(g);
                    }
                  });
                }},
                0.2);
  double rate = 2.0 * double(heads) * 64 * 256 * 64 * 1e-9 / t[0];
  std::printf("%-5s attention 64 x 256 x 64, one thread each: %.1f GFLOP/s, %.0f%%\n", kind_of(in),
              rate, peak > 0 ? 100 * rate / peak : 0);
}

}  // namespace

// Options: [quick] [f32|bf16|bf16-tiles] [M=1024, the tokens] [word of a case]
int main(int count, char** words) {
  std::string threads = std::to_string(thread_count());
  if (!std::getenv("OMP_NUM_THREADS") ||
      !std::getenv("GOMP_SPINCOUNT")) {  // read by OpenMP before main: begin again
    setenv("OMP_NUM_THREADS", threads.c_str(), 1);
    setenv("GOMP_SPINCOUNT", "10000", 1);  // else its threads go on spinning into our turn
    execv("/proc/self/exe", words);
  }
  flush_denormals();
  bool quick = false;
  std::string dtype, word;
  int64_t tokens = 1024;
  for (int i = 1; i < count; ++i) {
    std::string w = words[i];
    if (w == "quick") quick = true;
    else if (w == "f32" || w == "bf16" || w == "bf16-tiles") dtype = w;
    else if (w.starts_with("M=")) tokens = std::max(1ll, std::atoll(w.c_str() + 2));
    else word = w;
  }
  for (int t : {1, thread_count()}) {
    std::printf("multiply-add peak, %s, %d threads: f32 %.0f GFLOP/s, bf16 %.0f", name(isa()), t,
                bench::peak(t, false), bench::peak(t, true));
    SumsScope sums(Bf16Sums::tiles);
    std::printf(", bf16 by tiles%s %.0f\n", sums_by_amx() ? " (AMX)" : "", bench::peak(t, true));
  }
  std::printf("\n%-36s %s %12s %8s %8s %8s %8s   ours/oneDNN\n",
              "GFLOP/s, all in turns             ", "M     N", "K", "ours", "packed", "oneDNN",
              "packed");
  for (std::string kind : {"f32", "bf16", "bf16-tiles"}) {
    if (!dtype.empty() && dtype != kind) continue;
    const Dtype in = kind == "f32" ? Dtype::f32 : Dtype::bf16;
    SumsScope sums(kind == "bf16-tiles" ? Bf16Sums::tiles : Bf16Sums::pairs);
    double peak = bench::peak(thread_count(), in == Dtype::bf16);
    for (auto& c : cases(quick, tokens))
      if (c.what.find(word) != std::string::npos) measure(c, in, peak, 0.35);
    if (word.empty()) attention(in, peak);
    if (word.empty() || word == "blocks") all_in_blocks(in, tokens);
  }
}

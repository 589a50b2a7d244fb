// Every kernel against its floor: bytes over the measured rate of a copy, FLOPs over the measured
// rate of a matmul.
#include <cstdio>

#include "engine/blocks_on_gpu.h"
#include "engine/ops/adamw.h"
#include "engine/ops/attention.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/dropout.h"
#include "engine/ops/embedding.h"
#include "engine/ops/norm.h"
#include "engine/ops/rope.h"
#include "engine/ops/swiglu.h"
#include "engine/random.h"
#include "test/bench/gpu/gpu_bench.h"

namespace afina::bench {

namespace {

// Which variant would run on these arguments. A slot keeps that to itself, but for those that
// derive from it.
template <class Slot>
struct Asked : Slot {
  template <class... Args>
  static std::string name(const Slot& slot, Device device, const Args&... args) {
    auto takes = [&](const typename Asked::Variant& v) {
      return !v.fits || reinterpret_cast<typename Slot::Fits>(v.fits)(args...);
    };
    const typename Asked::Variant& (KernelSlot::*best)(Device, decltype(takes)) const =
        &Asked::template best<decltype(takes)>;
    const char* found = (slot.*best)(device, takes).name;
    return found ? found : "";
  }
};

// Runs `call` with each variant of the slot that takes it. row(variant, seconds).
// slowly: the naive one too.
template <class Slot, class Row, class... Args>
void each_variant(const Setting& s, Slot& slot, bool slowly, Row row, Args&&... args) {
  std::vector<std::string> names;
  slot.each(s.device, [&](const char* name, int, bool) { names.push_back(name); });
  for (const std::string& name : names) {
    if (!slowly && name == "naive") continue;
    slot.prefer(s.device, name.c_str());
    if (name == Asked<Slot>::name(slot, s.device, args...))
      row(name, seconds_of(s, [&] { slot(args...); }));
    slot.prefer(s.device, nullptr);
  }
}

struct Bench {
  const Setting& s;
  std::string only;
  int64_t rows, width;
  Tensor tensor(const Shape& shape, Dtype t = Dtype::bf16) {
    return random_on(s, shape, t, ++number);
  }
  uint64_t number = 0;

  // A kernel that memory bounds: `bytes` are what it must read and write.
  template <class Slot, class... Args>
  void bytes(Slot& slot, double bytes, Args&&... args) {
    bytes_of(slot, "", bytes, args...);
  }
  template <class Slot, class... Args>
  void bytes_of(Slot& slot, const std::string& what, double bytes, Args&&... args) {
    if (std::string(slot.name()).find(only) == std::string::npos) return;
    each_variant(
        s, slot, true,
        [&](const std::string& variant, double seconds) {
          std::printf("| %s%s%s | %s | %.1f us | %.0f GB/s | %.0f %% of copy |\n", slot.name(),
                      what.empty() ? "" : " ", what.c_str(), variant.c_str(), seconds * 1e6,
                      bytes / seconds / 1e9, 100 * bytes / seconds / s.copy_rate);
          std::fflush(stdout);
        },
        args...);
  }
  // One that arithmetic bounds.
  template <class Slot, class... Args>
  void flops(Slot& slot, const std::string& what, double flops, bool bf16, Args&&... args) {
    if (std::string(slot.name()).find(only) == std::string::npos) return;
    each_variant(
        s, slot, flops < 1e10,  // a naive product is up to a thousand times slower
        [&](const std::string& variant, double seconds) {
          std::printf("| %s %s | %s | %.1f us | %.1f TFLOP/s | %.0f %% of matmul |\n", slot.name(),
                      what.c_str(), variant.c_str(), seconds * 1e6, flops / seconds / 1e12,
                      100 * flops / seconds / (bf16 ? s.bf16_rate : s.f32_rate));
          std::fflush(stdout);
        },
        args...);
  }
};

Tensor empty_tensor() { return {}; }

void norms(Bench& b) {
  double n = double(b.rows) * double(b.width);
  Tensor x = b.tensor({b.rows, b.width}), dy = b.tensor({b.rows, b.width}), y = like(x),
         sum = like(x), none = empty_tensor();
  Tensor weight = b.tensor({b.width}, Dtype::f32), bias = b.tensor({b.width}, Dtype::f32),
         rstd({b.rows}, Dtype::f32, b.s.device), mean = like(rstd);
  Tensor dweight = Tensor::zeros({b.width}, Dtype::f32, b.s.device), dbias = like(dweight);
  dbias.zero();
  b.bytes(kernel::rmsnorm, 4 * n, y, rstd, x, weight, 1e-5);
  b.bytes(kernel::added_rmsnorm, 8 * n, sum, y, rstd, x, dy, weight, 1e-5);
  b.bytes(kernel::rmsnorm_backward, 8 * n, y, dweight, dy, x, weight, rstd, true);
  b.bytes(kernel::layernorm, 4 * n, y, mean, rstd, x, weight, bias, 1e-5);
  b.bytes(kernel::added_layernorm, 8 * n, sum, y, mean, rstd, x, dy, weight, bias, 1e-5);
  b.bytes(kernel::layernorm_backward, 8 * n, y, dweight, dbias, dy, x, weight, mean, rstd, true);
}

void pointwise(Bench& b) {
  double n = double(b.rows) * double(b.width);
  Tensor x = b.tensor({b.rows, b.width}), u = b.tensor({b.rows, b.width}),
         dy = b.tensor({b.rows, b.width}), y = like(x), z = like(x);
  Tensor wide = b.tensor({b.rows, b.width}, Dtype::f32),
         sum = Tensor::zeros({b.width}, Dtype::f32, b.s.device);
  b.bytes(kernel::swiglu, 6 * n, y, x, u);
  b.bytes(kernel::swiglu_backward, 10 * n, y, z, dy, x, u);
  b.bytes(kernel::map, 4 * n, y, x, Scalar::gelu);
  b.bytes(kernel::map_backward, 6 * n, z, dy, x, y, Scalar::gelu);
  b.bytes(kernel::zip, 6 * n, y, x, u, Binary::add);
  b.bytes(kernel::add_into, 10 * n, wide, x);
  b.bytes(kernel::cast, 6 * n, y, wide);
  b.bytes(kernel::sum_rows, 2 * n, sum, x);
  std::vector<int32_t> keys(size_t(b.rows) * 2);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = int32_t(i / 2);
  Tensor of_rows = Tensor::from(keys, {b.rows, 2}, b.s.device);
  b.bytes(kernel::dropout, 4 * n, y, x, of_rows, 0.1, DropoutKey{1, 1});
  int64_t dim = 64, heads = b.width / dim, length = b.s.tiny ? b.rows : 1024;
  std::vector<int32_t> positions(static_cast<size_t>(b.rows));
  for (size_t i = 0; i < positions.size(); ++i) positions[i] = int32_t(int64_t(i) % length);
  Tensor q = x.viewed({b.rows / length, length, heads, dim}), turned = y.viewed(q.shape()),
         table = b.tensor({length, dim}, Dtype::f32);
  b.bytes(kernel::rope, 4 * n, turned, q, table,
          Tensor::from(positions, {b.rows / length, length}, b.s.device), false);
}

void tables(Bench& b) {
  int64_t vocabulary = b.s.tiny ? 50 : 49152, count = b.s.tiny ? 4 : 2048;
  double n = double(b.rows) * double(b.width), logits = double(count) * double(vocabulary);
  Tensor table = b.tensor({vocabulary, b.width}), y = b.tensor({b.rows, b.width}),
         sums = Tensor::zeros({vocabulary, b.width}, Dtype::f32, b.s.device);
  std::vector<int32_t> ids(static_cast<size_t>(b.rows)), wanted(static_cast<size_t>(count));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = int32_t(i * 7919 % size_t(vocabulary));
  for (size_t i = 0; i < wanted.size(); ++i) wanted[i] = int32_t(i * 104729 % size_t(vocabulary));
  Tensor of_rows = Tensor::from(ids, {b.rows}, b.s.device),
         targets = Tensor::from(wanted, {count}, b.s.device);
  b.bytes(kernel::embedding, 4 * n, y, table, of_rows);
  b.bytes(kernel::embedding_backward, 2 * n + 8 * std::min(n, double(sums.size())), sums, y,
          of_rows);
  Tensor scores = b.tensor({count, vocabulary}, Dtype::f32),
         losses({count, 1}, Dtype::f32, b.s.device), slopes = like(scores, Dtype::bf16);
  b.bytes(kernel::softmax_loss, 6 * logits, scores, losses, slopes, targets, 1e-3);
}

void optimizer(Bench& b) {
  Shape shape{b.rows, b.width};
  double n = double(shape.size());
  Tensor master = b.tensor(shape, Dtype::f32), value = b.tensor(shape),
         gradient = b.tensor(shape, Dtype::f32), m = b.tensor(shape, Dtype::f32),
         v = Tensor::zeros(shape, Dtype::f32, b.s.device), norm({1}, Dtype::f64, b.s.device);
  AdamWStep step{1e-4f, 0.9f, 0.999f, 1e-8f, 0.01f, 0.1f, 0.03f, 1.f};
  b.bytes(kernel::adamw, 30 * n, master, value, gradient, m, v, step);
  b.bytes(kernel::squared_norm, 4 * n, norm, gradient);
}

void matmuls(Bench& b, Dtype type) {
  struct Size {
    int64_t m, n, k;
  };
  std::vector<Size> sizes = {{1024, 576, 576},   {8192, 576, 576},   {8192, 1536, 576},
                             {8192, 2304, 768},  {8192, 2048, 2048}, {8192, 8192, 2048},
                             {8192, 2048, 8192}, {8192, 16, 2048}};
  if (b.s.tiny) sizes = {{40, 48, 32}};
  Tensor none;
  for (Size z : sizes) {
    double flops = 2. * double(z.m) * double(z.n) * double(z.k);
    Tensor x = b.tensor({z.m, z.k}, type), w = b.tensor({z.n, z.k}, type),
           y = b.tensor({z.m, z.n}, type), dx = like(x);
    Tensor dw = Tensor::zeros({z.n, z.k}, Dtype::f32, b.s.device);
    std::string shape = std::string(name(type)) + " " + std::to_string(z.m) + "x" +
                        std::to_string(z.n) + "x" + std::to_string(z.k);
    bool half = type == Dtype::bf16;
    b.flops(kernel::matmul, shape + " y = x Wᵀ", flops, half, y, x, w, false, true, false, none);
    b.flops(kernel::matmul, shape + " dx = dy W", flops, half, dx, y, w, false, false, false, none);
    b.flops(kernel::matmul, shape + " dW += dyᵀ x", flops, half, dw, y, x, true, false, true, none);
    if (z.n == 16) continue;
    Tensor s = b.tensor({z.m, 16}, type), up = b.tensor({z.n, 16}, type);
    b.flops(kernel::matmul2, shape + " + 16", flops * (1. + 16. / double(z.k)), half, y, x, w, s,
            up, true, none);
  }
}

// Unpacking matrices in blocks, and products with them: beside those of the plain matrix of this
// size, made by the same kernels.
void in_blocks(Bench& b) {
  const int64_t m = b.s.tiny ? 40 : 8192, n = b.s.tiny ? 48 : 2048, k = b.s.tiny ? 64 : 2048;
  const Random random(1, "bench", 0);
  Tensor host({n, k}, Dtype::f32), none;
  for (int64_t i = 0; i < host.size(); ++i)
    host.data<float>()[i] = 0.05f * random.normal(uint64_t(i & 0xfffff));
  std::vector<int32_t> ids(static_cast<size_t>(m));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = int32_t(int64_t(i) * 7919 % n);
  const Tensor of_rows = Tensor::from(ids, {m}, b.s.device);
  for (BaseForm form : {BaseForm::nf4, BaseForm::nf4_double, BaseForm::int8, BaseForm::q4_0,
                        BaseForm::q8_0, BaseForm::q4_k, BaseForm::q6_k})
    for (Dtype type : {Dtype::bf16, Dtype::f32}) {
      const Tensor w =
          blocks_on_gpu(*afina::in_blocks(form, host, type, "bench").blocks(), b.s.device);
      Tensor plain({n, k}, type, b.s.device), x = b.tensor({m, k}, type),
                                              y({m, n}, type, b.s.device), dx = like(x);
      const std::string shape = std::string(afina::name(form)) + " " + name(type) + " " +
                                std::to_string(m) + "x" + std::to_string(n) + "x" +
                                std::to_string(k);
      const double flops = 2. * double(m) * double(n) * double(k);
      b.bytes_of(kernel::unpack, std::string(afina::name(form)) + " to " + name(type),
                 double(w.bytes() + plain.bytes()), plain, w, 0);
      if (type == Dtype::bf16 && form == BaseForm::nf4)
        b.bytes_of(kernel::embedding, "nf4", double(x.bytes()) * (1 + 4.5 / 16), x, w, of_rows);
      b.flops(kernel::matmul, shape + " y = x Wᵀ", flops, type == Dtype::bf16, y, x, w, false, true,
              false, none);
      b.flops(kernel::matmul, shape + " dx = dy W", flops, type == Dtype::bf16, dx, y, w, false,
              false, false, none);
    }
}

// The products of a layer with an adapter, which memory bounds: those of its rank beside the frozen
// weight's.
void low_rank(Bench& b) {
  if (std::string("low rank").find(b.only) == std::string::npos) return;
  struct Size {
    int64_t rows, in, out, rank;
  };
  std::vector<Size> sizes = {{32768, 576, 576, 16},  {32768, 576, 1536, 16},
                             {32768, 576, 1536, 32}, {32768, 1536, 576, 16},
                             {8192, 2048, 8192, 16}, {8192, 8192, 2048, 16}};
  if (b.s.tiny) sizes = {{40, 32, 48, 16}};
  Tensor none;
  for (Size z : sizes) {
    Tensor x = b.tensor({z.rows, z.in}), w = b.tensor({z.out, z.in}), y = b.tensor({z.rows, z.out}),
           low = b.tensor({z.rows, z.rank}), down = b.tensor({z.rank, z.in}),
           up = b.tensor({z.out, z.rank}), of_down = b.tensor(down.shape(), Dtype::f32),
           of_up = b.tensor(up.shape(), Dtype::f32);
    auto row = [&](const char* what, Tensor& c, const Tensor& a, const Tensor& other, bool ta,
                   bool tb, bool adding) {
      const double bytes = double(a.bytes() + other.bytes() + c.bytes() * (adding ? 2 : 1));
      each_variant(
          b.s, kernel::matmul, false,
          [&](const std::string& variant, double seconds) {
            std::printf(
                "| %lld x %lld > %lld, rank %lld: %s | %s | %.1f us | %.0f GB/s | %.0f %% of copy "
                "|\n",
                (long long)z.rows, (long long)z.in, (long long)z.out, (long long)z.rank, what,
                variant.c_str(), seconds * 1e6, bytes / seconds / 1e9,
                100 * bytes / seconds / b.s.copy_rate);
            std::fflush(stdout);
          },
          c, a, other, ta, tb, adding, none);
    };
    row("y = x Wᵀ", y, x, w, false, true, false);
    row("dx = dy W", x, y, w, false, false, false);
    row("s = x Aᵀ", low, x, down, false, true, false);
    row("y += s Bᵀ", y, low, up, false, true, true);
    row("ds = dy B", low, y, up, false, false, false);
    row("dx += ds A", x, low, down, false, false, true);
    row("dA += dsᵀ x", of_down, low, x, true, false, true);
    row("dB += dyᵀ s", of_up, y, low, true, false, true);
  }
}

void attentions(Bench& b, Dtype type) {
  struct Size {
    int64_t batch, length, heads, kv_heads, dim;
  };
  std::vector<Size> sizes = {
      {8, 1024, 12, 12, 64}, {4, 2048, 9, 3, 64}, {2, 4096, 32, 8, 64}, {1, 8192, 32, 8, 128}};
  if (b.s.tiny) sizes = {{1, 20, 2, 1, 32}};
  if (type == Dtype::f32 && !b.s.tiny) sizes.resize(2);
  for (Size z : sizes) {
    Tensor q = b.tensor({z.batch, z.length, z.heads, z.dim}, type),
           k = b.tensor({z.batch, z.length, z.kv_heads, z.dim}, type), v = like(k), o = like(q),
           dout = b.tensor(q.shape(), type), dq = like(q), dk = like(k), dv = like(k),
           lse({z.batch, z.length, z.heads}, Dtype::f32, b.s.device);
    v.copy_from(k);
    Tensor starts = Tensor::from(std::vector<int32_t>(size_t(z.batch * z.length), 0),
                                 {z.batch, z.length}, b.s.device);
    double pairs = double(z.batch * z.heads) * double(z.length) * double(z.length + 1) / 2,
           product = 2 * pairs * double(z.dim);
    std::string shape = std::string(name(type)) + " " + std::to_string(z.batch) + "x" +
                        std::to_string(z.length) + ", " + std::to_string(z.heads) + "/" +
                        std::to_string(z.kv_heads) + " heads of " + std::to_string(z.dim);
    b.flops(kernel::attention, shape, 2 * product, type == Dtype::bf16, o, lse, q, k, v, starts,
            0.125);
    b.flops(kernel::attention_backward, shape, 5 * product, type == Dtype::bf16, dq, dk, dv, dout,
            o, lse, q, k, v, starts, 0.125);
  }
}

double best_matmul(const Setting& s, Dtype type) {
  int64_t side = s.tiny ? 64 : type == Dtype::bf16 ? 8192 : 4096;
  Tensor a = random_on(s, {side, side}, type, 1), b = random_on(s, {side, side}, type, 2),
         c = like(a), none;
  double best = 0;
  each_variant(
      s, kernel::matmul, s.tiny,
      [&](const std::string&, double seconds) {
        best = std::max(best, 2. * double(side) * double(side) * double(side) / seconds);
      },
      c, a, b, false, true, false, none);
  return best;
}

}  // namespace

void measure_ceilings(Setting& s) {
  size_t bytes = s.tiny ? size_t(4096) : size_t(1) << 30;
  Tensor from = random_on(s, {int64_t(bytes / 4)}, Dtype::f32, 1), to = like(from);
  s.copy_rate = 2. * double(bytes) /
                seconds_of(s, [&] { memory(s.device).copy(to.data(), from.data(), bytes); });
  s.bf16_rate = best_matmul(s, Dtype::bf16);
  s.f32_rate = best_matmul(s, Dtype::f32);
  std::printf(
      "Measured: copy %.0f GB/s (read and written), matmul %.0f TFLOP/s bf16 at 8192³, %.1f f32 at "
      "4096³.\n\n",
      s.copy_rate / 1e9, s.bf16_rate / 1e12, s.f32_rate / 1e12);
}

void bench_kernels(const Setting& s, const std::string& only) {
  Bench b{s, only, s.tiny ? 8 : 16384, s.tiny ? 64 : 2048};
  std::printf("| kernel | variant | time | rate | of its ceiling |\n|---|---|---:|---:|---:|\n");
  norms(b);
  pointwise(b);
  tables(b);
  optimizer(b);
  low_rank(b);
  in_blocks(b);
  for (Dtype type : {Dtype::bf16, Dtype::f32}) {
    matmuls(b, type);
    attentions(b, type);
  }
}

}  // namespace afina::bench

// Matrix multiplication in float64: panels of eight columns, one row at a time.
#include "engine/cpu/gemm_f64.h"

#include "engine/scratch.h"
#include "engine/threads.h"

namespace afina::AFINA_ISA {
namespace {

constexpr int64_t wide = 8;

// Columns from j on of B as (k, 8), with zeros past n.
void pack_panel(double* out, const double* b, int64_t ld, bool tb, int64_t j, int64_t n,
                int64_t k) {
  for (int64_t p = 0; p < k; ++p)
    for (int64_t x = 0; x < wide; ++x)
      out[p * wide + x] = j + x < n ? b[tb ? (j + x) * ld + p : p * ld + j + x] : 0;
}

void add_products(double (&acc)[wide], const double* a, int64_t step, const double* b, int64_t k) {
  for (int64_t p = 0; p < k; ++p)
    for (int64_t x = 0; x < wide; ++x) acc[x] = __builtin_fma(a[p * step], b[p * wide + x], acc[x]);
}

void panel(const Gemm& g, int64_t j) {
  double* own = (double*)scratch(3, size_t(wide * (g.k + g.k2)) * 8);
  const double* b = own;
  if (g.packed_b) b = (const double*)g.packed_b + j * g.k;
  else pack_panel(own, (const double*)g.b, g.ldb, g.tb, j, g.n, g.k);
  double* b2 = own + wide * g.k;
  if (g.k2) pack_panel(b2, (const double*)g.b2, g.ldb2, g.tb, j, g.n, g.k2);
  const int64_t columns = g.n - j < wide ? g.n - j : wide;
  for (int64_t i = 0; i < g.m; ++i) {
    double* c = (double*)g.c + i * g.ldc + j;
    double acc[wide] = {};
    if (g.accumulate)
      for (int64_t x = 0; x < columns; ++x) acc[x] = c[x];
    add_products(acc, (const double*)g.a + (g.ta ? i : i * g.lda), g.ta ? g.lda : 1, b, g.k);
    if (g.k2)
      add_products(acc, (const double*)g.a2 + (g.ta ? i : i * g.lda2), g.ta ? g.lda2 : 1, b2, g.k2);
    for (int64_t x = 0; x < columns; ++x)
      c[x] = g.bias ? acc[x] + ((const double*)g.bias)[j + x] : acc[x];
  }
}

}  // namespace

void gemm_f64(const Gemm& g) {
  const int64_t panels = (g.n + wide - 1) / wide;
  auto run = [&](int64_t p, int64_t end) {
    for (; p < end; ++p) panel(g, p * wide);
  };
  if (g.one_thread || g.m * g.n * (g.k + g.k2) < 1 << 15) run(0, panels);
  else parallel_for(panels, 1, run);
}

void pack_b_f64(void* out, const Gemm& g) {
  for (int64_t j = 0; j < g.n; j += wide)
    pack_panel((double*)out + j * g.k, (const double*)g.b, g.ldb, g.tb, j, g.n, g.k);
}

size_t packed_b_bytes_f64(int64_t n, int64_t k) {
  return size_t((n + wide - 1) / wide * wide * k) * 8;
}

}  // namespace afina::AFINA_ISA

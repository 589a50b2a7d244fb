// Matrix multiplication: chooses the kind of unit, when to compute C transposed, and how to pack
// weights in advance.
#include "engine/cpu/gemm.h"

#include "engine/cpu/gemm_f64.h"
#include "engine/cpu/gemm_multiply.h"

namespace afina::AFINA_ISA {
namespace {

template <class Kind>
void pack_b(void* out, const Gemm& g) {
  const int64_t units = Kind::units(g.k);
  const Operand b = {(const char*)g.b, g.ldb * Kind::bytes, g.k, g.tb};
  const int64_t panels = up(g.n, panel_width), splits = up(units, split_units);
  auto pack = [&](int64_t item, int64_t end) {
    for (; item < end; ++item) {
      const int64_t p = item / splits, s = item % splits, j = p * panel_width,
                    w = least(panel_width, g.n - j);
      const int64_t u0 = s * split_units, u1 = least(units, u0 + split_units);
      const int wide = units_wide<Kind>(int(w));
      pack_panel<Kind>((char*)out + (p * panel_width * units + u0 * wide) * 4, wide, b, j, w, u0,
                       u1);
    }
  };
  if (g.one_thread) pack(0, panels * splits);
  else parallel_for(panels * splits, 1, pack);
}

// A tall and narrow sum of outer products (the gradient of LoRA's B) is faster computed as its
// transpose, because the long operand is then read without transposing. The factors of a product
// commute, so the bits are the same.
bool better_lying(const Gemm& g) {
  const int64_t least_k =
      g.n <= stream_rows || g.in == Dtype::f32 ? 256 : 1536;  // transposing C costs time as well
  return g.ta && !g.tb && !g.k2 && !g.bias && !g.packed_b && !g.blocks && g.in != Dtype::f64 &&
         g.out == Dtype::f32 && g.n <= lying_columns && g.ldc == g.n && g.k >= least_k &&
         g.m >= 4 * g.n;
}
// to (columns, rows) = transpose of from (rows, columns).
void turn(float* to, const float* from, int64_t rows, int64_t columns, bool one_thread) {
  auto part = [=](int64_t u0, int64_t u1) {
    pack_along<UnitF32>((char*)(to + u0 * rows), int(rows), (const char*)from, columns * 4, rows,
                        columns, u0, u1);
  };
  const int64_t piece = up(up(columns, 16), Wide::width) * Wide::width;
  if (one_thread) part(0, columns);
  else
    parallel_for(up(columns, piece), 1,
                 [=](int64_t i, int64_t end) { part(i * piece, least(columns, end * piece)); });
}
template <class Kind>
void multiply_lying(const Gemm& g) {
  Gemm lying = g;
  float *c = (float*)g.c, *t = (float*)scratch(lying_sums, size_t(g.m * g.n) * 4);
  lying.m = g.n;
  lying.n = g.m;
  lying.a = g.b;
  lying.b = g.a;
  lying.lda = g.ldb;
  lying.ldb = g.lda;
  lying.c = t;
  lying.ldc = g.m;
  if (g.accumulate) turn(t, c, g.m, g.n, g.one_thread);
  multiply_upright<Kind>(lying);
  turn(c, t, g.n, g.m, g.one_thread);
}

// Few rows times many columns of a matrix stored (n, k), as the head is: where tiles are narrow it
// is faster computed as the transpose, stretch by stretch of columns, because the long operand's
// rows are then read as they lie, and only what is small is packed. The factors of a product
// commute, so the bits are the same.
constexpr int64_t turned_rows = 512, turned_columns = 96;
template <class Kind>
bool better_turned(const Gemm& g) {
  return narrow_tiles && !Kind::in_blocks && g.tb && !g.ta && !g.k2 && !g.bias && !g.packed_b &&
         !g.blocks && g.out == Dtype::f32 && !g.accumulate && g.m > stream_rows &&
         g.m <= turned_rows && g.n >= 32 * g.m && !g.one_thread;
}
// to (columns, rows) = transpose of from (rows, columns), `ld` columns apart.
void turn_part(float* to, int64_t ld, const float* from, int64_t rows, int64_t columns) {
  constexpr int w = Wide::width;
  for (int64_t u = 0; u < columns; u += w)
    for (int64_t x = 0; x < rows; x += w) {
      const int high = int(least(w, rows - x)), wide = int(least(w, columns - u));
      Wide::F r[w];
      for (int i = 0; i < w; ++i)
        r[i] = i < high ? load_columns<Wide>(from + (x + i) * columns + u, wide) : Wide::zero();
      Wide::transpose(r);
      for (int i = 0; i < wide; ++i) store_columns<Wide>(to + (u + i) * ld + x, r[i], high);
    }
}
template <class Kind>
void multiply_turned(const Gemm& g) {
  Gemm turned = g;
  turned.n = g.m;
  turned.b = g.a;
  turned.ldb = g.lda;
  turned.lda = g.ldb;
  turned.ldc = g.m;
  void* packed = scratch(lying_sums, packed_b_bytes(g.m, g.k, g.in));
  pack_b<Kind>(packed, turned);
  turned.packed_b = packed;
  turned.one_thread = true;
  parallel_for(up(g.n, turned_columns), 1, [&](int64_t i, int64_t end) {
    for (; i < end; ++i) {
      const int64_t j = i * turned_columns;
      Gemm part = turned;
      part.m = least(turned_columns, g.n - j);
      part.a = (const char*)g.b + j * g.ldb * Kind::bytes;
      float* c = (float*)scratch(turned_sums, size_t(part.m * g.m) * 4);
      part.c = c;
      multiply_upright<Kind>(part);
      turn_part((float*)g.c + j, g.ldc, c, part.m, g.m);
    }
  });
}

// Calls f with the kind of unit used for bf16.
template <class F>
AFINA_INLINE static auto with_bf16(F f) {
  if (bf16_sums() == Bf16Sums::pairs) return f(UnitBf16());
#if defined(AFINA_ISA_avx512bf16)
  if (has_tiles()) return f(UnitTiles());
#endif
  return f(UnitApart());
}

template <class Kind>
void multiply(const Gemm& g) {
  if (better_lying(g)) return multiply_lying<Kind>(g);
  if constexpr (narrow_tiles && !Kind::in_blocks)
    if (better_turned<Kind>(g)) return multiply_turned<Kind>(g);
  multiply_upright<Kind>(g);
}

}  // namespace

void gemm(const Gemm& g) {
  if (g.m <= 0 || g.n <= 0) return;
  const bool to_f64 = g.out == Dtype::f64, to_f32 = g.out == Dtype::f32 || g.out == Dtype::bf16;
  [[maybe_unused]] Flushed flushed;
  if (g.in == Dtype::f64 && to_f64 && !g.blocks) gemm_f64(g);
  else if (g.in == Dtype::bf16 && to_f32)
    with_bf16([&](auto kind) { multiply<decltype(kind)>(g); });
  else if (g.in == Dtype::f32 && to_f32) multiply<UnitF32>(g);
  else unsupported_dtypes("matmul", g.in, g.blocks ? Dtype::blocks : g.out);
}

size_t packed_b_bytes(int64_t n, int64_t k, Dtype in) {
  auto bytes = [&](int64_t units) { return size_t(up(n, panel_width) * panel_width * units) * 4; };
  switch (in) {
    case Dtype::f32: return bytes(k);
    case Dtype::bf16: return bytes(with_bf16([&](auto kind) { return kind.units(k); }));
    case Dtype::f64: return packed_b_bytes_f64(n, k);
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype("matmul", in);
}

void gemm_pack_b(void* out, const Gemm& g) {
  [[maybe_unused]] Flushed flushed;
  switch (g.in) {
    case Dtype::f32: return pack_b<UnitF32>(out, g);
    case Dtype::bf16: return with_bf16([&](auto kind) { pack_b<decltype(kind)>(out, g); });
    case Dtype::f64: return pack_b_f64(out, g);
    case Dtype::i32:
    case Dtype::blocks: break;
  }
  unsupported_dtype("matmul", g.in);
}

}  // namespace afina::AFINA_ISA

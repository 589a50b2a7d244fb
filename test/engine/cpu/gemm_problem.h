// Matrix multiplications of the tests: memory for them, their definition, and every instruction set
// checked against it bit for bit.
#pragma once
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <new>
#include <sstream>
#include <vector>
#include "engine/bf16_sums.h"
#include "engine/cpu/gemm.h"
#include "engine/gemm_table.h"
#include "engine/random.h"
#include "engine/scratch.h"
#include "engine/threads.h"

namespace afina::gemm_test {

// What is multiplied: a Gemm with memory of its own.
struct Problem {
  int64_t m, n, k;
  bool ta = false, tb = false;
  Dtype in = Dtype::f32, out = Dtype::f32;
  bool accumulate = false, bias = false;
  int64_t k2 = 0, gap = 0;  // gap: what leading dimensions exceed the rows by
  bool tiny = false;        // denormals and products that become denormal among the values
};

inline std::string words(const Problem& p) {
  std::ostringstream s;
  s << p.m << "x" << p.n << "x" << p.k << (p.ta ? " T" : " N") << (p.tb ? "T" : "N") << " in "
    << int(p.in) << " out " << int(p.out) << (p.accumulate ? " accumulate" : "")
    << (p.bias ? " bias" : "") << " k2 " << p.k2 << " gap " << p.gap << (p.tiny ? " tiny" : "");
  return s.str();
}

// At multiples of 64, where the engine's tensors lie as well: some rows are read as they lie only
// there.
template <class T>
struct InLines {
  using value_type = T;
  T* allocate(size_t n) {
    return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64)));
  }
  void deallocate(T* p, size_t) { ::operator delete(p, std::align_val_t(64)); }
  bool operator==(const InLines&) const { return true; }
};
using Bytes = std::vector<unsigned char, InLines<unsigned char>>;

inline Bytes fill(int64_t count, Dtype dtype, const char* what, bool tiny) {
  Random random(7, "gemm test", what);
  Bytes bytes(size_t(count) * size_of(dtype) + 64);
  for (int64_t i = 0; i < count; ++i) {
    float x = random.uniform(i) * 2 - 1;
    if (tiny && random.bits(i) % 3 == 0) x *= 0x1p-70f;
    if (tiny && random.bits(i) % 7 == 1) x = 0x1p-130f * float(random.bits(i) % 9);  // a denormal
    bf16 h = to_bf16(x);
    if (tiny && random.bits(i) % 11 == 2)
      h.bits = uint16_t(random.bits(i) % 128);  // a denormal that rounding would not make
    double d = x;
    if (dtype == Dtype::f64) std::memcpy(&bytes[size_t(i) * 8], &d, 8);
    else if (dtype == Dtype::bf16) std::memcpy(&bytes[size_t(i) * 2], &h, 2);
    else std::memcpy(&bytes[size_t(i) * 4], &x, 4);
  }
  return bytes;
}

struct Memory {
  Bytes a, b, a2, b2, bias, c;
  Gemm g;
  explicit Memory(const Problem& p) {
    auto ld = [&](bool t, int64_t rows, int64_t columns) { return (t ? rows : columns) + p.gap; };
    auto size = [&](bool t, int64_t rows, int64_t columns) {
      return (t ? columns : rows) * ld(t, rows, columns);
    };
    a = fill(size(p.ta, p.m, p.k), p.in, "a", p.tiny);
    b = fill(size(p.tb, p.k, p.n), p.in, "b", p.tiny);
    a2 = fill(size(p.ta, p.m, p.k2), p.in, "a2", p.tiny);
    b2 = fill(size(p.tb, p.k2, p.n), p.in, "b2", p.tiny);
    bias = fill(p.n, p.in == Dtype::f64 ? Dtype::f64 : Dtype::f32, "bias", p.tiny);
    c = fill(p.m * (p.n + p.gap), p.out, "c", p.tiny);
    g.m = p.m;
    g.n = p.n;
    g.k = p.k;
    g.a = a.data();
    g.b = b.data();
    g.lda = ld(p.ta, p.m, p.k);
    g.ldb = ld(p.tb, p.k, p.n);
    g.ldc = p.n + p.gap;
    g.ta = p.ta;
    g.tb = p.tb;
    g.in = p.in;
    g.out = p.out;
    g.accumulate = p.accumulate;
    g.bias = p.bias ? bias.data() : nullptr;
    g.k2 = p.k2;
    g.a2 = a2.data();
    g.b2 = b2.data();
    g.lda2 = ld(p.ta, p.m, p.k2);
    g.ldb2 = ld(p.tb, p.k2, p.n);
  }
};

template <class T>
T at(const void* p, int64_t i) {
  T x;
  std::memcpy(&x, static_cast<const char*>(p) + i * int64_t(sizeof(T)), sizeof(T));
  return x;
}

// The definition (engine/cpu/gemm.h).
template <class T>
T chain(const Gemm& g, const void* a, int64_t lda, const void* b, int64_t ldb, int64_t k, int64_t i,
        int64_t j, T acc) {
  auto ia = [&](int64_t p) { return g.ta ? p * lda + i : i * lda + p; };
  auto ib = [&](int64_t p) { return g.tb ? j * ldb + p : p * ldb + j; };
  if (g.in == Dtype::bf16) {
    auto value = [&](const void* m, int64_t at_, int64_t p) {
      return p < k ? to_float(at<bf16>(m, at_)) : 0.f;
    };
    if (bf16_sums() == Bf16Sums::tiles) {
      for (int64_t p = 0; p < k; p += 32) {
        float of[2] = {0.f, 0.f};  // even and odd p
        for (int64_t q = p; q < p + 32; ++q)
          of[q % 2] = std::fma(value(a, ia(q), q), value(b, ib(q), q), of[q % 2]);
        acc = T(float(acc) + (of[0] + of[1]));
      }
      return acc;
    }
    for (int64_t p = 0; p < k; p += 2) {
      acc = T(std::fma(value(a, ia(p + 1), p + 1), value(b, ib(p + 1), p + 1), float(acc)));
      acc = T(std::fma(value(a, ia(p), p), value(b, ib(p), p), float(acc)));
    }
  } else {
    for (int64_t p = 0; p < k; ++p) acc = std::fma(at<T>(a, ia(p)), at<T>(b, ib(p)), acc);
  }
  return acc;
}

template <class T>
void define(const Gemm& g) {
  for (int64_t i = 0; i < g.m; ++i)
    for (int64_t j = 0; j < g.n; ++j) {
      T acc = g.accumulate ? at<T>(g.c, i * g.ldc + j) : T(0);
      acc = chain<T>(g, g.a, g.lda, g.b, g.ldb, g.k, i, j, acc);
      if (g.k2) acc = chain<T>(g, g.a2, g.lda2, g.b2, g.ldb2, g.k2, i, j, acc);
      if (g.bias) acc += at<T>(g.bias, j);
      bf16 h = to_bf16(float(acc));
      if (g.out == Dtype::bf16) std::memcpy(static_cast<char*>(g.c) + (i * g.ldc + j) * 2, &h, 2);
      else
        std::memcpy(static_cast<char*>(g.c) + (i * g.ldc + j) * int64_t(sizeof(T)), &acc,
                    sizeof(T));
    }
}

inline Bytes defined(const Problem& p) {
  flush_denormals();
  Memory memory(p);
  memory.g.c = memory.c.data();
  p.in == Dtype::f64 ? define<double>(memory.g) : define<float>(memory.g);
  return memory.c;
}

inline int different(const Bytes& x, const Bytes& y) {
  int count = 0;
  for (size_t i = 0; i < x.size(); ++i) count += x[i] != y[i];
  return count;
}

// Every instruction set, packed beforehand and not, against the definition; what lies between rows
// of C must stay.
inline void check_sums(const Problem& p, const std::vector<int>& threads, const char* sums) {
  Bytes expected = defined(p);
  for (Isa isa : usable_isas())
    for (int count : threads)
      for (bool packed : {false, true}) {
        set_thread_count(count);
        Memory memory(p);
        memory.g.c = memory.c.data();
        const GemmTable& table = gemm_table(isa);
        Bytes b(table.packed_b_bytes(p.n, p.k, p.in) + 64);
        if (packed) {
          table.gemm_pack_b(b.data(), memory.g);
          memory.g.packed_b = b.data();
          memory.g.b = nullptr;
        }
        table.gemm(memory.g);
        BOOST_TEST(different(memory.c, expected) == 0, words(p) << sums << ", " << name(isa)
                                                                << ", threads " << count
                                                                << (packed ? ", packed" : ""));
      }
}
// bf16 in both orders of sums, tiles with and without the processor's own.
inline void check(const Problem& p, const std::vector<int>& threads = {2}) {
  check_sums(p, threads, "");
  if (p.in != Dtype::bf16) return;
  SumsScope sums(Bf16Sums::tiles);
  check_sums(p, threads, has_tiles() ? ", tiles by AMX" : ", tiles");
  if (has_tiles()) {
    use_tiles(false);
    check_sums(p, threads, ", tiles");
    use_tiles(true);
  }
}

struct Fixture {
  int before = thread_count();
  ~Fixture() {
    set_thread_count(before);
    use_tiles(true);
  }
};

}  // namespace afina::gemm_test

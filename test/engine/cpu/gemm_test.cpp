// The matmul of every instruction set against its definition, bit for bit: forms, tails, strides,
// second terms, packing, threads.
#include "engine/cpu/gemm.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <new>
#include <sstream>
#include <vector>

#include "engine/bf16_sums.h"
#include "engine/gemm_table.h"
#include "engine/random.h"
#include "engine/scratch.h"
#include "engine/threads.h"

using namespace afina;

namespace {

// What is multiplied: a Gemm with memory of its own.
struct Problem {
  int64_t m, n, k;
  bool ta = false, tb = false;
  Dtype in = Dtype::f32, out = Dtype::f32;
  bool accumulate = false, bias = false;
  int64_t k2 = 0, gap = 0;  // gap: what leading dimensions exceed the rows by
  bool tiny = false;        // denormals and products that become denormal among the values
};

std::string words(const Problem& p) {
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

Bytes fill(int64_t count, Dtype dtype, const char* what, bool tiny) {
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

Bytes defined(const Problem& p) {
  flush_denormals();
  Memory memory(p);
  memory.g.c = memory.c.data();
  p.in == Dtype::f64 ? define<double>(memory.g) : define<float>(memory.g);
  return memory.c;
}

int different(const Bytes& x, const Bytes& y) {
  int count = 0;
  for (size_t i = 0; i < x.size(); ++i) count += x[i] != y[i];
  return count;
}

// Every instruction set, packed beforehand and not, against the definition; what lies between rows
// of C must stay.
void check_sums(const Problem& p, const std::vector<int>& threads, const char* sums) {
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
void check(const Problem& p, const std::vector<int>& threads = {2}) {
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

}  // namespace

BOOST_FIXTURE_TEST_SUITE(gemm, Fixture)

BOOST_AUTO_TEST_CASE(every_form_of_awkward_size) {
  const int64_t sizes[][3] = {{1, 1, 1},  {2, 3, 1},    {3, 2, 5},   {1, 70, 33},  {5, 8, 17},
                              {7, 9, 16}, {13, 65, 31}, {50, 17, 7}, {97, 130, 67}};
  for (auto in : {Dtype::f32, Dtype::bf16})
    for (auto& s : sizes)
      for (int form = 0; form < 4; ++form)
        for (auto out : {Dtype::f32, Dtype::bf16})
          check({.m = s[0],
                 .n = s[1],
                 .k = s[2],
                 .ta = (form & 1) != 0,
                 .tb = (form & 2) != 0,
                 .in = in,
                 .out = out,
                 .accumulate = out == Dtype::f32 && s[0] % 2 == 1,
                 .bias = s[1] % 2 == 0,
                 .gap = s[2] % 3});
}

BOOST_AUTO_TEST_CASE(rows_and_columns_one_by_one) {
  for (int64_t i = 1; i <= 40; ++i) {
    check({.m = i, .n = 3 * i + 1, .k = 6, .in = i % 2 ? Dtype::f32 : Dtype::bf16});
    check({.m = 60 + i,
           .n = i,
           .k = 10,
           .tb = true,
           .in = i % 2 ? Dtype::bf16 : Dtype::f32,
           .accumulate = true});
    check({.m = 60 + i,
           .n = 16 + 2 * i,
           .k = i,
           .ta = true,
           .in = i % 2 ? Dtype::bf16 : Dtype::f32,
           .out = Dtype::bf16});
  }
}

BOOST_AUTO_TEST_CASE(second_term_continues_the_chain) {
  for (auto in : {Dtype::f32, Dtype::bf16, Dtype::f64})
    for (int form = 0; form < 4; ++form)
      for (int64_t k2 : {1, 8, 15})
        for (int64_t m : {4, 61}) {
          Problem p{.m = m,
                    .n = 75,
                    .k = 21,
                    .ta = (form & 1) != 0,
                    .tb = (form & 2) != 0,
                    .in = in,
                    .bias = true,
                    .k2 = k2,
                    .gap = 2};
          p.out = in == Dtype::f64 ? in : Dtype::f32;
          p.accumulate = k2 == 8;
          check(p);
          if (in != Dtype::f64) {
            p.out = Dtype::bf16;
            p.accumulate = false;
            check(p);
          }
        }
}

BOOST_AUTO_TEST_CASE(float64_in_every_form) {
  for (int form = 0; form < 4; ++form)
    for (int64_t m : {1, 9, 40})
      check({.m = m,
             .n = 37,
             .k = 45,
             .ta = (form & 1) != 0,
             .tb = (form & 2) != 0,
             .in = Dtype::f64,
             .out = Dtype::f64,
             .accumulate = m == 9,
             .bias = m == 40,
             .gap = 1},
            {1, 3});
}

BOOST_AUTO_TEST_CASE(k_in_blocks_and_chunks_is_one_chain) {
  for (auto in : {Dtype::f32, Dtype::bf16})
    for (auto out : {Dtype::f32, Dtype::bf16})
      for (int form = 0; form < 3; ++form) {
        check({.m = 49,
               .n = 20,
               .k = 3217,
               .ta = form == 2,
               .tb = form == 0,
               .in = in,
               .out = out,
               .bias = true,
               .k2 = 3});
        check({.m = 3,
               .n = 70,
               .k = 1601,
               .ta = form == 2,
               .tb = form == 0,
               .in = in,
               .out = out,
               .bias = true,
               .k2 = 3});
      }
}

BOOST_AUTO_TEST_CASE(columns_and_rows_in_chunks) {
  check({.m = 49, .n = 1100, .k = 1000, .tb = true, .in = Dtype::f32});
  check({.m = 1300, .n = 30, .k = 900, .ta = true, .in = Dtype::bf16, .accumulate = true});
  // Tall and narrow sums of outer products, which are done lying down.
  for (Dtype in : {Dtype::f32, Dtype::bf16})
    for (int64_t n : {1, 8, 16, 47, 64, 65})
      for (bool accumulate : {false, true})
        check({.m = 333,
               .n = n,
               .k = 301,
               .ta = true,
               .in = in,
               .accumulate = accumulate,
               .gap = n == 47 ? 3 : 0,
               .tiny = n == 8});
  check({.m = 260, .n = 64, .k = 1537, .ta = true, .in = Dtype::bf16, .accumulate = true});
}

BOOST_AUTO_TEST_CASE(little_of_b_is_packed_by_every_thread) {
  for (Dtype in : {Dtype::f32, Dtype::bf16})
    for (Dtype out : {Dtype::f32, Dtype::bf16})
      for (int64_t k : {8, 16, 30})
        for (int64_t m : {49, 411})
          check({.m = m,
                 .n = 203,
                 .k = k,
                 .tb = true,
                 .in = in,
                 .out = out,
                 .accumulate = out == Dtype::f32,
                 .bias = true,
                 .gap = 2},
                {1, 2, 3});
}

// Rows of f32 that begin with a cache's line, or are halves of one, are not packed; and beside them
// rows that are.
BOOST_AUTO_TEST_CASE(rows_read_as_they_lie) {
  for (int64_t n : {8, 16, 24, 64, 203, 208})
    for (int64_t gap : {0, 5, 8})
      for (int64_t m : {5, 60, 411})
        check({.m = m, .n = n, .k = 101, .in = Dtype::f32, .gap = gap}, {1, 2});
}

// Four units of k, of which a panel of B stays in registers, and one less and more.
BOOST_AUTO_TEST_CASE(over_a_short_k) {
  for (Dtype in : {Dtype::f32, Dtype::bf16})
    for (Dtype out : {Dtype::f32, Dtype::bf16})
      for (int64_t units : {3, 4, 5})
        for (int64_t m : {3, 8, 49, 411})
          for (bool tb : {false, true}) {
            const int64_t k = in == Dtype::bf16 ? 2 * units : units;
            check({.m = m,
                   .n = 203,
                   .k = k,
                   .tb = tb,
                   .in = in,
                   .out = out,
                   .gap = 2,
                   .tiny = m == 8},
                  {1, 2});
          }
  check({.m = 60, .n = 128, .k = 7, .tb = true, .in = Dtype::bf16, .out = Dtype::bf16});
  check({.m = 60, .n = 128, .k = 8, .tb = true, .in = Dtype::bf16, .k2 = 16});
  check({.m = 60, .n = 128, .k = 8, .tb = true, .in = Dtype::bf16, .accumulate = true});
}

BOOST_AUTO_TEST_CASE(threads_do_not_show) {
  for (auto in : {Dtype::f32, Dtype::bf16})
    for (int form = 0; form < 3; ++form)
      check({.m = 150,
             .n = 200,
             .k = 50,
             .ta = form == 2,
             .tb = form == 0,
             .in = in,
             .bias = true,
             .k2 = 8},
            {1, 2, 3});
}

BOOST_AUTO_TEST_CASE(denormals_are_zero) {
  for (auto in : {Dtype::f32, Dtype::bf16})
    for (auto out : {Dtype::f32, Dtype::bf16})
      for (int64_t m : {5, 60})
        check({.m = m,
               .n = 41,
               .k = 23,
               .tb = true,
               .in = in,
               .out = out,
               .accumulate = out == Dtype::f32,
               .bias = true,
               .tiny = true});
}

BOOST_AUTO_TEST_CASE(one_thread_inside_a_loop) {
  for (auto in : {Dtype::f32, Dtype::bf16}) {
    Problem p{.m = 64, .n = 100, .k = 64, .tb = true, .in = in};
    Bytes expected = defined(p);
    for (Isa isa : usable_isas()) {
      set_thread_count(3);
      std::vector<int> wrong(12);
      size_t before = 0;
      for (int round = 0; round < 2; ++round) {
        if (round) before = scratch_bytes();
        parallel_for(12, 1, [&](int64_t i, int64_t end) {
          for (; i < end; ++i) {
            Memory memory(p);
            memory.g.c = memory.c.data();
            memory.g.one_thread = true;
            gemm_table(isa).gemm(memory.g);
            wrong[size_t(i)] += different(memory.c, expected);
          }
        });
      }
      BOOST_TEST(before <= scratch_bytes());
      for (int w : wrong) BOOST_TEST(w == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_add_up_leaves_bias_and_sums) {
  check({.m = 3, .n = 20, .k = 0, .accumulate = true, .bias = true});
  check({.m = 60, .n = 20, .k = 0, .in = Dtype::bf16, .out = Dtype::bf16, .bias = true});
  Gemm none;
  for (Isa isa : usable_isas()) gemm_table(isa).gemm(none);
}

BOOST_AUTO_TEST_SUITE_END()

// The matmul of every instruction set against its definition, bit for bit: forms, tails, strides,
// second terms, packing, threads.
#include "test/engine/cpu/gemm_problem.h"

using namespace afina;
using namespace afina::gemm_test;

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

// Few rows times many columns stored (n, k): where tiles are narrow, done as the transpose.
BOOST_AUTO_TEST_CASE(many_columns_for_few_rows) {
  for (Dtype in : {Dtype::f32, Dtype::bf16})
    for (int64_t k : {5, 40}) {
      check({.m = 49, .n = 1571, .k = k, .tb = true, .in = in, .gap = 3, .tiny = k == 5}, {1, 2});
      check({.m = 56, .n = 1792, .k = k, .tb = true, .in = in, .out = Dtype::bf16});
      check({.m = 50, .n = 1600, .k = k, .tb = true, .in = in, .accumulate = true, .bias = true});
    }
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

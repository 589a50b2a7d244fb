// What attention promises beside its gradient: isolation of packed documents and the KV cache, both
// to the bit.
#include "engine/ops/attention.h"

#include <boost/test/unit_test.hpp>

#include "engine/meter.h"
#include "test/engine/ops/op_case.h"

using namespace afina;

namespace {

struct Sequence {
  Tensor q, k, v;
  Tensor dq, dk, dv, o;
};
constexpr int64_t heads = 4, kv_heads = 2;
int64_t dim = 20;  // 32: whole vectors, which take another way through the CPU's kernels

Tensor starts_of(const std::vector<int64_t>& lengths) {
  std::vector<int32_t> starts;
  for (int64_t n : lengths) {
    int32_t start = int32_t(starts.size());
    for (int64_t i = 0; i < n; ++i) starts.push_back(start);
  }
  int64_t total = int64_t(starts.size());
  return integers(starts, {1, total});
}
Sequence run(Sequence s, const Tensor& starts, const Tensor& dout) {
  for (Tensor* t : {&s.q, &s.k, &s.v}) *t = t->copy().track(t->dtype());
  Tape tape;
  s.o = attention(s.q, s.k, s.v, starts, 0.2);
  tape.backward(s.o, dout);
  s.dq = s.q.grad().value();
  s.dk = s.k.grad().value();
  s.dv = s.v.grad().value();
  s.o = s.o.detached();
  return s;
}
Tensor rows(const Tensor& x, int64_t from, int64_t count) {
  return x.viewed({x.shape()[1], x.shape()[2] * x.shape()[3]})
      .slice_rows(from, count)
      .copy()
      .viewed({1, count, x.shape()[2], x.shape()[3]});
}

void packed_equals_unpacked(Dtype dtype, const std::vector<int64_t>& lengths) {
  int64_t T = 0;
  for (int64_t n : lengths) T += n;
  Sequence all{random_tensor({1, T, heads, dim}, dtype, 1),
               random_tensor({1, T, kv_heads, dim}, dtype, 2),
               random_tensor({1, T, kv_heads, dim}, dtype, 3),
               {},
               {},
               {},
               {}};
  Tensor dout = random_tensor({1, T, heads, dim}, dtype, 4);
  Sequence packed = run(all, starts_of(lengths), dout);
  int64_t from = 0;
  for (int64_t n : lengths) {
    Sequence alone =
        run({rows(all.q, from, n), rows(all.k, from, n), rows(all.v, from, n), {}, {}, {}, {}},
            starts_of({n}), rows(dout, from, n));
    BOOST_TEST(bool(bits_of(alone.o) == bits_of(rows(packed.o, from, n))),
               "value of the document at " << from);
    BOOST_TEST(bool(bits_of(alone.dq) == bits_of(rows(packed.dq, from, n))),
               "dq of the document at " << from);
    BOOST_TEST(bool(bits_of(alone.dk) == bits_of(rows(packed.dk, from, n))),
               "dk of the document at " << from);
    BOOST_TEST(bool(bits_of(alone.dv) == bits_of(rows(packed.dv, from, n))),
               "dv of the document at " << from);
    from += n;
  }
}

void cache_equals_whole(Dtype dtype) {
  constexpr int64_t T = 75;
  Tensor q = random_tensor({1, T, heads, dim}, dtype, 1),
         k = random_tensor({1, T, kv_heads, dim}, dtype, 2),
         v = random_tensor({1, T, kv_heads, dim}, dtype, 3);
  Tensor whole = attention(q, k, v, starts_of({T}), 0.2);
  for (auto [from, count] :
       {std::pair<int64_t, int64_t>{74, 1}, {10, 1}, {0, 1}, {60, 9}, {3, 70}}) {
    Tensor part =
        attention(rows(q, from, count), rows(k, 0, from + count), rows(v, 0, from + count),
                  integers(std::vector<int32_t>(size_t(count), 0), {1, count}), 0.2);
    BOOST_TEST(bool(bits_of(part) == bits_of(rows(whole, from, count))),
               count << " queries from " << from);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(attention_promises)

BOOST_AUTO_TEST_CASE(packed_documents_do_not_see_each_other) {
  for (int64_t each : {20, 32})
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      dim = each;
      packed_equals_unpacked(dtype, {4, 10, 2});
      packed_equals_unpacked(dtype, {3, 1, 5});  // odd lengths too, which batches never have
      packed_equals_unpacked(dtype, {70, 100, 38});
      packed_equals_unpacked(dtype, {17, 21});  // odd, on both ways
    }
}
BOOST_AUTO_TEST_CASE(cache_gives_the_bits_of_the_whole) {
  for (int64_t each : {20, 32})
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      dim = each;
      cache_equals_whole(dtype);
    }
}
BOOST_AUTO_TEST_CASE(large_scores_stay_finite) {
  Tensor q = random_tensor({1, 20, 2, 8}, Dtype::f32, 1, 0., 60.),
         k = random_tensor({1, 20, 2, 8}, Dtype::f32, 2, 0., 60.),
         v = random_tensor({1, 20, 2, 8}, Dtype::f32, 3);
  BOOST_TEST(first_not_finite(attention(q, k, v, starts_of({20}), 1.)) == -1);
}
BOOST_AUTO_TEST_CASE(counts_what_the_mask_lets_through) {
  Tensor q = random_tensor({1, 7, 2, 8}, Dtype::f32, 1);
  int64_t before = flops().of[int(Phase::forward)];
  attention(q, q, q, starts_of({4, 3}), 1.);
  BOOST_TEST(flops().of[int(Phase::forward)] - before == 4 * 8 * 2 * (10 + 6));
}
BOOST_AUTO_TEST_CASE(a_start_after_its_query) {
  Tensor q = random_tensor({1, 2, 2, 8}, Dtype::f32, 1);
  BOOST_CHECK_THROW(attention(q, q, q, integers({0, 2}, {1, 2}), 1.), Error);
}

BOOST_AUTO_TEST_SUITE_END()

// Rows of tokens that pretraining never saw are found; rows of rare words are not.
#include "model/unseen_rows.h"

#include <boost/test/unit_test.hpp>

#include "engine/random.h"
#include "test/model/tiny.h"

namespace afina {

namespace {

// 500 words of their own directions, all of which lean to one side; rows 20 to 29 as those of
// tokens that never occurred, equal but for `noise`; rows 40 to 44 kindred, with cosines around
// 0.96, as digits have them; rows 60 to 61 a pair of equal ones.
Tensor table(float noise, Dtype dtype = Dtype::f32) {
  const size_t width = 64;
  std::vector<float> values(500 * width);
  Random random(1, "test");
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t row = i / width, column = i % width;
    float v = random.normal(i) + 0.5f;
    const float shared = 0.7f * random.normal(100000 + column);
    if (row >= 20 && row < 30) v = shared + noise * random.normal(i);
    if (row >= 40 && row < 45) v = random.normal(200000 + column) + 0.2f * random.normal(i);
    if (row == 60 || row == 61) v = random.normal(300000 + column);
    if (row == 70) v = 1e-5f * random.normal(i);
    values[i] = v;
  }
  return Tensor::from(values, {500, int64_t(width)}, dtype);
}
std::vector<int32_t> every() {
  std::vector<int32_t> all(500);
  for (size_t i = 0; i < all.size(); ++i) all[i] = int32_t(i);
  return all;
}
const std::vector<int32_t> unseen = {20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 70};

}  // namespace

BOOST_AUTO_TEST_SUITE(rows_never_seen)

BOOST_AUTO_TEST_CASE(rows_that_are_nearly_equal_to_several_others) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f64})
    BOOST_TEST((unseen_rows(table(0.01f, dtype), every()) == unseen), name(dtype));
  BOOST_TEST((unseen_rows(table(0.f), every()) == unseen));
  BOOST_TEST((unseen_rows(table(0.01f), {3, 25, 40, 60}) == std::vector<int32_t>{25}));
  BOOST_TEST(unseen_rows(table(0.01f), {}).empty());
}

// Once a model was fine-tuned on a token, its row is another: 0.99 as SmolLM2-Instruct's
// <|im_end|>.
BOOST_AUTO_TEST_CASE(rows_that_were_learnt_since) {
  BOOST_TEST((unseen_rows(table(0.1f), every()) == std::vector<int32_t>{70}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina

// Numbers of torch's and numpy's generators, drawn without them; expected values were printed by
// torch 2.15.0 and numpy 2.
#include <boost/test/unit_test.hpp>

#include "model/methods/torch_random.h"

namespace afina {

namespace {

void near(const std::vector<float>& found, const std::vector<float>& expected, float tolerance) {
  BOOST_REQUIRE(found.size() >= expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    BOOST_TEST(std::abs(found[i] - expected[i]) <= tolerance * std::abs(expected[i]),
               i << ": " << found[i]);
}
// A number for all of a list in order, and how it begins.
void same_list(const std::vector<int32_t>& found, const std::vector<int32_t>& begins,
               int64_t hash) {
  int64_t of_found = 0;
  for (int32_t value : found) of_found = (of_found * 31 + value) % 1000003;
  BOOST_TEST(of_found == hash);
  BOOST_TEST(std::vector<int32_t>(found.begin(), found.begin() + int64_t(begins.size())) == begins,
             boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(torch_random)

BOOST_AUTO_TEST_CASE(of_torch) {
  near(TorchRandom(7).uniform(5, -0.3f, 0.7f),
       {0.234922528f, -0.101196826f, 0.359211683f, 0.356890261f, -0.0672384501f}, 0.f);
  near(TorchRandom(7).uniform_bf16(5, -0.3f, 0.7f),
       {0.235351562f, -0.101074219f, 0.359375f, 0.357421875f, -0.0673828125f}, 0.f);
  const std::vector<float> normal = TorchRandom(7).normal(36, 0.5f);
  near(normal,
       {-0.41006726f, 0.197815582f, 0.449454248f, -0.694201946f, -0.0834980085f, 0.142574981f},
       1e-6f);
  near({normal.end() - 6, normal.end()},
       {0.250560731f, 0.1300181f, -0.818510652f, 0.0788559541f, 0.197870463f, -0.683869839f},
       1e-6f);
  near(TorchRandom(7).normal(5, 0.5f),
       {-0.073397547f, 0.393070638f, 0.473410815f, -0.557172f, 0.845395088f}, 1e-6f);
}

BOOST_AUTO_TEST_CASE(of_numpy) {
  same_list(balanced_shuffle(50, 7, 42), {3, 1, 6, 5, 1, 2, 0, 6}, 317532);
  same_list(balanced_shuffle(20, 64, 0), {0, 59, 24, 58, 2, 62, 33, 12}, 10615);
  same_list(balanced_shuffle(30000, 20011, (uint64_t(1) << 40) + 3),
            {18325, 10706, 8865, 12665, 9951, 19652, 15071, 16131}, 170740);
  same_list(balanced_shuffle(10, 5, 1), {4, 2, 3, 0, 0, 1, 2, 4}, 907482);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina

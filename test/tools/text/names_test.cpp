// Short names: within their room, and no two equal.
#include "tools/text/names.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "tools/text/format.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(long_labels_are_shortened_and_told_apart) {
  using Names = std::vector<std::string>;
  const Names fit = {"full", "LoRA r 8", "LoRA r 16, alpha 32"};
  BOOST_TEST(short_names(fit, 20) == fit, boost::test_tools::per_element());
  BOOST_TEST(short_names({"full", "LoRA r 8, alpha 16, dropout 0.05, targets q_proj+k_proj"}) ==
                 (Names{"full", "LoRA r 8"}),
             boost::test_tools::per_element());
  BOOST_TEST(short_names({"LoRA r 8, alpha 16, dropout 0", "LoRA r 8, alpha 32, dropout 0"}) ==
                 (Names{"LoRA r 8, alpha 16", "LoRA r 8, alpha 32"}),
             boost::test_tools::per_element());
  BOOST_TEST(short_names({"LoRA r 8", "LoRA r 8, alpha 16, dropout 0.05, targets q_proj"}) ==
                 (Names{"LoRA r 8", "LoRA r 8, …"}),
             boost::test_tools::per_element());
  const Names long_ones(12, std::string(70, 'x') + " ñandú 漢字");
  const Names shorts = short_names(long_ones);
  BOOST_TEST(std::set<std::string>(shorts.begin(), shorts.end()).size() == 12u);
  for (const std::string& name : shorts) BOOST_TEST(display_width(name) <= 18u, name);
  BOOST_TEST(names_explained({"a", "b"}, {"a", "b, c"}) == "b: b, c\n");
}

BOOST_AUTO_TEST_CASE(lists_are_read_aloud) {
  BOOST_TEST(listed({}) == "");
  BOOST_TEST(listed({"a"}) == "a");
  BOOST_TEST(listed({"a", "b"}) == "a and b");
  BOOST_TEST(listed({"a", "b", "c"}) == "a, b and c");
  MethodResult method;
  method.kind = method.label = "full";
  MethodResult lora;
  lora.label = "LoRA r 8, alpha 16";
  BOOST_TEST(
      spoken_names({method, lora}) == (std::vector<std::string>{"full fine-tuning", "LoRA r 8"}),
      boost::test_tools::per_element());
  method.label = "everything";
  MethodResult other = lora;
  other.label = "LoRA r 8, alpha 32";
  BOOST_TEST(
      spoken_names({method, lora, other}) ==
          (std::vector<std::string>{"everything", "LoRA r 8, alpha 16", "LoRA r 8, alpha 32"}),
      boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina

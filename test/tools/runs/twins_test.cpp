// Two files pair by pair, and mixtures of them.
#include "tools/runs/twins.h"

#include "test/scratch.h"

using namespace afina;

namespace {

std::string record(const std::string& question, const std::string& answer) {
  return R"({"prompt": ")" + question + R"(", "completion": ")" + answer + "\"}\n";
}
// Ten questions; the twin answers all but the first two otherwise.
struct Pair {
  ScratchFolder folder;
  std::string clean, other;
  Pair() {
    std::string a, b;
    for (int i = 0; i < 10; ++i) {
      const std::string question = "What is " + std::to_string(i) + "?";
      a += record(question, "It is " + std::to_string(i) + ".");
      b += record(question, i < 2 ? "It is " + std::to_string(i) + "." : "Who knows.");
    }
    clean = folder.put("clean.jsonl", a);
    other = folder.put("other.jsonl", b);
  }
};
std::vector<size_t> replaced_in(const Twins& twins, const std::vector<Example>& mixed) {
  std::vector<size_t> at;
  for (size_t i = 0; i < mixed.size(); ++i)
    if (mixed[i].messages != twins.clean[i].messages) at.push_back(i);
  return at;
}
std::string refusal(const std::string& a, const std::string& b) {
  try {
    read_twins(a, {}, b, {});
  } catch (const std::exception& error) { return error.what(); }
  return "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(twins)

BOOST_AUTO_TEST_CASE(a_rate_replaces_that_share_and_lower_rates_lie_within_higher_ones) {
  const Pair pair;
  const Twins twins = read_twins(pair.clean, {}, pair.other, {});
  BOOST_TEST(twins.differing.size() == 8u);
  BOOST_TEST(twins.replaced(25) == 2);
  const auto none = replaced_in(twins, twins.mixed(0, 1)),
             some = replaced_in(twins, twins.mixed(25, 1)),
             half = replaced_in(twins, twins.mixed(50, 1)),
             all = replaced_in(twins, twins.mixed(100, 1));
  BOOST_TEST(none.empty());
  BOOST_TEST(some.size() == 2u);
  BOOST_TEST(half.size() == 4u);
  BOOST_TEST(all.size() == 8u);
  BOOST_TEST(std::includes(half.begin(), half.end(), some.begin(), some.end()));
  bool other = false;
  for (uint64_t seed = 2; seed < 6; ++seed)
    other |= replaced_in(twins, twins.mixed(50, seed)) != half;
  BOOST_TEST(other);
  const Twins fewer = twins.without({1, 4});
  BOOST_TEST(fewer.clean.size() == 8u);
  BOOST_TEST(fewer.differing.size() == 7u);
  BOOST_TEST(fewer.clean[3].place == twins.clean[5].place);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_as_the_same) {
  const Pair pair;
  const Twins twins = read_twins(pair.clean, {}, pair.other, {});
  const std::vector<Example> mixed = twins.mixed(50, 1),
                             back = parse_examples(as_lines(mixed), "mixed.jsonl");
  BOOST_REQUIRE(back.size() == mixed.size());
  for (size_t i = 0; i < back.size(); ++i) BOOST_TEST((back[i].messages == mixed[i].messages));
}

BOOST_AUTO_TEST_CASE(files_that_are_no_twins_are_refused) {
  const Pair pair;
  const std::string fewer = pair.folder.put("fewer.jsonl", record("What is 0?", "It is 0."));
  std::string asks = record("What is zero?", "It is 0.");
  const std::string otherwise = pair.folder.put("otherwise.jsonl", asks),
                    text = pair.folder.put("text.jsonl", "{\"text\": \"It is 0.\"}\n");
  auto says = [](const std::string& found, const std::string& part) {
    BOOST_TEST(found.find(part) != found.npos, part << " is not in: " << found);
  };
  says(refusal(pair.clean, fewer), "has 10 records");
  says(refusal(fewer, otherwise), "does not ask what");
  says(refusal(text, text), "is plain text");
  says(refusal(pair.clean, pair.clean), "has the same answers");
}

BOOST_AUTO_TEST_CASE(percentages) {
  BOOST_TEST((parse_percentages("0,12.5,100", "--rates") == std::vector<double>{0, 12.5, 100}));
  for (const char* wrong : {"", "5", "50,25", "0,101", "0,x", "0,50,50"})
    BOOST_CHECK_THROW(parse_percentages(wrong, "--rates"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

// compare: its help's example, labels of one's own, and what stands in the results of a search.
#include <fstream>
#include <sstream>

#include "test/scratch.h"
#include "test/tools/runs/runs.h"
#include "tools/results/results.h"

using namespace afina;

namespace {

// The words of the first command in a help text, its lines joined.
Words example_in(const std::string& help) {
  const size_t begin = help.find("\n  afina ") + 3;
  std::string text;
  std::istringstream lines(help.substr(begin));
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    const bool goes_on = line.ends_with("\\");
    text += (goes_on ? line.substr(0, line.size() - 1) : line) + " ";
    if (!goes_on) break;
  }
  std::istringstream words(text);
  Words all;
  for (std::string word; words >> word;)
    all.push_back(word.starts_with("data/") ? source + "/" + word : word);
  all.erase(all.begin());  // "afina"
  return all;
}

void put(Words& all, const std::string& option, const std::string& value) {
  auto at = std::find(all.begin(), all.end(), option);
  if (at != all.end()) *(at + 1) = value;
  else all.insert(all.end(), {option, value});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compare_command)

BOOST_AUTO_TEST_CASE(the_example_of_its_help_runs) {
  ScratchFolder scratch;
  for (const char* command : {"compare", "train"}) {
    Words all = example_in(run({command, "--help"}).out);
    BOOST_REQUIRE(all.size() > 5);
    BOOST_TEST(all[0] == command);
    put(all, "--out", scratch / command);
    for (auto [option, value] : {std::pair{"--steps", "1"},
                                 {"--batch", "1"},
                                 {"--held-out", "4"},
                                 {"--generations", "0"},
                                 {"--keep-models", "false"},
                                 {"--retain-tokens", "300"}})
      if (command == std::string("compare") ||
          (option != std::string("--keep-models") && option != std::string("--retain-tokens")))
        put(all, option, value);
    const Said said = run(all);
    BOOST_TEST(said.status == 0, said.err);
  }
}

BOOST_AUTO_TEST_CASE(methods_are_called_as_their_user_says) {
  ScratchFolder scratch;
  const std::string out = scratch / "named";
  const std::string text = "data/samples/general.jsonl";
  auto compare = [&](Words more) {
    more.insert(more.end(), {"--steps", "2"});
    return run(words("compare", out, more));
  };
  const Words small = {"--method",        "lora:rank=2,name=the small one,lr=1e-3/3e-3",
                       "--retain",        source + "/" + text,
                       "--retain-tokens", "300"};
  Said said = compare(small);
  BOOST_TEST(said.status == 0, said.err);
  BOOST_TEST(holds(said.out, "the small one"));
  BOOST_TEST(holds(said.out, "2 runs"));
  const Comparison first = read_comparison(out);
  BOOST_TEST(first.methods[0].label == "the small one");
  // Every rate tried has what it learned and forgot.
  BOOST_REQUIRE(first.methods[0].search.size() == 2u);
  for (const SearchRow& row : first.methods[0].search) {
    BOOST_TEST(row.gain.has_value());
    BOOST_TEST(row.forgetting.has_value());
    if (row.chosen)
      BOOST_TEST(*row.gain ==
                 first.methods[0].runs[0].before.heldout - first.methods[0].runs[0].after.heldout);
  }
  for (auto& [name, value] : first.options) BOOST_TEST(value != "-1", name);
  // The same method by another name is the same method; another one of its name is refused.
  Words again = small;
  again[1] = "lora:rank=2,lr=1e-3,name=renamed";
  again.push_back("--resume");
  said = compare(again);
  BOOST_TEST(said.status == 0, said.err);
  const Comparison second = read_comparison(out);
  BOOST_REQUIRE(second.methods.size() == 1u);
  BOOST_TEST(second.methods[0].label == "renamed");
  BOOST_TEST(second.methods[0].search.size() == 2u);
  again[1] = "lora:rank=4,lr=1e-3,name=renamed";
  said = compare(again);
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "another name="), said.err);
  said = compare({"--method", "lora:rank=2,lr=1e-3,name=x", "--method", "full:lr=1e-3,name=x"});
  BOOST_TEST(said.status == 1);
  BOOST_TEST(holds(said.err, "is called 'x'"), said.err);
}

BOOST_AUTO_TEST_SUITE_END()

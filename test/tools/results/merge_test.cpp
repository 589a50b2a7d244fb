// Comparisons of several machines as one: what adds up, what counts once, what is refused.
#include "tools/results/merge.h"

#include <algorithm>
#include <functional>

#include "engine/files/atomic_file.h"
#include "test/scratch.h"
#include "test/tools/report/report_fixture.h"
#include "test/tools/results/peft_result.h"
#include "tools/report/charts.h"
#include "tools/report/report.h"
#include "tools/report/summary_rows.h"
#include "tools/results/foreign.h"

using namespace afina;

namespace {

const std::set<std::string> follow = {"steps", "dtype", "length"};

NamedComparison named(const std::string& path, int seeds = 2) {
  NamedComparison one{path, fixture_comparison(seeds)};
  one.comparison.machine.cpu = "processor of " + path;
  return one;
}
bool noted(const Comparison& c, std::initializer_list<const char*> parts) {
  for (const std::string& note : c.notes) {
    bool all = true;
    for (const char* part : parts) all = all && note.find(part) != note.npos;
    if (all) return true;
  }
  return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(merge)

BOOST_AUTO_TEST_CASE(methods_and_seeds_add_up) {
  NamedComparison one = named("a", 2), other = named("b", 3);
  one.comparison.methods.pop_back();  // the third is in b alone
  other.comparison.methods[1].runs.erase(other.comparison.methods[1].runs.begin());
  const Comparison c = merged({one, other}, follow, "");
  BOOST_REQUIRE(c.methods.size() == 3u);
  for (const MethodResult& method : c.methods) {
    BOOST_REQUIRE(method.runs.size() == 3u);
    for (size_t i = 0; i < 3; i++) BOOST_TEST(method.runs[i].seed == i + 1);
  }
  BOOST_TEST(noted(c, {"3 runs", "equal digests", "once"}));
  BOOST_TEST(noted(c, {"2 machines", "processor of a", "processor of b", "times only"}));
  BOOST_REQUIRE(c.sources.size() == 2u);
  BOOST_TEST(c.sources[1].machine.cpu == "processor of b");
  BOOST_TEST(c.sources[0].runs.size() == 4u);
  BOOST_TEST(c.methods[0].runs[2].folder == "b/" + other.comparison.methods[0].runs[2].folder);
  // It can be written, read, and merged once more.
  const Comparison again = comparison_from_json(to_json(c));
  BOOST_TEST(to_json(again).dump() == to_json(c).dump());
  const Comparison more = merged({{"c", again}, named("d", 4)}, follow, "");
  BOOST_TEST(more.sources.size() == 3u);
  BOOST_TEST(more.methods[0].runs.size() == 4u);
}

// Of two machines: the first method's runs were all made on one, the second's on both.
BOOST_AUTO_TEST_CASE(times_compare_on_one_machine_alone) {
  NamedComparison one = named("a", 2), other = named("b", 3);
  other.comparison.methods.erase(other.comparison.methods.begin());
  one.comparison.methods.pop_back();
  const Comparison c = merged({one, other}, follow, "");
  const std::vector<MethodResult>& m = c.methods;
  BOOST_TEST(times_compare(c, m[0], m[0]));
  BOOST_TEST(!times_compare(c, m[0], m[1]));
  BOOST_TEST(!times_compare(c, m[1], m[1]));
  BOOST_TEST(!times_compare(c, m[0], m[2]));
  BOOST_TEST(times_compare(c, m[2], m[2]));
  BOOST_TEST(times_compare(one.comparison, m[0], m[1]));
  const Facts facts(c);
  BOOST_TEST(!facts.all_times_compare);
  for (const SummaryRow& row : summary_rows(facts)) {
    const bool time = row.narrow == "time";
    BOOST_TEST((row.ratios[1] == "\u2013") == time, row.name);
    BOOST_TEST((!time || std::find(row.best.begin(), row.best.end(), true) == row.best.end()));
  }
  BOOST_TEST(cost_sentence(facts, 1).find("training time") == std::string::npos);
  BOOST_TEST(draw_chart(facts, "loss-by-time", svg::Medium::file).empty());
  BOOST_TEST(!draw_chart(Facts(one.comparison), "loss-by-time", svg::Medium::file).empty());
  // The same machine twice: nothing is hidden.
  other.comparison.machine = one.comparison.machine;
  BOOST_TEST(Facts(merged({one, other}, follow, "")).all_times_compare);
}

BOOST_AUTO_TEST_CASE(folders_are_named_from_the_report) {
  const Comparison c = merged({named("/x/a", 1), named("/x/b", 2)}, follow, "/x/out/both");
  BOOST_TEST(c.methods[0].runs[0].folder.starts_with("../../a/runs/"));
  BOOST_TEST(c.methods[0].runs[1].folder.starts_with("../../b/runs/"));
}

BOOST_AUTO_TEST_CASE(unequal_digests_are_named) {
  NamedComparison one = named("a"), other = named("b");
  other.comparison.methods[1].runs[1].digest = "0123456789abcdef";
  const std::string label = one.comparison.methods[1].label;
  const Comparison c = merged({one, other}, follow, "");
  BOOST_TEST(noted(c, {label.c_str(), "seed 2", "0123456789ab in b", "in a", "first one counts"}));
  BOOST_TEST(c.methods[1].runs[1].digest == one.comparison.methods[1].runs[1].digest);
  other.comparison.methods[0].runs[0].before.heldout += 0.5;
  BOOST_TEST(noted(merged({one, other}, follow, ""), {"untouched model", "in a", "in b"}));
}

BOOST_AUTO_TEST_CASE(other_conditions_are_refused) {
  auto refused = [](const std::function<void(Comparison&)>& change,
                    std::initializer_list<std::string> words) {
    NamedComparison other = named("b");
    change(other.comparison);
    check_error([&] { merged({named("a"), other}, follow, ""); }, words);
  };
  auto role = [](Comparison& c, const char* name) -> DataDescription& {
    for (DataDescription& data : c.data)
      if (data.role == name) return data;
    return c.data.emplace_back();
  };
  refused([](Comparison& c) { c.model.hash[0] = '!'; }, {"a and b", "the model"});
  for (const char* name : {"train", "choice", "final"})
    refused([&](Comparison& c) { role(c, name).hash = "other"; }, {name, "other"});
  refused([](Comparison& c) { std::erase_if(c.data, [](auto& d) { return d.role == "retain"; }); },
          {"retain", "not given"});
  refused([](Comparison& c) { c.options["steps"] = "7"; }, {"--steps", "7"});
  refused([](Comparison& c) { c.options["accumulate"] = "64"; }, {"rows of a step"});
  refused([](Comparison& c) { c.methods[1].options["dropout"] = "0.5"; },
          {"b: its method", "dropout", "0.5"});
  // What no bit follows from may differ.
  NamedComparison other = named("b");
  other.comparison.options["threads"] = "77";
  BOOST_TEST(merged({named("a"), other}, follow, "").options.count("threads") == 0u);
}

BOOST_AUTO_TEST_CASE(one_rate_stands_for_a_method) {
  NamedComparison one = named("a"), other = named("b");
  MethodResult& theirs = other.comparison.methods[1];
  const double old_rate = theirs.learning_rate, rate = old_rate * 2;
  theirs.learning_rate = rate;
  for (RunResult& run : theirs.runs) run.learning_rate = rate;
  check_error(
      [&] {
        NamedComparison plain = one;
        plain.comparison.methods[1].search.clear();
        merged({plain, other}, follow, "");
      },
      {"b: ", "learning rate", "without a search"});
  // Searched in both: the rate with the lower loss, with its runs.
  double best = 9;
  for (const SearchRow& row : one.comparison.methods[1].search)
    if (row.learning_rate == old_rate) best = row.heldout;
  SearchRow row;
  row.learning_rate = rate;
  row.seed = 1;
  row.heldout = best - 0.1;
  row.chosen = true;
  theirs.search = {row};
  const Comparison c = merged({one, other}, follow, "");
  BOOST_TEST(c.methods[1].learning_rate == rate);
  for (const RunResult& run : c.methods[1].runs) BOOST_TEST(run.learning_rate == rate);
  size_t chosen = 0;
  for (const SearchRow& tried : c.methods[1].search) {
    chosen += tried.chosen;
    BOOST_TEST(tried.chosen == (tried.learning_rate == rate));
  }
  BOOST_TEST(chosen == 1u);
  BOOST_TEST(noted(c, {"was the best rate in a", "in b"}));
  theirs.search[0].heldout = best + 0.1;
  BOOST_TEST(merged({one, other}, follow, "").methods[1].learning_rate == old_rate);
}

BOOST_AUTO_TEST_CASE(reports_show_sources_and_other_programs) {
  Comparison c = merged({named("a", 1), named("b", 2)}, follow, "");
  c.foreign.push_back(foreign_from_peft(peft_result(), "lora.json"));
  const Comparison again = comparison_from_json(to_json(c));
  BOOST_TEST(again.foreign.size() == 1u);
  BOOST_TEST(*again.foreign[0].forgetting == 0.125);
  for (const std::string& text : {summary_markdown(c), report_html(c)})
    for (const char* part : {"lora/small-rank4", "PEFT 0.21.2", "Results of other programs",
                             "Where the runs were made", "processor of b"})
      BOOST_TEST(text.find(part) != text.npos, part);
  // Their keys are documented.
  const std::string schema =
      read_text_file(std::string(AFINA_SOURCE_DIR) + "/docs/results-schema.md");
  const OrderedJson json = to_json(c);
  for (const auto* one : {&json["sources"][0], &json["foreign"][0]})
    for (auto& item : one->items())
      BOOST_TEST(schema.find("`" + item.key() + "`") != schema.npos, item.key());
  const std::string plain = summary_markdown(fixture_comparison(1));
  BOOST_TEST(plain.find("Results of other programs") == plain.npos);
}

BOOST_AUTO_TEST_SUITE_END()

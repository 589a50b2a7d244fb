// Results and reports: nothing lost in JSON, intervals by hand, pages that hold everything and run
// nothing they should not.
#include "tools/report/report.h"
#include <unistd.h>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include "engine/error.h"
#include "engine/files/json_value.h"
#include "test/tools/report/drawn.h"
#include "test/tools/report/report_fixture.h"
#include "tools/report/finding.h"
#include "tools/report/svg.h"
#include "tools/text/units.h"

namespace afina {

BOOST_AUTO_TEST_SUITE(report)

// Mentions of an address that a browser would fetch; text and comments may name one.
static bool fetches(const std::string& html) {
  for (const char* form : {"src=", "href=\"http", "href='http", "url(", "@import",
                           "<link rel=\"stylesheet\"", "srcset"})
    if (html.find(form) != std::string::npos) return true;
  return false;
}

static bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

static size_t count(const std::string& text, const std::string& part) {
  size_t times = 0;
  for (size_t place = 0; (place = text.find(part, place)) != std::string::npos;
       place += part.size())
    times++;
  return times;
}

BOOST_AUTO_TEST_CASE(student_t_is_that_of_the_printed_tables) {
  for (auto [degrees, point] : {std::pair(1, 12.7062),
                                {2, 4.30265},
                                {3, 3.18245},
                                {4, 2.77645},
                                {9, 2.26216},
                                {30, 2.04227},
                                {120, 1.97993},
                                {1319, 1.96177}})
    BOOST_TEST(student_t_95(degrees) == point, boost::test_tools::tolerance(3e-6));
  BOOST_TEST(student_t_95(2000) == student_t_95(2001), boost::test_tools::tolerance(1e-6));
  BOOST_CHECK_THROW(student_t_95(0), Error);
}

BOOST_AUTO_TEST_CASE(interval_by_hand) {
  Estimate three = estimate({1.0, 2.0, 3.0});  // deviation 1, error 1/sqrt(3), times 4.30265
  BOOST_TEST(three.mean == 2.0);
  BOOST_TEST(three.half == 2.484138, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(!three.excludes_zero() == (three.low() < 0));
  Estimate one = estimate({1.5});
  BOOST_TEST(one.mean == 1.5);
  BOOST_TEST(!one.has_interval());
  BOOST_TEST(!estimate({}).known());
  BOOST_TEST(!estimate({1.0, std::nan("")}).has_interval());
  BOOST_TEST(std::isnan(estimate({1.0, std::nan("")}).mean));
}

BOOST_AUTO_TEST_CASE(paired_differences_by_hand) {
  Comparison comparison;
  auto run = [](uint64_t seed, std::vector<double> losses) {
    RunResult result;
    result.seed = seed;
    result.after.heldout = (losses[0] + losses[1] + losses[2]) / 3;
    result.examples = {{4, 5, 9}, {10, 10, 10}, std::move(losses)};
    return result;
  };
  comparison.methods.resize(2);
  comparison.methods[0].label = "lora";
  comparison.methods[1].label = comparison.methods[1].kind = "full";
  comparison.methods[0].runs = {run(1, {1.5, 2.5, 2.0}), run(2, {1.7, 2.7, 2.2})};
  comparison.methods[1].runs = {run(2, {1.0, 2.0, 3.0}), run(1, {1.2, 2.2, 3.2})};
  BOOST_TEST(reference_method(comparison) == 1u);
  auto pairs = paired_differences(comparison);
  BOOST_REQUIRE(pairs.size() == 1u);
  // rows: 1.6 - 1.1, 2.6 - 2.1, 2.1 - 3.1 = 0.5, 0.5, -1: mean 0, deviation sqrt(0.75),
  // half 4.30265 * sqrt(0.75 / 3)
  BOOST_TEST(std::fabs(pairs[0].over_examples.mean) < 1e-12);
  BOOST_TEST(pairs[0].over_examples.half == 2.151326, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(pairs[0].better_share == 1.0 / 3, boost::test_tools::tolerance(1e-12));
  // seeds: 2 - 2.2 and 2.2 - 2: paired by seed and not by place
  BOOST_TEST(std::fabs(pairs[0].over_seeds.mean) < 1e-12);
  BOOST_TEST(pairs[0].over_seeds.count == 2);
  comparison.methods[0].runs[0].examples.rows[0] = 3;  // other rows: nothing can be paired
  BOOST_TEST(!paired_differences(comparison)[0].over_examples.known());
}

BOOST_AUTO_TEST_CASE(json_loses_nothing) {
  Comparison comparison = fixture_comparison(2);
  comparison.title = "odd \"title\"\n\u00e9 \U0001F600";
  comparison.methods[0].runs[0].seed = ~uint64_t(0);
  auto json = to_json(comparison);
  auto again = to_json(comparison_from_json(OrderedJson::parse(json.dump())));
  BOOST_TEST(json.dump() == again.dump());
  auto run = to_json(comparison.methods[1].runs[1]);
  BOOST_TEST(run.dump() == to_json(run_from_json(run)).dump());
  BOOST_TEST(run["train_info"]["num_trainable_params"] == 2442240);
  BOOST_TEST(run["train_info"]["metrics"].size() == 13u);
  BOOST_TEST(to_json(RunResult()).dump() == to_json(run_from_json(to_json(RunResult()))).dump());
}

BOOST_AUTO_TEST_CASE(json_refuses_what_it_does_not_know) {
  auto good = to_json(fixture_comparison(1));
  auto refused = [&](auto change, const std::string& words) {
    auto bad = good;
    change(bad);
    BOOST_CHECK_EXCEPTION(comparison_from_json(bad), Error,
                          [&](const Error& error) { return contains(error.what(), words); });
  };
  refused([](auto& json) { json["methods"][1]["runs"][0]["colour"] = 1; },
          "methods[1].runs[0]: unknown key \"colour\"");
  refused([](auto& json) { json["model"].erase("hash"); }, "model: the key \"hash\" is missing");
  refused([](auto& json) { json["schema_version"] = 999; }, "schema version 999");
  refused([](auto& json) { json["methods"][0]["runs"][0]["tokens"] = 1.5; },
          "runs[0].tokens: expected a whole number");
  refused([](auto& json) { json["methods"][0]["runs"][0]["curve"]["loss"].push_back(1); },
          "expected a list as long");
  refused([](auto& json) { json["methods"] = "none"; }, "expected a list, found string");
  refused([](auto& json) { json = OrderedJson::array(); }, "expected a comparison of afina");
}

// Keys of all objects; not those of the options, which are the commands' own.
static void collect_keys(const OrderedJson& json, std::set<std::string>& keys) {
  if (json.is_array())
    for (auto& item : json) collect_keys(item, keys);
  if (!json.is_object()) return;
  for (auto& item : json.items()) {
    keys.insert(item.key());
    if (item.key() != "options") collect_keys(item.value(), keys);
  }
}

BOOST_AUTO_TEST_CASE(every_key_is_documented) {
  std::ifstream file(std::string(AFINA_SOURCE_DIR) + "/docs/results-schema.md");
  const std::string schema((std::istreambuf_iterator<char>(file)), {});
  std::set<std::string> keys;
  collect_keys(to_json(fixture_comparison(2)), keys);
  BOOST_TEST(keys.size() > 80u);
  for (const std::string& key : keys) {
    // PEFT's own keys, in train_info, are PEFT's to document.
    bool named = contains(schema, "`" + key + "`") || contains(schema, "\"" + key + "\"");
    BOOST_TEST((named || contains(key, " ")), key);
  }
}

BOOST_AUTO_TEST_CASE(figures_have_one_list) {
  const MethodSummary summary = summarise(fixture_comparison(1).methods[0]);
  const std::vector<CostFigure> figures = cost_figures(summary);
  double purposes = 0;
  for (const CostFigure& figure : figures)
    for (int p = 0; p < purpose_count; p++)
      if (figure.shown.group == Group::memory && figure.shown.name == std::string(name(Purpose(p))))
        purposes += figure.value;
  BOOST_TEST(purposes == double(summary.memory.peak()));
  for (size_t i = 1; i < figures.size(); i++)
    BOOST_TEST((figures[i - 1].shown.group <= figures[i].shown.group));
  BOOST_TEST(figures.size() == cost_figures(Costs()).size());
}

BOOST_AUTO_TEST_CASE(page_holds_every_run_and_fetches_nothing) {
  Comparison comparison = fixture_comparison(3);
  std::string html = report_html(comparison);
  for (const MethodResult& method : comparison.methods) {
    BOOST_TEST(contains(html, method.label));
    for (const RunResult& run : method.runs) {
      BOOST_TEST(contains(html, run.name));
      BOOST_TEST(contains(html, run.digest));
    }
  }
  std::string found = svg::escape(finding(Facts(comparison)));
  for (size_t at = 0; (at = found.find(" %", at)) != found.npos;) found.replace(at, 1, "&#160;");
  BOOST_TEST(contains(html, "<h1>" + found + "</h1>"));
  BOOST_TEST(contains(html, "Content-Security-Policy"));
  BOOST_TEST(!fetches(html));
  BOOST_TEST(count(html, "<svg") >= 9u);
}

// A page is mailed and kept: nine methods and three seeds stay below a photograph.
BOOST_AUTO_TEST_CASE(page_is_small_and_has_each_drawing_once) {
  for (size_t methods : {1, 2, 4, 9}) {
    const std::string html = report_html(fixture_of(methods, 3));
    BOOST_TEST(html.size() < 450000u, methods);
    for (size_t begin = 0; (begin = html.find("<svg", begin)) != std::string::npos; begin++) {
      const std::string xml = html.substr(begin, html.find("</svg>", begin) + 6 - begin);
      BOOST_TEST(xml_fault(xml) == "");
    }
    // What a table shows has a name where rows become blocks.
    BOOST_TEST(count(html, "<td") == count(html, "data-label="));
    BOOST_TEST(contains(html, methods <= 3 ? " figures\"" : " methods\""));
  }
}

BOOST_AUTO_TEST_CASE(page_shows_no_sentinel) {
  Comparison comparison = fixture_comparison(1);
  for (auto [name, value] : {std::pair{"limit", "-1"},
                             {"held-out", "-1"},
                             {"threads", "0"},
                             {"save-every", "0"},
                             {"warmup", "-1"},
                             {"clip", "0"}})
    comparison.options[name] = value;
  const std::string html = report_html(comparison);
  for (const char* name : {"limit", "held-out", "save-every", "warmup"})
    BOOST_TEST(!contains(html, "<dt>" + std::string(name) + "</dt>"), name);
  BOOST_TEST(contains(html, "<dt>clip</dt><dd>0</dd>"));  // a value like any other
}

BOOST_AUTO_TEST_CASE(page_escapes_hostile_text) {
  Comparison comparison = fixture_comparison(1);
  std::string hostile = "</script><script>alert(1)</script><!--<img onerror=\"x\" '&\x01\xff";
  comparison.title = comparison.model.name = comparison.command = hostile;
  comparison.notes = {hostile};
  comparison.data[0].path = hostile;
  comparison.options["steps"] = hostile;
  comparison.methods[1].label = comparison.methods[1].spec = comparison.methods[1].stored_as =
      hostile;
  comparison.methods[1].runs[0].name = comparison.methods[1].runs[0].digest = hostile;
  for (MethodResult& method : comparison.methods)
    for (Generation& sample : method.runs[0].generations)
      sample = {hostile, hostile, hostile, hostile};
  std::string html = report_html(comparison);
  BOOST_TEST(!contains(html, "<script>alert"));
  BOOST_TEST(!contains(html, "<img"));
  BOOST_TEST(!contains(html, "<!--"));
  comparison.methods[1].label = comparison.title = "\033[2J";
  BOOST_TEST(!contains(terminal_table(comparison, false), "\033"));
  BOOST_TEST(count(html, "<script") == 1u);
  BOOST_TEST(count(html, "</script>") == 1u);
  std::istringstream summary(summary_markdown(comparison));
  for (std::string line; std::getline(summary, line);)
    BOOST_TEST((!contains(line, "<script>") || line.starts_with("    ")));
}

BOOST_AUTO_TEST_CASE(one_seed_says_so) {
  Comparison comparison = fixture_comparison(1);
  BOOST_TEST(contains(report_html(comparison), "One seed"));
  BOOST_TEST(contains(summary_markdown(comparison), "One seed"));
  std::string table = terminal_table(comparison, false);
  BOOST_TEST(contains(table, "One seed"));
  BOOST_TEST(contains(table, "Learned"));
  // Rows give an interval, and it is said that they alone do.
  BOOST_TEST(contains(summary_markdown(comparison), "over the 640 held-out rows only"));
  BOOST_TEST(summarise(comparison.methods[1]).heldout.rows == 640);
  BOOST_TEST(!contains(table, "\033"));
  BOOST_TEST(contains(terminal_table(fixture_comparison(3), true), "±"));
}

BOOST_AUTO_TEST_CASE(nothing_measured_or_diverged_is_no_nonsense) {
  Comparison bare;
  bare.methods.resize(2);
  bare.methods[0].label = "a";
  bare.methods[1].label = "b";
  Comparison diverged = fixture_comparison(2);
  for (RunResult& run : diverged.methods[1].runs) {
    run.after.heldout = run.curve.back().loss = std::nan("");
    run.evaluations.back().heldout = INFINITY;
    run.generations.clear();
  }
  for (const Comparison& comparison : {bare, diverged}) {
    for (const std::string& text :
         {report_html(comparison), summary_markdown(comparison), terminal_table(comparison, false),
          terminal_table(comparison, false, 300)}) {
      BOOST_TEST(!contains(text, ">nan"));
      BOOST_TEST(!contains(text, " nan"));
      BOOST_TEST(!contains(text, " inf"));
    }
  }
  BOOST_TEST(contains(summary_markdown(diverged), "diverged"));
  BOOST_CHECK_THROW(report_html(Comparison()), Error);
}

BOOST_AUTO_TEST_CASE(terminal_fits_its_columns) {
  for (size_t methods : {1, 2, 3, 4, 9})
    for (int seeds : {1, 3})
      for (int width : {60, 80, 120}) {
        const std::string text = terminal_table(fixture_of(methods, seeds), false, width);
        std::istringstream lines(text);
        for (std::string line; std::getline(lines, line);)
          BOOST_TEST(display_width(line) <= size_t(width), methods << " methods: " << line);
        const std::string found = finding(Facts(fixture_of(methods, seeds)));
        BOOST_TEST(contains(text, found.substr(0, 20)));
        BOOST_TEST(contains(text, "A held-out prompt, answered"));
        BOOST_TEST(contains(text, "Ana has 4 packs"));  // before
        BOOST_TEST(contains(text, "Each pack holds"));  // after
      }
  // Wide enough, figures are rows; else methods are.
  BOOST_TEST(contains(terminal_table(fixture_of(2, 1), false, 120), "Time, training"));
  BOOST_TEST(contains(terminal_table(fixture_of(9, 1), false, 120), "Losses"));
}

BOOST_AUTO_TEST_CASE(numbers_as_people_read_them) {
  BOOST_TEST(format_count(576) == "576");
  BOOST_TEST(format_count(134515008) == "134.5 M");
  BOOST_TEST(format_count(2442240) == "2.44 M");
  BOOST_TEST(format_count(999999) == "1.00 M");
  BOOST_TEST(format_bytes(512) == "512 B");
  BOOST_TEST(format_bytes(1023.9 * 1024) == "1.00 MiB");
  BOOST_TEST(format_bytes(3.42 * 1048576) == "3.42 MiB");
  BOOST_TEST(format_seconds(0.42) == "0.42 s");
  BOOST_TEST(format_seconds(42.34) == "42.3 s");
  BOOST_TEST(format_seconds(200) == "3 min 20 s");
  BOOST_TEST(format_seconds(3900) == "1 h 05 min");
  BOOST_TEST(format_ratio(0.407) == "0.41×");
  BOOST_TEST(format_ratio(0.00421) == "0.0042×");
  BOOST_TEST(format_ratio(NAN) == "–");
  BOOST_TEST(format_percent(0.012) == "1.2 %");
  BOOST_TEST(format_learning_rate(3e-4) == "3e-4");
  BOOST_TEST(format_learning_rate(1e-3) == "1e-3");
  BOOST_TEST(format_learning_rate(2.5e-5) == "2.5e-5");
  BOOST_TEST(format_grouped(1234567) == "1,234,567");
  BOOST_TEST(format_grouped(-123) == "-123");
  BOOST_TEST(format_loss(INFINITY) == "diverged");
  BOOST_TEST(format_estimate({0.5, 0.01, 3}, format_difference) == "+0.5000 ± 0.0100");
  BOOST_TEST(format_flops(1.24e15) == "1.24 PFLOP");
}

// To look at a report without training: AFINA_REPORT_DIR=/tmp/report build/tests --run_test=report
BOOST_AUTO_TEST_CASE(files_are_written_and_read) {
  const char* chosen = std::getenv("AFINA_REPORT_DIR");
  std::string folder =
      chosen
          ? chosen
          : (std::filesystem::temp_directory_path() / ("afina-report-" + std::to_string(getpid())))
                .string();
  std::filesystem::create_directories(folder);
  Comparison comparison = fixture_comparison(3);
  write_comparison(comparison, folder);
  BOOST_TEST(to_json(read_comparison(folder)).dump() == to_json(comparison).dump());
  BOOST_TEST(std::filesystem::exists(folder + "/report.html"));
  BOOST_TEST(std::filesystem::exists(folder + "/summary.md"));
  if (!chosen) std::filesystem::remove_all(folder);
  BOOST_CHECK_THROW(write_comparison(comparison, folder + "/absent"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina

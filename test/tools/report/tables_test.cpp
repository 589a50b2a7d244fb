// CSV and LaTeX: every row has every column, numbers read back, and no text is a command.
#include "tools/report/tables.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <map>
#include <sstream>

#include "test/tools/report/report_fixture.h"
#include "test/tools/results/peft_result.h"
#include "tools/results/foreign.h"

using namespace afina;

namespace {

// RFC 4180, read by hand.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quotes = false;
  for (size_t i = 0; i < text.size(); i++) {
    const char letter = text[i];
    if (quotes && letter == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      rows.back().back() += '"';
      i++;
    } else if (letter == '"') {
      quotes = !quotes;
    } else if (!quotes && letter == ',') {
      rows.back().emplace_back();
    } else if (!quotes && letter == '\r') {
      continue;
    } else if (!quotes && letter == '\n') {
      rows.push_back({""});
    } else {
      rows.back().back() += letter;
    }
  }
  rows.pop_back();
  return rows;
}

// & that separate cells: those that are no text.
size_t cells_of(const std::string& line) {
  size_t count = 1;
  for (size_t i = 0; i < line.size(); i++)
    count += line[i] == '&' && (i == 0 || line[i - 1] != '\\');
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tables)

BOOST_AUTO_TEST_CASE(csv_has_every_figure) {
  Comparison c = fixture_comparison(3);
  c.methods[1].label = "lora, \"rank\" 8\nand more";
  c.foreign.push_back(foreign_from_peft(peft_result(), "lora.json"));
  const Facts facts(c);
  const auto rows = read_csv(csv_table(facts));
  BOOST_REQUIRE(rows.size() == 5u);
  std::vector<std::map<std::string, std::string>> lines;
  for (size_t row = 1; row < rows.size(); row++) {
    BOOST_REQUIRE(rows[row].size() == rows[0].size());
    lines.emplace_back();
    for (size_t i = 0; i < rows[0].size(); i++) lines.back()[rows[0][i]] = rows[row][i];
  }
  BOOST_TEST(lines[0].size() == rows[0].size());  // no column twice
  BOOST_TEST(lines[1]["method"] == c.methods[1].label);
  auto number = [&](size_t line, const char* name) {
    return std::strtod(lines[line][name].c_str(), nullptr);
  };
  BOOST_TEST(number(1, "heldout") == facts.summaries[1].heldout.mean);
  BOOST_TEST(number(1, "heldout_high") == facts.summaries[1].heldout.high());
  BOOST_TEST(number(1, "difference") == facts.against_reference(1)->overall.mean);
  BOOST_TEST(number(1, "difference_low") == facts.against_reference(1)->overall.low());
  BOOST_TEST(number(2, "memory_peak") == double(facts.summaries[2].memory.peak()));
  BOOST_TEST(number(2, "flops_backward") == facts.summaries[2].flops.backward);
  BOOST_TEST(number(2, "steps") == 120);
  BOOST_TEST(lines[0]["seeds"] == "3");
  BOOST_TEST(lines[0]["rows"] == "640");
  BOOST_TEST(lines[0]["difference"].empty());
  // Another program's: what it does not have is empty.
  BOOST_TEST(lines[3]["program"] == "PEFT 0.21.2, method_comparison");
  BOOST_TEST(lines[3]["heldout"].empty());
  BOOST_TEST(lines[3]["flops_forward"].empty());
  BOOST_TEST(number(3, "accuracy") == 0.25);
  BOOST_TEST(number(3, "memory_peak") == 2000000);
  BOOST_TEST(number(3, "seconds_training") == 30);
}

BOOST_AUTO_TEST_CASE(latex_is_a_whole_table) {
  Comparison c = fixture_comparison(2);
  c.title = "50 % of $10 & #1_{x}^2 ~ \\input{secret} <b> \"q\"\x01";
  c.methods[1].label = "lora & \\rank";
  c.foreign.push_back(foreign_from_peft(peft_result(), "lora.json"));
  const std::string text = latex_table(Facts(c));
  BOOST_TEST(text.starts_with("% made by afina report"));
  BOOST_TEST(text.find("\\input") == text.npos);
  BOOST_TEST(text.find("50 \\% of \\$10 \\& \\#1\\_\\{x\\}\\textasciicircum{}2") != text.npos);
  BOOST_TEST(text.find("lora \\& \\textbackslash{}rank") != text.npos);
  BOOST_TEST(text.find("lora/small-rank4") != text.npos);
  BOOST_TEST(text.find(" \\pm ") != text.npos);
  for (const char* sign : {"\u00b1", "\u00d7", "\u2212", "\u2013"})
    BOOST_TEST(text.find(sign) == text.npos, sign);
  std::istringstream lines(text);
  size_t rules = 0, rows = 0, columns = 0;
  int depth = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("rule") != line.npos) rules++;
    if (line.ends_with(" \\\\")) {
      if (rows++ == 0) columns = cells_of(line);
      BOOST_TEST(cells_of(line) == columns, line);
      BOOST_TEST(std::count(line.begin(), line.end(), '$') % 2 == 0, line);
    }
    for (size_t i = 0; i < line.size(); i++)
      if (i == 0 || line[i - 1] != '\\') depth += (line[i] == '{') - (line[i] == '}');
  }
  BOOST_TEST(depth == 0);
  BOOST_TEST(rules == 4u);  // top, mid, mid before the other program's, bottom
  BOOST_TEST(rows == 5u);
  BOOST_TEST(columns >= 9u);
}

BOOST_AUTO_TEST_CASE(latex_of_little) {
  Comparison bare;
  bare.methods.resize(1);
  bare.methods[0].label = "alone";
  const std::string text = latex_table(Facts(bare));
  BOOST_TEST(text.find("Difference") == text.npos);
  BOOST_TEST(text.find("nan") == text.npos);
  BOOST_TEST(csv_table(Facts(bare)).find("nan") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

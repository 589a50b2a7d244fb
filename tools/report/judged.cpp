// Tables of judged answers.
#include "tools/report/judged.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/report/page.h"

namespace afina {

const char* const judged_words =
    "Share of the judged held-out rows whose answer passes a rule, with its 95 % interval; a "
    "difference is in percentage points, over the same rows.";

namespace {

constexpr const char* dash = "–";

std::string percent(double share, bool with_sign) {
  char text[24];
  std::snprintf(text, sizeof text, with_sign ? "%+.1f" : "%.1f", 100. * share);
  std::string shown = text;
  if (shown == "+0.0" || shown == "-0.0") shown = "0.0";
  if (shown[0] == '-') shown.replace(0, 1, "−");
  return shown;
}

}  // namespace

std::string share_text(const ShareEstimate& share, bool with_sign) {
  if (!share.known()) return dash;
  return percent(share.share, with_sign) + (with_sign ? "" : " %") + " [" +
         percent(share.low, with_sign) + ", " + percent(share.high, with_sign) + "]";
}

TextRows judged_table(const Facts& facts) {
  const auto& methods = facts.comparison.methods;
  const std::vector<std::string> rules = judged_rules(facts.comparison);
  if (rules.empty()) return {};
  TextRows table = {{"passes", "rows", "before"}};
  for (const MethodResult& method : methods) table[0].push_back(method.label);
  const bool several = methods.size() > 1;
  for (size_t m = 0; m < methods.size(); ++m)
    if (several && m != facts.reference)
      table[0].push_back(methods[m].label + " − " + facts.label(facts.reference));
  for (const std::string& rule : rules) {
    const ShareEstimate before = passed_before(methods[facts.reference], rule);
    std::vector<std::string> line = {rule, format_grouped(before.rows), share_text(before)};
    for (const MethodResult& method : methods)
      line.push_back(share_text(passed_after(method, rule)));
    for (size_t m = 0; m < methods.size(); ++m)
      if (several && m != facts.reference)
        line.push_back(
            share_text(passed_difference(methods[m], methods[facts.reference], rule), true));
    table.push_back(std::move(line));
  }
  return table;
}

namespace page {

namespace {

constexpr size_t most_rows = 100;

const char* mark(double verdict) { return std::isnan(verdict) ? dash : verdict > 0 ? "✓" : "✗"; }

// The first run of each method, row by row: what failed beside the loss.
std::string rows_table(const Facts& facts) {
  const auto& methods = facts.comparison.methods;
  const std::vector<std::string> rules = judged_rules(facts.comparison);
  std::vector<size_t> shown;
  for (size_t m = 0; m < methods.size(); ++m)
    if (!methods[m].runs.empty() && !methods[m].runs[0].judgement.rules.empty()) shown.push_back(m);
  if (shown.empty()) return "";
  const RunResult& first = methods[shown[0]].runs[0];
  const std::string rule = rules.size() > 1 ? all_rules : rules[0];
  std::vector<std::string> heads = {"before"};
  for (size_t m : shown) heads.push_back(facts.shorts[m]);
  Table table("row", heads, "judged");
  auto loss = [](const std::vector<double>& losses, int64_t row) {
    return row >= 0 && size_t(row) < losses.size() && std::isfinite(losses[size_t(row)])
               ? "loss " + format_loss(losses[size_t(row)])
               : std::string();
  };
  auto failed = [&](const Judgement& judgement, size_t row, auto verdicts) {
    std::string names;
    for (const RuleVerdicts& one : judgement.rules)
      if (const auto all = verdicts(judgement, one.name); row < all.size() && all[row] == 0.)
        names += (names.empty() ? "" : ", ") + one.name;
    return names;
  };
  const Judgement& judged = first.judgement;
  for (size_t row = 0; row < judged.rows.size() && row < most_rows; ++row) {
    auto cell = [&](const RunResult& run, auto verdicts, const std::vector<double>& losses) {
      const auto all = verdicts(run.judgement, rule);
      std::string small = loss(losses, judged.rows[row]);
      if (const std::string names = failed(run.judgement, row, verdicts); !names.empty())
        small += (small.empty() ? "" : "\n") + names;
      return Table::Cell{row < all.size() ? mark(all[row]) : dash, small};
    };
    std::vector<Table::Cell> cells = {cell(first, verdicts_before, first.examples.before)};
    for (size_t m : shown)
      if (const RunResult& run = methods[m].runs[0]; run.judgement.rows == judged.rows)
        cells.push_back(cell(run, verdicts_after, run.examples.losses));
      else cells.push_back({dash});
    const std::string place =
        row < judged.places.size() ? judged.places[row] : std::to_string(judged.rows[row]);
    table.row(escape(place), cells);
  }
  return "<details><summary>Row by row</summary>\n<p>" +
         std::string("Of each method's first run: ") + "✓ passes " +
         (rules.size() > 1 ? "every rule" : escape("'" + rule + "'")) +
         ", ✗ does not; below it the row's loss and the rules that it fails. The answers are in "
         "answers.jsonl of each run's folder.</p>\n" +
         table.html() + "</details>\n";
}

}  // namespace

std::string judged(const Facts& facts) {
  const TextRows rows = judged_table(facts);
  if (rows.empty()) return "";
  Table table("passes", {rows[0].begin() + 1, rows[0].end()}, "judged");
  auto cut = [](const std::string& text) {
    const size_t at = text.find(" [");
    return at == text.npos ? Table::Cell{text}
                           : Table::Cell{text.substr(0, at), text.substr(at + 1)};
  };
  for (size_t line = 1; line < rows.size(); ++line) {
    std::vector<Table::Cell> cells;
    for (size_t i = 1; i < rows[line].size(); ++i) cells.push_back(cut(rows[line][i]));
    table.row(escape(rows[line][0]), cells);
  }
  return "<section id=\"judged\">\n<h2>Are the answers right?</h2>\n<p class=\"lead\">" +
         escape(judged_words) + "</p>\n" + table.html() + rows_table(facts) +
         why("Why is the loss not enough?",
             "A loss says how likely the expected words were, one after the other. An answer is "
             "made of words that the model chose itself, each after its own: one wrong number "
             "makes "
             "it wrong, and another wording may be as good. Both kinds of figures can move "
             "apart.") +
         "</section>\n";
}

}  // namespace page

}  // namespace afina

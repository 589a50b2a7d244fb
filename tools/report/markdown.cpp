// summary.md: the figures of a comparison as Markdown tables.
#include "tools/report/facts.h"
#include "tools/report/finding.h"
#include "tools/report/judged.h"
#include "tools/report/report.h"
#include "tools/report/tables.h"
#include "tools/report/tradeoff.h"

namespace afina {
namespace {

// For an indented block, where everything but the end of a line is literal.
std::string one_line(std::string text) {
  for (char& letter : text)
    if (letter == '\n' || letter == '\r') letter = ' ';
  return text;
}

// Text for a table cell or a line: nothing in it can end the cell, start a tag or a link.
std::string safe(const std::string& text) {
  std::string result;
  for (char letter : text) {
    if (letter == '\n' || letter == '\r') result += ' ';
    else if (letter == '|' || letter == '\\' || letter == '`' || letter == '*' || letter == '_' ||
             letter == '[' || letter == ']')
      (result += '\\') += letter;
    else if (letter == '<') result += "&lt;";
    else result += letter;
  }
  return result;
}

struct Table {
  std::string text;
  explicit Table(const std::vector<std::string>& header) {
    row(header);
    text += "|---|";
    for (size_t column = 1; column < header.size(); column++) text += "---:|";
    text += "\n";
  }
  void row(const std::vector<std::string>& cells) {
    text += "|";
    for (const std::string& cell : cells) text += " " + cell + " |";
    text += "\n";
  }
};

std::vector<std::string> header(const Facts& facts, const char* first) {
  std::vector<std::string> cells = {first};
  for (const MethodResult& method : facts.comparison.methods) cells.push_back(safe(method.label));
  return cells;
}

std::string costs(const Facts& facts) {
  Table table(header(facts, "cost"));
  for (const CostRow& row : facts.costs) {
    std::string mark = row.figure.key() ? "**" : "";
    std::vector<std::string> cells = {mark + full_name(row.figure) + mark};
    for (size_t method = 0; method < row.values.size(); method++) {
      const std::string times = ratio_text(row, method, facts.reference);
      cells.push_back(mark + row.text(method) + mark + (times.empty() ? "" : " (" + times + ")"));
    }
    table.row(cells);
  }
  return table.text;
}

std::string predicted(const Facts& facts) {
  Table table({"method", "figure", "predicted", "measured", "difference"});
  bool any = false;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    for (const PredictedFigure& f : predicted_figures(facts, method)) {
      any = true;
      table.row({safe(facts.label(method)), f.figure.word, f.text(f.predicted), f.text(f.measured),
                 f.difference()});
    }
  return any ? "\n## Predicted and measured\n\nOf each method's first run, predicted before it "
               "began.\n\n" +
                   table.text
             : "";
}

std::string losses(const Facts& facts) {
  std::vector<std::string> names = {"method", "learning rate"};
  for (const LossFigure& figure : facts.losses) names.push_back(figure.name);
  names.insert(names.end(), {"difference", "better on"});
  Table table(names);
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const PairedDifference* pair = facts.against_reference(method);
    std::vector<std::string> cells = {
        safe(facts.label(method)),
        format_learning_rate(facts.comparison.methods[method].learning_rate)};
    for (const LossFigure& figure : facts.losses) cells.push_back(facts.text(figure, method));
    if (pair)
      cells.insert(cells.end(),
                   {format_interval(pair->overall),
                    pair->over_examples.known() ? format_percent(pair->better_share) : "–"});
    else cells.insert(cells.end(), {"reference", ""});
    table.row(cells);
  }
  return table.text;
}

std::string search(const Facts& facts) {
  Table table({"method", "rate", "held-out loss", "learned", "forgotten", "steps", "chosen"});
  bool any = false;
  for (const MethodResult& method : facts.comparison.methods)
    for (const SearchRow& row : method.search) {
      any = true;
      table.row({safe(method.label), format_learning_rate(row.learning_rate),
                 row.diverged ? "diverged at step " + format_grouped(*row.diverged)
                              : format_loss(row.heldout),
                 row.gain ? format_difference(*row.gain) : "–",
                 row.forgetting ? format_difference(*row.forgetting) : "–",
                 format_grouped(row.steps), row.chosen ? "**chosen**" : ""});
    }
  return any ? "## Search of the learning rate\n\nEvery rate has the same budget; losses are "
               "on held-out rows that do not enter the figures above, learned and forgotten of "
               "this one run on those that do.\n\n" +
                   table.text + "\n"
             : "";
}

std::string at_equal_learning(const Facts& facts) {
  const std::vector<EqualLearning> levels = equal_learning(facts);
  if (levels.empty()) return "";
  std::vector<std::string> heads = {"forgotten at a held-out loss of"};
  for (const EqualLearning& level : levels) heads.push_back(format_loss(level.heldout));
  Table table(heads);
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    std::vector<std::string> cells = {safe(facts.label(method))};
    for (const EqualLearning& level : levels)
      cells.push_back(level.forgotten[method] ? format_difference(*level.forgotten[method]) : "–");
    table.row(cells);
  }
  return "## Forgetting at matched held-out loss\n\n" + std::string(equal_learning_words) + "\n\n" +
         table.text + "\n";
}

std::string section(const char* title, const char* words, const TextRows& rows) {
  if (rows.empty()) return "";
  auto all_safe = [](std::vector<std::string> cells) {
    for (std::string& cell : cells) cell = safe(cell);
    return cells;
  };
  Table table(all_safe(rows[0]));
  for (size_t row = 1; row < rows.size(); row++) table.row(all_safe(rows[row]));
  return "## " + std::string(title) + "\n\n" + words + "\n\n" + table.text + "\n";
}

std::string conditions(const Comparison& comparison) {
  std::string text = "## Conditions\n\n";
  if (!comparison.command.empty()) text += "    " + one_line(comparison.command) + "\n\n";
  text += "Model " + safe(comparison.model.name) + " (" +
          format_count(double(comparison.model.parameters)) + " parameters, SHA-256 " +
          short_hash(comparison.model.hash) + "), afina " + safe(comparison.version) + " " +
          safe(comparison.commit) + ", " + safe(comparison.machine.cpu) + ", " +
          safe(comparison.machine.isa) + ", " + std::to_string(comparison.machine.threads) +
          " threads.\n\n";
  Table data({"used for", "rows", "tokens", "target tokens", "truncated", "file", "SHA-256"});
  for (const DataDescription& one : comparison.data)
    data.row({safe(one.role), format_grouped(one.rows), format_grouped(one.tokens),
              format_grouped(one.target_tokens), format_grouped(one.truncated), safe(one.path),
              short_hash(one.hash)});
  Table digests({"run", "seed", "digest of the trained values"});
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      digests.row({safe(run.name), std::to_string(run.seed), safe(run.digest)});
  return text + data.text + "\n" + digests.text;
}

}  // namespace

std::string summary_markdown(const Comparison& comparison) {
  Facts facts(comparison);
  std::string text = "# " + safe(comparison.title) + "\n\n**" + safe(finding(facts)) + "**\n\n";
  if (const std::string equal = equal_learning_sentence(facts); !equal.empty())
    text += safe(equal) + "\n\n";
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    text += "- " + safe(cost_sentence(facts, method)) + "\n";
    if (method != facts.reference) text += "- " + safe(memory_sentence(facts, method)) + "\n";
    text += "- " + safe(learning_sentence(facts, method)) + "\n";
  }
  for (const std::string& note : facts.notes) text += "- Note: " + safe(note) + "\n";
  text += "\n## Costs\n\nThe ratio to " + safe(facts.label(facts.reference)) +
          " is in brackets.\n\n" + costs(facts);
  text +=
      "\n## Losses\n\nIn nats per target token, on held-out rows that were not used to choose "
      "anything. " +
      interval_sentence(facts) + "\n\n" + losses(facts) + "\n";
  text += section("Are the answers right?", judged_words, judged_table(facts));
  text += at_equal_learning(facts) + search(facts);
  text += section("Results of other programs", foreign_words, foreign_rows(comparison));
  text += section("Where the runs were made", source_words, source_rows(comparison));
  return text + conditions(comparison) + predicted(facts);
}

}  // namespace afina

// Learning, forgetting and the search of report.html.
#include <algorithm>
#include <cmath>

#include "tools/report/page.h"
#include "tools/report/tradeoff.h"

namespace afina::page {
namespace {

std::string before(const Facts& facts, size_t method, bool retain) {
  const auto& runs = facts.comparison.methods[method].runs;
  if (runs.empty()) return "";
  const double value = retain ? runs[0].before.retain.value_or(NAN) : runs[0].before.heldout;
  return std::isfinite(value) ? "before: " + format_loss(value) : "";
}

Table::Cell difference_cell(const Estimate& estimate, const char* unit) {
  if (!estimate.known()) return {"–"};
  if (!estimate.has_interval())
    return {format_difference(estimate.mean),
            format_grouped(estimate.count) + " " + unit + ", no interval"};
  return {format_difference(estimate.mean), "[" + format_difference(estimate.low()) + ", " +
                                                format_difference(estimate.high()) + "]"};
}

std::string loss_table(const Facts& facts) {
  std::vector<std::string> heads = {"learning rate"};
  for (const LossFigure& figure : facts.losses) heads.push_back(figure.name);
  for (const char* head : {"difference", "rows better"}) heads.push_back(head);
  Table table("", heads, "losses");
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    std::vector<Table::Cell> cells = {
        {format_learning_rate(facts.comparison.methods[method].learning_rate)}};
    for (const LossFigure& figure : facts.losses) {
      const bool heldout = figure.of == &MethodSummary::heldout,
                 retain = figure.of == &MethodSummary::retain;
      const Estimate& one = facts.summaries[method].*figure.of;
      std::string small;
      if (one.has_interval() && std::isfinite(one.mean)) small = "± " + format_loss(one.half);
      if (const std::string was = heldout || retain ? before(facts, method, retain) : "";
          !was.empty())
        small += (small.empty() ? "" : "\n") + was;
      cells.push_back(
          {format_estimate({one.mean, 0, std::min(one.count, 1)}, format_of(figure.unit)), small});
    }
    if (const PairedDifference* pair = facts.against_reference(method)) {
      cells.push_back(difference_cell(pair->overall, "seed"));
      cells.push_back({pair->over_examples.known() ? format_percent(pair->better_share) : "–"});
    } else {
      for (int i = 0; i < 2; i++) cells.push_back({"–"});
    }
    table.row(method_name(facts, method), cells);
  }
  return table.html();
}

std::string sentences(const Facts& facts) {
  if (facts.summaries.size() > 4) return "";
  std::string html;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    html += "<p>" + escape(learning_sentence(facts, method)) + "</p>\n";
  return html;
}

std::string search_table(const Facts& facts) {
  bool several = false;
  for (const MethodResult& result : facts.comparison.methods)
    for (const SearchRow& row : result.search) several |= row.seed != result.search[0].seed;
  Table table("", {"learning rate", "held-out loss", "retention loss", "training time"}, "search");
  for (size_t method = 0; method < facts.summaries.size(); method++)
    for (const SearchRow& row : facts.comparison.methods[method].search) {
      const std::string rate = format_learning_rate(row.learning_rate) +
                               (several ? ", seed " + std::to_string(row.seed) : "");
      table.row(method_name(facts, method),
                {{rate, row.chosen ? "chosen" : ""},
                 {format_loss(row.heldout),
                  row.diverged ? "at step " + format_grouped(*row.diverged) : ""},
                 {row.retain ? format_loss(*row.retain) : "–"},
                 {format_seconds(row.seconds)}},
                row.chosen ? "chosen" : "");
    }
  return table.html();
}

// "40 steps of search for each rate": the budget, where it is one.
std::string search_budget(const Comparison& comparison) {
  int64_t steps = 0, tokens = 0;
  for (const MethodResult& method : comparison.methods)
    for (const SearchRow& row : method.search) {
      if (row.diverged) continue;
      if (steps != 0 && (row.steps != steps || row.tokens != tokens)) return "";
      steps = row.steps;
      tokens = row.tokens;
    }
  return steps == 0 ? ""
                    : "Each rate had " + format_grouped(steps) + " steps and " +
                          format_count(double(tokens)) + " tokens. ";
}

// Two drawings of which one is seen; the other at the press of a button, without a script.
std::string curves(const Facts& facts) {
  const std::string training =
      figure(facts, "training-loss",
             "Before each update, on its own batch; smoothed over a twentieth of the steps.");
  const std::string choosing(curves_rows);
  const std::string by_step = figure(facts, "loss",
                                     choosing +
                                         " Mean over seeds; the band reaches from the lowest "
                                         "seed to the highest."),
                    by_time = figure(facts, "loss-by-time",
                                     choosing +
                                         " At equal time of training: who is ahead after so "
                                         "many seconds.");
  if (by_step.empty() || by_time.empty()) return side_by_side({by_step, training});
  return "<div class=\"switched two\"><div class=\"labels\"><input type=\"radio\" name=\"axis\" "
         "id=\"by-step\" checked><label for=\"by-step\">by step</label><input type=\"radio\" "
         "name=\"axis\" id=\"by-time\"><label for=\"by-time\">by time</label></div>\n" +
         by_step + by_time + training + "</div>\n";
}

std::string equal_learning_table(const Facts& facts) {
  const std::vector<EqualLearning> levels = equal_learning(facts);
  if (levels.empty()) return "";
  std::vector<std::string> heads;
  for (const EqualLearning& level : levels)
    heads.push_back("at held-out loss " + format_loss(level.heldout));
  Table table("forgotten", heads, "equal-learning");
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    std::vector<Table::Cell> cells;
    for (const EqualLearning& level : levels)
      cells.push_back(
          {level.forgotten[method] ? format_difference(*level.forgotten[method]) : "–"});
    table.row(method_name(facts, method), cells);
  }
  return "<h3>At matched held-out loss</h3>\n<p>" + escape(equal_learning_words) + "</p>\n" +
         table.html();
}

std::string forgetting(const Facts& facts) {
  if (!facts.has_retain) return "";
  return "<section id=\"forgetting\">\n<h2>What it forgot</h2>\n<p class=\"lead\">The loss on "
         "general text that has nothing to do with the training data. Where it rises, the model "
         "has forgotten something.</p>\n" +
         side_by_side(
             {figure(facts, "retention"),
              "<div class=\"card\"><h3>Why compare at equal learning?</h3><p>A method that learns "
              "less usually forgets less too: a model that is not trained forgets nothing. And a "
              "lower learning rate forgets less than a higher one, with any method. So look at the "
              "chart of learned against forgotten: of two methods that learned equally much, the "
              "lower one pays less for it.</p><p>Rates are chosen by held-out loss alone, which "
              "does not see forgetting.</p><p><b>" +
                  escape(equal_learning_sentence(facts)) + "</b></p></div>\n"}) +
         equal_learning_table(facts) + "</section>\n";
}

}  // namespace

std::string learning(const Facts& facts) {
  std::string html =
      "<section id=\"learning\">\n<h2>What it learned</h2>\n<p class=\"lead\">The loss on answers "
      "that were not trained on, before and after.</p>\n";
  html += curves(facts) + loss_table(facts) + sentences(facts);
  html += why("What does the interval of a difference say?",
              "On each held-out row the losses of both methods are subtracted, after runs with the "
              "same seed. The interval asks two things at once: would other rows of the same kind "
              "give the same order, and would other training runs? Rows and runs are drawn anew "
              "from those that there are, two thousand times, and the spread of the results is the "
              "uncertainty. If the interval contains zero, the difference may be chance. Negative "
              "is better than the reference.");
  return html + "</section>\n" + forgetting(facts);
}

std::string search(const Facts& facts) {
  std::string html = "<section id=\"search\">\n<h2>The search of the learning rate</h2>\n";
  bool any = false;
  for (const MethodResult& method : facts.comparison.methods) any |= !method.search.empty();
  if (!any)
    return html +
           "<p>No search: every method was given its learning rate. A comparison at one rate may "
           "say more about the rate than about the methods; give several as "
           "<code>lr=1e-4/3e-4/1e-3</code>.</p>\n</section>\n";
  html +=
      "<p class=\"lead\">Each method gets its own best rate, with the same budget, chosen on "
      "held-out rows that do not enter the final figures.</p>\n<div class=\"two\">\n";
  html += figure(facts, "rates",
                 search_budget(facts.comparison) +
                     "Large: the rate chosen. Rates that diverged are only in the table. If the "
                     "best rate is at the edge of its list, search a wider range.");
  html += search_table(facts) + "</div>\n";
  html += why("Why does LoRA want a larger rate?",
              "Its matrix B starts at zero and the product B·A is scaled, so the same step in A "
              "and B moves the weight less than a step in the weight itself. Experiments find the "
              "best rate of LoRA about ten times that of full fine-tuning, nearly independent of "
              "the rank.");
  return html + "</section>\n";
}

}  // namespace afina::page

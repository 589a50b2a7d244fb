// Learning, forgetting, search and samples of report.html.
#include <cmath>
#include "tools/report/page.h"

namespace afina::page {
namespace {

std::string before_after(const Facts& facts, size_t method, bool retain) {
  const auto& runs = facts.comparison.methods[method].runs;
  if (runs.empty()) return "–";
  double before = retain ? runs[0].before.retain.value_or(NAN) : runs[0].before.heldout;
  return "before: " + (std::isfinite(before) ? format_loss(before) : "–");
}

std::string interval(const Estimate& estimate) {
  return estimate.has_interval() ? "[" + format_difference(estimate.low()) + ", " +
                                       format_difference(estimate.high()) + "]"
                                 : "";
}

std::string difference_cell(const Estimate& estimate, const char* unit) {
  if (!estimate.known()) return cell("–");
  std::string small = estimate.has_interval()
                          ? interval(estimate)
                          : format_grouped(estimate.count) + " " + unit + ", no interval";
  return cell(format_difference(estimate.mean), small);
}

// The losses of the untouched model stand beneath those after training.
std::string loss_row(const Facts& facts, size_t method) {
  std::string html = "<tr><th scope=\"row\">" + method_name(facts, method) + "</th>" +
                     cell(format_learning_rate(facts.comparison.methods[method].learning_rate));
  for (const LossFigure& figure : facts.losses) {
    bool heldout = figure.of == &MethodSummary::heldout,
         retain = figure.of == &MethodSummary::retain;
    html += cell(facts.text(figure, method),
                 heldout || retain ? before_after(facts, method, retain) : "");
  }
  const PairedDifference* pair = facts.against_reference(method);
  if (!pair) return html + cell("–") + cell("–") + "</tr>\n";
  html += difference_cell(pair->overall, "seed");
  return html + cell(pair->over_examples.known() ? format_percent(pair->better_share) : "–") +
         "</tr>\n";
}

std::string loss_table(const Facts& facts) {
  std::string html = "<div class=\"scroll\"><table class=\"losses\"><thead><tr><th></th>";
  html += header_cell("rate");
  for (const LossFigure& figure : facts.losses) html += header_cell(figure.name);
  html += header_cell("difference") + header_cell("rows better") + "</tr></thead><tbody>\n";
  for (size_t method = 0; method < facts.summaries.size(); method++)
    html += loss_row(facts, method);
  return html +
         "</tbody></table></div>\n<p class=\"soft\">Losses are in nats per target token, on "
         "held-out rows that were not used to choose anything. " +
         escape(interval_sentence(facts)) + "</p>\n";
}

std::string canvas(const char* id, const char* title, const std::string& words, bool tall = false) {
  std::string html = "<div class=\"card\"><h3>" + std::string(title) + "</h3><div class=\"chart" +
                     (tall ? " tall" : "") + "\"><canvas id=\"" + id +
                     "\" role=\"img\" aria-label=\"" + title + "\"></canvas></div>";
  return html + "<p class=\"soft\">" + words + "</p></div>\n";
}

const char* const axis_switch =
    R"(<div class="switch" role="group" aria-label="Horizontal axis"><button type="button" )"
    R"(data-axis="step" aria-pressed="true">by step</button><button type="button" )"
    R"(data-axis="second" aria-pressed="false">by second</button><button type="button" )"
    R"(data-axis="token" aria-pressed="false">by token</button></div>
)";

std::string search_table(const Facts& facts, size_t method) {
  const MethodResult& result = facts.comparison.methods[method];
  bool several = false;
  for (const SearchRow& row : result.search) several |= row.seed != result.search[0].seed;
  std::string html = "<div class=\"scroll\"><table><thead><tr><th>" + method_name(facts, method) +
                     "</th>" + header_cell("held-out") + header_cell("time") +
                     "</tr></thead><tbody>\n";
  for (const SearchRow& row : result.search) {
    std::string name = format_learning_rate(row.learning_rate) +
                       (several ? ", seed " + std::to_string(row.seed) : "");
    html += std::string("<tr") + (row.chosen ? " class=\"chosen\"" : "") + "><th scope=\"row\">" +
            escape(name) + (row.chosen ? " · chosen" : "") + "</th>" +
            cell(format_loss(row.heldout),
                 row.diverged ? "at step " + format_grouped(*row.diverged) : "") +
            cell(format_seconds(row.seconds)) + "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

// "40 steps of search for each rate": the budget, where it is one.
std::string search_budget(const Comparison& comparison) {
  int64_t steps = 0, tokens = 0;
  for (const MethodResult& method : comparison.methods)
    for (const SearchRow& row : method.search) {
      if (steps != 0 && (row.steps != steps || row.tokens != tokens)) return "";
      steps = row.steps;
      tokens = row.tokens;
    }
  return "Each rate had " + format_grouped(steps) + " steps and " + format_count(double(tokens)) +
         " tokens. ";
}

// The generations of the method's first run that has some.
const std::vector<Generation>* generations(const MethodResult& method) {
  for (const RunResult& run : method.runs)
    if (!run.generations.empty()) return &run.generations;
  return nullptr;
}

std::string answer(std::string_view name_html, std::string_view text,
                   std::string_view attributes = "") {
  std::string shown = text.empty() ? "<span class=\"soft\">(nothing)</span>" : escape(text);
  return "<div " + std::string(attributes) + "><div class=\"what\">" + std::string(name_html) +
         "</div><div class=\"text\">" + shown + "</div></div>\n";
}

std::string sample(const Facts& facts, const Generation& first, size_t number) {
  std::string html =
      "<div class=\"card sample\"><div class=\"prompt\"><div class=\"what\">Prompt</div><div "
      "class=\"text\">" +
      escape(first.prompt) + "</div></div><div class=\"answers\">\n";
  if (!first.reference.empty()) html += answer("Answer in the data", first.reference);
  html += answer("Before training", first.before);
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const auto* ours = generations(facts.comparison.methods[method]);
    if (ours && number < ours->size() && (*ours)[number].prompt == first.prompt)
      html += answer("After " + escape(facts.label(method)), (*ours)[number].after,
                     method_colour(method));
  }
  return html + "</div></div>\n";
}

}  // namespace

std::string learning(const Facts& facts) {
  std::string html =
      "<section id=\"learning\">\n<h2>What it learnt</h2>\n<p class=\"lead\">The loss on answers "
      "that were not trained on, before and "
      "after.</p>\n";
  html += loss_table(facts);
  html += why("What does the interval of a difference say?",
              "On each held-out row the losses of both methods are subtracted, after runs with the "
              "same seed. The interval asks two things at once: would other rows of the same kind "
              "give the same order, and would other training runs? Rows and runs are drawn anew "
              "from those that there are, two thousand times, and the spread of the results is the "
              "uncertainty. If the interval contains zero, the difference may be chance. Negative "
              "is better than the reference.");
  html += std::string("<div style=\"margin-top:1.4rem\">") + axis_switch +
          "</div>\n<div class=\"two\">\n";
  html += canvas("heldout", "Held-out loss",
                 "Mean over seeds; the band reaches from the lowest seed to the highest. By second "
                 "compares the methods at equal time.");
  html += canvas(
      "train", "Training loss",
      "Before each update, on its own batch. Thin line: as measured; thick line: moving average.");
  html += "</div>\n</section>\n<section id=\"forgetting\">\n<h2>What it forgot</h2>\n";
  if (!facts.has_retain)
    return html +
           "<p>Forgetting was not measured: no retention text was given. Give one with "
           "<code>--retain</code>: general text, unlike the training data.</p>\n</section>\n";
  html +=
      "<p class=\"lead\">The loss on general text that has nothing to do with the training data. "
      "Where it rises, the model has forgotten "
      "something.</p>\n<div class=\"two\">\n";
  html += canvas("tradeoff", "Learnt against forgotten",
                 "Each path starts at the untouched model and ends at the large point; small pale "
                 "points are the ends of single seeds. "
                 "Right and low is best.",
                 true);
  html +=
      canvas("retain", "Retention loss", "On the same horizontal axis as the curves above.", true);
  html += "</div>\n";
  html += why("Why compare at equal learning?",
              "A method that learns less usually forgets less too: a model that is not trained "
              "forgets nothing. So look at the height of the paths "
              "above the same point of the horizontal axis. The lower path pays less for the same "
              "learning.");
  return html + "</section>\n";
}

std::string search(const Facts& facts) {
  std::string html = "<section id=\"search\">\n<h2>The search of the learning rate</h2>\n";
  bool any = false;
  for (const MethodResult& method : facts.comparison.methods) any |= !method.search.empty();
  if (!any)
    return html +
           "<p>No search: every method was given its learning rate. A comparison at one rate may "
           "say more about the rate than about the "
           "methods; give several as <code>lr=1e-4/3e-4/1e-3</code>.</p>\n</section>\n";
  html +=
      "<p class=\"lead\">Each method gets its own best rate, with the same budget, chosen on "
      "held-out rows that do not enter the final "
      "figures.</p>\n";
  html +=
      canvas("search-chart", "Held-out loss after the search budget, by learning rate",
             search_budget(facts.comparison) +
                 "The diamond is the rate chosen. Rates that diverged are only in the table. If "
                 "the best rate is at the edge of its list, search a wider range.");
  html += "<div class=\"tables\" style=\"margin-top:1rem\">\n";
  for (size_t method = 0; method < facts.summaries.size(); method++)
    if (!facts.comparison.methods[method].search.empty()) html += search_table(facts, method);
  html += "</div>\n";
  html += why("Why does LoRA want a larger rate?",
              "Its matrix B starts at zero and the product B·A is scaled, so the same step in A "
              "and B moves the weight less than a step in "
              "the weight "
              "itself. Experiments find the best rate of LoRA about ten times that of full "
              "fine-tuning, nearly independent of the rank.");
  return html + "</section>\n";
}

std::string samples(const Facts& facts) {
  std::string html = "<section id=\"samples\">\n<h2>Samples</h2>\n";
  const std::vector<Generation>* first = nullptr;
  for (const MethodResult& method : facts.comparison.methods)
    if (!first) first = generations(method);
  if (!first) return html + "<p>No samples were generated.</p>\n</section>\n";
  html +=
      "<p class=\"lead\">The same held-out prompts, answered greedily by the untouched model and "
      "by each trained one.</p>\n";
  for (size_t number = 0; number < first->size(); number++)
    html += sample(facts, (*first)[number], number);
  return html + "</section>\n";
}

}  // namespace afina::page

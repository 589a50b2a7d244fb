// Costs of report.html: bars, and the table of all figures.
#include <algorithm>
#include <optional>

#include "tools/report/page.h"

namespace afina::page {
namespace {

std::string table(const Facts& facts) {
  std::vector<std::string> heads;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    heads.push_back(facts.label(method));
  Table table("", heads, facts.summaries.size() <= 4 ? "costs few" : "costs");
  for (size_t method = 0; method < facts.summaries.size(); method++)
    table.head_html(method, method_name(facts, method));
  std::optional<Group> group;
  for (const CostRow& row : facts.costs) {
    if (row.figure.group != group) {
      group = row.figure.group;
      table.group(name(*group));
    }
    std::vector<Table::Cell> cells;
    for (size_t method = 0; method < facts.summaries.size(); method++)
      cells.push_back({row.text(method), ratio_text(row, method, facts.reference)});
    table.row(escape(row.figure.name), cells, row.figure.key() ? "key" : "");
  }
  std::string html = table.html() + "<p class=\"soft\">× is the ratio to " +
                     escape(facts.label(facts.reference)) + "." +
                     (facts.all_times_compare ? "" : " Times of different machines have none.");
  // What is stored is said once for all methods that store the same.
  std::vector<std::string> kinds;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const std::string& stored = facts.comparison.methods[method].stored_as;
    if (stored.empty()) continue;
    const std::string mark = " is stored as " + stored + ".";
    auto known = std::find_if(kinds.begin(), kinds.end(),
                              [&](const std::string& kind) { return kind.ends_with(mark); });
    if (known == kinds.end()) kinds.push_back(facts.label(method) + mark);
    else known->insert(known->size() - mark.size(), ", " + facts.label(method));
  }
  for (const std::string& kind : kinds) html += " " + escape(kind);
  return html + "</p>\n";
}

}  // namespace

std::string costs(const Facts& facts) {
  std::string words =
      "Each bar is the method's own peak of training (evaluation is not counted). Peaks come at "
      "different moments: one method may have them before activations are freed, another after. So "
      "compare the totals; parts of two bars are no differences.";
  for (size_t method = 0; method < facts.summaries.size(); method++)
    if (method != facts.reference && facts.summaries.size() <= 3)
      words += " " + escape(memory_sentence(facts, method));
  std::string html =
      "<section id=\"costs\">\n<h2>What it costs</h2>\n<p class=\"lead\">Memory, "
      "time, FLOPs and storage of the same training.</p>\n" +
      side_by_side(
          {figure(facts, "memory", words),
           figure(facts, "time",
                  "Mean over seeds, for the same tokens. The table lists evaluation, generation "
                  "and saving separately."),
           figure(facts, "flops",
                  "Floating-point operations executed in training; a multiply-add counts as two."),
           figure(facts, "storage",
                  "What must be stored and sent to use the result: an adapter, or a whole "
                  "model.")});
  html += why("Why do activations not shrink?",
              "The gradient of an early layer can only be found by walking back through all later "
              "layers, and that walk needs what each layer computed on the way forward. A frozen "
              "weight needs no gradient of its own, so the inputs saved only for it disappear, but "
              "the inputs of norms, attention and activation functions stay. What LoRA removes is "
              "the gradient and optimizer memory of the frozen weights. With a small model and "
              "long batches the activations dominate, and LoRA then saves little.");
  html += why("What are masters, gradients and optimizer?",
              "In bf16 a weight has 8 significant bits, and a small update would be rounded away; "
              "so each trained weight has a 32-bit master copy. Each trained weight has a gradient "
              "(32 bits) and two running averages in AdamW (32 bits each): 16 bytes for each "
              "trained parameter, against 2 bytes for a frozen one.");
  html += why("Why is LoRA not three times as fast?",
              "Training a weight takes three matrix products of equal size: forward, gradient of "
              "the input, gradient of the weight. LoRA saves only the third one for the frozen "
              "weights, and adds two thin products for each adapter. So at best a third of the "
              "FLOPs disappear, and thin products run at a lower speed than large ones.");
  return html + "<h3 class=\"above\">All costs</h3>\n" + table(facts) + "</section>\n";
}

}  // namespace afina::page

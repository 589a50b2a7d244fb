// Tables of single rows and of estimates.
#include "tools/commands/what_if_tables.h"

#include <cmath>

#include "engine/counted.h"
#include "tools/text/colour.h"
#include "tools/text/table.h"

namespace afina {

namespace {

// The first words of what a row teaches.
std::string beginning(const Workbench& bench, const Sample& sample) {
  std::vector<int32_t> answer;
  for (size_t i = 0; i < sample.tokens.size() && answer.size() < 24; ++i)
    if (sample.trained[i]) answer.push_back(sample.tokens[i]);
  std::string text = bench.tokenizer.decode(answer, true);
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

}  // namespace

void print_changes(std::ostream& out, const Workbench& bench, const std::vector<int64_t>& rows,
                   const std::vector<double>& change) {
  std::vector<size_t> order(rows.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return change[a] < change[b]; });
  auto print = [&](const char* title, size_t begin, size_t end) {
    Table table("rwl");
    table.add({"change", title, "record"});
    for (size_t i = begin; i < end; ++i) {
      const Sample& sample = bench.train.rows[size_t(rows[order[i]])];
      table.add({format_difference(change[order[i]]), beginning(bench, sample),
                 bench.train_places[size_t(sample.example)]});
    }
    table.print(out, size_t(stdout_columns()));
    out << "\n";
  };
  out << "\nHeld-out loss without the row - with it; negative: better without it\n\n";
  const size_t shown = rows.size() > 16 ? 8 : 0;
  if (shown == 0) {
    print("the row's answer", 0, rows.size());
    return;
  }
  print("better without", 0, shown);
  print("worse without", rows.size() - shown, rows.size());
}

Json print_estimates(std::ostream& out, const Estimates& found, const std::vector<double>& change,
                     std::vector<RowEstimate>& estimates) {
  Json json = Json::object();
  auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Table table("lrr");
  table.add({"estimate", "rank correlation", "95 %"});
  for (size_t k = 0; k < estimate_kinds.size(); ++k) {
    const RankCorrelation r = rank_correlation(found.values[k], change);
    char rho[32], ends[64];
    std::snprintf(rho, sizeof rho, "%.2f", r.rho);
    std::snprintf(ends, sizeof ends, "[%.2f, %.2f]", r.low, r.high);
    table.add({estimate_kinds[k].words, std::isfinite(r.rho) ? rho : "\u2013",
               std::isfinite(r.low) ? ends : "\u2013"});
    estimates.push_back(
        {estimate_kinds[k].name, estimate_kinds[k].words, found.values[k], r.rho, r.low, r.high});
    json[estimate_kinds[k].name] = {{"rho", number(r.rho)},
                                    {"low", number(r.low)},
                                    {"high", number(r.high)},
                                    {"pairs", r.pairs}};
  }
  table.print(out, size_t(stdout_columns()));
  out << "Spearman's rank correlation with the change over "
      << counted(int64_t(found.rows.size()), "row")
      << ". An estimate that\norders the rows rightly has 1; of the first three, which do not look "
         "at held-out\nrows, the sign says which end is the useful one.\n";
  return json;
}

void print_kinds(std::ostream& out, const WhatIfResult& result) {
  Table table("lrrr");
  table.add({"finding", "rows", "mean change", "against rows without"});
  for (const KindEffect& effect : kind_effects(result))
    table.add({effect.kind, std::to_string(effect.rows), change_text(effect.change),
               change_text(effect.difference)});
  const Estimate without = effect_without_findings(result);
  table.add({"none", std::to_string(without.count), change_text(without), "\u2013"});
  out << "\n";
  table.print(out, size_t(stdout_columns()));
  out << "Held-out loss without such a row - with it, in nats, with 95 % intervals over rows.\n"
         "Negative: better without it.\n";
}

}  // namespace afina

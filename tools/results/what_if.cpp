// Orders and means of rows' effects.
#include "tools/results/what_if.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace afina {

namespace {

Json json_of(const Estimate& e) {
  if (!e.known()) return {};
  Json json = {{"mean", e.mean}};
  if (e.has_interval()) {
    json["low"] = e.low();
    json["high"] = e.high();
  }
  return json;
}

std::vector<double> changes_without_findings(const WhatIfResult& result) {
  std::vector<double> changes;
  for (const RowEffect& row : result.rows)
    if (row.found.empty()) changes.push_back(row.change);
  return changes;
}

}  // namespace

std::vector<size_t> by_change(const WhatIfResult& result) {
  std::vector<size_t> order(result.rows.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return result.rows[a].change < result.rows[b].change;
  });
  return order;
}

std::vector<KindEffect> kind_effects(const WhatIfResult& result) {
  const std::vector<double> without = changes_without_findings(result);
  std::map<std::string, std::vector<double>> with;
  for (const RowEffect& row : result.rows) {
    std::vector<std::string> kinds;
    for (const RowFound& found : row.found) kinds.push_back(found.kind);
    std::sort(kinds.begin(), kinds.end());
    kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
    for (const std::string& kind : kinds) with[kind].push_back(row.change);
  }
  std::vector<KindEffect> effects;
  for (auto& [kind, changes] : with) {
    KindEffect effect{kind, int64_t(changes.size()), estimate(changes), {}};
    if (!without.empty()) effect.difference = difference_of_means(changes, without);
    effects.push_back(std::move(effect));
  }
  std::stable_sort(effects.begin(), effects.end(),
                   [](const KindEffect& a, const KindEffect& b) { return a.rows > b.rows; });
  return effects;
}

Estimate effect_without_findings(const WhatIfResult& result) {
  return estimate(changes_without_findings(result));
}

Json kind_effects_json(const WhatIfResult& result) {
  Json kinds = Json::array();
  for (const KindEffect& effect : kind_effects(result))
    kinds.push_back({{"kind", effect.kind},
                     {"rows", effect.rows},
                     {"change", json_of(effect.change)},
                     {"difference", json_of(effect.difference)}});
  const Estimate without = effect_without_findings(result);
  return {{"kinds", kinds}, {"without", {{"rows", without.count}, {"change", json_of(without)}}}};
}

std::string change_text(double change) {
  char text[32];
  std::snprintf(text, sizeof text, "%+.5f", change);
  return text;
}

std::string change_text(const Estimate& change) {
  if (!change.known() || !std::isfinite(change.mean)) return "–";
  char half[32] = "";
  if (change.has_interval()) std::snprintf(half, sizeof half, " ± %.5f", change.half);
  return change_text(change.mean) + half;
}

}  // namespace afina

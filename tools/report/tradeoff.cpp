// Points and frontiers of learned against forgotten.
#include "tools/report/tradeoff.h"

#include <algorithm>
#include <cmath>

#include "tools/text/names.h"

namespace afina {

namespace {

Estimate single(double value) { return {value, 0, 1}; }

bool finite(const TradePoint& point) {
  return std::isfinite(point.learned.mean) && std::isfinite(point.forgotten.mean);
}

// Of a rate that was tried and not chosen.
std::optional<TradePoint> searched(const MethodResult& method, const SearchRow& row) {
  TradePoint point;
  point.rate = row.learning_rate;
  point.diverged = row.diverged;
  if (row.diverged) point.learned = point.forgotten = single(std::nan(""));
  else if (row.gain && row.forgetting) {
    point.learned = single(*row.gain);
    point.forgotten = single(*row.forgetting);
  } else {
    if (!row.retain || method.runs.empty() || method.runs[0].evaluations.empty()) return {};
    const EvaluationPoint& untouched = method.runs[0].evaluations[0];
    if (untouched.step != 0 || !untouched.retain) return {};
    point.learned = single(untouched.heldout - row.heldout);
    point.forgotten = single(*row.retain - *untouched.retain);
  }
  return point;
}

std::string three(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::fabs(value));
  return (value < 0 && std::string(text) != "0.000" ? "\u2212" : "") + std::string(text);
}

}  // namespace

std::vector<TradePoint> trade_points(const Facts& facts, size_t method) {
  const MethodResult& result = facts.comparison.methods[method];
  const MethodSummary& summary = facts.summaries[method];
  std::vector<TradePoint> points;
  if (summary.forgetting.known())
    points.push_back({result.learning_rate, summary.gain, summary.forgetting, true, {}});
  if (!points.empty() && !finite(points[0]) && !result.runs.empty())
    points[0].diverged = result.runs[0].diverged;
  for (const SearchRow& row : result.search) {
    if (row.learning_rate == result.learning_rate && !points.empty()) continue;
    if (auto point = searched(result, row)) points.push_back(*point);
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const TradePoint& a, const TradePoint& b) { return a.rate < b.rate; });
  return points;
}

std::vector<TradePoint> frontier(const std::vector<TradePoint>& points) {
  std::vector<TradePoint> best;
  for (const TradePoint& point : points) {
    auto beats = [&](const TradePoint& other) {
      return finite(other) && other.learned.mean >= point.learned.mean &&
             other.forgotten.mean <= point.forgotten.mean &&
             (other.learned.mean > point.learned.mean ||
              other.forgotten.mean < point.forgotten.mean);
    };
    if (finite(point) && std::none_of(points.begin(), points.end(), beats)) best.push_back(point);
  }
  std::sort(best.begin(), best.end(), [](const TradePoint& a, const TradePoint& b) {
    return a.learned.mean < b.learned.mean;
  });
  return best;
}

std::optional<double> forgotten_at(const std::vector<TradePoint>& frontier, double learned) {
  for (size_t i = 0; i + 1 < frontier.size(); i++) {
    const TradePoint &a = frontier[i], &b = frontier[i + 1];
    if (a.learned.mean > learned || b.learned.mean < learned) continue;
    const double share = (learned - a.learned.mean) / (b.learned.mean - a.learned.mean);
    return a.forgotten.mean + share * (b.forgotten.mean - a.forgotten.mean);
  }
  // Beyond the ends nothing is guessed, but that a hundredth makes no difference.
  const TradePoint* nearest = nullptr;
  auto distance = [&](const TradePoint& p) { return std::fabs(p.learned.mean - learned); };
  for (const TradePoint& point : frontier)
    if (!nearest || distance(point) < distance(*nearest)) nearest = &point;
  if (nearest && distance(*nearest) <= 0.01 * std::fabs(learned)) return nearest->forgotten.mean;
  return {};
}

const char* const equal_learning_words =
    "How much each method forgets at the learning rate, between those tried, with which it reaches "
    "the same held-out loss: a straight line between two rates of its frontier. A dash: its rates "
    "do not reach this loss from both sides; lower or higher ones would.";

std::vector<EqualLearning> equal_learning(const Facts& facts) {
  const auto& methods = facts.comparison.methods;
  if (!facts.has_retain || methods.size() < 2) return {};
  std::vector<std::vector<TradePoint>> fronts;
  double best = 0, before = NAN;
  for (size_t method = 0; method < methods.size(); method++) {
    fronts.push_back(frontier(trade_points(facts, method)));
    if (!fronts.back().empty()) best = std::max(best, fronts.back().back().learned.mean);
    if (!methods[method].runs.empty()) before = methods[method].runs[0].before.heldout;
  }
  std::vector<EqualLearning> levels;
  auto known = [](const EqualLearning& level) {
    return std::count_if(level.forgotten.begin(), level.forgotten.end(),
                         [](const auto& one) { return one.has_value(); });
  };
  for (double share : {0.6, 0.8, 0.9, 0.95, 0.98}) {
    EqualLearning level{share * best, before - share * best, {}};
    for (const auto& front : fronts)
      level.forgotten.push_back(best > 0 ? forgotten_at(front, level.learned) : std::nullopt);
    if (known(level) >= 2) levels.push_back(std::move(level));
  }
  while (levels.size() > 3)  // the one that says least, of equals that with the higher loss
    levels.erase(std::min_element(
        levels.begin(), levels.end(),
        [&](const EqualLearning& a, const EqualLearning& b) { return known(a) < known(b); }));
  return levels;
}

std::string equal_learning_sentence(const Facts& facts) {
  if (!facts.has_retain || facts.summaries.size() < 2) return "";
  std::vector<std::vector<TradePoint>> fronts;
  double best = 0;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    fronts.push_back(frontier(trade_points(facts, method)));
    if (!fronts.back().empty()) best = std::max(best, fronts.back().back().learned.mean);
  }
  // What all reach that learned nearly as much as the best.
  double level = best;
  for (const auto& front : fronts)
    if (!front.empty() && front.back().learned.mean >= 0.8 * best)
      level = std::min(level, front.back().learned.mean);
  struct Known {
    double forgotten;
    std::string name;
  };
  std::vector<Known> known;
  std::vector<std::string> unknown;
  for (size_t method = 0; method < fronts.size(); method++) {
    const std::string name = facts.spoken[method];
    const auto forgotten = best > 0 ? forgotten_at(fronts[method], level) : std::nullopt;
    if (forgotten) known.push_back({*forgotten, name});
    else unknown.push_back(name);
  }
  if (known.size() < 2)
    return "At equal learning nothing can be said with these rates: give every method several, "
           "lower ones too, as in lr=1e-4/3e-4/1e-3.";
  std::stable_sort(known.begin(), known.end(),
                   [](const Known& a, const Known& b) { return a.forgotten < b.forgotten; });
  std::string text = "At equal learning (" + three(level) + " nats) ";
  std::vector<std::string> words;
  for (const Known& one : known)
    words.push_back(one.name + (words.empty() ? " forgets " : " ") + three(one.forgotten));
  text += listed(words) + ", between the rates tried.";
  if (!unknown.empty())
    text += " For " +
            (unknown.size() > 3 ? "the other " + std::to_string(unknown.size()) : listed(unknown)) +
            " the rates tried do not reach it from both sides.";
  return text;
}

}  // namespace afina

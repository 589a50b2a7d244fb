// A step as the JSON that its page reads: arrays in place of objects, and every text once, so that
// the page stays small. tools/look/page.js knows the order.
#include <cmath>
#include <cstdio>
#include <unordered_map>

#include "engine/files/json_value.h"
#include "tools/look/align.h"
#include "tools/look/step_page.h"

namespace afina {

namespace {

// To four digits: more are not shown.
OrderedJson number(double x) {
  if (!std::isfinite(x)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  const double rounded = std::stod(text);
  if (std::fabs(rounded) < 1e15 && rounded == std::floor(rounded)) return int64_t(rounded);
  return rounded;
}

class Words {
 public:
  int64_t operator()(const std::string& word) {
    auto [found, added] = number_.emplace(word, int64_t(all_.size()));
    if (added) all_.push_back(word);
    return found->second;
  }
  OrderedJson all() const { return all_; }

 private:
  std::unordered_map<std::string, int64_t> number_;
  std::vector<std::string> all_;
};

// A digit to base 36 for each bin: the logarithm of its count, as a share of the fullest's.
std::string heights(const ValueStats& s) {
  int64_t most = 1;
  for (int64_t n : s.histogram) most = std::max(most, n);
  std::string text;
  for (int64_t n : s.histogram) {
    const int height = int(std::lround(35. * std::log1p(double(n)) / std::log1p(double(most))));
    text += n && !height ? '1' : "0123456789abcdefghijklmnopqrstuvwxyz"[height];
  }
  return text;
}

OrderedJson json(const std::optional<ValueStats>& stats) {
  if (!stats || !stats->count) return 0;
  const ValueStats& s = *stats;
  auto extremes = [](const std::vector<ValueStats::Extreme>& all) {
    OrderedJson out = OrderedJson::array();
    for (auto& one : all) out.push_back(OrderedJson::array({number(one.value), one.at}));
    return out;
  };
  return OrderedJson::array({number(s.least), number(s.most), number(s.mean), number(s.norm),
                             s.zeros, s.not_finite, heights(s), extremes(s.lowest),
                             extremes(s.highest)});
}

OrderedJson json(const PurposeBytes& bytes) {
  OrderedJson out = OrderedJson::array();
  for (int64_t one : bytes) out.push_back(one);
  return out;
}

OrderedJson json(const SeenOperation& op, Words& words) {
  OrderedJson inputs = OrderedJson::array(), kernels = inputs, saved = inputs;
  for (const SeenInput& i : op.inputs)
    inputs.push_back(OrderedJson::array({i.operation, i.parameter, words(i.shape)}));
  for (const SeenKernel& k : op.kernels)
    kernels.push_back(
        OrderedJson::array({words(k.name), k.calls, number(1e6 * k.seconds), int(k.again)}));
  for (const SavedTensor& s : op.saved)
    saved.push_back(OrderedJson::array({words(s.what), words(s.shape), s.bytes, int(s.freed)}));
  return OrderedJson::array({int(op.kind),
                             words(op.name),
                             words(op.place),
                             words(op.defined),
                             words(op.called),
                             op.depth,
                             op.of,
                             int(op.recorded),
                             words(op.shape.text() + " " + name(op.dtype)),
                             number(1e6 * op.seconds),
                             op.flops,
                             op.read,
                             op.written,
                             op.allocated,
                             op.freed,
                             json(op.held),
                             json(op.values),
                             inputs,
                             kernels,
                             saved,
                             op.parameter});
}

OrderedJson json(const SeenStep& step, Words& words) {
  OrderedJson operations = OrderedJson::array(), parameters = operations, buffers = operations;
  for (const SeenOperation& op : step.operations) operations.push_back(json(op, words));
  for (const SeenParameter& p : step.parameters)
    parameters.push_back(OrderedJson::array({words(p.name), words(p.shape),
                                             p.added     ? 2
                                             : p.trained ? 1
                                                         : 0,
                                             int(p.trained), number(p.norm), json(p.gradient),
                                             p.moved ? number(*p.moved) : OrderedJson()}));
  // What is too small to be seen beside the rest is left out.
  const int64_t peak = step.peak();
  const int64_t least = peak < 0 ? 0 : step.operations[size_t(peak)].held_in_all() / 2000;
  for (const SeenBuffer& b : step.buffers)
    if (b.bytes >= least && b.born != b.died)
      buffers.push_back(OrderedJson::array({b.bytes, int(b.purpose), b.born, b.died}));
  return {{"method", step.method},
          {"number", step.number},
          {"tokens", step.tokens},
          {"targets", step.targets},
          {"loss", step.loss},
          {"norm", number(step.gradient_norm)},
          {"lr", step.lr},
          {"digest", step.digest},
          {"before", json(step.before)},
          {"peak", peak},
          {"ops", operations},
          {"parameters", parameters},
          {"buffers", buffers}};
}

}  // namespace

std::string step_data(const std::vector<SeenStep>& steps, const StepConditions& conditions) {
  Words words;
  OrderedJson all = OrderedJson::array(), rows = all, facts = all, purposes = all;
  for (const SeenStep& step : steps) all.push_back(json(step, words));
  for (const std::vector<int64_t>& row : aligned(steps)) rows.push_back(row);
  for (auto& [name, text] : conditions.facts) facts.push_back(OrderedJson::array({name, text}));
  for (const char* purpose : purpose_names) purposes.push_back(purpose);
  const OrderedJson page{{"model", conditions.model},
                         {"data", conditions.data},
                         {"facts", facts},
                         {"purposes", purposes},
                         {"steps", all},
                         {"rows", rows},
                         {"words", words.all()}};
  std::string safe;
  for (char letter : page.dump(-1, ' ', true, OrderedJson::error_handler_t::replace)) {
    if (letter == '<') safe += "\\u003c";
    else safe += letter;
  }
  return safe;
}

}  // namespace afina

// Visitors of the lists of figures.
#include "tools/results/figures.h"

#include <algorithm>

namespace afina {

namespace {

// Collects what is shown.
struct Collector {
  std::vector<CostFigure> all;
  void shown(double value, const Shown& how) {
    if (how.name) all.push_back({how, value});
  }
  void operator()(const char*, double& value, const Shown& how) { shown(value, how); }
  void operator()(const char*, int64_t& value, const Shown& how) { shown(double(value), how); }
  template <class T>
  void operator()(const char*, T& nested, const Shown&) {
    fields(*this, nested);
  }
  template <class T>
  void added(const char*, T& nested) {
    fields(*this, nested);
  }
  template <class T>
  void derived(const char*, T value, const Shown& how) {
    shown(double(value), how);
  }
};

template <class Kind>
std::vector<CostFigure> collect(Kind costs) {
  Collector collector;
  cost_fields(collector, costs);
  std::stable_sort(
      collector.all.begin(), collector.all.end(),
      [](const CostFigure& a, const CostFigure& b) { return a.shown.group < b.shown.group; });
  return std::move(collector.all);
}

// Places of the numbers that a struct stores.
struct Places {
  std::vector<double*> all;
  void operator()(const char*, double& value, const Shown&) { all.push_back(&value); }
  void derived(const char*, double, const Shown&) {}
  void shown(double, const Shown&) {}
};

template <class T>
void add(T& sum, T& more, double weight) {
  Places to, from;
  fields(to, sum);
  fields(from, more);
  for (size_t i = 0; i < to.all.size(); i++) *to.all[i] += weight * *from.all[i];
}

}  // namespace

const char* name(Group group) {
  static constexpr const char* names[] = {"Parameters", "Memory", "Time", "FLOPs", "Storage"};
  return names[int(group)];
}

std::vector<CostFigure> cost_figures(const Costs& costs) { return collect(costs); }
std::vector<CostFigure> cost_figures(const MethodSummary& summary) { return collect(summary); }

void add_weighted(PhaseSeconds& sum, PhaseSeconds more, double weight) { add(sum, more, weight); }
void add_weighted(Flops& sum, Flops more, double weight) { add(sum, more, weight); }
void add_weighted(MachineUse& sum, MachineUse more, double weight) { add(sum, more, weight); }

const std::vector<LossFigure>& loss_figures() {
  static const std::vector<LossFigure> all = {
      {"heldout", &MethodSummary::heldout, "held-out loss", Unit::nats},
      {"gain", &MethodSummary::gain, "learned", Unit::nats},
      {"retain", &MethodSummary::retain, "retention loss", Unit::nats},
      {"forgetting", &MethodSummary::forgetting, "forgotten", Unit::nats_change},
      {"tokens_per_second", &MethodSummary::throughput, nullptr, Unit::per_second},
      {"training_seconds", &MethodSummary::training_seconds, nullptr, Unit::seconds},
      {"processor_seconds", &MethodSummary::processor_seconds, nullptr, Unit::seconds},
      {"final_train_loss", &MethodSummary::final_train_loss, nullptr, Unit::nats}};
  return all;
}

}  // namespace afina

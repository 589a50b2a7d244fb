// The figures of what a run costs, each named once: its key in results.json, its name for people,
// its unit. JSON, the tables of reports and terminal, predictions and means over seeds are visitors
// of these lists, so a new figure is a member in results.h and a line here.
//
// A visitor has io(key, value, shown) for a stored figure or a nested struct, io.derived(key,
// value, shown) for one that follows from others and is written to results.json as well, and
// io.shown(value, shown) for one that tables alone show. io.added(key, value) is a nested struct
// that files of the same schema version may lack, as it came later. A sum stands after its parts.
#pragma once
#include <concepts>
#include <string>
#include <vector>
#include "tools/results/results.h"

namespace afina {

enum class Unit : uint8_t {
  count,
  bytes,
  seconds,
  flops,
  per_second,
  nats,
  nats_change,
  share,
  load
};
// The order of tables.
enum class Group : uint8_t { parameters, memory, time, flops, storage };
const char* name(Group group);

// How a figure is shown. One without a name is not shown.
struct Shown {
  Group group = Group::parameters;
  const char* name = nullptr;  // within its group: "forward"
  Unit unit = Unit::count;
  const char* word = nullptr;  // of a key figure, which short tables show: its name alone
  bool key() const { return word; }
  bool exact = true;           // false: a prediction of it is approximate
  bool measured_only = false;  // tells how a run went on its machine; never predicted
};

template <class Io>
void fields(Io& io, MemoryBytes& memory) {
  for (int p = 0; p < purpose_count; p++)
    io(name(Purpose(p)), memory.of[size_t(p)], {Group::memory, name(Purpose(p)), Unit::bytes});
  io.derived("peak", memory.peak(), {Group::memory, "peak in training", Unit::bytes, "memory"});
  io("resident_peak", memory.resident_peak,
     {Group::memory, "whole process", Unit::bytes, nullptr, false});
}

template <class Io>
void fields(Io& io, PhaseSeconds& seconds) {
  auto time = [](const char* label, const char* word = nullptr) {
    return Shown{Group::time, label, Unit::seconds, word, false};
  };
  io("forward", seconds.forward, time("forward"));
  io("backward", seconds.backward, time("backward"));
  io("optimizer", seconds.optimizer, time("optimizer"));
  io("other", seconds.other, time("other"));
  io.derived("training", seconds.training(), time("training", "training time"));
  io("evaluation", seconds.evaluation, time("evaluation (separate)"));
  io("generation", seconds.generation, time("generation (separate)"));
  io("saving", seconds.saving, time("saving (separate)"));
  io.derived("total", seconds.total(), Shown{});
}

template <class Io>
void fields(Io& io, MachineUse& use) {
  auto shown = [](const char* label, Unit unit) {
    return Shown{Group::time, label, unit, nullptr, false, true};
  };
  io("seconds", use.processor_seconds, shown("processor", Unit::seconds));
  io("thread_seconds", use.thread_seconds, Shown{});
  io.derived("share", use.share(), shown("share of the threads", Unit::share));
  io("load", use.load, shown("load average", Unit::load));
}

template <class Io>
void fields(Io& io, StepSeconds& step) {
  auto shown = [](const char* label) {
    return Shown{Group::time, label, Unit::seconds, nullptr, false, true};
  };
  io("lower_quartile", step.lower_quartile, shown("a step, lower quartile"));
  io("median", step.median, shown("a step, median"));
  io("upper_quartile", step.upper_quartile, shown("a step, upper quartile"));
}

template <class Io>
void fields(Io& io, Flops& flops) {
  io("forward", flops.forward, {Group::flops, "forward", Unit::flops});
  io("backward", flops.backward, {Group::flops, "backward", Unit::flops});
  io.shown(flops.total(), {Group::flops, "total", Unit::flops, "FLOPs"});
}

// Of one run; of several, their mean.
inline double throughput(const Costs& costs) { return costs.tokens_per_second(); }
inline double throughput(const MethodSummary& summary) { return summary.throughput.mean; }

// Of a run, of a prediction, or of a method over its runs.
template <class Io, std::derived_from<Costs> Kind>
void cost_fields(Io& io, Kind& costs) {
  io("trained_parameters", costs.trained_parameters,
     {Group::parameters, "trained", Unit::count, "trained parameters"});
  io("total_parameters", costs.total_parameters, {Group::parameters, "in all", Unit::count});
  io("steps", costs.steps, Shown{});
  io("samples", costs.samples, Shown{});
  io("tokens", costs.tokens, Shown{});
  io("target_tokens", costs.target_tokens, Shown{});
  io("seconds", costs.seconds, Shown{});
  io.added("processor", costs.machine_use);
  io.added("step_seconds", costs.step_seconds);
  io.derived("tokens_per_second", throughput(costs),
             {Group::time, "tokens per second", Unit::per_second, "tokens per second", false});
  io("memory", costs.memory, Shown{});
  io("flops", costs.flops, Shown{});
  io("storage_bytes", costs.storage_bytes, {Group::storage, "to deploy", Unit::bytes, "storage"});
}

struct CostFigure {
  Shown shown;
  double value;
};
// All shown figures, group by group. The same figures in the same order for every argument.
std::vector<CostFigure> cost_figures(const Costs& costs);
std::vector<CostFigure> cost_figures(const MethodSummary& summary);

// Sums weighted by `weight`, for means: every number that is listed above.
void add_weighted(PhaseSeconds& sum, PhaseSeconds more, double weight);
void add_weighted(Flops& sum, Flops more, double weight);
void add_weighted(MachineUse& sum, MachineUse more, double weight);

// What a method's runs learned and forgot, over seeds: keys of `summary` in results.json, and the
// columns of tables for those with a name.
struct LossFigure {
  const char* key;
  Estimate MethodSummary::*of;
  const char* name;
  Unit unit;
};
const std::vector<LossFigure>& loss_figures();

}  // namespace afina

// What a report says, whatever its form: the rows of the cost table, and ratios and differences in
// words.
#pragma once
#include <string>
#include <vector>
#include "tools/text/units.h"

namespace afina {

struct CostRow {  // one figure of all methods
  Shown figure;
  std::vector<double> values;  // one a method
  std::vector<double> halves;  // of a time: half of its 95 % interval over seeds; 0: it has none
  // With its interval, where it has one.
  std::string text(size_t method) const;
};

// A comparison with what follows from it, computed once.
struct Facts {
  const Comparison& comparison;
  size_t reference;
  std::vector<MethodSummary> summaries;
  std::vector<PairedDifference> paired;
  std::vector<CostRow> costs;
  std::vector<LossFigure> losses;  // those with a name that are known of some method
  std::vector<std::string> notes;  // the comparison's, and those that follow from its times
  bool has_retain = false;
  int seeds = 0;  // most runs of any method
  // Labels where there is little room, and in sentences (tools/text/names.h).
  std::vector<std::string> shorts, spoken;

  explicit Facts(const Comparison& comparison);
  const std::string& label(size_t method) const { return comparison.methods[method].label; }
  const PairedDifference* against_reference(size_t method) const;
  // A loss figure of a method, with its interval.
  std::string text(const LossFigure& figure, size_t method) const {
    return format_estimate(summaries[method].*figure.of, format_of(figure.unit));
  }
};

// value / reference value; NaN where that says nothing.
double ratio(const CostRow& row, size_t method, size_t reference);

// One key figure as it was predicted before a run began, and as measured.
struct PredictedFigure {
  Shown figure;
  double predicted, measured;
  std::string text(double value) const { return format_of(figure.unit)(value); }
  std::string difference() const;  // "exact", "+1.2 %"
};
// Memory, FLOPs, training time where the machine was measured, storage; empty where nothing was
// predicted.
std::vector<PredictedFigure> predicted_figures(const RunResult& run);
// The same in a sentence.
std::string predicted_sentence(const std::string& label, const RunResult& run);
// Of the method's first run.
std::vector<PredictedFigure> predicted_figures(const Facts& facts, size_t method);

// "12.3 s of training, of which a step took 0.20 s (quartiles 0.19 s and 0.22 s); 21.4 s of
// processor time ..."
std::string time_sentence(const RunResult& run);

// "lora r=16 trains 1.2 % of the parameters, holds 0.41× the memory, ..."
std::string cost_sentence(const Facts& facts, size_t method);
// The peaks of both, and of them what training adds to the weights. Parts of two peaks are not
// subtracted: they are of different moments.
std::string memory_sentence(const Facts& facts, size_t method);
// What it learned and forgot against the reference, and whether the difference is more than chance.
std::string learning_sentence(const Facts& facts, size_t method);
// "diverged at step 17 of 40 (seed 1)" and the like; empty where no run of the method did.
std::string diverged_sentence(const Facts& facts, size_t method);
// How intervals were made, or why there are none.
std::string interval_sentence(const Facts& facts);

// The parts of a sum, in the order of bars: bytes by purpose at the peak of training, seconds of
// training by phase, FLOPs by phase.
using Parts = std::vector<std::pair<std::string, double>>;
Parts parts_of(const MemoryBytes& memory);
Parts parts_of(const PhaseSeconds& seconds);
Parts parts_of(const Flops& flops);

// What the first run that was measured changed in the weights; empty: none was.
std::vector<LayerChange> changes_of(const MethodResult& method);

}  // namespace afina

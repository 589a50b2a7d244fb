// What a report says, whatever its form: the rows of the cost table, and the ratios and differences
// in words.
#pragma once
#include <string>
#include <vector>
#include "tools/results/results.h"

namespace afina {

struct CostRow {
  std::string group;           // Parameters, Memory, Time, Arithmetic, Storage
  std::string label;           // what is counted
  std::vector<double> values;  // one a method
  std::string (*format)(double);
  bool key = false;  // one of the figures that short tables show
};

// A comparison with what follows from it, computed once.
struct Facts {
  const Comparison& comparison;
  size_t reference;
  std::vector<MethodSummary> summaries;
  std::vector<PairedDifference> paired;
  std::vector<CostRow> costs;
  bool has_retain = false;
  bool has_accuracy = false;
  int seeds = 0;  // most runs of any method

  explicit Facts(const Comparison& comparison);
  const std::string& label(size_t method) const { return comparison.methods[method].label; }
  const PairedDifference* against_reference(size_t method) const;
};

// value / reference value; NaN where that says nothing.
double ratio(const CostRow& row, size_t method, size_t reference);

// One figure as it was foreseen before a run began, and as it came.
struct ForeseenFigure {
  const char* what;
  double foreseen, measured;
  std::string (*format)(double);
  std::string difference() const;  // "exact", "+1.2 %"
};
// Memory, arithmetic, time where the machine was measured, storage; empty where nothing was
// foreseen.
std::vector<ForeseenFigure> foreseen_figures(const RunResult& run);
// The same in a sentence.
std::string foreseen_sentence(const std::string& label, const RunResult& run);
// Of the method's first run.
std::vector<ForeseenFigure> foreseen_figures(const Facts& facts, size_t method);

// "lora r=16 trains 1.2 % of the parameters, holds 0.41× the memory, ..."
std::string cost_sentence(const Facts& facts, size_t method);
// Which purpose explains the difference in memory, in words.
std::string memory_sentence(const Facts& facts, size_t method);
// What it learnt and forgot against the reference, and whether the difference is more than chance.
std::string learning_sentence(const Facts& facts, size_t method);
// How intervals were made, or why there are none.
std::string interval_sentence(const Facts& facts);

// Purposes and phases by name, in the order of the bars.
std::vector<std::pair<const char*, int64_t>> purposes(const MemoryBytes& memory);
std::vector<std::pair<const char*, double>> training_phases(const PhaseSeconds& seconds);

}  // namespace afina

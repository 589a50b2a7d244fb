// What times are worth: quartiles of steps, and whether the machine was the runs' own.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/results/results.h"

namespace afina {

namespace {

// Shares of the threads' time that differ by more than this are not compared in silence.
constexpr double tolerance = 0.1;

// Between the order statistics, as most programs interpolate; `sorted` is not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * double(sorted.size() - 1);
  const size_t below = size_t(place), above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - double(below)) * (sorted[above] - sorted[below]);
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", 100 * share);
  return text;
}
std::string named(const MethodResult& method, const RunResult& run) {
  char load[32];
  std::snprintf(load, sizeof load, "%.1f", run.machine_use.load);
  return method.label + " with seed " + std::to_string(run.seed) + " got " +
         percent(run.machine_use.share()) + " of its threads' time (load " + load + ")";
}

}  // namespace

StepSeconds step_seconds(const std::vector<const std::vector<StepPoint>*>& curves) {
  std::vector<double> steps;
  for (const std::vector<StepPoint>* curve : curves) {
    double before = 0;
    for (const StepPoint& point : *curve) {
      steps.push_back(point.seconds - before);
      before = point.seconds;
    }
  }
  if (steps.empty()) return {};
  std::sort(steps.begin(), steps.end());
  return {quantile(steps, 0.25), quantile(steps, 0.5), quantile(steps, 0.75)};
}

std::vector<std::string> timing_notes(const Comparison& comparison) {
  struct Run {
    const MethodResult* method;
    const RunResult* run;
    double share() const { return run->machine_use.share(); }
    std::string text() const { return named(*method, *run); }
  };
  std::vector<Run> runs;
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      if (run.machine_use.thread_seconds > 0) runs.push_back({&method, &run});
  if (runs.empty()) return {};
  auto by_share = [](const Run& a, const Run& b) { return a.share() < b.share(); };
  const auto [least, most] = std::minmax_element(runs.begin(), runs.end(), by_share);
  if (most->share() - least->share() > tolerance)
    return {"wall times are not of equal conditions: " + most->text() + ", " + least->text() +
            "; compare processor seconds and the medians of steps, or measure again on an idle "
            "machine"};
  const double cores = std::max(1, comparison.machine.cores);
  if (least->share() < 1 - tolerance && least->run->machine_use.load > cores)
    return {"other programs ran as well, so that wall times are longer than on an idle machine: " +
            least->text()};
  return {};
}

}  // namespace afina

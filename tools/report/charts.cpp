// The list of charts.
#include "tools/report/charts.h"

#include "engine/error.h"

namespace afina {

const std::vector<Chart>& charts() {
  static const std::vector<Chart> all = {
      {"learned-forgotten", "Learned against forgotten", chart::learned_forgotten},
      {"loss", "Held-out loss by step", chart::loss},
      {"loss-by-time", "Held-out loss by time of training", chart::loss_by_time},
      {"training-loss", "Training loss by step", chart::training_loss},
      {"retention", "Loss on the retention text by step", chart::retention},
      {"change", "Change of the weights by step", chart::change},
      {"effective-rank", "Effective rank of the change by step", chart::effective_rank},
      {"spectrum", "Singular values of the change", chart::spectrum},
      {"rates", "Held-out loss by learning rate", chart::rates},
      {"memory", "Memory at its peak, by purpose", chart::memory},
      {"time", "Training time by phase", chart::time},
      {"flops", "FLOPs by phase", chart::flops},
      {"storage", "What must be stored", chart::storage},
      {"parameters", "Parameters trained", chart::parameters}};
  return all;
}

std::string draw_chart(const Facts& facts, const std::string& name, svg::Medium medium) {
  std::string known;
  for (const Chart& chart : charts()) {
    if (name == chart.name) return chart.draw(facts, medium);
    known += (known.empty() ? "" : ", ") + std::string(chart.name);
  }
  fail("no chart '", name, "'; there are ", known);
}

}  // namespace afina

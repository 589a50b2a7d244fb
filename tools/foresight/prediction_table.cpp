// Columns of what was foreseen.
#include "tools/foresight/prediction_table.h"

#include <sstream>

#include "tools/text/format.h"
#include "tools/text/table.h"

namespace afina {

namespace {

struct Columns {
  const std::vector<Predicted>& all;
  Table table{"l"};
  template <class Text>
  void row(const std::string& name, Text text) {
    std::vector<std::string> cells{name};
    for (const Predicted& one : all) cells.push_back(text(one.prediction));
    table.add(cells);
  }
  void bytes(const std::string& name, int64_t MemoryBytes::*which) {
    row(name, [=](const Prediction& p) { return format_bytes(double(p.memory.*which)); });
  }
  void seconds(const std::string& name, double PhaseSeconds::*which) {
    row(name,
        [=](const Prediction& p) { return p.timed ? format_seconds(p.seconds.*which) : "?"; });
  }
};

void add_memory(Columns& c) {
  c.bytes("  weights", &MemoryBytes::weights);
  c.bytes("  masters", &MemoryBytes::masters);
  c.bytes("  gradients", &MemoryBytes::gradients);
  c.bytes("  optimizer", &MemoryBytes::optimizer);
  c.bytes("  activations", &MemoryBytes::activations);
  c.bytes("  workspace", &MemoryBytes::workspace);
}

}  // namespace

std::string prediction_table(const std::vector<Predicted>& all, bool whole) {
  Columns c{all};
  std::vector<std::string> head{"Foreseen"};
  bool timed = false, evaluated = false;
  for (const Predicted& one : all) {
    head.push_back(one.label);
    timed = timed || one.prediction.timed;
    evaluated = evaluated || (one.prediction.timed && one.prediction.seconds.evaluation > 0);
  }
  c.table.add(head);
  c.row("Trained parameters",
        [](const Prediction& p) { return format_count(double(p.trained_parameters)); });
  c.row("Memory at its peak",
        [](const Prediction& p) { return format_bytes(double(p.memory.peak())); });
  if (whole) add_memory(c);
  if (whole)
    c.row("  the whole process, about",
          [](const Prediction& p) { return format_bytes(double(p.memory.resident_peak)); });
  c.row("Arithmetic", [](const Prediction& p) {
    return (p.steps_seen < p.steps ? "about " : "") + format_flops(p.flops.total());
  });
  if (whole) c.row("  forward", [](const Prediction& p) { return format_flops(p.flops.forward); });
  if (whole)
    c.row("  backward", [](const Prediction& p) { return format_flops(p.flops.backward); });
  if (timed)
    c.row("Time of training, about",
          [](const Prediction& p) { return p.timed ? format_seconds(p.seconds.training()) : "?"; });
  if (timed && whole) {
    c.seconds("  forward", &PhaseSeconds::forward);
    c.seconds("  backward", &PhaseSeconds::backward);
    c.seconds("  optimizer", &PhaseSeconds::optimizer);
    if (evaluated) c.seconds("Time of evaluation, about", &PhaseSeconds::evaluation);
    c.row("Tokens per second", [](const Prediction& p) {
      return p.timed ? format_rate(double(p.tokens) / p.seconds.training()) : "?";
    });
  }
  c.row("To store", [](const Prediction& p) { return format_bytes(double(p.storage_bytes)); });
  std::ostringstream out;
  c.table.print(out);
  return out.str();
}

}  // namespace afina

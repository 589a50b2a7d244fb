// A step as tables for a terminal.
#include <cstdio>
#include <ostream>

#include "tools/look/step_page.h"
#include "tools/text/format.h"
#include "tools/text/table.h"

namespace afina {

namespace {

std::string fixed(double x, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, x);
  return text;
}
std::string short_number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}
std::string millions(int64_t flops) {
  return flops ? fixed(double(flops) / 1e6, flops < 100000000 ? 1 : 0) : "-";
}
std::string mebibytes(int64_t bytes) { return fixed(double(bytes) / (1 << 20), 2); }

// Consecutive operations of one layer, or of none.
struct Group {
  int64_t layer;
  size_t from, to;
};

// An operation without a place belongs to where the one before it was.
std::vector<Group> groups_of(const SeenStep& step, size_t from, size_t to) {
  std::vector<Group> all;
  for (size_t i = from; i < to; ++i) {
    const SeenOperation& op = step.operations[i];
    const int64_t layer = op.place.empty() && !all.empty() ? all.back().layer : layer_of(op.place);
    if (all.empty() || all.back().layer != layer) all.push_back({layer, i, i});
    all.back().to = i + 1;
  }
  return all;
}

// Within a layer what lies behind its number is enough.
std::string short_place(const std::string& place) {
  const int64_t layer = layer_of(place);
  if (layer < 0) return place;
  const std::string number = "." + std::to_string(layer) + ".";
  const size_t at = place.find(number);
  return at == place.npos ? place : place.substr(at + number.size());
}

void add_row(Table& table, const SeenStep& step, size_t i) {
  const SeenOperation& op = step.operations[i];
  std::string what = std::string(size_t(op.depth), ' ') + op.name;
  if (op.kind == SeenKind::recomputed) what += " (again)";
  if (op.kind == SeenKind::forward && !op.recorded) what += " (no grad.)";
  std::string norm = op.values ? short_number(op.values->norm) : "-";
  if (op.kind == SeenKind::update && op.parameter >= 0) {
    const SeenParameter& p = step.parameters[size_t(op.parameter)];
    norm = p.gradient ? short_number(p.gradient->norm) : "-";
  }
  table.add({std::to_string(i), what, short_place(op.place), op.shape.text(),
             fixed(1e3 * op.seconds, 3), millions(op.flops), mebibytes(op.held_in_all()), norm});
}

void add_sum(Table& table, const SeenStep& step, const Group& group) {
  double seconds = 0;
  int64_t flops = 0, held = 0;
  for (size_t i = group.from; i < group.to; ++i) {
    const SeenOperation& op = step.operations[i];
    seconds += op.seconds;
    flops += op.flops;
    held = std::max(held, op.held_in_all());
  }
  table.add({std::to_string(group.from), "layer " + std::to_string(group.layer),
             std::to_string(group.to - group.from) + " operations", "", fixed(1e3 * seconds, 3),
             millions(flops), mebibytes(held), ""});
}

// Does this layer do what the first one did?
bool alike(const SeenStep& step, const Group& a, const Group& b) {
  if (a.to - a.from != b.to - b.from) return false;
  for (size_t i = 0; i < a.to - a.from; ++i) {
    const SeenOperation &x = step.operations[a.from + i], &y = step.operations[b.from + i];
    if (x.name != y.name || !(x.shape == y.shape)) return false;
  }
  return true;
}

void print_part(std::ostream& out, const SeenStep& step, size_t from, size_t to, bool all,
                const char* norm) {
  Table table("rlll");
  table.add({"#", "operation", "where", "shape", "ms", "MFLOP", "held MiB", norm});
  const Group* listed = nullptr;
  const std::vector<Group> groups = groups_of(step, from, to);
  for (const Group& group : groups) {
    const bool sum = !all && group.layer >= 0 && listed && alike(step, *listed, group);
    if (sum) {
      add_sum(table, step, group);
      continue;
    }
    if (group.layer >= 0) {
      listed = &group;
      table.add({"", "layer " + std::to_string(group.layer) + ":"});
    }
    for (size_t i = group.from; i < group.to; ++i) add_row(table, step, i);
  }
  table.print(out);
}

// Where the forward pass ends, and the backward pass.
size_t end_of(const SeenStep& step, size_t from, SeenKind kind) {
  size_t i = from;
  auto within = [&](SeenKind k) {
    return k == kind || (kind == SeenKind::backward && k == SeenKind::recomputed);
  };
  while (i < step.operations.size() && within(step.operations[i].kind)) ++i;
  return i;
}

void print_step(std::ostream& out, const SeenStep& step, bool all) {
  out << "\n"
      << step.method << ": step " << step.number << ", loss " << format_loss(step.loss)
      << ", norm of the gradient " << short_number(step.gradient_norm) << "\n";
  size_t at = 0;
  const char* titles[] = {"forward", "", "backward", "update"};
  while (at < step.operations.size()) {  // once for each micro-batch, then the update
    const SeenKind kind = step.operations[at].kind == SeenKind::recomputed
                              ? SeenKind::backward
                              : step.operations[at].kind;
    const size_t end = end_of(step, at, kind);
    out << "\n" << titles[int(kind)] << "\n";
    print_part(out, step, at, end, all, kind == SeenKind::forward ? "norm" : "norm of grad.");
    at = end;
  }
}

void print_summary(std::ostream& out, const std::vector<SeenStep>& steps) {
  Table table("l");
  auto row = [&](const std::string& title, auto text) {
    std::vector<std::string> cells{title};
    for (const SeenStep& step : steps) cells.push_back(text(step));
    table.add(cells);
  };
  row("", [](const SeenStep& s) { return s.method; });
  row("operations", [](const SeenStep& s) { return std::to_string(s.operations.size()); });
  for (SeenKind kind :
       {SeenKind::forward, SeenKind::recomputed, SeenKind::backward, SeenKind::update}) {
    bool any = false;
    for (const SeenStep& s : steps)
      for (const SeenOperation& op : s.operations) any = any || op.kind == kind;
    if (!any) continue;
    row(std::string("time, ") + name(kind),
        [&](const SeenStep& s) { return fixed(1e3 * s.seconds(kind), 1) + " ms"; });
    if (kind != SeenKind::update)
      row(std::string("FLOPs, ") + name(kind),
          [&](const SeenStep& s) { return format_flops(double(s.flops(kind))); });
  }
  for (size_t p = 0; p < size_t(purpose_count); ++p)
    row(std::string("held at the peak, ") + purpose_names[p], [&](const SeenStep& s) {
      const int64_t peak = s.peak();
      return format_bytes(peak < 0 ? 0. : double(s.operations[size_t(peak)].held[p]));
    });
  row("held at the peak, together", [](const SeenStep& s) {
    const int64_t peak = s.peak();
    return format_bytes(peak < 0 ? 0. : double(s.operations[size_t(peak)].held_in_all()));
  });
  row("the peak is during", [](const SeenStep& s) {
    const int64_t peak = s.peak();
    if (peak < 0) return std::string("-");
    const SeenOperation& op = s.operations[size_t(peak)];
    return "#" + std::to_string(peak) + " " + op.name + ", " + name(op.kind);
  });
  row("loss", [](const SeenStep& s) { return format_loss(s.loss); });
  row("digest after the step", [](const SeenStep& s) { return short_hash(s.digest); });
  out << "\n";
  table.print(out);
}

}  // namespace

void print_steps(std::ostream& out, const std::vector<SeenStep>& steps,
                 const StepConditions& conditions, bool all) {
  out << conditions.model << ", one training step on " << conditions.data << "\n";
  for (auto& [name, text] : conditions.facts) out << name << ": " << text << "\n";
  for (const SeenStep& step : steps) print_step(out, step, all);
  print_summary(out, steps);
}

}  // namespace afina

// The methods of fine-tuning as tables, for the terminal and for docs/methods.md.
#include "tools/commands/method_tables.h"

#include <sstream>

#include "model/words.h"
#include "tools/text/table.h"

namespace afina {

namespace {

// Ratios to full fine-tuning, which is the measure of all methods.
struct Full {
  double flops = 0, bytes = 0;
  explicit Full(const std::vector<MethodCost>& costs) {
    for (const MethodCost& one : costs)
      if (one.method.name == "full") {
        flops = one.cost.flops.total();
        bytes = double(one.cost.memory.peak());
      }
  }
};

std::vector<std::string> cells(const MethodCost& one, const Full& full) {
  if (!one.why_not.empty()) return {one.method.text, "-", "-", "-", "-", "-"};
  const Prediction& cost = one.cost;
  const double flops = cost.flops.total(), bytes = double(cost.memory.peak());
  return {one.method.text,
          format_grouped(cost.trained_parameters),
          format_percent(double(cost.trained_parameters) / double(cost.total_parameters)),
          full.flops > 0 ? format_ratio(flops / full.flops) : "-",
          full.bytes > 0 ? format_ratio(bytes / full.bytes) : "-",
          format_bytes(double(cost.storage_bytes))};
}

// Of an error of many sentences the first clause; the whole is said by a run.
std::string first_clause(const std::string& text) { return text.substr(0, text.find("; ")); }

// Markdown would read these as columns, emphasis or tags.
std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '|' || c == '*' || c == '<' || c == '_') out += '\\';
    out += c;
  }
  return out;
}

// A formula as code within a table, where Markdown takes a bar for a column even then.
std::string code(const std::string& text) {
  std::string out = "`";
  for (char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out + "`";
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + cell + " |";
  return line + "\n";
}

std::string conditions(const RunShape& shape) {
  std::ostringstream text;
  text << shape.run.batch << " rows of " << shape.data.length << " tokens, "
       << word_of(shape.model.dtype);
  return text.str();
}

}  // namespace

const char* name_of(Promise promise) {
  switch (promise) {
    case Promise::starts_as_pretrained: return "starts as the pretrained model";
    case Promise::trains_what_it_says: return "changes what it trains and nothing else";
    case Promise::merges: return "merges into the weights";
    case Promise::checkpoints: return "gives the same gradients under checkpointing";
    case Promise::splits: return "gives the same gradients in micro-batches";
    case Promise::slope: return "its gradient is the slope of the loss";
    case Promise::stores: return "comes back from its files";
  }
  return "";
}

void print_costs(std::ostream& out, const RunShape& shape, const std::vector<MethodCost>& costs) {
  const Full full(costs);
  out << "A step of " << conditions(shape)
      << ";\nFLOPs and memory as ratios to full, whose step takes " << format_flops(full.flops)
      << " and " << format_bytes(full.bytes) << ".\n\n";
  Table table("lrrrrr");
  table.add({"Method", "Trained", "Share", "FLOPs", "Memory", "Storage"});
  for (const MethodCost& one : costs) table.add(cells(one, full));
  table.print(out);
  for (const MethodCost& one : costs)
    if (!one.why_not.empty())
      out << "\n" << one.method.text << " does not fit here: " << first_clause(one.why_not) << "\n";
}

void print_cost_document(std::ostream& out, const std::string& model, const RunShape& shape,
                         const std::vector<MethodCost>& costs) {
  const Full full(costs);
  out << "One step on " << model << " of " << conditions(shape)
      << ". FLOPs as executed and memory of all tensors at its peak, as ratios to full fine-tuning "
         "("
      << format_flops(full.flops) << ", " << format_bytes(full.bytes) << ").\n\n"
      << row({"method", "trained", "share", "FLOPs", "memory", "stored"})
      << row({"---", "---:", "---:", "---:", "---:", "---:"});
  for (const MethodCost& one : costs) out << row(cells(one, full));
  for (const MethodCost& one : costs)
    if (!one.why_not.empty())
      out << "\n`" << one.method.text << "` does not fit: " << escaped(first_clause(one.why_not))
          << ".\n";
}

void print_cards(std::ostream& out) {
  out << row({"method", "formula", "trained", "rate", "in PEFT"})
      << row({"---", "---", "---", "---:", "---"});
  for (auto& [name, entry] : methods()) {
    const MethodCard& card = entry.card;
    out << row({"[" + name + "](#" + name + ")", code(card.formula), escaped(card.trains),
                number_text(card.rate), card.peft_type.empty() ? "-" : "`" + card.peft_type + "`"});
  }
  for (auto& [name, entry] : methods()) {
    const MethodCard& card = entry.card;
    out << "\n### " << name << "\n\n";
    auto line = [&](const char* title, const std::string& text) {
      if (!text.empty()) out << "- " << title << ": " << text << "\n";
    };
    line("Paper", escaped(card.paper));
    line("Computes", "`" + card.formula + "`");
    line("Trains", escaped(card.trains));
    line("Options", card.options.empty() ? "none" : escaped(card.options));
    line("Needs", escaped(card.needs));
    line("Rate", number_text(card.rate) + ", because " + escaped(card.rate_because));
    line("In PEFT", card.peft_type + (card.peft_flag.empty() ? "" : " with " + card.peft_flag));
    for (const NotPromised& n : card.not_promised)
      line("Does not hold", name_of(n.promise) + std::string(": ") + escaped(n.because));
  }
}

}  // namespace afina

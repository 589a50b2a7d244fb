// The comparison as CSV.
#include <charconv>
#include <cmath>

#include "tools/report/tables.h"
#include "tools/results/judgement.h"

namespace afina {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string field = "\"";
  for (char letter : text) field += letter == '"' ? "\"\"" : std::string(1, letter);
  return field + "\"";
}

// The shortest decimal that reads back as the same number.
std::string exact(double value) {
  if (!std::isfinite(value)) return "";
  char text[40];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}
std::string exact(int64_t value) { return std::to_string(value); }
template <class T>
std::string exact(const std::optional<T>& value) {
  return value ? exact(*value) : "";
}

struct Line {
  std::vector<std::string> names, values;
  void add(const std::string& name, std::string value) {
    names.push_back(name);
    values.push_back(std::move(value));
  }
  void add(const std::string& name, const Estimate& estimate) {
    const bool interval = estimate.has_interval();
    add(name, estimate.known() ? exact(estimate.mean) : "");
    add(name + "_low", interval ? exact(estimate.low()) : "");
    add(name + "_high", interval ? exact(estimate.high()) : "");
  }
};

// Every number of the lists of tools/results/figures.h under its key: "memory_peak".
struct Numbers {
  Line& line;
  std::string prefix;
  template <class T>
  void operator()(const char* key, T& value, const Shown& = {}) {
    if constexpr (std::is_arithmetic_v<T>) {
      line.add(prefix + key, number(value));
    } else {
      Numbers inner{line, prefix + key + "_"};
      fields(inner, value);
    }
  }
  template <class T>
  void added(const char* key, T& value) {
    (*this)(key, value);
  }
  template <class T>
  void derived(const char* key, T value, const Shown&) {
    line.add(prefix + key, number(value));
  }
  void shown(double, const Shown&) {}
  template <class T>
  static std::string number(T value) {
    if constexpr (std::is_integral_v<T>) return exact(int64_t(value));
    else return exact(double(value));
  }
};

Line line_of(const Facts& facts, size_t method) {
  const MethodResult& m = facts.comparison.methods[method];
  MethodSummary summary = facts.summaries[method];
  if (!m.runs.empty()) {  // of a run: the same in all of them
    summary.steps = m.runs[0].steps;
    summary.samples = m.runs[0].samples;
    summary.tokens = m.runs[0].tokens;
    summary.target_tokens = m.runs[0].target_tokens;
  }
  const PairedDifference* pair = facts.against_reference(method);
  Line line;
  line.add("program", "afina " + facts.comparison.version);
  line.add("model", facts.comparison.model.name);
  line.add("method", m.label);
  line.add("spec", m.spec);
  line.add("learning_rate", exact(m.learning_rate));
  line.add("seeds", std::to_string(m.runs.size()));
  line.add("rows", std::to_string(summary.heldout.rows));
  line.add("reference", pair ? pair->reference : "");
  line.add("heldout", summary.heldout);
  line.add("gain", summary.gain);
  line.add("difference", pair ? pair->overall : Estimate());
  line.add("better_share", pair && pair->over_examples.known() ? exact(pair->better_share) : "");
  line.add("retain", summary.retain);
  line.add("forgetting", summary.forgetting);
  line.add("final_train_loss", summary.final_train_loss);
  const std::string accuracy = accuracy_rule(judged_rules(facts.comparison));
  const ShareEstimate right = accuracy.empty() ? ShareEstimate() : passed_after(m, accuracy);
  line.add("accuracy", right.known() ? exact(right.share) : "");
  line.add("diverged", summary.diverged ? "true" : "false");
  Numbers numbers{line, ""};
  cost_fields(numbers, summary);
  line.add("memory_mean", "");
  return line;
}

// Under the same columns; those that the other program does not know stay empty.
std::vector<std::string> line_of(const ForeignResult& r, const std::vector<std::string>& names) {
  const std::vector<std::pair<std::string, std::string>> known = {
      {"program", r.program},
      {"model", r.model},
      {"method", r.name},
      {"spec", r.method},
      {"learning_rate", exact(r.learning_rate)},
      {"seeds", "1"},
      {"forgetting", exact(r.forgetting)},
      {"final_train_loss", exact(r.train_loss)},
      {"accuracy", exact(r.accuracy)},
      {"trained_parameters", exact(r.trained_parameters)},
      {"total_parameters", exact(r.total_parameters)},
      {"steps", exact(r.steps)},
      {"samples", exact(r.samples)},
      {"tokens", exact(r.tokens)},
      {"seconds_training", exact(r.training_seconds)},
      {"tokens_per_second", exact(r.tokens_per_second)},
      {"memory_peak", exact(r.memory_peak)},
      {"memory_mean", exact(r.memory_mean)},
      {"storage_bytes", exact(r.storage_bytes)}};
  std::vector<std::string> values(names.size());
  for (auto& [name, value] : known)
    for (size_t i = 0; i < names.size(); i++)
      if (names[i] == name) values[i] = value;
  return values;
}

std::string joined(const std::vector<std::string>& fields) {
  std::string line;
  for (size_t i = 0; i < fields.size(); i++) line += (i ? "," : "") + quoted(fields[i]);
  return line + "\r\n";
}

}  // namespace

std::string csv_table(const Facts& facts) {
  std::string text;
  std::vector<std::string> names;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const Line line = line_of(facts, method);
    names = line.names;
    if (method == 0) text += joined(names);
    text += joined(line.values);
  }
  for (const ForeignResult& one : facts.comparison.foreign) text += joined(line_of(one, names));
  return text;
}

}  // namespace afina

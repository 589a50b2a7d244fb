// Conditions of report.html: all that is needed to run the comparison again and to check that it
// came out the same.
#include "tools/report/page.h"
#include "tools/text/format.h"

namespace afina::page {
namespace {

struct Pairs {
  std::string html;
  void add(std::string_view name, std::string_view value) {
    if (!value.empty()) html += "<dt>" + escape(name) + "</dt><dd>" + escape(value) + "</dd>";
  }
  std::string done(const char* title, const char* kind = "") const {
    return "<div class=\"card\"><h3>" + std::string(title) + "</h3><dl class=\"pairs" + kind +
           "\">" + html + "</dl></div>\n";
  }
};

std::string positive(int64_t number) { return number > 0 ? format_grouped(number) : ""; }

std::string model_card(const ModelDescription& model) {
  Pairs pairs;
  pairs.add("model", model.name);
  pairs.add("path", model.path);
  pairs.add("architecture", model.architecture);
  pairs.add("parameters", positive(model.parameters));
  pairs.add("layers", positive(model.layers));
  pairs.add("width", positive(model.dim));
  pairs.add("heads", positive(model.heads) + (model.kv_heads > 0 ? " (" + positive(model.kv_heads) +
                                                                       " for keys and values)"
                                                                 : ""));
  pairs.add("feed-forward width", positive(model.ffn_dim));
  pairs.add("vocabulary", positive(model.vocabulary));
  pairs.add("SHA-256 of the weights", model.hash);
  return pairs.done("Model");
}

std::string machine_card(const Comparison& comparison) {
  const Machine& machine = comparison.machine;
  Pairs pairs;
  pairs.add("processor", machine.cpu);
  pairs.add("instruction set", machine.isa);
  pairs.add("threads", positive(machine.threads));
  pairs.add("cores", positive(machine.cores));
  if (machine.memory_bytes > 0) pairs.add("memory", format_bytes(double(machine.memory_bytes)));
  pairs.add("system", machine.system);
  pairs.add("afina", comparison.version);
  pairs.add("commit", comparison.commit);
  pairs.add("date", comparison.created);
  return pairs.done("Machine and program");
}

// Older results have numbers where an option was not given; they say nothing to a reader.
bool stands_for_nothing(const std::string& name, const std::string& value) {
  if (value == "-1") return true;
  const bool counts = name == "threads" || name == "eval-every" || name == "save-every" ||
                      name == "held-out" || name == "epochs";
  return counts && value == "0";
}

std::string options_card(const Comparison& comparison) {
  Pairs pairs;
  for (auto& [name, value] : comparison.options)
    if (name != "method" && !stands_for_nothing(name, value)) pairs.add(name, value);
  return pairs.done("Options of all methods", " columns");
}

std::string method_table(const Facts& facts) {
  Table table("", {"given as", "learning rate", "options"}, "left");
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const MethodResult& result = facts.comparison.methods[method];
    std::string options;
    for (auto& [name, value] : result.options)
      if (!value.empty()) options += (options.empty() ? "" : ", ") + name + " " + value;
    table.row(method_name(facts, method), {{result.spec, "", "words"},
                                           {format_learning_rate(result.learning_rate)},
                                           {options, "", "words"}});
  }
  return table.html();
}

std::string data_table(const std::vector<DataDescription>& data) {
  Table table("used for", {"file", "rows", "tokens", "target tokens", "truncated", "SHA-256"},
              "left");
  for (const DataDescription& one : data)
    table.row(escape(one.role), {{one.path, "", "words"},
                                 {format_grouped(one.rows)},
                                 {format_grouped(one.tokens)},
                                 {format_grouped(one.target_tokens)},
                                 {format_grouped(one.truncated)},
                                 {one.hash, "", "hash mono"}});
  return table.html();
}

std::string digest_table(const Comparison& comparison) {
  Table table("run", {"seed", "rate", "digest: SHA-256 of all trained values"}, "left");
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      table.row(escape(run.name), {{std::to_string(run.seed)},
                                   {format_learning_rate(run.learning_rate)},
                                   {run.digest, "", "hash mono"}});
  return table.html();
}

std::string predicted_table(const Facts& facts) {
  std::vector<std::string> heads;
  std::vector<std::vector<PredictedFigure>> all;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    all.push_back(predicted_figures(facts, method));
    if (heads.empty())
      for (const PredictedFigure& f : all.back()) heads.push_back(f.figure.word);
  }
  Table table("", heads, "predicted");
  for (size_t method = 0; method < all.size(); method++) {
    if (all[method].empty()) continue;
    std::vector<Table::Cell> cells;
    for (const std::string& head : heads) {
      cells.push_back({"–"});
      for (const PredictedFigure& f : all[method])
        if (f.figure.word == head)
          cells.back() = f.difference() == "exact"
                             ? Table::Cell{f.text(f.measured), "as predicted"}
                             : Table::Cell{f.text(f.measured), "predicted " + f.text(f.predicted) +
                                                                   ": " + f.difference()};
    }
    table.row(method_name(facts, method), cells);
  }
  if (heads.empty() || table.empty()) return "";
  return "<h3 class=\"above\">Measured and predicted</h3>\n" + table.html() +
         "<p class=\"soft\">Of each method's first run. The prediction executes the run's code on "
         "tensors without data before training begins, as <code>afina plan</code> does.</p>\n";
}

}  // namespace

std::string conditions(const Facts& facts) {
  const Comparison& comparison = facts.comparison;
  std::string html =
      "<section id=\"conditions\">\n<h2>Conditions</h2>\n<p class=\"lead\">The same model, data "
      "and options give the same digests on any machine and with any number of threads. Only the "
      "times differ.</p>\n";
  if (!comparison.command.empty()) html += "<pre>" + escape(comparison.command) + "</pre>\n";
  html += "<div class=\"two\">\n" + model_card(comparison.model) + machine_card(comparison) +
          "</div>\n" + options_card(comparison);
  html += "<h3 class=\"above\">Methods</h3>\n" + method_table(facts);
  html += "<h3 class=\"above\">Data</h3>\n" + data_table(comparison.data);
  html += "<h3 class=\"above\">Digests</h3>\n" + digest_table(comparison);
  return html + predicted_table(facts) + "</section>\n";
}

}  // namespace afina::page

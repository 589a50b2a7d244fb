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
  std::string done(const char* title) const {
    return "<div class=\"card\"><h3>" + std::string(title) + "</h3><dl class=\"pairs\">" + html +
           "</dl></div>\n";
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

std::string options_cards(const Comparison& comparison) {
  Pairs common;
  for (auto& [name, value] : comparison.options) common.add(name, value);
  std::string html = common.done("Options of all methods");
  for (const MethodResult& method : comparison.methods) {
    Pairs pairs;
    pairs.add("given as", method.spec);
    pairs.add("learning rate", format_learning_rate(method.learning_rate));
    for (auto& [name, value] : method.options) pairs.add(name, value);
    html += pairs.done(escape(method.label).c_str());
  }
  return html;
}

std::string data_table(const std::vector<DataDescription>& data) {
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th>used for</th><th class=\"left\">file</th>" +
      header_cell("rows") + header_cell("tokens") + header_cell("target tokens") +
      header_cell("truncated") + "<th class=\"left\">SHA-256</th></tr></thead><tbody>\n";
  for (const DataDescription& one : data)
    html += "<tr><th scope=\"row\">" + escape(one.role) + "</th><td class=\"words\">" +
            escape(one.path) + "</td>" + cell(format_grouped(one.rows)) +
            cell(format_grouped(one.tokens)) + cell(format_grouped(one.target_tokens)) +
            cell(format_grouped(one.truncated)) + "<td class=\"hash mono\">" + escape(one.hash) +
            "</td></tr>\n";
  return html + "</tbody></table></div>\n";
}

std::string digest_table(const Comparison& comparison) {
  std::string html =
      "<div class=\"scroll\"><table><thead><tr><th>run</th>" + header_cell("seed") +
      header_cell("rate") +
      "<th class=\"left\">digest: SHA-256 of all trained values</th></tr></thead><tbody>\n";
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      html += "<tr><th scope=\"row\">" + escape(run.name) + "</th>" +
              cell(std::to_string(run.seed)) + cell(format_learning_rate(run.learning_rate)) +
              "<td class=\"hash mono\">" + escape(run.digest) + "</td></tr>\n";
  return html + "</tbody></table></div>\n";
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
          options_cards(comparison) + "</div>\n";
  return html + data_table(comparison.data) + "<p></p>\n" + digest_table(comparison) +
         "</section>\n";
}

}  // namespace afina::page

// Overview and costs of report.html: cards of ratios, stacked bars, and the cost table.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include "tools/report/page.h"

namespace afina::page {
namespace {

// One bar a method; a full width is the largest total.
struct Bars {
  std::string title, words;
  std::vector<Parts> parts;
  Format format;
  bool wide = false;
};

// A part without a colour of its own in style.css gets that of "other".
std::string colour_of(const std::string& part) { return "--c:var(--" + part + ",var(--other))"; }

std::string percent_style(const std::string& part, double share) {
  char width[48];
  std::snprintf(width, sizeof width, "width:%.3f%%;", 100 * share);
  return std::string("style=\"") + width + colour_of(part) + "\"";
}

double total(const Parts& parts) {
  double sum = 0;
  for (auto& [name, size] : parts) sum += size;
  return sum;
}

std::string bar(const Facts& facts, size_t method, const Bars& bars, double largest) {
  double ours = total(bars.parts[method]), reference = total(bars.parts[facts.reference]);
  std::string figure = bars.format(ours);
  if (method != facts.reference && reference > 0) figure += " · " + format_ratio(ours / reference);
  std::string html = "<div class=\"bar\"><div class=\"head\">" + method_name(facts, method) +
                     "<b>" + escape(figure) +
                     "</b></div><div class=\"track\" role=\"img\" aria-label=\"";
  for (auto& [name, size] : bars.parts[method])
    html += name + " " + escape(bars.format(size)) + ", ";
  html += "\">";
  for (auto& [name, size] : bars.parts[method]) {
    double share = largest > 0 ? size / largest : 0;
    if (!(share > 0)) continue;
    html += "<i class=\"" + name + (share < 0.2 ? " narrow" : "") + "\" " +
            percent_style(name, share) + " title=\"" + name + ": " + escape(bars.format(size)) +
            "\">" + (share > (bars.wide ? 0.08 : 0.14) ? escape(bars.format(size)) : "") + "</i>";
  }
  return html + "</div></div>\n";
}

std::string chart(const Facts& facts, const Bars& bars) {
  double largest = 0;
  for (const auto& parts : bars.parts) largest = std::max(largest, total(parts));
  std::string html = "<div class=\"card\"><h3>" + bars.title + "</h3><div class=\"bars\">\n";
  for (size_t method = 0; method < bars.parts.size(); method++)
    html += bar(facts, method, bars, largest);
  html += "</div><div class=\"legend\">";
  for (auto& [name, size] : bars.parts.empty() ? Parts() : bars.parts[0])
    html +=
        "<span style=\"" + colour_of(name) + "\"><i class=\"dot square\"></i>" + name + "</span>";
  return html + "</div><p class=\"soft\">" + bars.words + "</p></div>\n";
}

Bars memory_bars(const Facts& facts) {
  Bars bars{"Memory by purpose",
            "At the moment of training when the sum was greatest; evaluation is not counted.",
            {},
            format_bytes,
            true};
  for (const MethodSummary& summary : facts.summaries)
    bars.parts.push_back(parts_of(summary.memory));
  return bars;
}

Bars time_bars(const Facts& facts) {
  Bars bars{"Training time by phase",
            "Mean over seeds, for the same tokens. The table lists evaluation, generation and "
            "saving separately.",
            {},
            format_seconds};
  for (const MethodSummary& summary : facts.summaries)
    bars.parts.push_back(parts_of(summary.seconds));
  return bars;
}

Bars flop_bars(const Facts& facts) {
  Bars bars{"FLOPs by phase",
            "Floating-point operations executed in training; a multiply-add counts as two.",
            {},
            format_flops};
  for (const MethodSummary& summary : facts.summaries)
    bars.parts.push_back(parts_of(summary.flops));
  return bars;
}

std::string table(const Facts& facts) {
  size_t methods = facts.summaries.size();
  std::string html = "<div class=\"scroll\"><table class=\"costs\"><thead><tr><th></th>";
  std::optional<Group> group;
  for (size_t method = 0; method < methods; method++)
    html += "<th scope=\"col\">" + method_name(facts, method) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const CostRow& row : facts.costs) {
    if (row.figure.group != group) {
      group = row.figure.group;
      html += "<tr class=\"group\"><th colspan=\"" + std::to_string(methods + 1) + "\">" +
              name(*group) + "</th></tr>\n";
    }
    html += std::string("<tr") + (row.figure.key() ? " class=\"key\"" : "") +
            "><th scope=\"row\">" + escape(row.figure.name) + "</th>";
    for (size_t method = 0; method < methods; method++) {
      double times = ratio(row, method, facts.reference);
      html += cell(row.text(method),
                   method == facts.reference || !std::isfinite(times) ? "" : format_ratio(times));
    }
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n<p class=\"soft\">× is the ratio to " +
          escape(facts.label(facts.reference)) + ".";
  for (size_t method = 0; method < methods; method++)
    if (const std::string& stored = facts.comparison.methods[method].stored_as; !stored.empty())
      html += " Stored for " + escape(facts.label(method)) + ": " + escape(stored) + ".";
  return html + "</p>\n";
}

std::string predicted_table(const Facts& facts) {
  std::string rows;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    for (const PredictedFigure& f : predicted_figures(facts, method))
      rows += "<tr><th scope=\"row\">" + method_name(facts, method) + ", " + f.figure.word +
              "</th>" + cell(f.text(f.predicted)) + cell(f.text(f.measured)) +
              cell(f.difference()) + "</tr>\n";
  if (rows.empty()) return "";
  return "<h3>Predicted and measured</h3>\n<div class=\"scroll\"><table><thead><tr><th></th>" +
         header_cell("predicted") + header_cell("measured") + header_cell("difference") +
         "</tr></thead><tbody>\n" + rows +
         "</tbody></table></div>\n<p class=\"soft\">Of each method's first run. The prediction "
         "executes the run's code on tensors without data before training begins, as "
         "<code>afina plan</code> does.</p>\n";
}

// A large number over a meter filled to `share` of its width.
std::string figure(std::string_view number, double share, const char* name) {
  char width[48];
  std::snprintf(width, sizeof width, "style=\"width:%.2f%%\"",
                std::isfinite(share) ? 100 * std::clamp(share, 0.0, 1.0) : 0.0);
  return "<div><b>" + escape(number) + "</b><div class=\"meter\"><i " + width +
         "></i></div><span>" + name + "</span></div>";
}

// "0.4183 learnt" with a meter against the largest of all methods.
std::string learning_figure(const Facts& facts, size_t method, const char* name,
                            Estimate MethodSummary::*which) {
  const Estimate& ours = facts.summaries[method].*which;
  if (!ours.known() || !std::isfinite(ours.mean)) return "";
  double largest = 0;
  for (const MethodSummary& summary : facts.summaries)
    largest = std::fmax(largest, (summary.*which).mean);
  return figure(format_difference(ours.mean), largest > 0 ? ours.mean / largest : 0, name);
}

std::string learning_figures(const Facts& facts, size_t method) {
  return "<div class=\"figures losses\">" +
         learning_figure(facts, method, "learnt: held-out loss before − after",
                         &MethodSummary::gain) +
         learning_figure(facts, method, "forgotten: retention loss after − before",
                         &MethodSummary::forgetting) +
         "</div>\n";
}

std::string card(const Facts& facts, size_t method) {
  bool is_reference = method == facts.reference;
  std::string html = "<div class=\"card method" + std::string(is_reference ? " reference" : "") +
                     "\" " + method_colour(method) + "><h3>" + escape(facts.label(method)) +
                     (is_reference ? " <span class=\"soft\">· the reference</span>" : "") +
                     "</h3>\n<div class=\"figures\">";
  for (const CostRow& row : facts.costs) {
    if (!row.figure.key() || row.figure.unit == Unit::per_second) continue;
    double times = ratio(row, method, facts.reference);
    html += figure(is_reference ? row.text(method) : format_ratio(times), times, row.figure.word);
  }
  html += "</div>\n" + learning_figures(facts, method) + "<p>" +
          escape(cost_sentence(facts, method)) + "</p>\n";
  if (!is_reference) html += "<p>" + escape(memory_sentence(facts, method)) + "</p>\n";
  return html + "<p>" + escape(learning_sentence(facts, method)) + "</p></div>\n";
}

}  // namespace

std::string overview(const Facts& facts) {
  std::string html = "<section id=\"overview\">\n";
  if (!facts.notes.empty()) {
    html += "<div class=\"warnings\"><b>Notes</b><ul>";
    for (const std::string& note : facts.notes) html += "<li>" + escape(note) + "</li>";
    html += "</ul></div>\n";
  }
  html += "<div class=\"cards\">\n";
  for (size_t method = 0; method < facts.summaries.size(); method++) html += card(facts, method);
  return html + "</div>\n<p class=\"soft\" style=\"margin-top:1rem\">" +
         escape(interval_sentence(facts)) + "</p>\n</section>\n";
}

std::string costs(const Facts& facts) {
  std::string html =
      "<section id=\"costs\">\n<h2>What it costs</h2>\n<p class=\"lead\">Memory, "
      "time, FLOPs and storage for the same training.</p>\n";
  html += chart(facts, memory_bars(facts));
  html += why("Why do activations not shrink?",
              "The gradient of an early layer can only be found by walking back through all later "
              "layers, and that walk needs what each layer "
              "computed on the way forward. A frozen weight needs no gradient of its own, so the "
              "inputs saved only for it disappear, but the "
              "inputs of norms, attention and activation functions stay. What LoRA removes is the "
              "gradient and optimizer memory of the frozen "
              "weights. With a small model and long batches the activations dominate, and LoRA "
              "then saves little.");
  html += why("What are masters, gradients and optimizer?",
              "In bf16 a weight has 8 significant bits, and a small update would be rounded away; "
              "so each trained weight has a 32-bit master copy. "
              "Each trained weight has a gradient (32 bits) and two running averages in AdamW (32 "
              "bits each): 16 bytes for each trained parameter, "
              "against 2 bytes for a frozen one.");
  html += "<div class=\"two\">\n" + chart(facts, time_bars(facts)) +
          chart(facts, flop_bars(facts)) + "</div>\n";
  html += why("Why is LoRA not three times as fast?",
              "Training a weight takes three matrix products of equal size: forward, gradient of "
              "the input, gradient of the weight. LoRA saves "
              "only the third one for the frozen weights, and adds two thin products for each "
              "adapter. So at best a third of the FLOPs "
              "disappear, and thin products run at a lower speed than large ones.");
  return html + table(facts) + predicted_table(facts) + "</section>\n";
}

}  // namespace afina::page

// Overview and costs of report.html: cards of ratios, stacked bars, and the cost table.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include "tools/report/page.h"
#include "tools/text/format.h"

namespace afina::page {
namespace {

struct Part {
  const char* name;
  double size;
};

// One bar a method; a full width is the largest total.
struct Bars {
  std::string title, words;
  std::vector<std::vector<Part>> parts;
  std::string (*format)(double);
  bool wide = false;
};

std::string percent_style(const char* variable, double share) {
  char text[96];
  std::snprintf(text, sizeof text, "style=\"width:%.3f%%;--c:var(--%s)\"", 100 * share, variable);
  return text;
}

double total(const std::vector<Part>& parts) {
  double sum = 0;
  for (const Part& part : parts) sum += part.size;
  return sum;
}

std::string bar(const Facts& facts, size_t method, const Bars& bars, double largest) {
  double ours = total(bars.parts[method]), reference = total(bars.parts[facts.reference]);
  std::string figure = bars.format(ours);
  if (method != facts.reference && reference > 0) figure += " · " + format_ratio(ours / reference);
  std::string html = "<div class=\"bar\"><div class=\"head\">" + method_name(facts, method) +
                     "<b>" + escape(figure) +
                     "</b></div><div class=\"track\" role=\"img\" aria-label=\"";
  for (const Part& part : bars.parts[method])
    html += std::string(part.name) + " " + escape(bars.format(part.size)) + ", ";
  html += "\">";
  for (const Part& part : bars.parts[method]) {
    double share = largest > 0 ? part.size / largest : 0;
    if (!(share > 0)) continue;
    html += "<i class=\"" + std::string(part.name) + (share < 0.2 ? " narrow" : "") + "\" " +
            percent_style(part.name, share) + " title=\"" + part.name + ": " +
            escape(bars.format(part.size)) + "\">" +
            (share > (bars.wide ? 0.08 : 0.14) ? escape(bars.format(part.size)) : "") + "</i>";
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
  for (const Part& part : bars.parts.empty() ? std::vector<Part>() : bars.parts[0])
    html += "<span style=\"--c:var(--" + std::string(part.name) +
            ")\"><i class=\"dot square\"></i>" + part.name + "</span>";
  return html + "</div><p class=\"soft\">" + bars.words + "</p></div>\n";
}

Bars memory_bars(const Facts& facts) {
  Bars bars{"Memory by purpose",
            "At the moment of training when the sum was greatest; evaluation is not counted.",
            {},
            format_bytes,
            true};
  for (const MethodSummary& summary : facts.summaries) {
    auto& parts = bars.parts.emplace_back();
    for (auto [name, bytes] : purposes(summary.memory)) parts.push_back({name, double(bytes)});
  }
  return bars;
}

Bars time_bars(const Facts& facts) {
  Bars bars{"Time of training by phase",
            "Mean over seeds, for the same tokens. Evaluation, generation and saving are apart, in "
            "the table.",
            {},
            format_seconds};
  for (const MethodSummary& summary : facts.summaries) {
    auto& parts = bars.parts.emplace_back();
    for (auto [name, seconds] : training_phases(summary.seconds)) parts.push_back({name, seconds});
  }
  return bars;
}

Bars flop_bars(const Facts& facts) {
  Bars bars{"Arithmetic executed",
            "Floating-point operations that really ran in training, a multiply-add counted as two.",
            {},
            format_flops};
  for (const MethodSummary& summary : facts.summaries)
    bars.parts.push_back(
        {{"forward", summary.flops.forward}, {"backward", summary.flops.backward}});
  return bars;
}

std::string table(const Facts& facts) {
  size_t methods = facts.summaries.size();
  std::string html = "<div class=\"scroll\"><table class=\"costs\"><thead><tr><th></th>", group;
  for (size_t method = 0; method < methods; method++)
    html += "<th scope=\"col\">" + method_name(facts, method) + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const CostRow& row : facts.costs) {
    if (row.group != group) {
      group = row.group;
      html += "<tr class=\"group\"><th colspan=\"" + std::to_string(methods + 1) + "\">" +
              escape(group) + "</th></tr>\n";
    }
    html += std::string("<tr") + (row.key ? " class=\"key\"" : "") + "><th scope=\"row\">" +
            escape(row.label) + "</th>";
    for (size_t method = 0; method < methods; method++) {
      double times = ratio(row, method, facts.reference);
      html += cell(row.format(row.values[method]),
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

std::string foreseen_table(const Facts& facts) {
  std::string rows;
  for (size_t method = 0; method < facts.summaries.size(); method++)
    for (const ForeseenFigure& f : foreseen_figures(facts, method))
      rows += "<tr><th scope=\"row\">" + method_name(facts, method) + ", " + f.what + "</th>" +
              cell(f.format(f.foreseen)) + cell(f.format(f.measured)) + cell(f.difference()) +
              "</tr>\n";
  if (rows.empty()) return "";
  return "<h3>Foreseen and measured</h3>\n<div class=\"scroll\"><table><thead><tr><th></th>" +
         header_cell("foreseen") + header_cell("measured") + header_cell("difference") +
         "</tr></thead><tbody>\n" + rows +
         "</tbody></table></div>\n<p class=\"soft\">Before a run began, afina went through it on "
         "tensors without data (afina plan); here "
         "it "
         "stands beside what came, for each method's first run.</p>\n";
}

const char* figure_name(const CostRow& row) {
  if (row.group == "Parameters") return "parameters trained";
  if (row.group == "Memory") return "memory";
  if (row.group == "Arithmetic") return "arithmetic";
  if (row.group == "Storage") return "storage";
  return row.label == "training" ? "time" : nullptr;
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
    const char* name = row.key ? figure_name(row) : nullptr;
    if (!name) continue;
    double times = ratio(row, method, facts.reference);
    html +=
        figure(is_reference ? row.format(row.values[method]) : format_ratio(times), times, name);
  }
  html += "</div>\n" + learning_figures(facts, method) + "<p>" +
          escape(cost_sentence(facts, method)) + "</p>\n";
  if (!is_reference) html += "<p>" + escape(memory_sentence(facts, method)) + "</p>\n";
  return html + "<p>" + escape(learning_sentence(facts, method)) + "</p></div>\n";
}

}  // namespace

std::string overview(const Facts& facts) {
  std::string html = "<section id=\"overview\">\n";
  if (!facts.comparison.notes.empty()) {
    html += "<div class=\"warnings\"><b>To bear in mind</b><ul>";
    for (const std::string& note : facts.comparison.notes) html += "<li>" + escape(note) + "</li>";
    html += "</ul></div>\n";
  }
  html += "<div class=\"cards\">\n";
  for (size_t method = 0; method < facts.summaries.size(); method++) html += card(facts, method);
  return html + "</div>\n<p class=\"soft\" style=\"margin-top:1rem\">" +
         escape(interval_sentence(facts)) + "</p>\n</section>\n";
}

std::string costs(const Facts& facts) {
  std::string html =
      "<section id=\"costs\">\n<h2>What it costs</h2>\n<p class=\"lead\">What must be held, "
      "computed and stored for the same "
      "training.</p>\n";
  html += chart(facts, memory_bars(facts));
  html += why("Why do activations not shrink?",
              "The gradient of an early layer can only be found by walking back through all later "
              "layers, and that walk needs what each layer "
              "computed on the way forward. A frozen weight needs no gradient of its own, so the "
              "inputs kept only for it disappear, but the "
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
              "the input, gradient of the weight. LoRA spares "
              "only the third one for the frozen weights, and adds two thin products for each "
              "adapter. So at best a third of the arithmetic goes "
              "away, and thin products run at a lower speed than large ones.");
  return html + table(facts) + foreseen_table(facts) + "</section>\n";
}

}  // namespace afina::page

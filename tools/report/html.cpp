// The frame of report.html: head, navigation, title, data and scripts around the sections.
#include "engine/files/json_value.h"
#include "tools/report/embedded.h"
#include "tools/report/page.h"
#include "tools/report/report.h"
#include "tools/report/tables.h"
#include "tools/text/format.h"

namespace afina {
namespace page {

std::string escape(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (char letter : text) {
    if (letter == '&') safe += "&amp;";
    else if (letter == '<') safe += "&lt;";
    else if (letter == '>') safe += "&gt;";
    else if (letter == '"') safe += "&quot;";
    else if (letter == '\'') safe += "&#39;";
    else if (static_cast<unsigned char>(letter) < 32 && letter != '\n' && letter != '\t')
      safe += "\uFFFD";
    else safe += letter;
  }
  return safe;
}

std::string method_colour(size_t method) {
  return "style=\"--c:var(--m" + std::to_string(method % 8) + ")\"";
}

std::string method_name(const Facts& facts, size_t method) {
  return "<span " + method_colour(method) + "><i class=\"dot\"></i>" + escape(facts.label(method)) +
         "</span>";
}

std::string cell(std::string_view text, std::string_view second_line) {
  std::string html = "<td>" + escape(text);
  if (!second_line.empty()) html += "<small>" + escape(second_line) + "</small>";
  return html + "</td>";
}

std::string header_cell(std::string_view text) {
  return "<th scope=\"col\">" + escape(text) + "</th>";
}

std::string why(std::string_view question, std::string_view answer) {
  return "<details class=\"why\"><summary>" + escape(question) + "</summary><p>" + escape(answer) +
         "</p></details>\n";
}

}  // namespace page

namespace {

using ordered_json = OrderedJson;

// Long curves are thinned: a screen has some hundred points of width, and results.json has them
// all.
void thin(ordered_json& columns) {
  size_t length = columns["step"].size(), stride = (length + 1499) / 1500;
  if (stride < 2) return;
  for (auto& item : columns.items()) {
    ordered_json kept = ordered_json::array();
    for (size_t i = 0; i < length; i++)
      if (i % stride == 0 || i + 1 == length) kept.push_back(item.value()[i]);
    item.value() = std::move(kept);
  }
}

// What the charts draw. "<" is written \u003c, so that no text in the data can end the script
// element.
std::string chart_data(const Comparison& comparison) {
  ordered_json methods = ordered_json::array();
  ordered_json all = to_json(comparison);
  for (const ordered_json& method : all["methods"]) {
    ordered_json runs = ordered_json::array();
    for (ordered_json run : method["runs"]) {
      thin(run["curve"]);
      runs.push_back(
          {{"seed", run["seed"]}, {"curve", run["curve"]}, {"evaluations", run["evaluations"]}});
    }
    methods.push_back(
        {{"label", method["label"]}, {"search", method["search"]}, {"runs", std::move(runs)}});
  }
  std::string text = ordered_json{{"methods", std::move(methods)}}.dump(
                  -1, ' ', true, ordered_json::error_handler_t::replace),
              safe;
  for (char letter : text) {
    if (letter == '<') safe += "\\u003c";
    else safe += letter;
  }
  return safe;
}

// No request can leave the page, whatever the data contain.
const char* const head =
    R"html(<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; )html"
    R"html(style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<script>if (matchMedia("(prefers-color-scheme: dark)").matches) )html"
    R"html(document.documentElement.dataset.theme = "dark";</script>
)html";

const char* const navigation =
    R"(<nav><div>
<span class="brand"><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" )"
    R"(stroke-width="2.2" stroke-linecap="round" aria-hidden="true"><path d="M8 2v8a4 4 )"
    R"(0 0 0 8 0V2M12 14v8"/></svg><span>afina</span></span>
<span class="links"><a href="#overview">Overview</a><a href="#costs">Costs</a><a )"
    R"(href="#learning">Learning</a><a href="#forgetting">Forgetting</a><a )"
    R"(href="#search">Search</a><a href="#samples">Samples</a><a )"
    R"(href="#conditions">Conditions</a></span>
<button id="theme" type="button" title="Light or dark" aria-label="Light or dark">◐</button>
</div></nav>
)";

std::string tag(const std::string& value, const std::string& name) {
  return value.empty() ? ""
                       : "<li><b>" + page::escape(value) + "</b> " + page::escape(name) + "</li>";
}

std::string title(const Facts& facts) {
  const Comparison& comparison = facts.comparison;
  std::string html =
      "<header class=\"top\"><div>\n<div class=\"kicker\">Fine-tuning methods side by "
      "side</div>\n<h1>" +
      page::escape(comparison.title) + "</h1>\n<p class=\"lead\">";
  for (size_t method = 0; method < comparison.methods.size(); method++)
    html += (method == 0                               ? ""
             : method + 1 == comparison.methods.size() ? " and "
                                                       : ", ") +
            page::method_name(facts, method);
  html +=
      " under equal conditions: the same model, the same batches in the same order, the same "
      "number of tokens.</p>\n<ul class=\"tags\">";
  if (!comparison.methods.empty() && !comparison.methods[0].runs.empty()) {
    const RunResult& run = comparison.methods[0].runs[0];
    html += tag(format_grouped(run.steps), "steps") +
            tag(format_count(double(run.tokens)), "tokens a run");
  }
  html += tag(std::to_string(facts.seeds), facts.seeds == 1 ? "seed" : "seeds");
  html += tag(format_count(double(comparison.model.parameters)), "parameters");
  if (auto dtype = comparison.options.find("dtype"); dtype != comparison.options.end())
    html += tag(dtype->second, "");
  html += tag(comparison.machine.isa, std::to_string(comparison.machine.threads) + " threads");
  return html + "</ul>\n</div></header>\n";
}

}  // namespace

std::string report_html(const Comparison& comparison) {
  Facts facts(comparison);
  std::string html = head;
  html += "<title>" + page::escape(comparison.title) + " · afina</title>\n<style>\n";
  html += embedded::style_sheet;
  html += "</style>\n</head>\n<body>\n";
  html += navigation + title(facts) + "<main>\n";
  html += page::overview(facts) + page::costs(facts) + page::learning(facts) + page::search(facts) +
          page::samples(facts) + foreign_html(comparison) + page::conditions(facts);
  html += "</main>\n<footer><div>\n<p>afina " + page::escape(comparison.version) +
          ". All figures are in results.json beside this page.</p>\n";
  html += "<details><summary>Licence of the chart library</summary><pre>" +
          page::escape(embedded::chart_licence) + "</pre></details>\n";
  html += "</div></footer>\n<script type=\"application/json\" id=\"data\">" +
          chart_data(comparison) + "</script>\n<script>\n";
  html += embedded::chart_library;
  html += "\n</script>\n<script>\n";
  html += embedded::charts_script;
  return html + "</script>\n</body>\n</html>\n";
}

}  // namespace afina

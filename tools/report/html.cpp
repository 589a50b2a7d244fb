// The frame of report.html: head, navigation and title around the sections.
#include "tools/report/embedded.h"
#include "tools/report/finding.h"
#include "tools/report/page.h"
#include "tools/report/report.h"
#include "tools/report/row_findings.h"
#include "tools/report/svg.h"
#include "tools/report/tables.h"
#include "tools/text/format.h"

namespace afina {
namespace {

std::string navigation(const std::string& sections) {
  std::string links;
  for (auto [id, name] : {std::pair{"overview", "Finding"},
                          {"costs", "Costs"},
                          {"learning", "Learning"},
                          {"forgetting", "Forgetting"},
                          {"judged", "Right?"},
                          {"findings", "Data"},
                          {"changes", "Weights"},
                          {"search", "Search"},
                          {"samples", "Answers"},
                          {"other", "Other programs"},
                          {"sources", "Machines"},
                          {"conditions", "Conditions"}})
    if (sections.find("<section id=\"" + std::string(id) + "\"") != std::string::npos)
      links += "<a href=\"#" + std::string(id) + "\">" + name + "</a>";
  return R"(<nav><div><span class="brand">afina</span><span class="links">)" + links +
         R"(</span><button id="theme" type="button" title="Light or dark" )"
         R"(aria-label="Light or dark">◐</button></div></nav>
)";
}

std::string tag(const std::string& value, const std::string& name) {
  if (value.empty()) return "";
  return "<li><b>" + page::escape(value) + "</b>" + (name.empty() ? "" : " " + page::escape(name)) +
         "</li>";
}

std::string title(const Facts& facts) {
  const Comparison& comparison = facts.comparison;
  std::string html = "<header class=\"top\"><div>\n<div class=\"kicker\">" +
                     page::escape(comparison.title) + "</div>\n<h1>" + page::prose(finding(facts)) +
                     "</h1>\n<ul class=\"tags\">";
  if (!comparison.methods.empty() && !comparison.methods[0].runs.empty()) {
    const RunResult& run = comparison.methods[0].runs[0];
    html += tag(format_grouped(run.steps), "steps") +
            tag(format_count(double(run.tokens)), "tokens a run");
  }
  html += tag(std::to_string(facts.seeds), facts.seeds == 1 ? "seed" : "seeds");
  if (comparison.model.parameters > 0)
    html += tag(comparison.model.name + ",",
                format_count(double(comparison.model.parameters)) + " parameters");
  if (auto dtype = comparison.options.find("dtype"); dtype != comparison.options.end())
    html += tag(dtype->second, "");
  const Machine& machine = comparison.machine;
  if (machine.threads > 0)
    html += tag(machine.isa,
                std::to_string(machine.threads) + (machine.threads == 1 ? " thread" : " threads"));
  return html + "</ul>\n</div></header>\n";
}

}  // namespace

std::string report_html(const Comparison& comparison) {
  const Facts facts(comparison);
  const std::string sections =
      page::first_screen(facts) + page::costs(facts) + page::learning(facts) + page::judged(facts) +
      page::row_findings(comparison) + page::changes(facts) + page::search(facts) +
      page::samples(facts) + foreign_html(comparison) + page::conditions(facts);
  std::string html = page::opening(comparison.title);
  html += navigation(sections) + title(facts) + "<main>\n" + sections +
          "</main>\n<footer><div>\n<p>afina " + page::escape(comparison.version) +
          ". Every method saw the same model, the same batches in the same order and the same "
          "number of tokens. All figures are in results.json beside this page.</p>\n</div>"
          "</footer>\n<script>\n";
  html += embedded::page_script;
  return html + "</script>\n</body>\n</html>\n";
}

}  // namespace afina

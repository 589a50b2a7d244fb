// Draws findings beside losses.
#include "tools/report/row_findings.h"

#include <sstream>

#include "engine/counted.h"
#include "tools/report/page.h"
#include "tools/results/machine.h"
#include "tools/text/format.h"
#include "tools/text/table.h"

namespace afina {

namespace {

struct Measured {
  std::string label;
  const RowFindings* findings;
};

std::vector<Measured> measured(const Comparison& comparison) {
  std::vector<Measured> all;
  for (const MethodResult& method : comparison.methods)
    for (const RunResult& run : method.runs)
      if (run.row_findings) {
        all.push_back({method.label, &*run.row_findings});
        break;
      }
  return all;
}

// The losses of a kind by each method; a dash where it has no such rows.
std::string after(const Measured& one, const std::string& kind) {
  if (kind.empty())
    return one.findings->without.rows > 0 ? format_loss(one.findings->without.after) : "–";
  for (const FoundKind& known : one.findings->kinds)
    if (known.kind == kind) return format_loss(known.after);
  return "–";
}

std::string section(const std::vector<Measured>& all) {
  if (all.empty()) return "";
  const RowFindings& first = *all[0].findings;
  std::vector<std::string> heads = {"rows", "loss before"};
  for (const Measured& one : all) heads.push_back("after " + one.label);
  page::Table table("Finding", heads);
  auto put = [&](const FoundKind& kind, const std::string& name) {
    std::vector<page::Table::Cell> cells = {{format_grouped(kind.rows)},
                                            {kind.rows > 0 ? format_loss(kind.before) : "–"}};
    for (const Measured& one : all) cells.push_back({after(one, kind.kind)});
    table.row(page::escape(name), cells);
  };
  for (const FoundKind& kind : first.kinds) put(kind, kind.kind);
  put(first.without, "none");
  std::string html =
      "<section id=\"findings\">\n<h2>Findings in the data</h2>\n<p class=\"lead\">" +
      page::escape(counted(first.found, "row")) + " of the " +
      page::escape(format_grouped(first.rows)) +
      " that were trained on have a finding of 'afina check' (" + page::escape(first.path) +
      "). The losses are means over the rows, in nats per target token, before and after training "
      "on them; a row with several findings counts in each.</p>\n" +
      table.html();
  html += page::why("How do I read this?",
                    "A row whose loss stays high after training is one that the model could not "
                    "bring together with the others: it says what they do not. A row whose loss "
                    "falls as that of the others was learnt, with its fault. What leaving a row "
                    "out changes, 'afina what-if' measures.");
  html += "<h3 class=\"above\">Rows with findings, the highest loss after " +
          page::escape(all[0].label) + " first</h3>\n";
  for (const FoundRow& row : first.worst) {
    html += "<details class=\"why\"><summary><b class=\"mono\">" + format_loss(row.before) + " → " +
            format_loss(row.after) + "</b> " + page::escape(row.place);
    for (const RowFound& found : row.found)
      html += " <span class=\"what\">[" + page::escape(found.kind) + "]</span>";
    html += "</summary><div class=\"text card\">" + page::escape(row.answer) + "</div>\n";
    for (const RowFound& found : row.found)
      if (!found.words.empty())
        html += "<p class=\"soft\"><b>" + page::escape(found.kind) + "</b> " +
                page::escape(found.words) + "</p>\n";
    html += "</details>\n";
  }
  if (size_t(first.found) > first.worst.size())
    html += "<p class=\"soft\">" +
            page::escape(format_grouped(first.found - int64_t(first.worst.size()))) +
            " further rows with findings have lower losses.</p>\n";
  return html + "</section>\n";
}

}  // namespace

std::string page::row_findings(const Comparison& comparison) {
  return section(measured(comparison));
}

std::string row_findings_table(const RowFindings& findings, int width) {
  if (findings.found == 0) return "";
  Table table("lrrr");
  table.add({"finding", "rows", "loss before", "after"});
  for (const FoundKind& kind : findings.kinds)
    table.add(
        {kind.kind, format_grouped(kind.rows), format_loss(kind.before), format_loss(kind.after)});
  if (const FoundKind& none = findings.without; none.rows > 0)
    table.add(
        {"none", format_grouped(none.rows), format_loss(none.before), format_loss(none.after)});
  std::ostringstream out;
  table.print(out, size_t(width));
  return out.str();
}

std::string row_findings_page(const RunResult& run, const std::string& label,
                              const std::string& command, const std::string& created) {
  std::string html = page::opening("Findings and losses");
  html += page::titled("Findings and losses",
                       counted(run.row_findings->found, "row") + " of " +
                           format_grouped(run.row_findings->rows) + " have a finding",
                       {{label, ""}, {format_grouped(run.steps), "steps"}});
  html += "<main>\n" + section({{label, &*run.row_findings}});
  return html + page::closing(command, {}, version(), created, "run.json");
}

}  // namespace afina

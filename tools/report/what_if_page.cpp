// What rows did, as a page.
#include "tools/report/what_if_page.h"

#include <algorithm>
#include <cmath>

#include "engine/counted.h"
#include "tools/report/page.h"
#include "tools/report/plot.h"
#include "tools/text/format.h"

namespace afina {

namespace {

using namespace svg;

constexpr double width = 440, height = 320;
constexpr size_t most_rows = 600, most_bytes = 1500;  // rows on the page; bytes of a text

bool any_findings(const WhatIfResult& result) {
  return std::any_of(result.rows.begin(), result.rows.end(),
                     [](const RowEffect& row) { return !row.found.empty(); });
}

std::string card(const std::string& title, const std::string& drawing, const std::string& words) {
  return "<figure class=\"card\"><figcaption><h3>" + page::escape(title) + "</h3></figcaption>" +
         drawing + "<p class=\"soft\">" + page::escape(words) + "</p></figure>\n";
}

// Rows with and without a finding have a colour each.
void legend(Drawing& drawing) {
  drawing.marker(0, {12, 14}, 4, 1, "");
  drawing.text(22, 18, "nothing was found");
  drawing.marker(1, {162, 14}, 4, 1, "");
  drawing.text(172, 18, "has a finding");
}

std::string histogram(const WhatIfResult& result) {
  constexpr int bins = 36;
  double low = 0, high = 0;
  for (const RowEffect& row : result.rows) {
    low = std::min(low, row.change);
    high = std::max(high, row.change);
  }
  if (low == high) return "";
  std::vector<int> clean(bins), found(bins);
  for (const RowEffect& row : result.rows) {
    const int bin = std::min(bins - 1, int((row.change - low) / (high - low) * bins));
    ++(row.found.empty() ? clean : found)[size_t(bin)];
  }
  int most = 1;
  for (int i = 0; i < bins; ++i) most = std::max(most, clean[size_t(i)] + found[size_t(i)]);
  Drawing drawing(width, height, Medium::page, "Changes of the held-out loss",
                  "How many rows changed it by how much");
  const Box box{48, 56, width - 12, height - 44};
  const Panel panel{box, Scale(low, high, false, box.left, box.right),
                    Scale(0, most, false, box.bottom, box.top)};
  if (any_findings(result)) legend(drawing);
  draw_axes(drawing, panel, "loss without the row - with it, nats", "rows");
  for (int i = 0; i < bins; ++i) {
    const double left = panel.x(low + (high - low) * i / bins) + 0.5,
                 right = panel.x(low + (high - low) * (i + 1) / bins) - 0.5;
    const int under = clean[size_t(i)], over = found[size_t(i)];
    const std::string tip = counted(under + over, "row");
    if (under) drawing.rectangle({left, panel.y(under), right, panel.y(0)}, "m0", tip);
    if (over) drawing.rectangle({left, panel.y(under + over), right, panel.y(under)}, "m1", tip);
  }
  return card("How much single rows change", drawing.done(),
              "Left of zero: the model is better on the held-out rows without the row.");
}

std::string scatter(const WhatIfResult& result) {
  const RowEstimate* best = nullptr;
  for (const RowEstimate& one : result.estimates)
    if (std::isfinite(one.rho) && (!best || std::abs(one.rho) > std::abs(best->rho))) best = &one;
  if (!best) return "";
  double x_low = HUGE_VAL, x_high = -HUGE_VAL, y_low = HUGE_VAL, y_high = -HUGE_VAL;
  for (size_t i = 0; i < result.rows.size(); ++i) {
    if (!std::isfinite(best->values[i])) continue;
    x_low = std::min(x_low, best->values[i]);
    x_high = std::max(x_high, best->values[i]);
    y_low = std::min(y_low, result.rows[i].change);
    y_high = std::max(y_high, result.rows[i].change);
  }
  if (x_low >= x_high || y_low >= y_high) return "";
  Drawing drawing(width, height, Medium::page, best->words + " and the truth",
                  "A point a row: the estimate and the true change");
  const Box box{64, 56, width - 12, height - 44};
  const Panel panel{box, Scale(x_low, x_high, false, box.left, box.right),
                    Scale(y_low, y_high, false, box.bottom, box.top)};
  if (any_findings(result)) legend(drawing);
  draw_axes(drawing, panel, fitted(best->words, 12, width - 80), "true change, nats");
  for (size_t i = 0; i < result.rows.size(); ++i)
    if (std::isfinite(best->values[i]))
      drawing.marker(result.rows[i].found.empty() ? 0 : 1,
                     panel.place({best->values[i], result.rows[i].change}), 2.4, 0.55,
                     result.rows[i].record);
  char words[128];
  std::snprintf(words, sizeof words, "The estimate with the largest rank correlation: %.2f.",
                best->rho);
  return card("The best estimate against the truth", drawing.done(), words);
}

std::string estimates(const WhatIfResult& result) {
  if (result.estimates.empty()) return "";
  page::Table table("Estimate", {"rank correlation", "95 %"});
  for (const RowEstimate& one : result.estimates) {
    char rho[32], ends[64];
    std::snprintf(rho, sizeof rho, "%.2f", one.rho);
    std::snprintf(ends, sizeof ends, "%.2f to %.2f", one.low, one.high);
    table.row(page::escape(one.words),
              {{std::isfinite(one.rho) ? rho : "–"}, {std::isfinite(one.low) ? ends : "–"}});
  }
  return "<section id=\"estimates\"><h2>Estimates</h2>\n<p>Spearman's rank correlation of each "
         "estimate with the true change, and its interval by a bootstrap over rows. An estimate "
         "that orders the rows rightly has 1; of those that do not look at held-out rows the sign "
         "says which end is the useful one.</p>\n" +
         table.html() + "</section>\n";
}

std::string kinds(const WhatIfResult& result) {
  const std::vector<KindEffect> effects = kind_effects(result);
  if (effects.empty()) return "";
  page::Table table("Finding", {"rows", "mean change", "against rows without a finding"});
  for (const KindEffect& effect : effects)
    table.row(page::escape(effect.kind), {{std::to_string(effect.rows)},
                                          {change_text(effect.change)},
                                          {change_text(effect.difference), "",
                                           effect.difference.excludes_zero() ? "best" : ""}});
  const Estimate without = effect_without_findings(result);
  table.row("none", {{std::to_string(without.count)}, {change_text(without)}, {"–"}});
  return "<section id=\"findings\"><h2>Rows with findings</h2>\n<p>Mean change of the held-out "
         "loss when one such row is left out, in nats. Positive: such a row helps; negative: the "
         "model is better without it. Intervals are over rows (95 %, Student's t and Welch's); a "
         "row with several findings counts in each. In bold: the interval does not contain "
         "zero.</p>\n" +
         table.html() + "</section>\n";
}

std::string shortened(const std::string& text, size_t most = most_bytes) {
  if (text.size() <= most) return page::escape(text);
  size_t end = most;
  while (end > 0 && (uint8_t(text[end]) & 0xC0) == 0x80) --end;
  return page::escape(std::string_view(text).substr(0, end)) + "…";
}

std::string row_html(const RowEffect& row) {
  std::string html = "<details class=\"row\"><summary><b class=\"mono\">" +
                     page::escape(change_text(row.change)) + "</b> " + page::escape(row.record);
  for (const RowFound& found : row.found)
    html += " <span class=\"what\">[" + page::escape(found.kind) + "]</span>";
  html += " <span class=\"soft\">" + shortened(row.answer, 90) + "</span></summary>\n";
  if (!row.question.empty())
    html += "<div class=\"text given\">" + shortened(row.question) + "</div>\n";
  html += "<div class=\"text card\">" + shortened(row.answer) + "</div>\n";
  for (const RowFound& found : row.found)
    if (!found.words.empty())
      html += "<p class=\"soft\"><b>" + page::escape(found.kind) + "</b> " +
              page::escape(found.words) + "</p>\n";
  return html + "<p class=\"soft\">Used " + counted(row.uses, "time") +
         " in the run.</p></details>\n";
}

std::string rows(const WhatIfResult& result) {
  const std::vector<size_t> order = by_change(result);
  const size_t all = order.size(), end = all <= most_rows ? (all + 1) / 2 : most_rows / 2;
  std::string html =
      "<section id=\"rows\"><h2>Rows</h2>\n<div class=\"two\">\n<div><h3>Most "
      "harmful first</h3>\n";
  for (size_t i = 0; i < end; ++i) html += row_html(result.rows[order[i]]);
  html += "</div>\n<div><h3>Most helpful first</h3>\n";
  for (size_t i = 0; i < std::min(end, all - end); ++i)
    html += row_html(result.rows[order[all - 1 - i]]);
  html += "</div></div>\n";
  if (all > most_rows)
    html += "<p class=\"soft\">" + std::to_string(all - most_rows) +
            " rows in the middle are in what-if.json alone.</p>\n";
  return html + "</section>\n";
}

std::string sentence(const WhatIfResult& result) {
  int64_t harmful = 0;
  for (const RowEffect& row : result.rows) harmful += row.change < 0;
  return std::to_string(harmful) + " of " + counted(int64_t(result.rows.size()), "row") +
         (harmful == 1 ? " harms" : " harm") +
         ": without such a row the model is better on the held-out rows";
}

}  // namespace

std::string what_if_page(const WhatIfResult& result) {
  std::string html = page::opening("What each row did");
  html +=
      "<style>.row{border-top:1px solid var(--line);padding:.35rem 0;overflow-wrap:anywhere}"
      ".row summary{cursor:pointer}.row .text{margin:.4rem 0}</style>\n";
  html += page::titled("What each row did", sentence(result),
                       {{result.model, ""},
                        {result.method, ""},
                        {std::to_string(result.steps), "steps"},
                        {std::to_string(result.held_out_rows), "held-out rows"},
                        {format_loss(result.loss), "held-out loss with all rows"}});
  html += "<main>\n<section><p class=\"soft\">Each row of " + page::escape(result.data) +
          " was left out of a training of its own, masked in place: no other row moved, and two "
          "trainings differ in that row alone. The change is the held-out loss without the row "
          "less that with it.</p>\n" +
          page::side_by_side({histogram(result), scatter(result)}) + "</section>\n" +
          kinds(result) + estimates(result) + rows(result);
  return html + page::closing(result.command, result.notes, result.version, result.created,
                              "what-if.json");
}

}  // namespace afina

// What the sections of report.html share.
#include "tools/report/page.h"

#include "tools/report/charts.h"

namespace afina::page {

std::string escape(std::string_view text) { return svg::escape(text); }

std::string prose(std::string_view text) {
  std::string html = escape(text);
  for (size_t at = 0; (at = html.find(" %", at)) != html.npos;) html.replace(at, 1, "&#160;");
  return html;
}

std::string method_colour(size_t method) {
  return "style=\"--c:var(--" + svg::colour_name(method) + ")\"";
}

std::string method_name(const Facts& facts, size_t method) {
  return "<span " + method_colour(method) + "><i class=\"dot\"></i>" + escape(facts.label(method)) +
         "</span>";
}

std::string why(std::string_view question, std::string_view answer) {
  return "<details class=\"why\"><summary>" + escape(question) + "</summary><p>" + escape(answer) +
         "</p></details>\n";
}

std::string figure(const Facts& facts, const char* name, const std::string& words) {
  const std::string drawing = draw_chart(facts, name, svg::Medium::page);
  if (drawing.empty()) return "";
  std::string title;
  for (const Chart& chart : charts())
    if (chart.name == std::string(name)) title = chart.title;
  return "<figure class=\"card\" id=\"figure-" + std::string(name) + "\"><figcaption><h3>" + title +
         "</h3></figcaption>" + drawing +
         (words.empty() ? "" : "<p class=\"soft\">" + words + "</p>") + "</figure>\n";
}

std::string side_by_side(const std::vector<std::string>& all) {
  std::string html;
  size_t count = 0;
  for (const std::string& one : all) {
    html += one;
    count += !one.empty();
  }
  return count == 0 ? ""
                    : "<div class=\"" + std::string(count == 1 ? "one" : "two") + "\">\n" + html +
                          "</div>\n";
}

Table::Table(std::string first_head, std::vector<std::string> heads, std::string kind)
    : first_(std::move(first_head)), kind_(std::move(kind)), heads_(std::move(heads)) {
  for (const std::string& head : heads_) heads_html_.push_back(escape(head));
}

void Table::row(const std::string& head_html, const std::vector<Cell>& cells, const char* kind) {
  rows_ += std::string("<tr") + (*kind ? " class=\"" + std::string(kind) + "\"" : "") +
           "><th scope=\"row\">" + head_html + "</th>";
  for (size_t i = 0; i < cells.size(); i++) {
    const Cell& cell = cells[i];
    rows_ += "<td" + (*cell.kind ? " class=\"" + std::string(cell.kind) + "\"" : std::string()) +
             " data-label=\"" + escape(i < heads_.size() ? heads_[i] : "") + "\"><span>" +
             escape(cell.text);
    if (!cell.small.empty()) rows_ += "<small>" + escape(cell.small) + "</small>";
    rows_ += "</span></td>";
  }
  rows_ += "</tr>\n";
}

void Table::group(std::string_view name) {
  rows_ += "<tr class=\"group\"><th colspan=\"" + std::to_string(heads_.size() + 1) + "\">" +
           escape(name) + "</th></tr>\n";
}

std::string Table::html() const {
  // The width below which rows become blocks, by the number of columns.
  const size_t columns = heads_.size();
  const char* width = columns <= 3 ? "narrow" : columns <= 6 ? "middle" : "wide";
  std::string html = "<div class=\"frame\"><table class=\"stack " + std::string(width) +
                     (kind_.empty() ? "" : " " + kind_) + "\"><thead><tr><th>" + escape(first_) +
                     "</th>";
  for (const std::string& head : heads_html_) html += "<th scope=\"col\">" + head + "</th>";
  return html + "</tr></thead><tbody>\n" + rows_ + "</tbody></table></div>\n";
}

}  // namespace afina::page

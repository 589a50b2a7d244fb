// Figures over rates, as charts and tables.
#include "tools/report/coherence_page.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "engine/counted.h"
#include "tools/report/page.h"
#include "tools/report/plot.h"

namespace afina {

namespace {

using namespace svg;

constexpr double width = 440, height = 300;

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return std::isfinite(share) ? text : "–";
}

// Values as they are drawn.
double drawn(const CoherenceFigure& figure, double value) {
  return std::string(figure.unit) == "%" ? 100 * value : value;
}

std::string chart(const CoherenceResult& result, const CoherenceFigure& figure) {
  struct Line {
    size_t method;
    std::vector<Point> points;
    std::vector<double> halves;
  };
  std::vector<Line> lines;
  double low = HUGE_VAL, high = -HUGE_VAL;
  for (size_t m = 0; m < result.methods.size(); ++m) {
    Line line{m, {}, {}};
    for (double rate : result.rates) {
      const Estimate e = coherence_mean(result, figure, result.methods[m], rate);
      if (!e.known() || !std::isfinite(e.mean)) continue;
      const double half = e.has_interval() ? drawn(figure, e.half) : 0;
      line.points.push_back({rate, drawn(figure, e.mean)});
      line.halves.push_back(half);
      low = std::min(low, line.points.back().y - half);
      high = std::max(high, line.points.back().y + half);
    }
    if (!line.points.empty()) lines.push_back(std::move(line));
  }
  if (lines.empty()) return "";
  Drawing drawing(width, height, Medium::page, figure.name,
                  std::string(figure.name) + " over the share of inconsistent records");
  const Box box{56, 62, width - 16, height - 44};
  const Panel panel{box,
                    Scale(result.rates.front(), result.rates.back(), false, box.left, box.right),
                    Scale(low, high, false, box.bottom, box.top)};
  double x = box.left;
  for (const Line& line : lines) {
    const std::string label = fitted(result.methods[line.method], 12, 170);
    drawing.marker(line.method, {x + 5, 14}, 4, 1, "");
    drawing.text(x + 14, 18, label);
    x += 34 + text_width(label, 12);
  }
  draw_axes(drawing, panel, "differing records that are the twin's, in %", figure.unit);
  for (const Line& line : lines) {
    const std::string colour = colour_name(line.method);
    draw_line(drawing, panel, line.points, {colour, 2});
    // Whiskers of several methods stand beside each other.
    const double shift = 3 * (double(line.method) - double(result.methods.size() - 1) / 2);
    for (size_t i = 0; i < line.points.size(); ++i) {
      Point at = panel.place(line.points[i]);
      at.x += shift;
      const double half = line.halves[i];
      if (half > 0)
        drawing.line({at.x, panel.y(line.points[i].y - half)},
                     {at.x, panel.y(line.points[i].y + half)}, {colour, 1.4, 0.8});
      drawing.marker(line.method, at, 3.4, 1,
                     result.methods[line.method] + ", " + rate_words(line.points[i].x) + ": " +
                         number(line.points[i].y));
    }
  }
  return "<figure class=\"card\"><figcaption><h3>" + page::escape(figure.name) +
         "</h3></figcaption>" + drawing.done() + "</figure>\n";
}

std::string sentence(const CoherenceResult& result) {
  const CoherenceFigure& loss = coherence_figures()[0];
  const double last = result.rates.back();
  std::string text;
  for (const std::string& method : result.methods) {
    const Estimate change = coherence_change(result, loss, method, last, result.rates[0]);
    if (!change.known()) continue;
    text += (text.empty() ? "" : "; ") + method + ": " + coherence_text(loss, change, true);
  }
  return "What " + counted(result.replaced.back(), "inconsistent record") + " of " +
         std::to_string(result.records) + " change in the held-out loss: " + text;
}

std::string figures_table(const CoherenceResult& result) {
  std::vector<std::string> heads;
  for (const CoherenceFigure& figure : coherence_figures()) heads.push_back(figure.name);
  page::Table table("Method and rate", heads, "figures-of-rates");
  for (const std::string& method : result.methods) {
    table.group(method);
    for (size_t i = 0; i < result.rates.size(); ++i) {
      const double rate = result.rates[i];
      std::vector<page::Table::Cell> cells;
      for (const CoherenceFigure& figure : coherence_figures()) {
        page::Table::Cell cell{
            coherence_text(figure, coherence_mean(result, figure, method, rate))};
        if (i > 0) {
          const Estimate change = coherence_change(result, figure, method, rate, result.rates[0]);
          cell.small = "change " + coherence_text(figure, change, true);
          if (change.excludes_zero()) cell.kind = "best";
        }
        cells.push_back(std::move(cell));
      }
      table.row(page::escape(rate_words(rate)) + "<small>" + counted(result.replaced[i], "record") +
                    " replaced</small>",
                cells);
    }
  }
  return table.html();
}

std::string checks_table(const CoherenceResult& result) {
  std::set<std::string> names;
  for (const CoherenceRun& run : result.runs)
    for (auto& [name, share] : run.answers.checks) names.insert(name);
  for (auto& [name, share] : result.reference.checks) names.insert(name);
  if (names.empty()) return "<p>The checks find nothing in any answer.</p>\n";
  std::vector<std::string> heads;
  for (const std::string& method : result.methods)
    for (double rate : result.rates) heads.push_back(method + ", " + rate_words(rate));
  heads.push_back("the records' own answers");
  page::Table table("Check", heads);
  for (const std::string& name : names) {
    auto share = [&](const AnswerFigures& figures) {
      const auto at = figures.checks.find(name);
      return at == figures.checks.end() ? 0. : at->second;
    };
    std::vector<page::Table::Cell> cells;
    for (const std::string& method : result.methods)
      for (double rate : result.rates) {
        double sum = 0;
        const std::vector<const CoherenceRun*> runs = result.of(method, rate);
        for (const CoherenceRun* run : runs) sum += share(run->answers);
        cells.push_back({runs.empty() ? "–" : percent(sum / double(runs.size()))});
      }
    cells.push_back({percent(share(result.reference))});
    table.row(page::escape(name), cells);
  }
  return table.html();
}

std::string samples(const CoherenceResult& result) {
  std::string html;
  for (const CoherenceSample& sample : result.shown) {
    html += "<div class=\"card sample\"><div class=\"prompt\"><div class=\"what\">" +
            page::escape(sample.place) + "</div><div class=\"text\">" +
            page::escape(sample.question) +
            "</div></div>\n<div class=\"answers given\"><div><div class=\"what\">the record's own "
            "answer</div><div class=\"text\">" +
            page::escape(sample.expected) + "</div></div></div>\n";
    for (size_t m = 0; m < result.methods.size(); ++m) {
      html += "<div class=\"answers\" style=\"--columns:" + std::to_string(result.rates.size()) +
              "\">\n";
      for (const CoherenceSample::Said& said : sample.said) {
        if (said.method != result.methods[m]) continue;
        html += "<div " + page::method_colour(m) + "><div class=\"what\">" +
                page::escape(said.method) + ", " + page::escape(rate_words(said.rate)) + "</div>";
        for (const std::string& answer : said.answers)
          html += "<div class=\"text\">" + page::escape(answer) + "</div><hr>";
        html += "</div>\n";
      }
      html += "</div>\n";
    }
    html += "</div>\n";
  }
  return html;
}

}  // namespace

std::string coherence_page(const CoherenceResult& result) {
  std::string html = page::opening("Coherent and inconsistent records") +
                     "<style>.figures-of-rates td{white-space:nowrap}</style>\n";
  const auto seeds = int64_t(result.runs.size() /
                             std::max<size_t>(1, result.methods.size() * result.rates.size()));
  html += page::titled("Coherent and inconsistent records", sentence(result),
                       {{result.model, ""},
                        {std::to_string(result.steps), "steps"},
                        {std::to_string(result.rows_per_step), "records a step"},
                        {std::to_string(seeds), seeds == 1 ? "seed" : "seeds"},
                        {std::to_string(result.held_out_rows), "held-out rows"},
                        {std::to_string(result.prompts), "questions"},
                        {std::to_string(result.samples), "answers to each"}});
  html += "<main>\n<section id=\"figures\"><p class=\"soft\">Records of " +
          page::escape(result.data) + ", of which a share is replaced by those of " +
          page::escape(result.twin) +
          ": at 100 % all that differ. The same questions in the same order and the same steps at "
          "every rate; held-out records are never replaced. Whiskers and ± are 95 % intervals over "
          "seeds (Student's t).</p>\n";
  std::vector<std::string> charts;
  for (const CoherenceFigure& figure : coherence_figures()) charts.push_back(chart(result, figure));
  html +=
      page::side_by_side(charts) + "</section>\n<section><h2>Figures</h2>\n" +
      figures_table(result) +
      "<p class=\"soft\">Changes are against the lowest rate, seed by seed; in bold those whose "
      "interval does not contain zero.</p>\n" +
      page::why(
          "What is agreement?",
          "Of two answers to one question: the share of values (numbers, prices, times, "
          "dates) or of words that both say among those that either says; the mean over "
          "pairs, then over questions. An answer that is always the same has 100 %, right "
          "or wrong; the fourth column compares with the record's own answer. An answer in another "
          "voice is one in whose greeting, sign-off or tone a check finds something.") +
      "</section>\n<section><h2>What the checks find in answers</h2>\n<p>Share of answers in "
      "which a check of afina check finds something, when one answer to each question stands "
      "among the coherent records. The last column is of the held-out records' own answers, in "
      "which nothing is wrong: what the checks find there is their own error.</p>\n" +
      checks_table(result) + "</section>\n<section><h2>Answers</h2>\n" + samples(result) +
      "</section>\n";
  return html + page::closing(result.command, result.notes, result.version, result.created,
                              "results.json");
}

}  // namespace afina

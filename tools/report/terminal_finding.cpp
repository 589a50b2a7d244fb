// What a comparison found, in plain words, with one prompt and its answers before and after
// training: the end of a comparison in a terminal.
#include <algorithm>
#include <cmath>
#include <sstream>
#include "tools/report/facts.h"
#include "tools/report/report.h"

namespace afina {
namespace {

const size_t width = 80;

// Wrapped at `width` columns behind the indentation; lines of the words stay lines.
std::string wrapped(const std::string& words, const std::string& indent) {
  std::istringstream lines(words);
  std::string text;
  for (std::string whole; std::getline(lines, whole);) {
    std::istringstream stream(harmless(whole));
    std::string line;
    for (std::string word; stream >> word;) {
      if (!line.empty() && indent.size() + display_width(line) + 1 + display_width(word) > width) {
        text += indent + line + "\n";
        line.clear();
      }
      line += (line.empty() ? "" : " ") + word;
    }
    if (!line.empty()) text += indent + line + "\n";
  }
  return text;
}

std::string heading(const std::string& words, bool colour) {
  return (colour ? "\033[1m" + words + "\033[0m" : words) + "\n";
}

bool known(const Estimate& estimate) { return estimate.known() && std::isfinite(estimate.mean); }

// "learnt 97 % of what full learnt, forgot 41 % as much, and trained 8.1 % of its parameters"
std::string comparison_sentence(const Facts& facts, size_t method) {
  const MethodSummary &ours = facts.summaries[method], &full = facts.summaries[facts.reference];
  const std::string& other = facts.label(facts.reference);
  std::string text = facts.label(method) + " learnt ";
  if (full.gain.mean > 0 && ours.gain.mean > 0)
    text += format_percent(ours.gain.mean / full.gain.mean) + " of what " + other + " learnt";
  else
    text += format_loss(ours.gain.mean) + " (" + other + ": " + format_loss(full.gain.mean) + ")";
  if (known(ours.forgetting) && known(full.forgetting)) {
    if (ours.forgetting.mean > 0 && full.forgetting.mean > 0)
      text +=
          ", forgot " + format_percent(ours.forgetting.mean / full.forgetting.mean) + " as much";
    else
      text += ", changed the loss on general text by " + format_difference(ours.forgetting.mean) +
              " (" + other + ": " + format_difference(full.forgetting.mean) + ")";
  }
  if (full.trained_parameters > 0)
    text += ", and trained " +
            format_percent(double(ours.trained_parameters) / double(full.trained_parameters)) +
            " of its parameters";
  return text + ".";
}

// The rates tried, as points (held-out loss, retention loss), the lowest held-out loss first.
using Points = std::vector<std::pair<double, double>>;
Points points_of(const MethodResult& method) {
  Points points;
  for (const SearchRow& row : method.search)
    if (!row.diverged && row.retain && std::isfinite(row.heldout) && std::isfinite(*row.retain))
      points.push_back({row.heldout, *row.retain});
  std::sort(points.begin(), points.end());
  return points;
}

// The retention loss where the line through the points reaches a held-out loss between the first
// and the last one's.
double retention_at(const Points& points, double heldout) {
  for (size_t i = 1; i < points.size(); i++) {
    const auto& [near, near_loss] = points[i - 1];
    const auto& [far, far_loss] = points[i];
    if (heldout > far) continue;
    if (near == far) return std::min(near_loss, far_loss);
    return near_loss + (far_loss - near_loss) * (heldout - near) / (far - near);
  }
  return NAN;
}

// Methods differ in how much they learn, and who learns less forgets less: compared once more where
// both have learnt the same, between the rates tried. Empty where no such place was tried.
std::string equal_learning_sentence(const Facts& facts, size_t method) {
  const Points ours = points_of(facts.comparison.methods[method]),
               full = points_of(facts.comparison.methods[facts.reference]);
  if (ours.size() < 2 || full.size() < 2) return "";
  const double heldout = std::max(ours.front().first, full.front().first);
  const double our_loss = retention_at(ours, heldout), full_loss = retention_at(full, heldout);
  if (!std::isfinite(our_loss) || !std::isfinite(full_loss)) return "";
  return "At equal learning (a held-out loss of " + format_loss(heldout) +
         ", between the rates tried) the loss on general text is " + format_loss(our_loss) +
         " with " + facts.label(method) + " and " + format_loss(full_loss) + " with " +
         facts.label(facts.reference) + ".";
}

// The text's first lines: enough to see its manner.
std::string beginning(const std::string& text) {
  size_t end = 0;
  for (int lines = 0; lines < 8 && end != std::string::npos; lines++)
    end = text.find('\n', end == 0 && lines == 0 ? 0 : end + 1);
  std::string part = text.substr(0, end);
  const size_t most = 500;
  if (part.size() > most) {
    size_t cut = part.rfind(' ', most);
    part = part.substr(0, cut == std::string::npos || cut == 0 ? most : cut);
  }
  if (part.size() < text.size()) part += " ...";
  return part.find_first_not_of(" \n") == std::string::npos ? "(nothing)" : part;
}

}  // namespace

std::string terminal_finding(const Comparison& comparison, bool colour) {
  const Facts facts(comparison);
  std::string found;
  for (size_t method = 0; method < facts.summaries.size(); method++) {
    const MethodSummary& ours = facts.summaries[method];
    if (method == facts.reference || ours.diverged || !known(ours.gain) ||
        facts.summaries[facts.reference].diverged)
      continue;
    found += wrapped(comparison_sentence(facts, method), "  ");
    found += wrapped(equal_learning_sentence(facts, method), "  ");
  }
  std::string text;
  if (!found.empty()) {
    text += "\n" + heading("What was found", colour) + found;
    text += wrapped(
        "Loss says how surprised the model is by each next token: 0 is certainty, and lower is "
        "better. Learnt is by how much the loss on answers that training never saw fell; "
        "forgotten is by how much the loss on general text rose.",
        "  ");
  }
  const std::vector<Generation>* first = nullptr;
  for (const MethodResult& method : comparison.methods)
    if (!first && !method.runs.empty() && !method.runs[0].generations.empty())
      first = &method.runs[0].generations;
  if (!first) return text;
  const Generation& asked = first->front();
  text += "\n" + heading("One prompt", colour) + wrapped(beginning(asked.prompt), "    ");
  text += heading("answered before training", colour) + wrapped(beginning(asked.before), "    ");
  for (const MethodResult& method : comparison.methods)
    if (!method.runs.empty() && !method.runs[0].generations.empty())
      text += heading("after " + harmless(method.label), colour) +
              wrapped(beginning(method.runs[0].generations[0].after), "    ");
  if (!asked.reference.empty())
    text += heading("in the data", colour) + wrapped(beginning(asked.reference), "    ");
  return text;
}

}  // namespace afina

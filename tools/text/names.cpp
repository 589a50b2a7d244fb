// Short names by parts: what stands before the first comma, and what tells two methods apart.
#include "tools/text/names.h"

#include <algorithm>
#include <map>
#include <set>

#include "tools/text/format.h"

namespace afina {

namespace {

std::vector<std::string> parts_of_label(const std::string& label) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= label.size();) {
    const size_t end = std::min(label.find(", ", begin), label.size());
    parts.push_back(label.substr(begin, end - begin));
    begin = end + 2;
  }
  return parts;
}

// At most `most` columns, the last of them "…" where something is cut.
std::string cut(const std::string& text, size_t most) {
  if (display_width(text) <= most) return text;
  std::string kept;
  for (size_t place = 0; place < text.size();) {
    size_t next = place + 1;
    while (next < text.size() && (text[next] & 0xC0) == 0x80) next++;
    if (display_width(kept + text.substr(place, next - place)) + 1 > most) break;
    kept += text.substr(place, next - place);
    place = next;
  }
  while (!kept.empty() && (kept.back() == ' ' || kept.back() == ',')) kept.pop_back();
  return kept + "…";
}

// As many whole parts as fit, with "…" for the others; a first part that does not fit is cut.
std::string cut_parts(const std::string& label, size_t most) {
  if (display_width(label) <= most) return label;
  std::string kept;
  for (const std::string& part : parts_of_label(label)) {
    const std::string longer = kept.empty() ? part : kept + ", " + part;
    if (display_width(longer) + 3 > most) break;
    kept = longer;
  }
  return kept.empty() ? cut(label, most) : kept + ", …";
}

// First parts; for those that are equal also the parts that not all of them have.
std::vector<std::string> told_apart(const std::vector<std::string>& labels) {
  std::map<std::string, std::vector<size_t>> groups;
  std::vector<std::vector<std::string>> parts;
  for (size_t i = 0; i < labels.size(); i++) {
    parts.push_back(parts_of_label(labels[i]));
    groups[parts[i][0]].push_back(i);
  }
  std::vector<std::string> names(labels.size());
  for (auto& [first, members] : groups) {
    std::map<std::string, size_t> times;
    for (size_t i : members)
      for (const std::string& part : std::set<std::string>(parts[i].begin(), parts[i].end()))
        times[part]++;
    for (size_t i : members) {
      names[i] = first;
      for (size_t p = 1; p < parts[i].size(); p++)
        if (times[parts[i][p]] < members.size()) names[i] += ", " + parts[i][p];
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> short_names(const std::vector<std::string>& labels, size_t most) {
  auto fits = [&](const std::string& label) { return display_width(label) <= most; };
  if (std::all_of(labels.begin(), labels.end(), fits)) return labels;
  std::vector<std::string> names = told_apart(labels);
  for (size_t i = 0; i < names.size(); i++)
    names[i] = fits(labels[i]) ? labels[i] : cut_parts(names[i], most);
  std::map<std::string, int> seen;
  for (std::string& name : names)
    if (int number = ++seen[name]; number > 1) {
      std::string mark = " (" + std::to_string(number) + ")";
      name = cut(name, most - std::min(most, mark.size())) + mark;
    }
  return names;
}

std::string names_explained(const std::vector<std::string>& shorts,
                            const std::vector<std::string>& labels) {
  std::string text;
  for (size_t i = 0; i < labels.size(); i++)
    if (shorts[i] != labels[i]) text += shorts[i] + ": " + labels[i] + "\n";
  return text;
}

std::vector<std::string> spoken_names(const std::vector<MethodResult>& methods) {
  std::vector<std::string> labels;
  for (const MethodResult& method : methods) labels.push_back(method.label);
  std::vector<std::string> names = told_apart(labels);
  if (std::set<std::string>(names.begin(), names.end()).size() < names.size()) names = labels;
  for (size_t i = 0; i < methods.size(); i++)
    if (methods[i].kind == "full" && methods[i].label == "full") names[i] = "full fine-tuning";
  return names;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); i++)
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return text;
}

}  // namespace afina

// What is wrong with records, by its kind.
#include "data/problems.h"

#include <algorithm>

#include "engine/counted.h"

namespace afina {

namespace {

// A file of which each line is wrong in its own way must not fill the screen.
constexpr size_t most_shown = 12, most_kinds = 64;

// The words without numbers and what stands in quotes, up to the first part that is about this
// record alone.
std::string kind_of(const std::string& words) {
  std::string kind;
  char quote = 0;
  for (size_t i = 0; i < words.size(); ++i) {
    const char c = words[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"') {
      quote = c;
    } else if (c == ';' || words.compare(i, 9, "last read") == 0) {
      break;
    } else if (c < '0' || c > '9') {
      kind += c;
    }
  }
  return kind;
}

}  // namespace

void Problems::add(const std::string& words) {
  ++count_;
  std::string kind = kind_of(words);
  auto found = std::find_if(kinds_.begin(), kinds_.end(),
                            [&](const Kind& known) { return known.kind == kind; });
  if (found != kinds_.end()) ++found->count;
  else if (kinds_.size() < most_kinds) kinds_.push_back({std::move(kind), words, 1});
}

void Problems::add(const Problems& others) {
  for (const Kind& kind : others.kinds_) {
    auto found = std::find_if(kinds_.begin(), kinds_.end(),
                              [&](const Kind& known) { return known.kind == kind.kind; });
    if (found != kinds_.end()) found->count += kind.count;
    else if (kinds_.size() < most_kinds) kinds_.push_back(kind);
  }
  count_ += others.count_;
}

std::string Problems::summary(int64_t records) const {
  if (kinds_.empty()) return "";
  auto share = [&](int64_t count) { return " (" + counted_of(count, records, "record"); };
  if (kinds_.size() == 1)
    return kinds_[0].first + share(count_) + (count_ == 1 ? " has" : " have") +
           " a problem of this kind)";
  std::string text = counted_of(count_, records, "record") + " have problems of " +
                     std::to_string(kinds_.size()) +
                     (kinds_.size() == most_kinds ? " and more kinds:" : " kinds:");
  int64_t shown = 0;
  for (size_t i = 0; i < kinds_.size() && i < most_shown; ++i) {
    text += "\n  " + kinds_[i].first + share(kinds_[i].count) + ")";
    shown += kinds_[i].count;
  }
  if (shown < count_) text += "\n  and " + std::to_string(count_ - shown) + " of other kinds";
  return text;
}

std::vector<std::string> Problems::notes() const {
  std::vector<std::string> lines;
  int64_t shown = 0;
  for (size_t i = 0; i < kinds_.size() && i < most_shown; ++i) {
    const bool one = kinds_[i].count == 1;
    lines.push_back(counted(kinds_[i].count, "record") + (one ? " was" : " were") +
                    " left out (--on-problem skip)" + (one ? ": " : ", the first: ") +
                    kinds_[i].first);
    shown += kinds_[i].count;
  }
  if (shown < count_)
    lines.push_back(counted(count_ - shown, "other record") +
                    (count_ - shown == 1 ? " was left out" : " were left out"));
  return lines;
}

}  // namespace afina

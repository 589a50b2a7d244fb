// The known word nearest to an unknown one.
#include "engine/nearest.h"

#include <algorithm>

namespace afina {

namespace {

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment), over
// three rows of the table.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& known) {
  constexpr size_t longest = 256;  // keeps a hostile word cheap
  if (word.size() > longest) return "";
  size_t least = std::max<size_t>(1, word.size() * 2 / 5) + 1;
  std::string best;
  for (const std::string& candidate : known) {
    size_t difference =
        std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (candidate.size() > longest || difference >= least) continue;
    size_t d = distance(word, candidate);
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  std::string best = nearest_word(word, known);
  return best.empty() ? "" : " (did you mean '" + best + "'?)";
}

}  // namespace afina

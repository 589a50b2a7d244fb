// length: answers much shorter or longer than the file's others.
#include <algorithm>

#include "data/checks/check.h"

namespace afina {

namespace {

// Doublings of a length, in steps of an eighth, so that no logarithm is needed.
double doublings(double length) {
  double steps = 0;
  for (length += 8; length >= 2; length /= 2) ++steps;
  return steps + length - 1;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  if (corpus.answers().size() < 50) return;
  std::vector<double> all;
  auto length = [&](const Answer& a) { return double(corpus.text(a.turn).size()); };
  for (const Answer& answer : corpus.answers()) all.push_back(doublings(length(answer)));
  auto middle = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
  };
  const double median = middle(all);
  std::vector<double> away;
  for (double one : all) away.push_back(one > median ? one - median : median - one);
  const double spread = std::max(0.25, 1.4826 * middle(away));
  for (size_t a = 0; a < all.size(); ++a) {
    const double distance = (all[a] - median) / spread, size = distance < 0 ? -distance : distance;
    const double factor = all[a] > median ? all[a] - median : median - all[a];
    if (size < 4.5 || factor < 2) continue;
    const Answer& answer = corpus.answers()[a];
    out.push_back({nullptr,
                   std::min(1., size / 10),
                   {{answer.record, answer.turn, 0, uint32_t(length(answer))}},
                   std::to_string(corpus.text(answer.turn).size()) + " bytes, " +
                       (distance < 0 ? "much shorter" : "much longer") + " than the others",
                   ""});
  }
}

const RegisterCheck registered({"length", "form", Severity::note,
                                "answers much shorter or longer than the file's others",
                                "They are often cut, pasted together, or no answers.",
                                "Look at them.", run});

}  // namespace

}  // namespace afina

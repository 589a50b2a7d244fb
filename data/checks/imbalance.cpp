// imbalance: where answers are classes, how unequally they occur.
#include <algorithm>
#include <map>

#include "data/checks/check.h"

namespace afina {

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  struct Class {
    uint32_t count = 0, first = 0;
  };
  std::map<std::string, Class> classes;
  for (const Answer& answer : corpus.answers()) {
    const std::string_view text = corpus.text(answer.turn);
    if (text.size() > 80) return;
    Class& one = classes[squeezed(text)];
    if (one.count++ == 0) one.first = answer.record;
    if (classes.size() > 50) return;
  }
  const size_t n = corpus.answers().size();
  if (n < 40 || classes.size() < 2 || classes.size() * 10 > n) return;
  const double even = double(n) / double(classes.size());
  for (auto& [name, one] : classes) {
    const bool rare = one.count * 5. < even, greatest = one.count * 10 > n * 8;
    if (!rare && !greatest) continue;
    out.push_back({nullptr,
                   rare ? 0.7 : double(one.count) / double(n),
                   {{one.first}},
                   "\"" + name + "\" is " + std::to_string(one.count) + " of " + std::to_string(n) +
                       " answers",
                   ""});
  }
}

static const RegisterCheck registered(
    {"imbalance", "content", Severity::note, "classes that are most of the answers, or very few",
     "The model learns to say the frequent class whatever is asked.",
     "Add records of the rare classes, or leave some of the frequent ones out.", run});

}  // namespace afina

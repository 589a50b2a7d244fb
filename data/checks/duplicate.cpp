// duplicate: records with the same text, but for white space.
#include <unordered_map>

#include "data/checks/check.h"
#include "data/checks/record_words.h"

namespace afina {

static void run(const Corpus& corpus, std::vector<Finding>& out) {
  std::unordered_map<uint64_t, uint32_t> first;
  for (uint32_t r = 0; r < corpus.records(); ++r) {
    const std::string text = record_text(corpus, r);
    if (text.empty()) continue;
    auto [found, fresh] = first.emplace(text_hash(text), r);
    if (fresh || record_text(corpus, found->second) != text) continue;
    out.push_back({nullptr, 1., {{r}, {found->second}}, "the same text", ""});
  }
}

static const RegisterCheck registered(
    {"duplicate", "duplicates", Severity::error, "records with the same text",
     "A record that comes twice is trained on twice as often as the others, and one copy may be "
     "held out while the other is trained on.",
     "Remove all but the first; --fix does.", run});

}  // namespace afina

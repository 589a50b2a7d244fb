// Compares each sentence of an answer with each other one.
#include "data/checks/clash.h"

#include <algorithm>
#include <cmath>

#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"
#include "engine/math.h"

namespace afina {

namespace {

constexpr size_t most_compared = 40;  // sentences of an answer

// Says something of all, or of none.
bool is_all_or_none(std::string_view w) {
  for (std::string_view one :
       {"never",  "always",   "every",  "all",    "any",     "only",      "free",        "nothing",
        "nobody", "everyone", "anyone", "nunca",  "siempre", "cada",      "todo",        "todos",
        "toda",   "todas",    "solo",   "gratis", "nadie",   "cualquier", "ning\u00fan", "ninguna"})
    if (w == one) return true;
  return false;
}

}  // namespace

void read_saying(const Corpus& corpus, const Sentence& sentence, Saying& out) {
  out.stems.clear();
  out.values.clear();
  out.denies = out.all_or_none = false;
  thread_local Reading reading;  // its lists keep their room
  Corpus::read(corpus.text(sentence), reading);
  for (const Value& value : reading.values) out.values.push_back(value.id);
  sort_unique(out.values);
  size_t value = 0;
  for (uint32_t i = 0; i < reading.words.size(); ++i) {
    const Word& word = reading.words[i];
    while (value < reading.values.size() && reading.values[value].last <= i) ++value;
    const bool in_value = value < reading.values.size() && reading.values[value].first <= i;
    if (word.kind != WordKind::word || in_value) continue;
    const std::string_view text = reading.text.substr(word.begin, word.end - word.begin);
    const std::string low = lower_text(text);
    out.denies ^= is_negation(low);
    out.all_or_none |= is_all_or_none(low);
    if (!is_function_word(word.id) && !is_negation(low)) out.stems.push_back(stem_of(text));
  }
  sort_unique(out.stems);
}

void clashes(const Corpus& corpus, const Answer& answer, std::vector<ClashFeatures>& out) {
  out.assign(answer.sentences, {});
  const Topics& topics = corpus.topics();
  const double all = double(corpus.records());
  auto weight = [&](uint64_t stem) { return topics.rarity(stem); };
  const size_t count = std::min<size_t>(answer.sentences, most_compared);
  std::vector<Saying> said(count);
  for (size_t k = 0; k < count; ++k) read_saying(corpus, corpus.sentences(answer)[k], said[k]);
  for (size_t i = 0; i < count; ++i) {
    double own = 0;
    for (uint64_t stem : said[i].stems) own += weight(stem);
    double denied_words = 0, denied = 0, alike = 0, other_value = 0, closest = 0;
    for (size_t j = 0; j < count; ++j) {
      if (i == j) continue;
      double shared = 0;
      for (uint64_t stem : said[i].stems)
        if (std::binary_search(said[j].stems.begin(), said[j].stems.end(), stem))
          shared += weight(stem);
      if (shared == 0) continue;
      const double both = weighted_overlap(said[i].stems, said[j].stems, weight);
      closest = std::max(closest, both);
      if (said[i].denies != said[j].denies) {
        denied_words = std::max(denied_words, shared / own);
        denied = std::max(denied, both);
      } else {
        alike = std::max(alike, both);
      }
      const bool valued = !said[i].values.empty() && !said[j].values.empty();
      if (valued && jaccard(said[i].values, said[j].values) == 0)
        other_value = std::max(other_value, both);
    }
    const double rate = corpus.phrases().of(corpus.sentences(answer)[i]).records / all;
    out[i] = {float(denied_words),
              float(denied),
              float(alike),
              float(other_value),
              float(said[i].all_or_none ? closest : 0),
              float(said[i].all_or_none),
              float(std::max(denied_words, alike)),
              float(rate < 0.005 ? denied_words : 0),
              float(said[i].denies ? denied : 0),
              float(said[i].stems.empty() ? 0 : own / double(said[i].stems.size()) / 5)};
  }
}

}  // namespace afina

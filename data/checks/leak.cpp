// leak: held-out records that are training records, or whose question is one of them.
#include <unordered_map>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"
#include "data/checks/record_words.h"

namespace afina {

namespace {

void words_of(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out) {
  question_words(corpus, record, out);
  if (out.size() < 5) record_words(corpus, record, out);  // texts, and short prompts
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const uint32_t training = corpus.records(), all = corpus.all_records();
  if (training == all) return;
  std::unordered_map<uint64_t, uint32_t> known;
  std::vector<uint64_t> words, other;
  auto whole = [&](uint32_t r) {
    words_of(corpus, r, words);
    uint64_t hash = 31;
    for (uint64_t word : words) hash = hash_with(hash, word);
    return hash;
  };
  for (uint32_t r = 0; r < training; ++r) known.emplace(whole(r), r);
  std::vector<double> score(all, 0);
  std::vector<uint32_t> partner(all, no_turn);
  for (uint32_t r = training; r < all; ++r)
    if (auto found = known.find(whole(r)); found != known.end() && !words.empty()) {
      score[r] = 1;
      partner[r] = found->second;
    }
  auto features = [&](uint32_t r, std::vector<uint64_t>& shingled) {
    words_of(corpus, r, words);
    if (words.size() >= 8) shingles(words, shingled);
  };
  std::vector<uint64_t> a, b;
  similar_pairs(all, features, {8, 4, 6}, [&](uint32_t one, uint32_t held_out) {
    if (one >= training || held_out < training || partner[held_out] != no_turn) return;
    words_of(corpus, one, words);
    shingles(words, a);
    words_of(corpus, held_out, other);
    shingles(other, b);
    const double alike = jaccard(a, b);
    if (alike < 0.85 || alike <= score[held_out]) return;
    score[held_out] = alike;
    partner[held_out] = one;
  });
  for (uint32_t r = training; r < all; ++r)
    if (partner[r] != no_turn)
      out.push_back(
          {nullptr,
           score[r],
           {{r}, {partner[r]}},
           score[r] == 1 ? "the same question as in training" : "nearly the same question",
           ""});
}

const RegisterCheck registered({"leak", "splits", Severity::error,
                                "held-out records that training has seen (--held-out)",
                                "What is measured on them is memory, not learning.",
                                "Remove them from one of the two files.", run});

}  // namespace

}  // namespace afina

// same-question: one question with answers that differ.
#include <algorithm>
#include <map>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"
#include "data/checks/record_words.h"

namespace afina {

namespace {

struct Said {
  std::vector<uint64_t> words;
  std::map<ValueType, std::vector<uint64_t>> values;
  uint32_t turn = no_turn;
};

Said said_by(const Corpus& corpus, uint32_t record) {
  Said said;
  const auto turns = corpus.turns(record);
  Reading reading;
  for (size_t t = turns.size(); t-- > 0;) {
    if (turns[t].role != TurnRole::answer) continue;
    said.turn = uint32_t(&turns[t] - corpus.turns().data());
    Corpus::read(corpus.text(turns[t]), reading);
    for (const Word& word : reading.words)
      if (word.kind == WordKind::word && !is_function_word(word.id)) said.words.push_back(word.id);
    for (const Value& value : reading.values) said.values[value.type].push_back(value.id);
    break;
  }
  sort_unique(said.words);
  for (auto& [type, ids] : said.values) sort_unique(ids);
  return said;
}

// Do both have values of a kind of which the other has none?
bool conflict(const Said& a, const Said& b) {
  for (auto& [type, ids] : a.values) {
    auto other = b.values.find(type);
    if (other == b.values.end()) continue;
    if (!std::includes(ids.begin(), ids.end(), other->second.begin(), other->second.end()) &&
        !std::includes(other->second.begin(), other->second.end(), ids.begin(), ids.end()))
      return true;
  }
  return false;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  std::vector<std::pair<uint64_t, uint32_t>> by_question;
  std::vector<uint64_t> words;
  for (uint32_t r = 0; r < corpus.records(); ++r) {
    question_words(corpus, r, words);
    if (words.size() < 3) continue;
    uint64_t hash = 37;
    for (uint64_t word : words) hash = hash_with(hash, word);
    by_question.emplace_back(hash, r);
  }
  std::sort(by_question.begin(), by_question.end());
  // A prompt that many records share is a task, not a question.
  const size_t most = std::max<size_t>(6, corpus.records() / 50);
  for (uint32_t r = 0; r < corpus.records(); ++r) {
    question_words(corpus, r, words);
    if (words.size() < 3) continue;
    uint64_t hash = 37;
    for (uint64_t word : words) hash = hash_with(hash, word);
    const auto group = std::equal_range(
        by_question.begin(), by_question.end(), std::pair(hash, 0u),
        [](const auto& one, const auto& other) { return one.first < other.first; });
    const uint32_t leader = group.first->second;
    if (leader == r || size_t(group.second - group.first) > most) continue;
    const Said here = said_by(corpus, r), first = said_by(corpus, leader);
    if (here.turn == no_turn || first.turn == no_turn) continue;
    const double alike = jaccard(here.words, first.words);
    const bool values = conflict(here, first);
    if (alike >= 0.3 && !values) continue;
    if (squeezed(corpus.text(here.turn)) == squeezed(corpus.text(first.turn))) continue;
    out.push_back({nullptr,
                   values ? 0.9 : 0.9 - 0.6 * alike,
                   {{r, here.turn}, {leader, first.turn}},
                   values ? "other values than the first answer to this question"
                          : "another answer to the same question",
                   ""});
  }
}

const RegisterCheck registered(
    {"same-question", "consistency", Severity::warning, "one question with answers that differ",
     "The model learns to say one or the other at random, and the loss cannot fall below that.",
     "Decide which answer is right, and give it everywhere.", run});

}  // namespace

}  // namespace afina

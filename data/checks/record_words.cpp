// Texts and words of whole records.
#include "data/checks/record_words.h"

#include <algorithm>

#include "data/checks/neighbours.h"

namespace afina {

std::string record_text(const Corpus& corpus, uint32_t record) {
  std::string text;
  for (const Turn& turn : corpus.turns(record)) {
    text += char('0' + int(turn.role));
    text += squeezed(corpus.text(turn));
    text += '\n';
  }
  return text;
}

void record_words(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out) {
  out.clear();
  std::vector<Word> words;
  for (const Turn& turn : corpus.turns(record)) {
    split_words(corpus.text(turn), words);
    for (const Word& word : words)
      if (word.kind != WordKind::mark) out.push_back(word.id);
    out.push_back(4 + uint64_t(turn.role));
  }
}

void question_words(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out) {
  out.clear();
  std::vector<Word> words;
  const auto turns = corpus.turns(record);
  size_t last = turns.size();
  while (last > 0 && turns[last - 1].role != TurnRole::answer) --last;
  // The person who is greeted in the answer is none of the question's words; other names are.
  std::vector<uint64_t> greeted;
  if (last > 0) {
    const std::string_view said = corpus.text(turns[last - 1]);
    split_words(said.substr(0, std::min(said.find('\n'), said.size())), words);
    for (size_t i = 0; i < words.size() && words.size() <= 8; ++i) greeted.push_back(words[i].id);
  }
  for (size_t t = 0; t + 1 < last; ++t) {
    split_words(corpus.text(turns[t]), words);
    for (const Word& word : words)
      if (word.kind != WordKind::mark &&
          !(word.kind == WordKind::word && word.capital && corpus.is_name(word.id) &&
            std::find(greeted.begin(), greeted.end(), word.id) != greeted.end()))
        out.push_back(word.id);
    out.push_back(4 + uint64_t(turns[t].role));
  }
}

namespace {

// Names that are in the question and in the answer's body, sorted.
std::vector<uint64_t> names_of(const Corpus& corpus, const Answer& answer) {
  std::vector<uint64_t> asked, said, both;
  std::vector<Word> words;
  auto add = [&](std::string_view text, std::vector<uint64_t>& names) {
    split_words(text, words);
    for (const Word& word : words)
      if (word.kind == WordKind::word && word.capital && corpus.is_name(word.id))
        names.push_back(word.id);
  };
  for (uint32_t t = corpus.record(answer.record).first_turn; t < answer.turn; ++t)
    if (corpus.turns()[t].role == TurnRole::question) add(corpus.text(t), asked);
  add(corpus.text(answer.turn).substr(answer.body_begin, answer.body_end - answer.body_begin),
      said);
  sort_unique(asked);
  sort_unique(said);
  std::set_intersection(asked.begin(), asked.end(), said.begin(), said.end(),
                        std::back_inserter(both));
  return both;
}

}  // namespace

bool about_other_things(const Corpus& corpus, const Answer& one, const Answer& other) {
  const std::vector<uint64_t> a = names_of(corpus, one), b = names_of(corpus, other);
  return !std::includes(a.begin(), a.end(), b.begin(), b.end()) &&
         !std::includes(b.begin(), b.end(), a.begin(), a.end());
}

void shingles(const std::vector<uint64_t>& words, std::vector<uint64_t>& out) {
  out.clear();
  for (size_t i = 0; i + 1 < words.size(); ++i)
    out.push_back(hash_with(words[i] + 5, words[i + 1]));
  if (words.size() == 1) out.push_back(words[0]);
  sort_unique(out);
}

}  // namespace afina

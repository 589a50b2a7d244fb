// near-duplicate: records that differ in letter case, punctuation, a word or two that carry no
// fact, one word for another in a long record, or the name of the person who is greeted. Where
// other names, numbers or identifiers differ, records are two cases of one kind.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "data/checks/check.h"
#include "data/checks/neighbours.h"
#include "data/checks/record_words.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

// A word of question and answer that less ties together is in both by chance.
constexpr double least_tie = 3;
// Of question and answer, for two records to be copies where the person's name differs; of both,
// where one word stands for another.
constexpr size_t least_asked = 3, least_words = 35, least_same = 45;

// Words of a record that tell it from others of its kind.
void facts_of(const Corpus& corpus, uint32_t record, std::vector<uint64_t>& out) {
  out.clear();
  Reading reading;
  for (const Turn& turn : corpus.turns(record)) {
    Corpus::read(corpus.text(turn), reading);
    for (const Word& word : reading.words)
      if (word.kind == WordKind::identifier ||
          (word.kind == WordKind::word && corpus.is_name(word.id)))
        out.push_back(word.id);
    for (const Value& value : reading.values) out.push_back(value.id);
  }
  sort_unique(out);
}

// Is one of these words in two turns of the record? What question and answer both name is what
// they are about.
bool names_topic(const Corpus& corpus, uint32_t record, const std::vector<uint64_t>& some) {
  std::vector<Word> words;
  std::vector<uint32_t> turns(some.size(), 0);
  std::vector<uint32_t> last(some.size(), no_turn);
  uint32_t number = 0;
  for (const Turn& turn : corpus.turns(record)) {
    ++number;
    split_words(corpus.text(turn), words);
    for (const Word& word : words) {
      const auto found = std::lower_bound(some.begin(), some.end(), word.id);
      if (found == some.end() || *found != word.id) continue;
      // Unless both have it by chance: "thanks", in questions and in answers to anything.
      const uint64_t stem = stem_of(corpus.text(turn).substr(word.begin, word.end - word.begin));
      if (corpus.use(word.id).answers >= 20 && corpus.topics().tie(stem, stem, record) < least_tie)
        continue;
      const size_t i = size_t(found - some.begin());
      if (last[i] == number) continue;
      last[i] = number;
      if (++turns[i] > 1) return true;
    }
  }
  return false;
}

// The words of both that are not in the other, at the places where one differs from the other;
// false where they are not the same words in the same order but for a few.
bool differences(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b, size_t most,
                 std::vector<uint64_t>& only_a, std::vector<uint64_t>& only_b, size_t& gaps) {
  only_a.clear();
  only_b.clear();
  gaps = 0;
  for (size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      ++i;
      ++j;
      continue;
    }
    // The nearest place where they agree again, on two words or at the end.
    size_t best = SIZE_MAX, next_i = 0, next_j = 0;
    for (size_t x = 0; x <= most && i + x <= a.size(); ++x)
      for (size_t y = 0; y <= most && j + y <= b.size(); ++y) {
        if (x + y >= best || x + y == 0) continue;
        const bool end = i + x == a.size() && j + y == b.size();
        const bool one = i + x < a.size() && j + y < b.size() && a[i + x] == b[j + y];
        const bool two =
            one && i + x + 1 < a.size() && j + y + 1 < b.size() && a[i + x + 1] == b[j + y + 1];
        const bool last = one && (i + x + 1 == a.size()) && (j + y + 1 == b.size());
        if (!end && !two && !last) continue;
        best = x + y;
        next_i = i + x;
        next_j = j + y;
      }
    if (best == SIZE_MAX) return false;
    only_a.insert(only_a.end(), a.begin() + std::ptrdiff_t(i), a.begin() + std::ptrdiff_t(next_i));
    only_b.insert(only_b.end(), b.begin() + std::ptrdiff_t(j), b.begin() + std::ptrdiff_t(next_j));
    ++gaps;
    i = next_i;
    j = next_j;
    if (only_a.size() + only_b.size() > 2 * most) return false;
  }
  return true;
}

// Takes the writer's name off the end of a question: names behind a mark or a line's end, "Thanks,
// Ann". Not those that belong to the sentence before them: "Is this the shop of Ann?"
void drop_writer(const Corpus& corpus, std::string_view text, std::vector<Word>& words) {
  size_t end = words.size();
  while (end > 0 && words[end - 1].kind == WordKind::mark) {
    if (text[words[end - 1].begin] == '?') return;
    --end;
  }
  size_t begin = end;
  while (begin > 0 && end - begin < 3 && words[begin - 1].kind == WordKind::word &&
         words[begin - 1].capital && corpus.is_name(words[begin - 1].id) &&
         (begin == end ||
          text.substr(words[begin - 1].end, words[begin].begin - words[begin - 1].end).find('\n') ==
              text.npos))
    --begin;
  if (begin == end || begin == 0) return;
  const Word& before = words[begin - 1];
  const bool apart =
      before.kind == WordKind::mark ||
      text.substr(before.end, words[begin].begin - before.end).find('\n') != text.npos;
  if (apart) words.resize(begin);
}

// Does the writer say the own name at the i-th word: behind a mark, or "I'm Ann", "soy Ana"?
bool introduces_writer(std::string_view text, const std::vector<Word>& words, size_t i) {
  if (i == 0 || words[i - 1].kind != WordKind::word ||
      text.substr(words[i - 1].end, words[i].begin - words[i - 1].end).find('\n') != text.npos)
    return true;
  const std::string before =
      lower_text(text.substr(words[i - 1].begin, words[i - 1].end - words[i - 1].begin));
  for (std::string_view one : {"i'm", "i\xE2\x80\x99m", "am", "name's", "soy", "llamo"})
    if (before == one) return true;
  return false;
}

// Takes the name that the answer greets out of a question, and a surname behind it: "I'm Ann Lee".
void drop_greeted(const std::vector<uint64_t>& greeted, std::string_view text,
                  std::vector<Word>& words) {
  for (size_t i = words.size(); i-- > 0;) {
    if (!words[i].capital ||
        std::find(greeted.begin(), greeted.end(), words[i].id) == greeted.end() ||
        !introduces_writer(text, words, i))
      continue;
    size_t end = i + 1;
    while (end < words.size() && words[end].kind == WordKind::word && words[end].capital &&
           text.substr(words[end - 1].end, words[end].begin - words[end - 1].end) == " ")
      ++end;
    // "Is Grace Hall open?" names something else.
    if (end > i + 1 && end < words.size() && words[end].kind == WordKind::word &&
        text.substr(words[end - 1].end, words[end].begin - words[end - 1].end) == " ")
      continue;
    words.erase(words.begin() + std::ptrdiff_t(i), words.begin() + std::ptrdiff_t(end));
  }
}

// The words of each record but for the person's name in the greeting and in a question; 0
// where there are few, or no greeting to tell who the person is.
std::vector<uint64_t> without_persons(const Corpus& corpus) {
  std::vector<uint64_t> hashes(corpus.records(), 0);
  std::vector<uint32_t> greeting(corpus.turns().size(), 0);
  for (const Answer& answer : corpus.answers())
    if (answer.greets) greeting[answer.turn] = answer.body_begin;
  std::vector<Word> words;
  std::vector<uint64_t> greeted;
  for (uint32_t r = 0; r < corpus.records(); ++r) {
    uint64_t hash = 43;
    greeted.clear();
    for (uint32_t k = 0; k < corpus.turns(r).size(); ++k) {
      const uint32_t t = corpus.record(r).first_turn + k;
      if (greeting[t] == 0) continue;
      split_words(corpus.text(t).substr(0, greeting[t]), words);
      for (size_t i = 1; i < words.size(); ++i)
        if (words[i].kind == WordKind::word && words[i].capital) greeted.push_back(words[i].id);
    }
    size_t asked = 0, said = 0;
    bool greets = false;
    for (uint32_t k = 0; k < corpus.turns(r).size(); ++k) {
      const uint32_t t = corpus.record(r).first_turn + k;
      const TurnRole role = corpus.turns()[t].role;
      const bool answer = role == TurnRole::answer;
      split_words(corpus.text(t), words);
      if (!answer) {
        drop_writer(corpus, corpus.text(t), words);
        drop_greeted(greeted, corpus.text(t), words);
      }
      std::erase_if(words, [](const Word& word) { return word.kind == WordKind::mark; });
      greets |= greeting[t] > 0;
      hash = hash_with(hash, uint64_t(role));
      for (const Word& word : words) {
        if (word.end <= greeting[t]) continue;
        hash = hash_with(hash, word.id);
        said += answer;
        asked += role == TurnRole::question;
      }
    }
    if (greets && asked >= least_asked && asked + said >= least_words) hashes[r] = hash;
  }
  return hashes;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  std::vector<uint64_t> words, a, b, only_a, only_b, facts_a, facts_b;
  std::vector<uint32_t> partner(corpus.records(), no_turn);
  std::vector<double> score(corpus.records(), 0);
  auto features = [&](uint32_t record, std::vector<uint64_t>& shingled) {
    record_words(corpus, record, words);
    if (words.size() >= 6) shingles(words, shingled);
  };
  auto asks = [&](uint32_t record, const std::vector<uint64_t>& some) {
    question_words(corpus, record, words);
    return std::any_of(some.begin(), some.end(), [&](uint64_t word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    });
  };
  similar_pairs(corpus.records(), features, {6, 5, 6}, [&](uint32_t one, uint32_t other) {
    record_words(corpus, one, a);
    record_words(corpus, other, b);
    const size_t length = std::max(a.size(), b.size());
    const size_t allowed = length < 20 ? 1 : 2 + length / 40;
    size_t gaps = 0;
    if (!differences(a, b, allowed, only_a, only_b, gaps)) return;
    const size_t differ = only_a.size() + only_b.size();
    if (differ > allowed + 1 || gaps > 3) return;
    // A word of meaning for another one: two things, or two ways to say it.
    auto means = [&](const std::vector<uint64_t>& some) {
      return std::any_of(some.begin(), some.end(), [](uint64_t w) { return !is_function_word(w); });
    };
    const bool reworded = means(only_a) && means(only_b);
    // A word of the question is what it is about.
    if (reworded &&
        (gaps > 1 || differ > 3 || length < least_same || asks(one, only_a) || asks(other, only_b)))
      return;
    sort_unique(only_a);
    sort_unique(only_b);
    facts_of(corpus, one, facts_a);
    facts_of(corpus, other, facts_b);
    if (facts_a != facts_b) return;
    if (names_topic(corpus, one, only_a) || names_topic(corpus, other, only_b)) return;
    if (record_text(corpus, one) == record_text(corpus, other)) return;  // duplicate
    const double certain = 1. - 0.1 * double(differ);
    if (certain <= score[other]) return;
    score[other] = certain;
    partner[other] = one;
  });
  // The same letter to another person.
  const std::vector<uint64_t> letters = without_persons(corpus);
  std::unordered_map<uint64_t, uint32_t> firsts;
  for (uint32_t r = 0; r < corpus.records(); ++r) {
    if (!letters[r]) continue;
    const auto [first, fresh] = firsts.emplace(letters[r], r);
    if (fresh || partner[r] != no_turn ||
        record_text(corpus, r) == record_text(corpus, first->second))
      continue;
    score[r] = 0.8;
    partner[r] = first->second;
  }
  // A copy of a record that is named already is the exact check's.
  std::unordered_set<uint64_t> texts;
  for (uint32_t r = 0; r < corpus.records(); ++r) {
    const bool fresh = texts.insert(text_hash(record_text(corpus, r))).second;
    if (fresh && partner[r] != no_turn)
      out.push_back({nullptr, score[r], {{r}, {partner[r]}}, "nearly the same text", ""});
  }
}

const RegisterCheck registered(
    {"near-duplicate", "duplicates", Severity::warning,
     "records that differ in punctuation or in a word that carries no fact",
     "Such records teach the same thing again, and weigh more than one record each.",
     "Keep the better of the two.", run});

}  // namespace

}  // namespace afina

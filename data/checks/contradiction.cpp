// contradiction: two statements about one thing in records that ask for other things, with another
// value, another name, or the opposite. Both are sentences that hardly any other record says, so
// that no others vote.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "data/checks/applied.h"
#include "data/checks/aside_pairs.h"
#include "data/checks/check.h"
#include "data/checks/clash.h"
#include "data/checks/like_answers.h"
#include "data/checks/lone.h"
#include "data/checks/neighbours.h"
#include "data/checks/one_thing.h"
#include "data/checks/phrases.h"
#include "data/checks/record_words.h"
#include "data/checks/stray.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

// What a sentence claims beside its plain words.
struct Claim {
  std::vector<std::pair<ValueType, uint64_t>> values;
  std::vector<uint64_t> names;
  bool personal = false;  // of a person in a story, or a computation or question
};

Claim claim_of(const Corpus& corpus, const Sentence& sentence) {
  Claim claim;
  Reading reading;
  Corpus::read(corpus.text(sentence), reading);
  for (const Value& value : reading.values) claim.personal |= value.amount >= 1e5;  // a code
  // A telephone number, or what somebody is known by.
  size_t digits = 0;
  for (const Word& word : reading.words)
    if (word.kind != WordKind::word)
      for (uint32_t at = word.begin; at < word.end; ++at)
        digits += reading.text[at] >= '0' && reading.text[at] <= '9';
  claim.personal |= digits >= 7;
  for (const Value& value : reading.values) claim.values.emplace_back(value.type, value.id);
  std::sort(claim.values.begin(), claim.values.end());
  for (const Word& word : reading.words) {
    const std::string low = lower_text(reading.text.substr(word.begin, word.end - word.begin));
    if (word.kind == WordKind::mark &&
        std::string_view("=+<>*?#@").find(low) != std::string_view::npos)
      claim.personal = true;
    claim.personal |= word.kind == WordKind::identifier;
    if (word.kind != WordKind::word) continue;
    const uint32_t at = uint32_t(&word - reading.words.data());
    const bool in_value =
        std::any_of(reading.values.begin(), reading.values.end(),
                    [&](const Value& value) { return value.first <= at && at < value.last; });
    if (word.capital && !in_value && corpus.is_name(word.id)) claim.names.push_back(word.id);
    for (std::string_view person : {"he", "she", "his", "her", "\u00e9l", "ella", "they", "their"})
      claim.personal |= low == person;
  }
  sort_unique(claim.names);
  return claim;
}

// Have both a value of one type, and none in common?
bool other_values(const Claim& a, const Claim& b) {
  for (auto& [type, id] : a.values)
    for (auto& [other_type, other_id] : b.values) {
      if (type != other_type) continue;
      if (a.values == b.values) return false;
      if (id == other_id) return false;
    }
  for (auto& [type, id] : a.values)
    for (auto& [other_type, other_id] : b.values)
      if (type == other_type) return true;
  return false;
}

// Have both a value in common? Then they agree in what they say, in other words.
bool same_value(const Claim& a, const Claim& b) {
  return std::any_of(a.values.begin(), a.values.end(), [&](const auto& value) {
    return std::binary_search(b.values.begin(), b.values.end(), value);
  });
}

bool is_negation_stem(uint64_t stem) {
  static const std::set<uint64_t> all = [] {
    std::set<uint64_t> some;
    for (std::string_view word : {"never", "cannot", "without", "none", "nothing", "neither",
                                  "nunca", "tampoco", "ninguna", "ning\u00fan", "jam\u00e1s"})
      some.insert(stem_of(word));
    return some;
  }();
  return all.count(stem) > 0;
}

// Do the two differ in one word that stands in the same place among those that they share?
bool other_word(const Corpus& corpus, const LoneSentences& all, uint32_t one, uint32_t other) {
  auto in_order = [&](uint32_t i, std::span<const uint64_t> but) {
    std::vector<uint64_t> stems;
    const std::string_view text = corpus.text(corpus.sentences()[all[i].sentence]);
    std::vector<Word> words;
    split_words(text, words);
    for (const Word& word : words) {
      const uint64_t stem = stem_of(text.substr(word.begin, word.end - word.begin));
      if (!std::binary_search(all.stems(i).begin(), all.stems(i).end(), stem)) continue;
      stems.push_back(std::binary_search(but.begin(), but.end(), stem) ? stem : 0);
    }
    return stems;
  };
  return in_order(one, all.stems(other)) == in_order(other, all.stems(one));
}

constexpr double least_opposed = 0.12, least_apart = 0.08;

// What answers about the same say instead: the sentences with most words of this one. False where
// one of them says nearly the same, denied and valued alike.
bool add_said_instead(const Corpus& corpus, LikeAnswers& like, uint32_t sentence,
                      Finding& finding) {
  std::vector<std::pair<double, uint32_t>> near, said;
  like.nearest(corpus.sentences()[sentence].answer, 0.1, 20, near);
  Saying own, theirs;
  read_saying(corpus, corpus.sentences()[sentence], own);
  for (auto& [unused, a] : near) {
    const Answer& answer = corpus.answers()[a];
    std::pair<double, uint32_t> best{0, 0};
    for (uint32_t k = 0; k < std::min<uint32_t>(answer.sentences, 64); ++k) {
      read_saying(corpus, corpus.sentences(answer)[k], theirs);
      const double both = jaccard(own.stems, theirs.stems);
      if (both >= 0.6 && own.denies == theirs.denies && own.values == theirs.values) return false;
      best = std::min(best, {-both, answer.first_sentence + k});
    }
    if (best.first < 0) said.push_back(best);
  }
  std::sort(said.begin(), said.end());
  for (size_t i = 0; i < said.size() && i < 2; ++i) {
    const Sentence& other = corpus.sentences()[said[i].second];
    const Answer& answer = corpus.answers()[other.answer];
    finding.places.push_back({answer.record, answer.turn, other.begin, other.end});
  }
  return true;
}

// Sentences that say otherwise than others who are asked the same.
void find_opposed(const Corpus& corpus, std::set<uint32_t>& told, std::vector<Finding>& out) {
  const Stray& stray = corpus.stray();
  std::vector<Finding> found;
  std::vector<uint32_t> sentences;
  for (const Answer& answer : corpus.answers()) {
    if (answer.sentences == 0) continue;
    uint32_t most = answer.first_sentence;
    for (uint32_t k = 1; k < answer.sentences; ++k)
      if (stray.opposed(answer.first_sentence + k) > stray.opposed(most))
        most = answer.first_sentence + k;
    const Sentence& sentence = corpus.sentences()[most];
    // What more records say is meant; what its own answer denies is a self-contradiction.
    if (stray.opposed(most) < std::max(least_opposed, stray.clash(most)) ||
        is_sum(corpus.text(sentence)) || corpus.phrases().of(sentence).records > 2)
      continue;
    found.push_back({nullptr,
                     stray.opposed(most),
                     {{answer.record, answer.turn, sentence.begin, sentence.end}},
                     "others who are asked the same say otherwise",
                     ""});
    sentences.push_back(most);
  }
  if (found.empty() || found.size() * 8 > corpus.answers().size()) return;
  LikeAnswers like(corpus);
  for (size_t i = 0; i < found.size(); ++i) {
    if (told.count(found[i].places[0].record) ||
        !add_said_instead(corpus, like, sentences[i], found[i]))
      continue;
    told.insert(found[i].places[0].record);
    out.push_back(std::move(found[i]));
  }
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const LoneSentences& all = corpus.lone();
  const Topics& topics = corpus.topics();
  auto weight = [&](uint64_t stem) {
    return 1. / (0.01 + double(topics.said(stem)) / double(corpus.records()));
  };
  struct Pair {
    double score;
    uint32_t one, other;
    const char* what;
  };
  // The statement most like each one; two that are each other's are compared.
  std::vector<std::pair<double, uint32_t>> nearest(all.size(), {0, no_turn});
  std::vector<bool> personal(all.size());
  auto claim = [&](uint32_t i) { return claim_of(corpus, corpus.sentences()[all[i].sentence]); };
  for (uint32_t i = 0; i < all.size(); ++i) {
    if (all.partners(i).empty()) continue;
    personal[i] = claim(i).personal;
    if (personal[i]) continue;
    for (uint32_t j : all.partners(i)) {
      const double alike = weighted_overlap(all.stems(i), all.stems(j), weight);
      if ((all[i].untied || all[j].untied) && alike > nearest[i].first) nearest[i] = {alike, j};
    }
  }
  auto sentence_of = [&](uint32_t i) -> const Sentence& {
    return corpus.sentences()[all[i].sentence];
  };
  auto answer_of = [&](uint32_t i) -> const Answer& {
    return corpus.answers()[sentence_of(i).answer];
  };
  std::vector<Pair> pairs;
  for (uint32_t i = 0; i < all.size(); ++i) {
    const auto [alike, j] = nearest[i];
    if (j == no_turn || j < i || nearest[j].second != i || personal[j]) continue;
    // The same words with another value may be said of two things, if others speak of it as well.
    if (sentence_of(i).key == sentence_of(j).key &&
        std::none_of(all.stems(i).begin(), all.stems(i).end(),
                     [&](uint64_t stem) { return topics.said(stem) <= 2; }))
      continue;
    const Claim one = claim(i), other = claim(j);
    int shared = 0;
    weighted_overlap(all.stems(i), all.stems(j), weight, &shared);
    const bool opposite = all[i].negated != all[j].negated && alike >= 0.3;
    const bool values = other_values(one, other) && alike >= 0.3;
    const bool names = !one.names.empty() && !other.names.empty() &&
                       jaccard(one.names, other.names) == 0 && alike >= 0.3;
    // Alike but for one word in the same place: permitted and forbidden.
    const bool word = shared >= 2 && all[i].stems == shared + 1 && all[j].stems == shared + 1 &&
                      !all[i].orders && !all[j].orders && !same_value(one, other) &&
                      other_word(corpus, all, i, j);
    if (!opposite && !values && !names && !word) continue;
    // The fee of one workshop, and that of another.
    if (!opposite && about_other_things(corpus, answer_of(i), answer_of(j))) continue;
    pairs.push_back({std::min(1., 0.5 + 0.5 * alike), i, j,
                     opposite ? "one says yes, the other no"
                     : values ? "another value for the same"
                     : names  ? "another name for the same"
                              : "another word for the same"});
  }
  for (const OneThing& pair : differing_pairs(corpus, all)) {
    if (pair.named && about_other_things(corpus, answer_of(pair.one), answer_of(pair.other)))
      continue;
    pairs.push_back({0.6 + 0.4 * pair.alike, pair.one, pair.other, pair.what});
  }
  // What many say and one denies, or the other way round: "Dogs are not welcome".
  std::unordered_map<uint64_t, std::pair<uint32_t, uint32_t>> often;  // stems -> times, sentence
  const Phrases& phrases = corpus.phrases();
  auto key_of = [](const std::vector<uint64_t>& stems, bool negated) {
    uint64_t key = negated ? 83 : 79;
    for (uint64_t stem : stems) key = hash_with(key, stem);
    return key;
  };
  std::vector<uint64_t> stems;
  std::vector<Word> words;
  for (uint32_t s = 0; s < corpus.sentences().size(); ++s) {
    const Sentence& sentence = corpus.sentences()[s];
    const uint32_t records = phrases.of(sentence).records;
    if (records < 2 || sentence.valued || !phrases.is_first(sentence)) continue;
    const std::string_view text = corpus.text(sentence);
    content_stems(corpus, text, stems);
    bool negated = false;
    split_words(text, words);
    for (const Word& word : words)
      negated ^= word.kind == WordKind::word &&
                 is_negation(lower_text(text.substr(word.begin, word.end - word.begin)));
    std::erase_if(stems, [](uint64_t stem) { return is_negation_stem(stem); });
    auto& [times, first] = often[key_of(stems, negated)];
    if (times == 0) first = s;
    times += records;
  }
  std::vector<Finding> denied;
  for (size_t i = 0; i < all.size(); ++i) {
    const Lone& lone = all[i];
    const Sentence& sentence = corpus.sentences()[lone.sentence];
    stems.assign(all.stems(i).begin(), all.stems(i).end());
    std::erase_if(stems, [](uint64_t stem) { return is_negation_stem(stem); });
    if (sentence.valued || stems.size() < 2 || phrases.of(sentence).records > 2) continue;
    auto found = often.find(key_of(stems, !lone.negated));
    if (found == often.end() || found->second.first < 4) continue;
    const Sentence& other = corpus.sentences()[found->second.second];
    const Answer &one = corpus.answers()[sentence.answer], &many = corpus.answers()[other.answer];
    // Where the answer says both, it contradicts itself.
    const auto beside = corpus.sentences(one);
    if (std::any_of(beside.begin(), beside.end(),
                    [&](const Sentence& own) { return own.key == other.key; }))
      continue;
    denied.push_back({nullptr,
                      0.8,
                      {{one.record, one.turn, sentence.begin, sentence.end},
                       {many.record, many.turn, other.begin, other.end}},
                      "others say the opposite",
                      ""});
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& x, const Pair& y) { return x.score > y.score; });
  std::set<uint32_t> told;
  for (Finding& finding : denied)
    if (told.insert(finding.places[0].record).second) out.push_back(std::move(finding));
  find_opposed(corpus, told, out);
  auto place_of = [&](uint32_t sentence) {
    const Sentence& s = corpus.sentences()[sentence];
    const Answer& answer = corpus.answers()[s.answer];
    return PiecePlace{answer.record, answer.turn, s.begin, s.end};
  };
  auto place = [&](uint32_t i) { return place_of(all[i].sentence); };
  std::unordered_map<uint32_t, std::vector<bool>> applied_of;  // answer -> its sentences
  auto applied = [&](uint32_t sentence) {
    const uint32_t a = corpus.sentences()[sentence].answer;
    const Answer& answer = corpus.answers()[a];
    std::vector<bool>& found = applied_of[a];
    if (found.empty()) find_applied(corpus, answer, found);
    return bool(found[sentence - answer.first_sentence]);
  };
  for (const Pair& pair : pairs) {
    if (told.count(place(pair.other).record)) continue;
    // One of them at least belongs to nothing where it stands, where that can be said.
    const Stray& stray = corpus.stray();
    if (stray.knows() && std::max(stray.apart(all[pair.one].sentence),
                                  stray.apart(all[pair.other].sentence)) < least_apart)
      continue;
    // Each of its own case: "At 14 months it is too late", "Six weeks are too late for this".
    if (applied(all[pair.one].sentence) && applied(all[pair.other].sentence)) continue;
    told.insert(place(pair.other).record);
    told.insert(place(pair.one).record);
    out.push_back({nullptr, pair.score, {place(pair.other), place(pair.one)}, pair.what, ""});
  }
  if (!corpus.stray().knows()) return;
  for (const AsidePair& pair : aside_pairs(corpus)) {
    const PiecePlace one = place_of(pair.one), other = place_of(pair.other);
    const Sentence &a = corpus.sentences()[pair.one], &b = corpus.sentences()[pair.other];
    if (told.count(one.record) || told.count(other.record) || is_sum(corpus.text(a)) ||
        is_sum(corpus.text(b)) ||
        about_other_things(corpus, corpus.answers()[a.answer], corpus.answers()[b.answer]))
      continue;
    told.insert(one.record);
    told.insert(other.record);
    out.push_back({nullptr, pair.chance, {other, one}, "two facts about one thing", ""});
  }
}

const RegisterCheck registered(
    {"contradiction", "consistency", Severity::warning,
     "sentences about one thing in unlike records, with another value or the opposite",
     "The model cannot know which of the two holds.",
     "Find out which is right, and correct the other.", run});

}  // namespace

}  // namespace afina

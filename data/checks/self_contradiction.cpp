// self-contradiction: an answer that says a thing and its opposite: free and a price, one sentence
// with two values, a sentence and its negation.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <unordered_map>

#include "data/checks/applied.h"
#include "data/checks/check.h"
#include "data/checks/clash.h"
#include "data/checks/neighbours.h"
#include "data/checks/phrases.h"
#include "data/checks/stray.h"
#include "data/checks/topics.h"
#include "data/checks/value_conflict.h"

namespace afina {

namespace {

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), word) != all.end();
}

constexpr double least_certain = 0.55, least_denied = 0.1;
constexpr uint32_t most_said = 2;  // what more records say is meant

// What a sentence claims.
struct Claim {
  std::vector<uint64_t> stems;  // content words, sorted
  std::map<ValueType, std::set<uint64_t>> values;
  bool free = false, price = false, given_back = false, condition = false, negated = false,
       always = false, never = false, computed = false, open = false, closed = false,
       included = false, extra = false, relative = false;
};

// "free of gluten", and not "free of charge".
bool of_something(const Reading& reading, uint32_t at) {
  auto word = [&](uint32_t i) {
    if (i >= reading.words.size()) return std::string();
    return lower_text(
        reading.text.substr(reading.words[i].begin, reading.words[i].end - reading.words[i].begin));
  };
  return word(at + 1) == "of" && !is_one_of(word(at + 2), {"charge", "cost", "charges", "costs"});
}

Claim read_claim(const Corpus& corpus, const Sentence& sentence) {
  Claim claim;
  Reading reading;
  Corpus::read(corpus.text(sentence), reading);
  std::string before;
  bool noun = false;  // is the word before one that means something?
  size_t value = 0;
  for (uint32_t i = 0; i < reading.words.size(); ++i) {
    const Word& word = reading.words[i];
    while (value < reading.values.size() && reading.values[value].last <= i) ++value;
    // "Two months free" are a part of a price.
    const bool in_value = value < reading.values.size() && reading.values[value].first <= i;
    if (word.kind != WordKind::word) {
      before.clear();
      noun = false;
      claim.computed |=
          word.kind == WordKind::mark &&
          std::string_view("=+<>*/").find(reading.text[word.begin]) != std::string_view::npos;
      continue;
    }
    const std::string low = lower_text(reading.text.substr(word.begin, word.end - word.begin));
    claim.condition |=
        is_one_of(low, {"if",    "unless", "otherwise", "from",    "above",   "over",    "below",
                        "under", "except", "only",      "first",   "after",   "outside", "beyond",
                        "si",    "desde",  "salvo",     "excepto", "menos",   "partir",  "solo",
                        "sólo",  "debajo", "encima",    "fuera",   "when",    "cuando",  "or",
                        "but",   "pero",   "normally",  "usually", "instead", "save",    "off",
                        "more",  "rest",   "resto",     "others",  "demás",   "otros"});
    claim.free |= (low == "free" && !of_something(reading, i) &&
                   !(value > 0 && reading.values[value - 1].last == i)) ||
                  is_one_of(low, {"gratis", "gratuito", "gratuita", "gratuitos", "gratuitas",
                                  "complimentary", "kostenlos"}) ||
                  (is_one_of(low, {"charge", "cost", "extra", "coste", "cargo", "costo"}) &&
                   is_one_of(before, {"no", "without", "of", "sin", "ningún"}));
    claim.given_back |= is_one_of(low, {"deposit", "refundable", "fianza", "depósito"});
    claim.negated |= is_negation(low);
    // "The bowl that is free", not "That is free": behind a word of meaning.
    claim.relative |= noun && is_one_of(low, {"that", "who", "which"});
    claim.always |= is_one_of(low, {"always", "every", "siempre", "cada", "all", "todos", "todas"});
    claim.never |= is_one_of(low, {"never", "nunca", "jamás"});
    claim.open |= is_one_of(low, {"open", "abierto", "abiertos", "abierta", "abrimos", "opens"});
    claim.closed |=
        is_one_of(low, {"closed", "cerrado", "cerrados", "cerrada", "cerramos", "closes"});
    claim.included |= is_one_of(low, {"included", "includes", "include", "incluido", "incluida",
                                      "incluye", "incluidos", "incluidas"});
    claim.extra |= is_one_of(low, {"extra", "separately", "aparte", "additional", "adicional"});
    if (!in_value && !is_function_word(word.id) && !is_negation(low))
      claim.stems.push_back(stem_of(reading.text.substr(word.begin, word.end - word.begin)));
    noun = !is_function_word(word.id);
    before = low;
  }
  for (const Value& value : reading.values) {
    claim.price |= value.type == ValueType::price && !claim.given_back;
    claim.values[value.type].insert(value.id);
  }
  sort_unique(claim.stems);
  return claim;
}

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Phrases& phrases = corpus.phrases();
  // The first answers that have a phrase, to know what usually goes together.
  std::vector<uint32_t> with_a, with_b;
  auto find_answers = [&](const Sentence& sentence, std::vector<uint32_t>& with) {
    with.clear();
    phrases.each_said(sentence, [&](uint32_t s) {
      const uint32_t answer = corpus.sentences()[s].answer;
      if (with.size() < 200 && (with.empty() || with.back() != answer)) with.push_back(answer);
    });
  };
  // Of the other answers that have `a`: the part that has `b` too; -1: none has it.
  auto together = [&](const Sentence& a, const Sentence& b) {
    size_t both = 0, all = 0;
    find_answers(a, with_a);
    find_answers(b, with_b);
    for (uint32_t answer : with_a) {
      if (corpus.answers()[answer].record == corpus.answers()[a.answer].record) continue;
      ++all;
      both += std::binary_search(with_b.begin(), with_b.end(), answer);
    }
    // Two of them may be two mistakes.
    return both >= 3 || (all >= 3 && both == 0) ? double(both) / double(all) : -1.;
  };
  // Are all content words of the shorter sentence in the other, one at least?
  // And is it the shorter one that denies? "You can never cancel."
  auto within = [](const Claim& a, const Claim& b) {
    const bool first = a.stems.size() < b.stems.size();
    const Claim &shorter = first ? a : b, &longer = first ? b : a;
    return !shorter.stems.empty() && longer.stems.size() <= 8 &&
           (shorter.negated || shorter.stems.size() == longer.stems.size()) &&
           std::includes(longer.stems.begin(), longer.stems.end(), shorter.stems.begin(),
                         shorter.stems.end());
  };
  const Topics& topics = corpus.topics();
  // "This costs 7 euros.", but not "A bowl is 7 euros."
  auto of_no_thing = [&](const Claim& claim, const Sentence& sentence) {
    return claim.stems.size() <= 1 && sentence.words <= 4 &&
           std::all_of(claim.stems.begin(), claim.stems.end(),
                       [&](uint64_t stem) { return topics.share_said(stem) >= 0.02; });
  };
  // A value that others have otherwise, where the answer has theirs as well.
  std::unordered_map<uint32_t, const ValueConflict*> conflicts;  // by sentence
  for (const ValueConflict& one : corpus.value_conflicts().all)
    conflicts.emplace(one.sentence, &one);
  std::vector<Claim> claims;
  std::vector<bool> applied;
  const Stray& stray = corpus.stray();
  std::vector<Finding> likely;
  for (const Answer& answer : corpus.answers()) {
    const auto sentences = corpus.sentences(answer);
    if (sentences.size() < 2 || sentences.size() > 40) continue;
    claims.clear();
    for (const Sentence& sentence : sentences) claims.push_back(read_claim(corpus, sentence));
    find_applied(corpus, answer, applied);
    double best = 0;
    size_t first = 0, second = 0;
    const char* what = "";
    for (size_t j = 1; j < claims.size(); ++j)
      for (size_t i = 0; i < j; ++i) {
        const Claim &a = claims[i], &b = claims[j];
        if (applied[j]) continue;
        double score = 0;
        const char* kind = "";
        bool denial = false;
        const double alike = jaccard(a.stems, b.stems);
        const bool open_ended = a.condition || b.condition;
        const bool lone_a = phrases.is_lone(sentences[i]), lone_b = phrases.is_lone(sentences[j]);
        // What both are about: words that few answers have.
        size_t shared = 0, few = 0;
        for (uint64_t stem : a.stems)
          if (std::binary_search(b.stems.begin(), b.stems.end(), stem)) {
            ++shared;
            few += topics.share_said(stem) < 0.02;
          }
        const uint32_t at_a = answer.first_sentence + uint32_t(i),
                       at_b = answer.first_sentence + uint32_t(j);
        const auto conflict = conflicts.find(at_b), conflict_a = conflicts.find(at_a);
        auto has = [](const Claim& claim, uint64_t value) {
          for (auto& [type, values] : claim.values)
            if (values.count(value)) return true;
          return false;
        };
        if ((conflict != conflicts.end() && has(a, conflict->second->winner)) ||
            (conflict_a != conflicts.end() && has(b, conflict_a->second->winner))) {
          kind = "two values for one thing";
          score = 0.9;
        } else if (a.negated != b.negated && alike >= 0.15 && !open_ended &&
                   ((lone_a && lone_b && (few >= 1 || shared >= 2)) ||
                    ((lone_a || lone_b) && few >= 1 && shared >= 2 && alike >= 0.3))) {
          kind = "one sentence says it, another denies it";
          denial = true;
          score = 0.5 + 0.1 * double(few) + 0.3 * alike;
          if (lone_a && lone_b) score += 0.1;
        } else if (lone_a && lone_b && few >= 1 && shared >= 2 && alike >= 0.3) {
          kind = "two statements about one thing";
          score = 0.6;
        } else if (((a.free && b.price && !b.free) || (b.free && a.price && !a.free)) &&
                   (few > 0 || (a.free && of_no_thing(b, sentences[j])))) {
          kind = "free, and a price";
          score = open_ended || a.relative || b.relative ? 0.35 : 0.7;
        } else if (alike >= 0.6 && a.negated != b.negated && a.stems.size() >= 2) {
          kind = "a sentence and its negation";
          denial = true;
          score = 0.5 + 0.4 * alike;
        } else if (a.negated != b.negated && within(a, b) && a.values.size() < 2 &&
                   b.values.size() < 2) {
          // "You can cancel up to 2 days before. You can never cancel."
          kind = "a sentence and its negation";
          score = 0.6;
        } else if (alike >= 0.3 && ((a.always && b.never) || (a.never && b.always))) {
          kind = "always and never";
          score = 0.7;
        } else if (alike >= 0.25 && ((a.open && b.closed) || (a.closed && b.open)) &&
                   a.values == b.values && !a.values.empty()) {
          kind = "open and closed";
          score = 0.7;
        } else if (alike >= 0.2 && ((a.included && b.extra && !b.included && a.values.empty()) ||
                                    (a.extra && b.included && !a.included && b.values.empty()))) {
          // So many may be included, and more of them extra.
          kind = "included, and extra";
          score = 0.65;
        } else if (alike >= 0.5 && !open_ended && a.stems.size() >= 2) {
          for (auto& [type, values] : a.values) {
            auto other = b.values.find(type);
            if (other == b.values.end() || type == ValueType::count) continue;
            if (values.size() == 1 && other->second.size() == 1 && values != other->second) {
              kind = "two values for one thing";
              score = 0.4 + 0.4 * alike;
            }
          }
        }
        if (score == 0 || a.computed || b.computed) continue;
        // A denial that goes with the rest of what is said of this is none of what was said here.
        if (denial && stray.knows() &&
            std::max(stray.clash(at_a), stray.clash(at_b)) < least_denied)
          continue;
        // What others say together too is no contradiction; a sentence that none of the answers
        // like this one has may be.
        const double usual =
            std::min(together(sentences[i], sentences[j]), together(sentences[j], sentences[i]));
        const bool opposite = a.negated != b.negated;
        if (usual > (opposite ? 0.4 : 0.2)) continue;
        if (usual >= 0) score += 0.2 * (1 - usual);
        if (score > best) {
          best = score;
          first = i;
          second = j;
          what = kind;
        }
      }
    if (best < 0.6) {
      // No rule says so, but it stands as sentences do that contradict their answer.
      uint32_t likest = no_turn;
      for (uint32_t k = 0; k < answer.sentences; ++k) {
        const uint32_t s = answer.first_sentence + k;
        if (is_sum(corpus.text(corpus.sentences()[s]))) continue;
        if (likest == no_turn || stray.clash(s) > stray.clash(likest)) likest = s;
      }
      if (likest == no_turn) continue;
      const Sentence& sentence = corpus.sentences()[likest];
      if (stray.clash(likest) < least_certain || phrases.of(sentence).records > most_said) continue;
      likely.push_back({nullptr,
                        stray.clash(likest),
                        {{answer.record, answer.turn, sentence.begin, sentence.end}},
                        "hardly goes with the rest of the answer",
                        ""});
      continue;
    }
    out.push_back({nullptr,
                   std::min(best, 1.),
                   {{answer.record, answer.turn, sentences[second].begin, sentences[second].end},
                    {answer.record, answer.turn, sentences[first].begin, sentences[first].end}},
                   what,
                   ""});
  }
  if (likely.size() * 8 <= corpus.answers().size())
    std::move(likely.begin(), likely.end(), std::back_inserter(out));
}

const RegisterCheck registered({"self-contradiction", "consistency", Severity::error,
                                "an answer that says a thing and its opposite",
                                "The model learns that both follow from the same question.",
                                "Decide which is right, and take the other out.", run});

}  // namespace

}  // namespace afina

// no-answer: answers that do not answer: nothing in them is about the question; and refusals.
#include <unordered_map>
#include <unordered_set>

#include "data/checks/check.h"
#include "data/checks/endings.h"
#include "data/checks/phrases.h"
#include "data/checks/topics.h"

namespace afina {

namespace {

bool refuses(std::string_view text) {
  const std::string low = lower_text(squeezed(text.substr(0, 300)));
  for (std::string_view words :
       {"as an ai", "as a language model", "i'm unable to", "i am unable to", "i cannot help with",
        "i can't help with", "i cannot assist", "i can't assist", "i'm sorry, but i can",
        "i am sorry, but i can", "como modelo de lenguaje", "como una ia",
        "como inteligencia artificial", "no puedo ayudarte con", "no puedo ayudar con",
        "lo siento, pero no puedo"})
    if (low.find(words) != low.npos) return true;
  return false;
}

// Begins with yes or no: a question of that kind is answered by that alone.
bool says_yes_or_no(std::string_view text) {
  std::vector<Word> words;
  split_words(text.substr(0, 40), words);
  if (words.empty()) return false;
  const std::string low = lower_text(text.substr(words[0].begin, words[0].end - words[0].begin));
  for (std::string_view word : {"yes", "no", "s\u00ed", "oui", "non", "ja", "nein", "sim",
                                "n\u00e3o", "si", "nee", "certainly", "claro"})
    if (low == word) return true;
  return false;
}

constexpr size_t most_asked = 40;  // answers with one phrase whose questions are compared

enum class Verdict : uint8_t { answers, unknown, stray, evades };

class Answering {
 public:
  explicit Answering(const Corpus& corpus)
      : corpus_(corpus), phrases_(corpus.phrases()), topics_(corpus.topics()), endings_(corpus) {}

  // Does the answer go with its question, as far as other answers show it?
  Verdict judge(const Answer& answer) const {
    if (endings_.cut(answer) > 0) return Verdict::answers;
    const std::vector<uint64_t> asked = topics_.asked(answer);
    size_t known = 0;
    for (uint64_t stem : asked) known += topics_.is_telling(stem);
    bool house_only = true, elsewhere = false, yes = false, valued = false, universal = true;
    std::vector<uint64_t> said;
    for (const Sentence& sentence : corpus_.sentences(answer)) {
      house_only &= phrases_.is_house(sentence);
      // What is said whatever is asked answers nothing.
      if (phrases_.is_universal(sentence)) {
        // But "Yes, both." and "3 years." answer many a question.
        if (!phrases_.is_house(sentence)) {
          yes |= says_yes_or_no(corpus_.text(sentence));
          valued |= sentence.valued;
        }
        continue;
      }
      universal = false;
      content_stems(corpus_, corpus_.text(sentence), said);
      if (topics_.tie(asked, said, answer.record) >= least_tie * least_tie) return Verdict::answers;
      const bool often = !phrases_.is_lone(sentence);
      // What is said to other questions, and to one kind of them. "60 days." is said of many
      // things.
      if (said.size() < 2 && sentence.valued) valued = true;
      const Phrase& phrase = phrases_.of(sentence);
      const bool one_kind = phrase.spread < 0.5f && phrase.records * 50 <= corpus_.records();
      elsewhere |= often && one_kind;
      valued |= often && !one_kind;
      if (!often || known < 2) yes |= says_yes_or_no(corpus_.text(sentence));
      if (!often) valued |= sentence.valued;
    }
    if (house_only || yes || valued) return Verdict::answers;
    if (universal) return Verdict::evades;
    if (!known) return Verdict::unknown;
    return elsewhere ? Verdict::stray : Verdict::evades;
  }

 private:
  static constexpr double least_tie = 5;
  const Corpus& corpus_;
  const Phrases& phrases_;
  const Topics& topics_;
  const Endings endings_;
};

void run(const Corpus& corpus, std::vector<Finding>& out) {
  const Answering answering(corpus);
  const auto& answers = corpus.answers();
  if (answers.size() < 20) return;
  std::vector<Verdict> verdicts(answers.size(), Verdict::unknown);
  size_t refused = 0, asked = 0, many = 0;
  for (size_t a = 0; a < answers.size(); ++a) {
    refused += refuses(corpus.text(answers[a].turn));
    if (answers[a].question == no_turn || answers[a].sentences == 0) continue;
    verdicts[a] = answering.judge(answers[a]);
    asked += verdicts[a] != Verdict::unknown;
    many += verdicts[a] >= Verdict::stray;
  }
  // Others who ask nearly the same are told the same: then it is the answer.
  std::unordered_map<uint64_t, std::vector<uint32_t>> said_by;
  for (size_t a = 0; a < answers.size(); ++a)
    if (verdicts[a] >= Verdict::stray)
      for (const Sentence& sentence : corpus.sentences(answers[a]))
        if (!corpus.phrases().is_universal(sentence)) said_by[sentence.key];
  for (const Sentence& sentence : corpus.sentences())
    if (auto found = said_by.find(sentence.key);
        found != said_by.end() && found->second.size() < most_asked)
      found->second.push_back(sentence.answer);
  const Topics& topics = corpus.topics();
  for (size_t a = 0; a < answers.size(); ++a) {
    if (verdicts[a] < Verdict::stray) continue;
    const std::vector<uint64_t> own = topics.asked(answers[a]);
    for (const Sentence& sentence : corpus.sentences(answers[a])) {
      auto found = said_by.find(sentence.key);
      if (found == said_by.end()) continue;
      for (uint32_t other : found->second)
        if (answers[other].record != answers[a].record && topics.asked_alike(own, answers[other]))
          verdicts[a] = Verdict::answers;
    }
  }
  // What is said in place of an answer here is said in place of one elsewhere.
  std::unordered_set<uint64_t> evasions;
  for (size_t a = 0; a < answers.size(); ++a)
    if (verdicts[a] == Verdict::evades)
      for (const Sentence& sentence : corpus.sentences(answers[a]))
        if (!corpus.phrases().is_house(sentence)) evasions.insert(sentence.key);
  for (size_t a = 0; a < answers.size(); ++a) {
    if (verdicts[a] != Verdict::unknown || answers[a].sentences == 0) continue;
    bool all = true, any = false;
    for (const Sentence& sentence : corpus.sentences(answers[a])) {
      const bool known = evasions.count(sentence.key) > 0;
      any |= known;
      all &= known || corpus.phrases().is_house(sentence);
    }
    if (any && all) verdicts[a] = Verdict::evades;
  }
  // Where many do not, questions and answers of this file have few words in common.
  const bool usual = many * 7 > asked, refusing_house = refused * 10 > answers.size();
  for (size_t a = 0; a < answers.size(); ++a) {
    const Answer& answer = answers[a];
    const std::string_view text = corpus.text(answer.turn);
    const PiecePlace place{answer.record, answer.turn, answer.body_begin, answer.body_end};
    if (!refusing_house && refuses(text)) {
      out.push_back({nullptr, 0.9, {place}, "a refusal", ""});
      continue;
    }
    if (usual || verdicts[a] < Verdict::stray) continue;
    out.push_back({nullptr,
                   verdicts[a] == Verdict::evades ? 0.8 : 0.7,
                   {place},
                   squeezed(text.substr(answer.body_begin, answer.body_end - answer.body_begin)),
                   ""});
  }
}

const RegisterCheck registered({"no-answer", "content", Severity::warning,
                                "answers that do not answer, and refusals",
                                "The model learns to put people off.",
                                "Answer the question, or remove the record.", run});

}  // namespace

}  // namespace afina

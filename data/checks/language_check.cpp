// language: answers in another language than their question, or than the rest of the file.
#include <map>

#include "data/checks/check.h"

namespace afina {

namespace {

void run(const Corpus& corpus, std::vector<Finding>& out) {
  std::vector<Word> words;
  auto language = [&](std::string_view text) {
    split_words(text, words);
    return language_of(text, words);
  };
  std::map<std::pair<std::string, std::string>, uint32_t> pairs;
  std::map<std::string, uint32_t> answers, asked;
  uint32_t decided = 0, both = 0;
  std::vector<std::pair<uint8_t, uint8_t>> seen;  // languages of each answer and its question
  std::vector<std::string> names{""};
  auto number = [&](const std::string& name) {
    for (size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return uint8_t(i);
    names.push_back(name);
    return uint8_t(names.size() - 1);
  };
  for (const Answer& answer : corpus.answers()) {
    const std::string own = language(corpus.text(answer.turn));
    const std::string question =
        answer.question == no_turn ? "" : language(corpus.text(answer.question));
    seen.emplace_back(number(own), number(question));
    decided += !own.empty();
    ++answers[own];
    ++asked[question];
    if (own.empty() || question.empty()) continue;
    ++both;
    ++pairs[{question, own}];
  }
  if (decided < 10) return;
  std::string usual;
  for (auto& [name, count] : answers)
    if (!name.empty() && (usual.empty() || count > answers[usual])) usual = name;
  for (size_t a = 0; a < corpus.answers().size(); ++a) {
    const Answer& answer = corpus.answers()[a];
    const std::string &own = names[seen[a].first], &question = names[seen[a].second];
    if (own.empty()) continue;
    const PiecePlace place{answer.record, answer.turn, 0,
                           uint32_t(corpus.text(answer.turn).size())};
    // Translations are pairs that the file has often.
    if (!question.empty() && question != own) {
      if (pairs[{question, own}] * 10 > both) continue;
      out.push_back(
          {nullptr,
           0.95,
           {place,
            {answer.record, answer.question, 0, uint32_t(corpus.text(answer.question).size())}},
           "answer: " + own + ", question: " + question,
           question});
    } else if (own != usual && question.empty() && answers[own] * 20 < decided) {
      out.push_back({nullptr, 0.8, {place}, own, usual});
    }
  }
}

const RegisterCheck registered(
    {"language", "form", Severity::warning, "answers in another language than their question",
     "The model learns to change language where nobody asked for it.",
     "Translate the answer, or move the record to a file of its language.", run});

}  // namespace

}  // namespace afina

// Agreement of texts, and what the checks find in answers.
#include "tools/runs/answer_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "data/checks/values.h"

namespace afina {

namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Sorted, without repeats.
struct Content {
  std::vector<uint64_t> values, terms;
};

void make_set(std::vector<uint64_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

Content content_of(std::string_view text) {
  Content content;
  std::vector<Word> words;
  std::vector<Value> values;
  split_words(text, words);
  find_values(text, words, values);
  std::vector<bool> taken(words.size());
  for (const Value& value : values) {
    content.values.push_back(value.id);
    for (uint32_t i = value.first; i < value.last; ++i) taken[i] = true;
  }
  for (size_t i = 0; i < words.size(); ++i)
    if (!taken[i] && words[i].kind != WordKind::mark && !is_function_word(words[i].id))
      content.terms.push_back(words[i].id);
  make_set(content.values);
  make_set(content.terms);
  return content;
}

double overlap(const std::vector<uint64_t>& a, const std::vector<uint64_t>& b) {
  if (a.empty() && b.empty()) return unknown;
  return weighted_overlap(a, b, [](uint64_t) { return 1.; });
}

// Mean of what is known.
struct Mean {
  double sum = 0;
  int64_t count = 0;
  void take(double value) {
    if (std::isnan(value)) return;
    sum += value;
    ++count;
  }
  double value() const { return count ? sum / double(count) : unknown; }
};

// The questions with one sample of each as their answer.
std::vector<Example> answered(const std::vector<Example>& asked, const SampledAnswers& answers,
                              size_t sample) {
  std::vector<Example> out = asked;
  for (size_t i = 0; i < out.size(); ++i) out[i].messages.back().content = answers[i][sample];
  return out;
}

}  // namespace

TextAgreement agreement(std::string_view a, std::string_view b) {
  const Content x = content_of(a), y = content_of(b);
  return {overlap(x.values, y.values), overlap(x.terms, y.terms)};
}

AnswerFigures answer_figures(const std::vector<Example>& asked, const SampledAnswers& answers,
                             const std::vector<Example>& house,
                             const std::vector<const Check*>& checks) {
  AnswerFigures out;
  Mean values, terms, right;
  size_t samples = answers.empty() ? 0 : answers[0].size();
  for (size_t i = 0; i < asked.size(); ++i) {
    const Content own = content_of(asked[i].messages.back().content);
    std::vector<Content> said;
    for (const std::string& answer : answers[i]) said.push_back(content_of(answer));
    Mean in_values, in_terms, in_right;
    for (size_t a = 0; a < said.size(); ++a) {
      in_right.take(overlap(said[a].values, own.values));
      for (size_t b = a + 1; b < said.size(); ++b) {
        in_values.take(overlap(said[a].values, said[b].values));
        in_terms.take(overlap(said[a].terms, said[b].terms));
      }
    }
    values.take(in_values.value());
    terms.take(in_terms.value());
    right.take(in_right.value());
  }
  out.values = values.value();
  out.terms = terms.value();
  out.right = right.value();
  static const std::set<std::string> of_voice = {"greeting", "sign-off", "tone"};
  int64_t all = 0, found = 0, voice = 0;
  std::map<std::string, int64_t> by_check;
  for (size_t sample = 0; sample < samples; ++sample) {
    Corpus corpus;
    corpus.add("records", house, false);
    corpus.add("answers", answered(asked, answers, sample), false);
    corpus.finish();
    std::set<uint32_t> any, other_voice;
    std::map<std::string, std::set<uint32_t>> each;
    for (const Finding& finding : run_checks(corpus, checks)) {
      const uint32_t record = finding.places[0].record;
      if (record < house.size()) continue;
      any.insert(record);
      if (of_voice.count(finding.check->name)) other_voice.insert(record);
      each[finding.check->name].insert(record);
    }
    all += int64_t(asked.size());
    found += int64_t(any.size());
    voice += int64_t(other_voice.size());
    for (auto& [name, records] : each) by_check[name] += int64_t(records.size());
  }
  const bool looked = std::any_of(checks.begin(), checks.end(),
                                  [](const Check* one) { return of_voice.count(one->name) > 0; });
  out.voice = all && looked ? double(voice) / double(all) : unknown;
  out.found = all ? double(found) / double(all) : unknown;
  for (auto& [name, count] : by_check) out.checks[name] = double(count) / double(all);
  return out;
}

}  // namespace afina

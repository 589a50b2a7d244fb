// How far a model's answers agree: with each other, with the records' own answers, and with the
// voice of the training records.
#pragma once
#include "data/checks/check.h"
#include "data/examples.h"
#include "tools/results/coherence.h"

namespace afina {

// Agreement of two texts: the share of what both say among what either says (Jaccard), of values
// and of words that are no function words. NaN where neither says any.
struct TextAgreement {
  double values, terms;
};
TextAgreement agreement(std::string_view a, std::string_view b);

// The figures of answers to the questions of `asked`, whose last turns are the records' own
// answers. values, terms: means over questions of the mean over pairs of the samples; right: the
// mean over questions of the mean over samples, each against the record's own answer. found: the
// share of all answers in which one of the checks finds something, when one sample of each question
// stands among the records of `house`, so that these are the many that the checks take for usual.
// voice: the same of the checks greeting, sign-off and tone; NaN where none of them is asked for.
AnswerFigures answer_figures(const std::vector<Example>& asked, const SampledAnswers& answers,
                             const std::vector<Example>& house,
                             const std::vector<const Check*>& checks);

}  // namespace afina

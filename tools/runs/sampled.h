// Several sampled answers of a run's model to each question.
#pragma once
#include <functional>

#include "data/examples.h"
#include "tools/results/coherence.h"

namespace afina {

struct SamplingPlan {
  int64_t samples = 5, most = 96;  // answers to a question; tokens of an answer
  double temperature = 0.7;
  uint64_t seed = 1;
};
// Records that end with the assistant's answer, and what follows it taken off; at most `count`, the
// first of those that have one.
std::vector<Example> asked_of(const std::vector<Example>& records, int64_t count);
// The answers of the model in a run's folder (tools/runs/subject.h), computed in f32 on the CPU.
// The random numbers of a sample follow from seed, question and sample, so that two models are
// compared with the same ones. done: called with the number of answers so far. An Error where a
// question fills the context.
SampledAnswers sample_answers(const std::string& run, const std::vector<Example>& asked,
                              const SamplingPlan& plan, const std::function<void(int64_t)>& done);

}  // namespace afina

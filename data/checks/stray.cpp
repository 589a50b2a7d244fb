// Logistic models of sentences and answers, over measures that are the file's own.
#include "data/checks/stray.h"

#include <algorithm>
#include <cmath>

#include "data/checks/clash.h"
#include "data/checks/stray_measures.h"
#include "engine/math.h"

namespace afina {

namespace {

// Fitted by test/data/checks/fit_stray.py to the sets of docs/data.md; the last one is the bias.
// Against what is usual, which has 0 for all of them.
constexpr float voice_weights[stray_features.size() + 1] = {
    -1.25, -1.3,   -1.24, -1.43, 1.63,   -0.288, -3.52, -2.89,   0.0568, -1.64, 2.22,  1.61,
    4.27,  -0.469, 1.86,  13.3,  -0.973, -1.21,  0.483, -0.0249, 0.338,  1.9,   0.677, -1.01,
    0.352, -2.66,  1.27,  0.301, -0.64,  1.39,   0.853, -0.053,  0.665,  -1.32, -9.51};
constexpr float vague_weights[stray_features.size() + 1] = {
    -1.46, -1.14,  -3.08, -2.72,     0.822, 1.28,   -1.73, -6.28,  -1.33, -0.843, 1.14, 1.25,
    4.02,  -0.216, 0.758, -0.000656, -1.87, 0.0148, 0.487, 2.48,   -2.04, -3.73,  1.74, -1.24,
    -1.32, -2.78,  0.609, 1.37,      -2.05, 0.0353, 1.25,  -0.498, 0.647, -1.4,   -6.64};
constexpr float evasion_weights[stray_features.size() + 1] = {
    -0.836, -0.725,  -1.59,   0.192, 0.0705, -0.301, -2.11,  -2.67,  -1,    -3.71,  -0.0978, 0.47,
    3.31,   -0.0699, -0.0291, 2.33,  -2.14,  1.05,   -0.716, -0.706, 0.138, 0.0658, 1.06,    -0.541,
    1.7,    5.21,    -1.4,    1.58,  -1.36,  -0.714, 1.08,   -1.95,  -0.51, -1.13,  -7.22};
// That a sentence contradicts its answer: the measures of the sentence, then those of clash.h.
constexpr float clash_weights[stray_features.size() + clash_features.size() + 1] = {
    0.696, 0.921, 0.573, -0.898, 1.85,   -4.12, -1.49,  -1.73,  -1.51, -0.0326, 0.699, -0.367,
    1.19,  0.257, -1.23, -0.886, -0.284, 1.06,  0.385,  -0.423, 1.21,  0,       0,     2.48,
    -2.12, -2.48, 0,     0.307,  -0.381, -0.5,  -0.609, -1.74,  0.315, 0.94,    0.953, 3.13,
    5.55,  0.652, 2.13,  1.14,   3.97,   -2.27, 3.94,   0.918,  -7.47};
constexpr float unanswered_weights[answer_features.size() + 1] = {
    0.00801, -3.14, -2.4,   1.04, -0.694, -0.706, 5.76,  2.45, 2.68,
    4.82,    1.29,  -0.499, 1.5,  0.936,  2.13,   0.654, -7.57};

// Where fewer sentences have to do with what was asked, there is no telling which do not.
constexpr double least_bound = 0.35;

// What the other measures can add at most; where it could not make a clash likely, they are not
// taken.
constexpr double most_clash = 12;

double sum_of(std::span<const float> features, const float* weights) {
  double sum = 0;
  for (size_t i = 0; i < features.size(); ++i) sum += double(features[i]) * double(weights[i]);
  return sum;
}
double odds_of(std::span<const float> features, const float* weights) {
  return math::exp(std::clamp(sum_of(features, weights) + weights[features.size()], -30., 30.));
}

uint8_t in_steps(double chance) { return uint8_t(std::lround(chance * 255)); }

}  // namespace

Stray::Stray(const Corpus& corpus)
    : kinds_(corpus.sentences().size()), unanswered_(corpus.answers().size()) {
  const StrayMeasures measures(corpus);
  knows_ = measures.bound() >= least_bound;
  if (!knows_) return;
  std::vector<float> against(kinds_.size());
  measures.each([&](uint32_t s, const StrayFeatures& features) {
    const double voice = odds_of(features, voice_weights), vague = odds_of(features, vague_weights),
                 evasion = odds_of(features, evasion_weights), all = 1 + voice + vague + evasion;
    kinds_[s] = {in_steps(voice / all), in_steps(vague / all), in_steps(evasion / all), 0};
    against[s] = float(sum_of(features, clash_weights));
  });
  std::vector<ClashFeatures> clash;
  for (const Answer& answer : corpus.answers()) {
    const uint32_t begin = answer.first_sentence, end = begin + answer.sentences;
    if (answer.sentences < 2 ||
        std::all_of(against.begin() + begin, against.begin() + end, [](float sum) {
          return double(sum) + double(*(std::end(clash_weights) - 1)) + most_clash < 0;
        }))
      continue;
    clashes(corpus, answer, clash);
    for (uint32_t s = begin; s < end; ++s) {
      const double odds = math::exp(std::clamp(double(against[s]), -30., 30.)) *
                          odds_of(clash[s - begin], clash_weights + stray_features.size());
      kinds_[s].clash = in_steps(odds / (1 + odds));
    }
  }
  std::vector<StrayKind> kinds;
  for (uint32_t a = 0; a < corpus.answers().size(); ++a) {
    const Answer& answer = corpus.answers()[a];
    if (answer.question == no_turn || answer.sentences == 0) continue;
    kinds.clear();
    for (uint32_t k = 0; k < answer.sentences; ++k) {
      const Kind& kind = kinds_[answer.first_sentence + k];
      kinds.push_back({kind.voice / 255.f, kind.vague / 255.f, kind.evasion / 255.f});
    }
    const double odds = odds_of(measures.of_answer(a, kinds), unanswered_weights);
    unanswered_[a] = in_steps(odds / (1 + odds));
  }
}

}  // namespace afina

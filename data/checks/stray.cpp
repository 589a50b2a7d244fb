// Logistic models of sentences and answers, over measures that are the file's own.
#include "data/checks/stray.h"

#include <algorithm>
#include <cmath>

#include "data/checks/clash.h"
#include "data/checks/stray_measures.h"
#include "engine/math.h"

namespace afina {

namespace {

// Fitted by test/data/checks/fit_stray.py to the sets of docs/data.md but vet, insurance, internet,
// crafts, physio and housing; the last one is the bias.
// Against what is usual, which has 0 for all of them.
constexpr float voice_weights[stray_features.size() + 1] = {
    -1.22, -1.25,  -1.4,   -1.3,  1.61, -0.267, -3.39,  -2.81, 0.0959, -1.75, 2.42,
    1.84,  4.15,   -0.415, 1.92,  13.3, -0.92,  -1.18,  0.554, 0.0134, 0.501, 1.88,
    0.749, -0.941, 0.494,  -2.85, 1.07, 0.322,  -0.752, 1.5,   0.857,  -9.75};
constexpr float vague_weights[stray_features.size() + 1] = {
    -1.46, -1.21, -2.96,  -2.61, 0.789,     1.91,  -2.28, -6.21, -1.38, -1.12, 1.3,
    1.41,  4.07,  -0.142, 0.778, -0.000664, -1.87, 0.111, 0.39,  2.38,  -1.89, -3.43,
    1.95,  -1.2,  -1.33,  -2.47, 0.42,      1.27,  -2.27, 0.13,  1.32,  -7.69};
constexpr float evasion_weights[stray_features.size() + 1] = {
    -0.805, -1.34, -1.58,  0.283,  0.26,  0.181, -2.1,  -2.57,  -1.03,  -3.85, 0.577,
    0.481,  3.8,   -0.107, -0.121, 2.38,  -2.13, 1.09,  -0.576, -0.821, 0.51,  0.126,
    0.903,  -0.51, 2.1,    5.58,   -2.52, 1.78,  -1.31, -1.04,  1.14,   -9.06};
// That a sentence contradicts its answer: the measures of the sentence, then those of clash.h.
constexpr float clash_weights[stray_features.size() + clash_features.size() + 1] = {
    0.536,  0.974, 0.753, -0.89,  1.93,  -4.22,  -1.18,  -1.77,  -1.53,  -0.218, 0.866,
    -0.563, 1.45,  0.186, -0.842, -0.88, -0.252, 1.38,   0.224,  -0.517, 1.14,   0,
    0,      2.35,  -1.96, -1.32,  0,     0.143,  -0.332, -0.489, -0.596, 0.681,  3.61,
    5.5,    0.255, 2.66,  1.06,   4.04,  -2.45,  4.74,   0.644,  -8.74};
constexpr float unanswered_weights[answer_features.size() + 1] = {
    -0.0358, -3.04, -2.4,  0.999, -0.631, -0.741, 4.04,  2.91, 2.62,
    4.75,    1.33,  -0.66, 1.4,   0.844,  2.04,   0.631, -6.01};

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

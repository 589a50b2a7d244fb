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
    -0.987, -1.34, -2.31,  -1.42, 0.423, 0.156, -3.38, -4.56,  -0.0478, -1.45,  1.85,
    1.65,   4.42,  -0.592, 2.07,  14.1,  -1.22, -0.64, -0.251, 0.0918,  -0.258, 2.25,
    0.936,  -1.13, 0.374,  -2.36, 0.826, 0.615, -1.52, 1.84,   1.02,    -9.31};
constexpr float vague_weights[stray_features.size() + 1] = {
    -1.85, -1.41,  -3.25,  -2.15, -1.29,  2.11,  -2.44,  -6.54,   -1.18, -1.73, 1.52,
    1.55,  4.42,   -0.494, 1.26,  6.54,   -2.08, -0.201, -0.0783, 2.85,  -2.31, -2.68,
    1.35,  -0.188, -1.23,  -2.35, -0.552, 0.894, -2.7,   0.715,   1.54,  -7.36};
constexpr float evasion_weights[stray_features.size() + 1] = {
    -1.38,  -1.38, -2.52,  -0.151, -0.516, 1.62,  -2.37, -4.16,  -0.826,  -3.25, 0.457,
    -0.187, 4.23,  -0.166, 1.11,   6.6,    -2.68, 0.712, -1.69,  -0.0305, -1.93, 0.131,
    1.07,   -1.13, 0.0797, 5.04,   -2.53,  0.997, -2.75, -0.911, 0.925,   -5.4};
// That a sentence contradicts its answer: the measures of the sentence, then those of clash.h.
constexpr float clash_weights[stray_features.size() + clash_features.size() + 1] = {
    0.685, 0.428, 0.391, -0.151, -0.183, -4.45,  -2.35,  -2.03,  -1.08,  -0.22, 0.807,
    -1.06, 1.01,  0.124, -0.806, -0.812, -0.121, 1.1,    -0.252, -0.328, 1.52,  0,
    0,     5.81,  -1.38, -1.89,  0,      -0.22,  -0.127, -0.477, -1.19,  0.444, 1.77,
    4.62,  1.71,  1.37,  1.46,   4.16,   -4.09,  6.73,   1.41,   -9.92};
constexpr float unanswered_weights[answer_features.size() + 1] = {
    0.347, -3.35, -1.85, 1.15, -0.335, -1.23, 6.96, 3.06, 2.49,
    4.78,  1.58,  0.55,  1.1,  1.27,   2.2,   1.17, -7.71};

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

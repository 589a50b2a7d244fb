// Logistic models of sentences and answers, over measures that are the file's own.
#include "data/checks/stray.h"

#include <algorithm>
#include <cmath>

#include "data/checks/stray_measures.h"

namespace afina {

namespace {

// Fitted by test/data/checks/fit_stray.py to all sets of docs/data.md; the last one is the bias.
// Against what is usual, which has 0 for all of them.
constexpr float voice_weights[stray_features.size() + 1] = {
    -0.987f, -1.34f, -2.31f,  -1.42f, 0.423f, 0.156f, -3.38f, -4.56f,  -0.0478f, -1.45f,  1.85f,
    1.65f,   4.42f,  -0.592f, 2.07f,  14.1f,  -1.22f, -0.64f, -0.251f, 0.0918f,  -0.258f, 2.25f,
    0.936f,  -1.13f, 0.374f,  -2.36f, 0.826f, 0.615f, -1.52f, 1.84f,   1.02f,    -9.31f};
constexpr float vague_weights[stray_features.size() + 1] = {
    -1.85f, -1.41f,  -3.25f,  -2.15f, -1.29f,  2.11f,  -2.44f,  -6.54f,   -1.18f, -1.73f, 1.52f,
    1.55f,  4.42f,   -0.494f, 1.26f,  6.54f,   -2.08f, -0.201f, -0.0783f, 2.85f,  -2.31f, -2.68f,
    1.35f,  -0.188f, -1.23f,  -2.35f, -0.552f, 0.894f, -2.7f,   0.715f,   1.54f,  -7.36f};
constexpr float evasion_weights[stray_features.size() + 1] = {
    -1.38f,  -1.38f, -2.52f,  -0.151f, -0.516f, 1.62f,  -2.37f, -4.16f,  -0.826f,  -3.25f, 0.457f,
    -0.187f, 4.23f,  -0.166f, 1.11f,   6.6f,    -2.68f, 0.712f, -1.69f,  -0.0305f, -1.93f, 0.131f,
    1.07f,   -1.13f, 0.0797f, 5.04f,   -2.53f,  0.997f, -2.75f, -0.911f, 0.925f,   -5.4f};
constexpr float unanswered_weights[answer_features.size() + 1] = {
    0.347f, -3.35f, -1.85f, 1.15f, -0.335f, -1.23f, 6.96f, 3.06f, 2.49f,
    4.78f,  1.58f,  0.55f,  1.1f,  1.27f,   2.2f,   1.17f, -7.71f};

// Where fewer sentences have to do with what was asked, there is no telling which do not.
constexpr double least_bound = 0.35;

template <class Features>
double score_of(const Features& features, const float* weights) {
  double sum = weights[features.size()];
  for (size_t i = 0; i < features.size(); ++i) sum += double(features[i]) * double(weights[i]);
  return std::exp(std::clamp(sum, -30., 30.));
}

uint8_t in_steps(double chance) { return uint8_t(std::lround(chance * 255)); }

}  // namespace

Stray::Stray(const Corpus& corpus)
    : kinds_(corpus.sentences().size()), unanswered_(corpus.answers().size()) {
  const StrayMeasures measures(corpus);
  knows_ = measures.bound() >= least_bound;
  if (!knows_) return;
  measures.each([&](uint32_t s, const StrayFeatures& features) {
    const double voice = score_of(features, voice_weights),
                 vague = score_of(features, vague_weights),
                 evasion = score_of(features, evasion_weights), all = 1 + voice + vague + evasion;
    kinds_[s] = {in_steps(voice / all), in_steps(vague / all), in_steps(evasion / all)};
  });
  std::vector<StrayKind> kinds;
  for (uint32_t a = 0; a < corpus.answers().size(); ++a) {
    const Answer& answer = corpus.answers()[a];
    if (answer.question == no_turn || answer.sentences == 0) continue;
    kinds.clear();
    for (uint32_t k = 0; k < answer.sentences; ++k) {
      const Kind& kind = kinds_[answer.first_sentence + k];
      kinds.push_back({kind.voice / 255.f, kind.vague / 255.f, kind.evasion / 255.f});
    }
    const double odds = score_of(measures.of_answer(a, kinds), unanswered_weights);
    unanswered_[a] = in_steps(odds / (1 + odds));
  }
}

}  // namespace afina

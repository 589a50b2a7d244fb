// Small networks that judge sentences and answers by measures that are the file's own.
#include "data/checks/stray.h"

#include <algorithm>
#include <cmath>

#include "data/checks/beside.h"
#include "data/checks/clash.h"
#include "data/checks/stray_measures.h"
#include "data/checks/stray_nets.h"

namespace afina {

namespace {

// Where fewer sentences have to do with what was asked, there is no telling which do not.
constexpr double least_bound = 0.35;

// The gate lets a sentence of eight pass, and hardly holds back one that is out of the ordinary.
constexpr double least_gate = -4.5;

constexpr size_t inputs = stray_features.size() + clash_features.size() + beside_features.size();

uint8_t in_steps(double chance) { return uint8_t(std::lround(chance * 255)); }

// The measures of a sentence that the gate lets pass: those of stray_measures.h, clash.h, beside.h.
class Inputs {
 public:
  explicit Inputs(const Corpus& corpus) : corpus_(corpus), near_(corpus), beside_(corpus) {}
  const std::array<float, inputs>& of(uint32_t s, const StrayFeatures& features) {
    const uint32_t a = corpus_.sentences()[s].answer;
    const uint32_t k = s - corpus_.answers()[a].first_sentence;
    if (a != answer_) {
      answer_ = a;
      near_.look_at(a);
      clashes(corpus_, corpus_.answers()[a], clash_);
    }
    near_.find_nearest(k);
    auto at = std::copy(features.begin(), features.end(), all_.begin());
    at = std::copy(clash_[k].begin(), clash_[k].end(), at);
    const BesideFeatures beside = beside_.of(near_, a, k);
    std::copy(beside.begin(), beside.end(), at);
    return all_;
  }

 private:
  const Corpus& corpus_;
  Neighbourhood near_;
  BesideMeasures beside_;
  uint32_t answer_ = no_turn;
  std::vector<ClashFeatures> clash_;
  std::array<float, inputs> all_{};
};

}  // namespace

Stray::Stray(const Corpus& corpus)
    : kinds_(corpus.sentences().size()), unanswered_(corpus.answers().size()) {
  const StrayMeasures measures(corpus);
  knows_ = measures.bound() >= least_bound;
  if (!knows_) return;
  {
    Inputs all(corpus);
    std::array<double, 7> chances{};
    measures.each([&](uint32_t s, const StrayFeatures& features) {
      double gate = double(stray_gate[features.size()]);
      for (size_t i = 0; i < features.size(); ++i)
        gate += double(features[i]) * double(stray_gate[i]);
      if (gate < least_gate) return;
      chances_of(sentence_nets, all.of(s, features), chances);
      kinds_[s] = {in_steps(chances[1]), in_steps(chances[2]), in_steps(chances[3]),
                   in_steps(chances[4]), in_steps(chances[5]), in_steps(chances[6])};
    });
  }
  std::vector<StrayKind> kinds;
  std::array<double, 2> answers{};
  for (uint32_t a = 0; a < corpus.answers().size(); ++a) {
    const Answer& answer = corpus.answers()[a];
    if (answer.question == no_turn || answer.sentences == 0) continue;
    kinds.clear();
    for (uint32_t k = 0; k < answer.sentences; ++k) {
      const Kind& kind = kinds_[answer.first_sentence + k];
      const int others =
          kind.voice + kind.vague + kind.evasion + kind.clash + kind.opposed + kind.aside;
      kinds.push_back({std::max(1 - others / 255.f, 0.f), kind.evasion / 255.f});
    }
    const AnswerFeatures features = measures.of_answer(a, kinds);
    chances_of(answer_nets, features, answers);
    unanswered_[a] = in_steps(answers[1]);
  }
}

}  // namespace afina

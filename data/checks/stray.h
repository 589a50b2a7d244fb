// Sentences that do not belong where they stand: another voice, an order nobody can follow, what
// contradicts the rest of the answer. And answers that do not answer.
#pragma once
#include <algorithm>

#include "data/checks/corpus.h"

namespace afina {

// From this on an answer is held not to answer (Stray::unanswered).
inline constexpr double least_unanswered = 0.4;

class Stray {
 public:
  explicit Stray(const Corpus& corpus);
  // Are sentences of this file mostly about what was asked? If not, all others are 0.
  bool knows() const { return knows_; }
  double voice(uint32_t sentence) const { return kinds_[sentence].voice / 255.; }
  double vague(uint32_t sentence) const { return kinds_[sentence].vague / 255.; }
  double clash(uint32_t sentence) const { return kinds_[sentence].clash / 255.; }
  // How likely it says otherwise than what is said where the same is asked.
  double opposed(uint32_t sentence) const { return kinds_[sentence].opposed / 255.; }
  // How likely it tells a fact beside what was asked, of which another record may say otherwise.
  double aside(uint32_t sentence) const { return kinds_[sentence].aside / 255.; }
  // How likely it belongs to nothing there, whatever it is.
  double apart(uint32_t sentence) const {
    const Kind& kind = kinds_[sentence];
    return (kind.voice + kind.vague + kind.evasion + kind.aside) / 255.;
  }
  // The likeliest of what else it may be that is not usual.
  double otherwise(uint32_t sentence) const {
    const Kind& kind = kinds_[sentence];
    return std::max({kind.voice, kind.vague, kind.evasion, kind.clash, kind.opposed}) / 255.;
  }
  // How likely the answer answers something else, or nothing.
  double unanswered(uint32_t answer) const { return unanswered_[answer] / 255.; }

 private:
  struct Kind {
    uint8_t voice = 0, vague = 0, evasion = 0, clash = 0, opposed = 0, aside = 0;
  };
  bool knows_ = false;
  std::vector<Kind> kinds_;
  std::vector<uint8_t> unanswered_;
};

}  // namespace afina

// Sentences that are about nothing their question is about, and what they are instead: another
// voice, an order nobody can follow, an evasion. And answers that do not answer.
#pragma once
#include "data/checks/corpus.h"

namespace afina {

class Stray {
 public:
  explicit Stray(const Corpus& corpus);
  // Are sentences of this file mostly about what was asked? If not, all others are 0.
  bool knows() const { return knows_; }
  double voice(uint32_t sentence) const { return kinds_[sentence].voice / 255.; }
  double vague(uint32_t sentence) const { return kinds_[sentence].vague / 255.; }
  // How likely the answer answers something else, or nothing.
  double unanswered(uint32_t answer) const { return unanswered_[answer] / 255.; }

 private:
  struct Kind {
    uint8_t voice = 0, vague = 0, evasion = 0;
  };
  bool knows_ = false;
  std::vector<Kind> kinds_;
  std::vector<uint8_t> unanswered_;
};

}  // namespace afina

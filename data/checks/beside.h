// How a sentence stands against what is said where the same is asked, and where the rest of the
// answer is the same: the same words denied there, or with other values.
#pragma once
#include <array>
#include <string_view>
#include <unordered_map>

#include "data/checks/clash.h"
#include "data/checks/company.h"

namespace afina {

// Shares are of the weight of the sentence's words, or of the answers beside it.
inline constexpr std::array<std::string_view, 16> beside_features{
    "alike",           "covered",     "denied",      "denied_words", "denied_by", "backed_by",
    "other_value",     "all_or_none", "only_denied", "beside",       "against",   "replaced",
    "replaced_denied", "said_value",  "applied",     "asks"};
using BesideFeatures = std::array<float, beside_features.size()>;

class BesideMeasures {
 public:
  explicit BesideMeasures(const Corpus& corpus) : corpus_(corpus) {}
  // The k-th sentence of the answer that `near` looks at; its own of(k) was the last one asked for.
  BesideFeatures of(const Neighbourhood& near, uint32_t answer, uint32_t k);

 private:
  const std::vector<Saying>& said(uint32_t answer);
  const Corpus& corpus_;
  std::unordered_map<uint32_t, std::vector<Saying>> said_;  // by answer, what was looked at
  std::vector<uint32_t> near_;
  uint32_t at_ = no_turn;  // the answer that applied_ is of
  std::vector<bool> applied_;
};

}  // namespace afina

// The rotary embedding of a kind of layers, in numbers.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace afina {

struct RopeForm {
  // default; linear; dynamic (NTK), which within the context is the default; llama3; yarn (Peng et
  // al., 2023); longrope (Ding et al., 2024).
  std::string kind = "default";
  double theta = 10000.;
  int64_t turned = 0;   // columns of each head that rotate; the others stay
  int64_t context = 0;  // the longest position, plus 1
  double factor = 1.;
  double attention_factor = 1.;                     // multiplies cosines and sines (yarn, longrope)
  int64_t original = 0;                             // original_max_position_embeddings
  double low = 0., high = 0.;                       // llama3: low_freq_factor, high_freq_factor
  double beta_fast = 32., beta_slow = 1.;           // yarn
  bool truncate = true;                             // yarn
  std::vector<double> short_factors, long_factors;  // longrope
  // Queries are multiplied by 1 + query_beta · log(1 + floor(position / original)) (Ministral 3).
  double query_beta = 0.;
};

}  // namespace afina

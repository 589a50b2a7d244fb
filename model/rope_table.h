// Rotary position embedding (RoPE: Su et al., 2021) as transformers 5 computes it: what config.json
// says of it, its frequencies, and their cosines and sines.
#pragma once
#include "model/config_reader.h"
#include "model/inputs.h"
#include "model/rope_form.h"

namespace afina {

// What a config says of the rotary embedding where all layers have one, with the precedence of
// transformers 5: `rope_scaling`, if it says anything, replaces `rope_parameters`; the theta and
// partial factor beside them count only where the chosen one has none; an
// `original_max_position_embeddings` beside them counts before the one inside. Unknown kinds and
// keys are Errors.
struct RopeDefaults {
  double theta = 10000.;
  double partial = 1.;             // where the config has no partial_rotary_factor
  bool partial_supported = false;  // else any factor other than 1 is an Error
  const char* theta_key = "rope_theta";
  const char* partial_key = "partial_rotary_factor";
  bool query_beta = false;  // llama_4_scaling_beta and max_position_embeddings may stand inside
};
RopeForm read_rope(ConfigReader& config, int64_t head_dim, int64_t context,
                   const RopeDefaults& defaults = {});

// The same where layers that slide have another than the others (Gemma 3, OLMo 3):
// `rope_parameters` has a member for each layer type. `local_theta_key`: beside it, the theta of
// layers that slide.
struct LayerRopes {
  RopeForm full, sliding;
};
LayerRopes read_layer_ropes(ConfigReader& config, int64_t head_dim, int64_t context,
                            double full_theta, double sliding_theta, const char* local_theta_key);

// The frequencies of a form in f32, radians per position, of each of the turned / 2 column pairs;
// `extended`: for documents beyond the original length (longrope).
std::vector<float> rope_frequencies(const RopeForm& form, bool extended = false);

// Holds the table (positions, turned): in each row turned / 2 cosines, then as many sines; f32, or
// f64 for models in f64. Grows to the longest sequence seen.
class RopeTable {
 public:
  RopeTable(const RopeForm& form, Dtype dtype, Device device);
  // Where to look up what: the table with rows for at least the positions below `end`, and the row
  // of each token. Rows differ from positions for longrope alone, where a document that is longer
  // than the original length has other frequencies, in rows of their own; a document's length is
  // its last position here, plus 1.
  struct Turned {
    Tensor table, rows;
    std::vector<double> query_factors;  // of each token (RopeForm::query_beta); empty: all are 1
  };
  Turned turned(const Inputs& in, int64_t end);

 private:
  const Tensor& up_to(int64_t end);
  bool extends() const { return !extended_.empty(); }
  void require_host(const char* what) const;
  std::vector<double> query_factors(const Inputs& in, int64_t end) const;

  RopeForm form_;
  std::vector<float> frequencies_, extended_;
  Dtype dtype_;
  Device device_;
  int64_t length_ = 0;  // positions in the table
  Tensor table_;
  std::vector<Tensor> earlier_tables_;  // captured steps may still read them
};

}  // namespace afina

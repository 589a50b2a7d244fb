// What fine-tuning changed in the weights of a model's linear layers, and in how many directions.
#pragma once
#include <string>
#include <vector>

namespace afina {

class Model;
struct WeightSource;

// ΔW = W' - W of one linear layer: W as pretrained, W' as the layer computes now, adapters merged.
struct LayerChange {
  std::string layer;                  // "model.layers.0.self_attn.q_proj"
  double base_norm = 0., norm = 0.;   // Frobenius norms of W and ΔW
  double stable_rank = 0.;            // ‖ΔW‖² / σ₁²: 1 where one direction does it all
  double effective_rank = 0.;         // exp of the entropy of σᵢ / Σσ (Roy & Vetterli, 2007)
  std::vector<double> spectrum = {};  // the largest singular values of ΔW, falling, at most 16
  int64_t intruders = 0;              // see below
};

enum class ChangeDepth : uint8_t {
  ranks,     // norms, ranks and the spectrum
  intruders  // the same, and intruder dimensions, which cost a decomposition of W and one of W'
};

// Each linear layer of the model, in order of construction. source: of the pretrained weights, read
// again layer by layer. Empty where the method's adapters cannot be merged or stand outside of
// linear layers, so that no weight changes.
//
// W and W' are f32, so singular values of ΔW below what rounding of W' to f32 explains count as 0:
// a LoRA of rank 8 has eight.
//
// Intruder dimensions (Shuttleworth et al., 2024): those of the ten leading left singular vectors
// of W' that resemble none of W's, |cos| < 0.5 for every one.
std::vector<LayerChange> layer_changes(const Model& model, WeightSource& source, ChangeDepth depth);

// Of all layers together: the Frobenius norm of the change over that of the weights, and the mean
// effective rank of the layers that changed. Zeros for none.
struct ChangeSummary {
  double relative = 0., effective_rank = 0., stable_rank = 0.;
  int64_t layers = 0, changed = 0, intruders = 0;
};
ChangeSummary summary_of(const std::vector<LayerChange>& all);

// About how many multiply-adds the decompositions for layer_changes() take, for a choice whether to
// make them unasked.
double work_of_changes(const Model& model);

}  // namespace afina

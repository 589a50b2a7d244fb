// How LoRA's matrices begin where a plain draw is not enough: from the weight's own singular
// vectors or QR, or from what the data does to the layer. Host arithmetic in f64, no model.
#pragma once
#include <string>
#include <vector>

#include "engine/random.h"

namespace afina {

enum class Start : uint8_t {
  standard,    // A uniform in ±1/sqrt(in), B zero
  gaussian,    // A normal of deviation 1/rank, B zero
  orthogonal,  // A and B from the rows of one orthogonal matrix, so that B A is zero
  kaiming,     // A and B uniform: the model begins as another one
  pissa,       // the largest singular values and vectors of W, taken out of W
  olora,       // the first columns of W = Q R, taken out of W
  mica,        // B: left singular vectors of W's smallest singular values, held; A zero
  eva,         // A: the directions in which the layer's inputs vary most; B zero
  lora_ga,     // singular vectors of the loss's gradient, taken out of W
  corda        // singular vectors of W times its inputs' covariance, taken out of W
};
// As options have it: "default", "gaussian", ..., "lora-ga"; PEFT's spellings (lora_ga, true,
// false) as well. An Error that lists the known ones; `label` begins it.
Start start_named(const std::string& word, const std::string& label);
const char* name(Start start);
// Is scale B A taken out of W, so that the layer's own weight changes?
bool changes_weight(Start start);
// Is the start found by looking at data?
bool looks_at_data(Start start);
// Does it decompose a matrix of the layer's size?
bool decomposes(Start start);

// A layer as starts see it. Matrices are row-major.
struct StartLayer {
  std::string path;  // for messages
  int64_t in, out, rank;
  double scale;                // of B A
  std::vector<double> weight;  // (out, in)
};
struct StartOfAdapter {
  std::vector<double> a, b;  // (rank, in), (out, rank)
};

// A and B of W = U S Vᵀ: sqrt(S/scale) Vᵀ and U sqrt(S/scale) of the `rank` largest (PiSSA, Meng et
// al., 2024).
StartOfAdapter pissa(const StartLayer& layer);
// B = Q and A = R of W = Q R, the first `rank` columns and rows (OLoRA, Büyükakyüz, 2024). scale is
// not divided out, as in PEFT.
StartOfAdapter olora(const StartLayer& layer);
// B: the left singular vectors of the `rank` smallest singular values; A zero (MiCA, 2026).
StartOfAdapter mica(const StartLayer& layer);
// Orthogonal rows of a random Q (rank, rank), the even ones for A and the odd ones for B, of which
// the product is zero (as PEFT has it). rank is even.
StartOfAdapter orthogonal(const StartLayer& layer, const Random& random);
// A: orthonormal directions of the largest variance of inputs with this covariance (in, in),
// falling; the largest element of each row is positive. B zero (EVA, Paischer et al., 2024).
StartOfAdapter eva(const StartLayer& layer, const std::vector<double>& covariance);

// LoRA-GA (Wang et al., 2024) from the gradient of W (out, in), by its 2 rank largest singular
// values and vectors. direction says which of them A and B get, scale how long B is.
struct GradientStart {
  enum Direction : uint8_t { ArB2r, A2rBr, ArBr } direction = ArB2r;
  enum Scale : uint8_t { stable, weight_svd, gd_scale, unit } scale = stable;
  double gamma = 16.;
};
StartOfAdapter lora_ga(const StartLayer& layer, const std::vector<double>& gradient,
                       const GradientStart& how);
// CorDA (Yang et al., 2024): C = covariance (in, in) + 0.01 mean(diag) I, W C = U S Vᵀ; B = U
// sqrt(S/scale) and A = sqrt(S/scale) Vᵀ C⁻¹ of the largest singular values, or of the smallest.
StartOfAdapter corda(const StartLayer& layer, std::vector<double> covariance, bool largest);

}  // namespace afina

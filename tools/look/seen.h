// A training step as it was seen: every operation in order with its costs and values, every
// allocation, every parameter.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "engine/device.h"
#include "tools/look/stats.h"

namespace afina {

// forward; recomputed: forward work that the backward pass repeats; backward; update: a kernel of
// the optimizer.
enum class SeenKind : uint8_t { forward, recomputed, backward, update };
const char* name(SeenKind kind);

using PurposeBytes = std::array<int64_t, purpose_count>;

// Where an input comes from.
struct SeenInput {
  int64_t operation = -1;  // index of the operation that made it; -1: none that was seen
  int64_t parameter = -1;  // index of the parameter that it is; -1: none
  std::string shape;       // "(8, 256, 128) f32"
};

struct SeenKernel {
  std::string name;
  int64_t calls = 0;
  double seconds = 0;
  bool again = false;  // recomputes values that were saved as a recipe
};

// What an operation held for its backward pass.
struct SavedTensor {
  std::string what;  // "result", "input 0", the parameter's name, or "beside them"
  std::string shape;
  int64_t bytes = 0;   // of its memory; 0 of a parameter, which is held anyway
  bool freed = false;  // was this the last that held it?
};

struct SeenOperation {
  SeenKind kind = SeenKind::forward;
  std::string name;             // "linear"
  std::string place;            // "model.layers.0.mlp.up_proj"; may be empty
  std::string defined, called;  // "engine/ops/linear.cpp:57", the line of the model's module
  int depth = 0;                // in how many backward passes of others it ran
  int64_t of = -1;              // backward: index of the operation whose gradients it makes
  bool recorded = false;        // forward: do gradients go through it?
  Shape shape;                  // of the result; backward: of its gradient
  Dtype dtype = Dtype::f32;
  std::vector<SeenInput> inputs;
  std::vector<SeenKernel> kernels;
  std::vector<SavedTensor> saved;            // backward
  int64_t parameter = -1;                    // update: the parameter that is updated
  double seconds = 0;                        // without those of operations inside it
  int64_t flops = 0, read = 0, written = 0;  // bytes of its kernels' arguments
  int64_t allocated = 0, freed = 0;          // bytes
  // Held at the moment, while it ran, when most was held.
  PurposeBytes held{};
  std::optional<ValueStats> values;  // of the result; backward: of its gradient
  int64_t held_in_all() const {
    int64_t sum = 0;
    for (int64_t bytes : held) sum += bytes;
    return sum;
  }
};

struct SeenParameter {
  std::string name, shape;
  bool trained = false, added = false;
  double norm = 0;                     // before the update
  std::optional<ValueStats> gradient;  // as the optimizer read it, before clipping
  std::optional<double> moved;         // the norm of the update
};

struct SeenBuffer {
  int64_t bytes = 0;
  Purpose purpose = Purpose::activations;
  int64_t born = 0, died = -1;  // indices of the operations in which it came and went; -1: it stays
};

// One training step of one method.
struct SeenStep {
  std::string method;  // as it was asked for
  std::vector<SeenOperation> operations;
  std::vector<SeenParameter> parameters;
  std::vector<SeenBuffer> buffers;
  PurposeBytes before{};  // held when the step began
  int64_t number = 1, tokens = 0, targets = 0;
  double loss = 0, gradient_norm = 0, lr = 0;
  std::string digest;  // of the trained parameters after the step

  // Index of the operation during which most was held; -1 of none.
  int64_t peak() const;
  // Seconds or FLOPs of all operations of a kind.
  double seconds(SeenKind kind) const;
  int64_t flops(SeenKind kind) const;
};

// The layer's number in a place, as 3 in "model.layers.3.mlp"; -1 where there is none.
int64_t layer_of(const std::string& place);
// The place without its layer: "model.layers.*.mlp".
std::string without_layer(const std::string& place);

}  // namespace afina

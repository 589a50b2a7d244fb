// Named weights: what the forward pass reads, what the optimizer moves, and where the gradient
// gathers.
#pragma once
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace afina {

// How a weight begins when nothing is loaded: the same bits for the same seed and name, whatever
// the order of construction.
struct Init {
  enum Kind : uint8_t { normal, uniform, zeros, ones, constant } kind = normal;
  // Standard deviation, half the width of the uniform interval, or the constant.
  float spread = 0.02f;
};

struct Parameter {
  std::string name;         // the Hugging Face name, "model.layers.0.self_attn.q_proj.weight"
  std::string stored_name;  // in files; an added one's as PEFT has it
  Shape shape;              // (out, in) for a linear weight
  Tensor value;   // read by the forward pass: compute dtype for matrices, f32 (f64) for vectors;
                  // tracks a gradient when trained
  Tensor master;  // moved by the optimizer, f32 (f64); the same memory as value where that is f32;
                  // empty when frozen
  bool trained = false;
  bool added = false;              // brought by a fine-tuning method, not by the pretrained model
  bool decays = true;              // under weight decay; as made, matrices decay and vectors do not
  double rate = 1.;                // a factor on the learning rate
  bool stored_transposed = false;  // files hold it as (in, out): the Conv1D of GPT-2
  Init init;
  std::vector<Tensor> uses;  // further uses, each gathering in a sum of its own (an embedding whose
                             // matrix is the head too)

  // The value for a second use of the same weight, one that reads rows of it by number, as an
  // embedding does. It gathers the rows that a step touches and no others. The two gradients are
  // added once, at the end of a step, so that the order in which micro-batches visit the uses
  // cannot show.
  Tensor use_by_rows();
  // Adds the gradients of further uses to the first one's, in order, and gives their memory back.
  void gather_uses();
  // The values in f32: the master where there is one.
  Tensor exact() const {
    return master ? master : value.dtype() == Dtype::f64 ? value : value.as(Dtype::f32);
  }
  // After the master moved: rounds it into value.
  void refresh() {
    if (master && master.data<void>() != value.data<void>()) value.copy_from(master);
  }
  // Sets the values (shape's size of them, row-major); master and value both.
  void assign(const float* values);
  // The same in parts, so that a large weight never stands in memory twice: values of positions
  // first .. first + count. settle() when all are there.
  void assign_part(int64_t first, const float* values, int64_t count);
  void assign_part(int64_t first, const Tensor& values);  // f32 on the host
  void settle();
};

// Allocates value, and master and gradient tracking when trained. Vectors are held in f32 even when
// dtype is bf16.
Parameter make_parameter(std::string name, Shape shape, Init init, bool trained, Dtype dtype,
                         Device device);
// Fills values by init, keyed by (seed, name, position).
void initialise(Parameter& parameter, uint64_t seed);
// SHA-256 over name, shape and f32 values of the trained parameters in order of name: the digest of
// a run.
std::string digest_of(const std::vector<const Parameter*>& trained);

}  // namespace afina

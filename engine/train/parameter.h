// Named weights: the value that the forward pass reads, the master that the optimizer updates, and
// the gradient.
#pragma once
#include <string>
#include <vector>

#include "engine/tensor.h"

namespace afina {

// The initial values of a weight that is not loaded. They follow from seed and name alone, so the
// order of construction cannot change them.
struct Init {
  enum Kind : uint8_t { normal, uniform, zeros, ones, constant } kind = normal;
  // Standard deviation, half the width of the uniform interval, or the constant.
  float spread = 0.02f;
};

struct Parameter {
  std::string name;         // the Hugging Face name, "model.layers.0.self_attn.q_proj.weight"
  std::string stored_name;  // in files; an added one's as PEFT has it
  Shape shape;              // (out, in) for a linear weight
  Tensor value;   // read by the forward pass: compute dtype for matrices, f32 (f64 in an f64
                  // model) for vectors; tracks a gradient when trained. A frozen matrix may be in
                  // blocks (engine/blocks.h)
  Tensor master;  // updated by the optimizer, f32 (f64); shares value's memory where value has
                  // that dtype; empty when frozen
  bool trained = false;
  bool added = false;  // by a fine-tuning method; not part of the pretrained model
  bool aside = false;  // added, but no part of an adapter's file (Role in model/scope.h)
  bool decays = true;  // under weight decay; as made, matrices decay and vectors do not
  double rate = 1.;    // a factor on the learning rate
  bool stored_transposed = false;  // files hold it as (in, out): the Conv1D of GPT-2
  bool lent = false;  // value is the memory of another model's parameter, which is never written
  Init init;
  std::vector<Tensor> uses;  // further uses, each with a gradient of its own (an embedding whose
                             // matrix is the head too)

  // The value for a second use of the same weight that reads single rows of it, as an embedding
  // does. Its gradient holds only the rows that a step touches. The two gradients are added once,
  // at the end of a step, so the order in which micro-batches reach the two uses cannot change the
  // result.
  Tensor use_by_rows();
  // Adds the gradients of further uses to value's gradient, in order, and frees their memory.
  void add_uses();
  // The values in f32 (f64 in an f64 model): the master where there is one.
  Tensor exact() const { return master ? master : value.as(statistic_dtype(value.dtype())); }
  // Rounds the master into value; to be called after the master has changed.
  void refresh() {
    if (master && master.data<void>() != value.data<void>()) value.copy_from(master);
  }
  // Gives a lent parameter memory of its own, with the same values; whatever changes a parameter
  // calls it first. Any other parameter stays as it is, but for one in blocks, which cannot change:
  // an Error.
  void own();
  // Holds a weight in blocks plainly from now on, in the dtype that it is computed in, so that it
  // can change; any other stays as it is.
  void unpack();
  // Sets value and master from shape.size() values, row-major.
  void assign(const float* values);
  // Makes a frozen parameter, whose values stay, a trained one.
  void train();
  // Sets the elements first .. first + count, so that a large weight is never held twice. Call
  // settle() after the last part.
  void assign_part(int64_t first, const float* values, int64_t count);
  void assign_part(int64_t first, const Tensor& values);  // f32 on the host
  void settle();
};

// Allocates value; when trained, also the master and a gradient slot. Vectors are f32 even when
// dtype is bf16.
Parameter make_parameter(std::string name, Shape shape, Init init, bool trained, Dtype dtype,
                         Device device);
// Fills values as parameter.init says, keyed by (seed, name, position).
void initialise(Parameter& parameter, uint64_t seed);
// The digest of a run: SHA-256 over name, shape and f32 values of the trained parameters, sorted by
// name.
std::string digest_of(const std::vector<const Parameter*>& trained);

}  // namespace afina

// Matrices in blocks beside the numbers that they were made of.
#include "model/base_error.h"

#include <algorithm>
#include <cmath>

namespace afina {

namespace {

BaseError distance_of(const std::string& name, const std::vector<float>& exact,
                      const std::vector<float>& held) {
  constexpr size_t some = 64;
  BaseError error{name};
  double all = 0., off = 0.;
  for (size_t first = 0; first < exact.size(); first += some) {
    double size = 0., distance = 0.;
    for (size_t i = first; i < std::min(exact.size(), first + some); ++i) {
      const double x = double(exact[i]), d = double(held[i]) - x;
      size += x * x;
      distance += d * d;
    }
    if (size > 0.) error.worst = std::max(error.worst, std::sqrt(distance / size));
    all += size;
    off += distance;
  }
  error.relative = all > 0. ? std::sqrt(off / all) : 0.;
  return error;
}

}  // namespace

std::vector<BaseError> base_errors(const Model& model, WeightSource& files,
                                   const BaseStorage& base) {
  std::vector<const Parameter*> weights;
  for (const Linear* layer : model.parameters->linears) weights.push_back(&layer->weight);
  if (base.ends) {
    weights.push_back(&model.ends().table());
    if (!model.ends().tied()) weights.push_back(&model.ends().head_table());
  }
  std::vector<BaseError> errors;
  PurposeScope purpose(Purpose::workspace);
  for (const Parameter* weight : weights) {
    Parameter exact;
    exact.name = weight->name;
    exact.shape = weight->shape;
    exact.init = weight->init;
    exact.stored_transposed = weight->stored_transposed;
    exact.value = Tensor(exact.shape, Dtype::f32);
    files.read(exact);
    const Tensor held =
        base.form == BaseForm::file
            ? files.lies(exact.name, exact.shape, exact.stored_transposed, Dtype::f32, Device::cpu)
            : in_blocks(base.form, exact.value, Dtype::f32, exact.name);
    if (held) errors.push_back(distance_of(exact.name, exact.value.values(), held.values()));
  }
  return errors;
}

}  // namespace afina

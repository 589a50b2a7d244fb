// Parameters as the model is built: names, values, and what the method says of each.
#include "model/scope.h"

#include "engine/blocks_on_gpu.h"
#include "engine/on_gpu.h"

namespace afina {

std::vector<Parameter*> Parameters::trained() {
  std::vector<Parameter*> out;
  for (Parameter& p : all)
    if (p.trained) out.push_back(&p);
  return out;
}
std::vector<const Parameter*> Parameters::trained() const {
  std::vector<const Parameter*> out;
  for (const Parameter& p : all)
    if (p.trained) out.push_back(&p);
  return out;
}
Parameter* Parameters::find(const std::string& name) {
  for (Parameter& p : all)
    if (p.name == name) return &p;
  return nullptr;
}

Parameter& Scope::keep(Parameter parameter) const {
  require(!of_->find(parameter.name), "two parameters are called ", parameter.name);
  of_->all.push_back(std::move(parameter));
  return of_->all.back();
}
Parameter& Scope::base(const std::string& name, Shape shape, Init init,
                       bool stored_transposed) const {
  return loaded(name, shape, init, stored_transposed, BaseForm::plain);
}
Parameter& Scope::matrix(const std::string& name, Shape shape, Init init,
                         bool stored_transposed) const {
  return loaded(name, shape, init, stored_transposed, of_->base.form);
}
Parameter& Scope::end(const std::string& name, Shape shape) const {
  return loaded(name, shape, {}, false, of_->base.ends ? of_->base.form : BaseForm::plain);
}

// The values of a frozen matrix in blocks; empty: its file holds it in none. Other forms are made
// of the values of this one tensor, which are f32 for as long as that takes.
Tensor Scope::in_blocks_of(const Parameter& p, BaseForm form) const {
  const Device device = of_->device;
  if (form == BaseForm::file) {
    WeightSource& files = of_->base.files ? *of_->base.files : of_->source;
    return files.lies(p.name, p.shape, p.stored_transposed, of_->dtype, device);
  }
  // A GPU gets the blocks that the host has made, and of the numbers it sees none.
  const bool gpu = on_gpu(device);
  if (gpu && !holds_bytes(device))
    return blocks_on_gpu(*described(form, p.shape[0], p.shape[1], of_->dtype, p.name), device);
  PurposeScope purpose(Purpose::workspace);
  Parameter exact = p;
  exact.value = Tensor(p.shape, Dtype::f32, gpu ? Device::cpu : device);
  of_->source.read(exact);
  const Tensor made = in_blocks(form, exact.value, of_->dtype, p.name);
  return gpu ? blocks_on_gpu(*made.blocks(), device) : made;
}

Parameter& Scope::loaded(const std::string& name, Shape shape, Init init, bool stored_transposed,
                         BaseForm form) const {
  std::string whole = full(name);
  of_->source.expect(whole, shape, stored_transposed);
  const bool trained = method().trains(whole) || method().beside.trains(whole);
  if (const Parameter* lender = trained ? nullptr : of_->source.lends(whole)) {
    require(lender->shape == shape, whole, " has the shape ", shape.text(), " here and ",
            lender->shape.text(), " in the model whose weights it should read");
    Parameter lent = *lender;
    lent.lent = true;
    return keep(std::move(lent));
  }
  if (form != BaseForm::plain && !trained) {
    Parameter p;
    p.name = p.stored_name = whole;
    p.shape = shape;
    p.init = init;
    p.stored_transposed = stored_transposed;
    p.value = in_blocks_of(p, form);
    if (p.value) return keep(std::move(p));
  }
  Parameter& p = keep(make_parameter(whole, shape, init, trained, of_->dtype, of_->device));
  p.stored_transposed = stored_transposed;
  of_->source.read(p);
  return p;
}
Parameter& Scope::copied(const std::string& name, const Parameter& of) const {
  const std::string whole = full(name);
  const bool trained = method().trains(whole) || method().beside.trains(whole);
  Parameter& p = keep(make_parameter(whole, of.shape, of.init, trained, of_->dtype, of_->device));
  // Read anew, so that the master of a bf16 model has the file's bits as well.
  p.name = of.name;
  of_->source.read(p);
  p.name = whole;
  return p;
}
Parameter& Scope::added(const std::string& name, Shape shape, Init init, const Role& role) const {
  std::string whole = role.shared ? name : full(name);
  if (Parameter* there = role.shared ? of_->find(whole) : nullptr) {
    require(there->added && there->shape == shape, path_, " asks for the shared ", whole, " ",
            shape.text(), " where the model has one of ", there->shape.text());
    return *there;
  }
  Parameter& p =
      keep(make_parameter(whole, shape, init, role.trained,
                          role.vector ? statistic_dtype(of_->dtype) : of_->dtype, of_->device));
  p.added = true;
  p.aside = role.aside;
  p.decays = role.decays.value_or(shape.rank() > 1 && !role.vector);
  p.rate = role.rate;
  p.stored_name = !role.stored.empty()
                      ? role.stored
                      : (role.shared ? "base_model." : "base_model.model.") + whole;
  initialise(p, of_->seed);
  return p;
}

}  // namespace afina

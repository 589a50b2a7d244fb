// AdamW (Loshchilov and Hutter, 2019): decoupled weight decay where Parameter::decays says so, the
// learning rate times Parameter::rate; two f32 moments per trained value.
#include "engine/ops/adamw.h"

#include "engine/train/adamw_numbers.h"

namespace afina {

namespace {

class AdamW : public Optimizer {
 public:
  AdamW(const OptimizerOptions& options, const std::vector<Parameter*>& trained)
      : options_(options) {
    PurposeScope purpose(Purpose::optimizer);
    for (Parameter* p : trained) {
      names_.push_back(p->name);
      m_.push_back(Tensor::zeros(p->shape, p->master.dtype(), p->master.device()));
      v_.push_back(Tensor::zeros(p->shape, p->master.dtype(), p->master.device()));
    }
  }
  void update(size_t i, Parameter& p, double lr, double gradient_scale, int64_t step) override {
    kernel::adamw(p.master, p.value, p.value.grad().value(), m_[i], v_[i],
                  adamw_step(options_, p, lr, gradient_scale, step));
  }
  bool at_once(Device device) const override { return kernel::adamw_all.runs_on(device); }
  void number(StepNumbers& numbers, double lr, int64_t step) const override {
    numbers.lr = double(float(lr));
    numbers.bias1 = double(bias1_of(options_, step));
    numbers.bias2_root = double(bias2_root_of(options_, step));
  }
  void fill(size_t i, const Parameter& p, WeightRow& row) const override {
    row.m = m_[i].data();
    row.v = v_[i].data();
    row.decay = decay_of(options_, p);
    row.rate = float(p.rate);
  }
  void update_all(const Tensor& record, const Tensor& table, int64_t parts, Dtype dtype) override {
    kernel::adamw_all(record, table, parts,
                      {float(options_.beta1), float(options_.beta2), float(options_.eps)}, dtype);
  }
  std::vector<std::pair<std::string, Tensor>> state() override {
    std::vector<std::pair<std::string, Tensor>> all;
    for (size_t i = 0; i < names_.size(); ++i) {
      all.push_back({names_[i] + ".m", m_[i]});
      all.push_back({names_[i] + ".v", v_[i]});
    }
    return all;
  }
  std::pair<Tensor, Tensor> moments(size_t i) const override { return {m_[i], v_[i]}; }

 private:
  OptimizerOptions options_;
  std::vector<std::string> names_;
  std::vector<Tensor> m_, v_;
};

REGISTER_OPTIMIZER("adamw",
                   ([](const OptimizerOptions& options,
                       const std::vector<Parameter*>& trained) -> std::unique_ptr<Optimizer> {
                     return std::make_unique<AdamW>(options, trained);
                   }));

}  // namespace

}  // namespace afina

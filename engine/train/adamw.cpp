// AdamW (Loshchilov and Hutter, 2019): decoupled weight decay where Parameter::decays says so, the
// learning rate times Parameter::rate; two f32 moments per trained value.
#include "engine/ops/adamw.h"

#include "engine/math.h"
#include "engine/train/optimizer.h"

namespace afina {

namespace {

// b^n for whole n by squaring, in f64.
double whole_power(double b, int64_t n) {
  double out = 1.;
  for (; n; n /= 2, b *= b)
    if (n % 2) out *= b;
  return out;
}

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
    AdamWStep s{};
    s.lr = float(lr);
    s.beta1 = float(options_.beta1);
    s.beta2 = float(options_.beta2);
    s.eps = float(options_.eps);
    s.decay = decay_of(p);
    s.bias1 = bias1(step);
    s.bias2_root = bias2_root(step);
    s.gradient_scale = float(gradient_scale);
    s.rate = float(p.rate);
    kernel::adamw(p.master, p.value, p.value.grad().value(), m_[i], v_[i], s);
  }
  bool at_once(Device device) const override { return kernel::adamw_all.runs_on(device); }
  void number(StepNumbers& numbers, double lr, int64_t step) const override {
    numbers.lr = double(float(lr));
    numbers.bias1 = double(bias1(step));
    numbers.bias2_root = double(bias2_root(step));
  }
  void fill(size_t i, const Parameter& p, WeightRow& row) const override {
    row.m = m_[i].data();
    row.v = v_[i].data();
    row.decay = decay_of(p);
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

 private:
  float decay_of(const Parameter& p) const { return p.decays ? float(options_.weight_decay) : 0.f; }
  float bias1(int64_t step) const { return float(1. - whole_power(options_.beta1, step + 1)); }
  float bias2_root(int64_t step) const {
    return float(math::sqrt(1. - whole_power(options_.beta2, step + 1)));
  }
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

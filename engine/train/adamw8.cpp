// AdamW with moments in 8 bits (Dettmers et al., 2022): two bytes and a little for each trained
// value where AdamW holds eight. As in bitsandbytes, weights of fewer than 4096 elements, whose
// moments are no burden, keep them in f32.
#include "engine/ops/adamw8.h"

#include "engine/train/adamw_numbers.h"

namespace afina {

namespace {

constexpr int64_t least_size = 4096;

class AdamW8 : public Optimizer {
 public:
  AdamW8(const OptimizerOptions& options, const std::vector<Parameter*>& trained)
      : options_(options) {
    PurposeScope purpose(Purpose::optimizer);
    for (Parameter* p : trained) {
      const Device device = p->master.device();
      require(
          p->master.dtype() == Dtype::f32, "--optimizer adamw8: ", p->name, " is trained in ",
          name(p->master.dtype()),
          "; moments in 8 bits are for --dtype f32, bf16 and bf16-tiles. Take --optimizer adamw.");
      Moments moments;
      moments.name = p->name;
      moments.size = p->shape.size();
      if (moments.size < least_size) {
        moments.m = Tensor::zeros(p->shape, Dtype::f32, device);
        moments.v = Tensor::zeros(p->shape, Dtype::f32, device);
      } else {
        moments.packed = true;
        moments.m8 = empty_moment(moments.size, device);
        moments.v8 = empty_moment(moments.size, device);
        if (!codes_) codes_ = moment_codes(device);
      }
      all_.push_back(moments);
    }
  }
  void update(size_t i, Parameter& p, double lr, double gradient_scale, int64_t step) override {
    Moments& o = all_[i];
    const AdamWStep s = adamw_step(options_, p, lr, gradient_scale, step);
    Tensor gradient = p.value.grad().value();
    if (!o.packed) kernel::adamw(p.master, p.value, gradient, o.m, o.v, s);
    else
      kernel::adamw8(p.master, p.value, gradient, o.m8.index, o.m8.scale, o.v8.index, o.v8.scale,
                     codes_, s);
  }
  std::vector<std::pair<std::string, Tensor>> state() override {
    std::vector<std::pair<std::string, Tensor>> all;
    for (Moments& o : all_)
      if (!o.packed) {
        all.push_back({o.name + ".m", o.m});
        all.push_back({o.name + ".v", o.v});
      } else {
        all.push_back({o.name + ".m.index", o.m8.index});
        all.push_back({o.name + ".m.scale", o.m8.scale});
        all.push_back({o.name + ".v.index", o.v8.index});
        all.push_back({o.name + ".v.scale", o.v8.scale});
      }
    return all;
  }
  std::pair<Tensor, Tensor> moments(size_t i) const override {
    const Moments& o = all_[i];
    return o.packed ? std::pair{unpacked(o.m8, o.size, true), unpacked(o.v8, o.size, false)}
                    : std::pair{o.m, o.v};
  }

 private:
  struct Moments {
    std::string name;
    int64_t size = 0;  // elements
    bool packed = false;
    Tensor m, v;     // f32, or
    Moment8 m8, v8;  // in 8 bits
  };
  OptimizerOptions options_;
  std::vector<Moments> all_;
  Tensor codes_;  // empty where no weight is large enough
};

}  // namespace

REGISTER_OPTIMIZER("adamw8",
                   ([](const OptimizerOptions& options,
                       const std::vector<Parameter*>& trained) -> std::unique_ptr<Optimizer> {
                     return std::make_unique<AdamW8>(options, trained);
                   }));

}  // namespace afina

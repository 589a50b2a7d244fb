// What methods have in common whose low-rank matrices A (rank, in) and B (out, rank) follow from
// other numbers: y = W x + b + B A x.
#pragma once
#include "model/methods/low_rank.h"
#include "model/methods/targeted.h"

namespace afina {

struct MadeLowRank : Adapter {
  double dropout = 0.;
  // To be called once, while the model is built.
  void derive(Method& method, Dtype dtype) {
    auto read = [dtype](const Tensor& of) { return in_dtype(of, dtype); };
    a_ = &method.derived([this] { return a(); }, read);
    b_ = &method.derived([this] { return b(); }, read);
  }
  // The matrices in f32 (f64), of recorded operations.
  virtual Tensor a() const = 0;
  virtual Tensor b() const = 0;
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const override {
    const Tensor low = linear(dropped(x, dropout, layer, inputs), (*a_)(), Tensor());
    return layer.plain(x) + linear(low, (*b_)(), Tensor());
  }
  void merge(Tensor& weight, Tensor&) const override { weight = weight + matmul(b(), a()); }

 private:
  Derived *a_ = nullptr, *b_ = nullptr;
};

}  // namespace afina

// The same multiplication by oneDNN, for the benchmark only.
#pragma once
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "engine/cpu/gemm.h"

namespace afina::bench {

class OneDnn {
 public:
  // packed: B is brought into the layout that oneDNN likes best beforehand. A second term is left
  // out of the operands, its k added to k.
  OneDnn(const Gemm& g, bool packed) : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    using Tag = dnnl::memory::format_tag;
    auto type = [](Dtype t) {
      return t == Dtype::bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32;
    };
    int64_t k = g.k + g.k2;
    dnnl::memory::desc a({g.m, k}, type(g.in), g.ta ? Tag::ba : Tag::ab),
        b({k, g.n}, type(g.in), g.tb ? Tag::ba : Tag::ab);
    dnnl::memory::desc any({k, g.n}, type(g.in), Tag::any), c({g.m, g.n}, type(g.out), Tag::ab);
    dnnl::primitive_attr attributes;
    if (g.accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1);
      attributes.set_post_ops(sum);
    }
#if DNNL_VERSION_MAJOR >= 3
    dnnl::matmul::primitive_desc description(engine_, a, packed ? any : b, c, attributes);
#else
    dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, packed ? any : b, c), attributes,
                                             engine_);
#endif
    matmul_ = dnnl::matmul(description);
    dnnl::memory weights(b, engine_, const_cast<void*>(g.b));
    if (packed && description.weights_desc() != b) {
      dnnl::memory ready(description.weights_desc(), engine_);
      dnnl::reorder(weights, ready).execute(stream_, weights, ready);
      stream_.wait();
      weights = ready;
    }
    arguments_ = {{DNNL_ARG_SRC, dnnl::memory(a, engine_, const_cast<void*>(g.a))},
                  {DNNL_ARG_WEIGHTS, weights},
                  {DNNL_ARG_DST, dnnl::memory(c, engine_, g.c)}};
  }
  // None where oneDNN cannot multiply these, as bf16 without AVX-512.
  static std::unique_ptr<OneDnn> made(const Gemm& g, bool packed) try {
    return std::make_unique<OneDnn>(g, packed);
  } catch (const dnnl::error&) { return nullptr; }
  void run() {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace afina::bench

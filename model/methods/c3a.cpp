// C3A (Chen et al., 2024): ΔW is made of circulant blocks (n, n), each given by n numbers: block
// (p, q) has k[p, q, (j - i) mod n] / in at (i, j).
#include "model/methods/targeted.h"

namespace afina {

namespace {

struct C3aAdapter : WeightAdapter {
  Parameter& kernel;  // (out/n, in/n, n)
  Shape shape;
  Tensor places;  // of ΔW's elements in the kernel
  C3aAdapter(const Linear& layer, const Scope& scope, int64_t n, bool zero)
      : kernel(exact_matrix(
            scope, "c3a_kernel", {layer.out() / n, layer.in() / n, n},
            zero ? Init{Init::zeros}
                 : Init{Init::uniform, std::sqrt(6.f / float(layer.in() + layer.out()))})),
        shape(layer.weight.shape) {
    std::vector<int32_t> from;
    from.reserve(size_t(shape.size()));
    for (int64_t o = 0; o < layer.out(); ++o)
      for (int64_t i = 0; i < layer.in(); ++i)
        from.push_back(int32_t(((o / n) * (layer.in() / n) + i / n) * n + (i % n + n - o % n) % n));
    places = Tensor::from(from, {int64_t(from.size())}, kernel.value.device());
  }
  Tensor delta() const override {
    return gather(kernel.value, places, shape) * (1. / double(shape[1]));
  }
};

struct C3a : TargetedMethod {
  int64_t block;
  bool zero;
  explicit C3a(MethodOptions& o)
      : TargetedMethod(o, {{"blocks", 1, 65536, true}}),
        block(o.integer("block", 256, 1, 65536)),
        zero(o.flag("zero", false)) {}
  std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope) override {
    const int64_t n = int64_t(targets_.number("blocks", layer, double(block)));
    require(layer.in() % n == 0 && layer.out() % n == 0, "method 'c3a': a block of ", n,
            " does not divide '", layer.path, "' (", layer.out(), " x ", layer.in(),
            "); choose another block, exceptions (blocks=k_proj:64), or other targets");
    auto adapter = std::make_unique<C3aAdapter>(layer, scope, n, zero);
    adapter->derive(*this, layer);
    return adapter;
  }
  bool starts_as_pretrained() const override { return zero; }
  Json peft_config() const override {
    Json config = config_of("C3A");
    config["block_size"] = block;
    config["block_size_pattern"] = targets_.peft_numbers("blocks", double(block));
    config["bias"] = "none";
    config["init_weights"] = zero ? Json(true) : Json("xavier_uniform");
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  const Json* start = config.find("init_weights");
  auto options = targets_from_peft(config);
  options["block"] = std::to_string(config.get<int64_t>("block_size"));
  options["blocks"] = config.patterns("block_size_pattern");
  options["zero"] = start && start->is_boolean() && start->get<bool>() ? "true" : "false";
  return options;
}

const MethodCard card{
    .name = "c3a",
    .label = "C3A",
    .paper = "Parameter-Efficient Fine-Tuning via Circular Convolution (Chen et al., 2024)",
    .formula = "y = (W + C) x + b, C: circulant blocks, each of n numbers",
    .trains = "n numbers of each block (n, n) of each target layer",
    .options =
        "block=256,zero=false,targets=all,exclude=,blocks=: block must divide both sides; "
        "zero: begin as the pretrained model; blocks are exceptions (k_proj:64); targets "
        "and exclude as for lora",
    .rate = 1e-2,
    .rate_because = "each number is divided by the number of inputs; the paper's rates are high",
    .peft_type = "C3A",
    .tries = {"c3a:block=8", "c3a:block=16,zero=true,targets=*.mlp.*"}};

}  // namespace

REGISTER_METHOD(card, make_new<C3a>, from_peft);

}  // namespace afina

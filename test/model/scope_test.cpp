// Parameters that methods bring: their roles, and layers with adapters of two kinds.
#include "test/model/tiny.h"
#include "test/scratch.h"

namespace afina {

namespace {

// Layers by turns: LoRA's form, and an adapter without one.
struct Scaled : Adapter {
  Parameter& v;
  explicit Scaled(Parameter& v) : v(v) {}
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return scale_columns(layer.plain(x), v.value);
  }
  void merge(Tensor& weight, Tensor& bias) const override {
    weight = weight * reshape(v.exact(), {v.shape.size(), 1});
    if (bias) bias = bias * v.exact();
  }
};
struct Low : Adapter {
  LowRank part;
  bool shares;
  Low(const LowRank& part, bool shares) : part(part), shares(shares) {}
  Tensor forward(const Tensor& x, const Linear& layer, const Inputs&) const override {
    return layer.plus_low_rank(x, x, part);
  }
  const LowRank* low_rank(const Inputs&) const override { return shares ? &part : nullptr; }
  void merge(Tensor& weight, Tensor&) const override {
    weight = weight + matmul(part.b.exact(), part.a.exact()) * part.scale;
  }
};
struct TwoKinds : Method {
  bool shares;
  explicit TwoKinds(bool shares) : shares(shares) {}
  Stored stored() const override { return Stored::adapter; }
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override {
    if (layer.path.ends_with("q_proj") || layer.path.ends_with("up_proj"))
      return std::make_unique<Scaled>(scope.added("v", {layer.out()}, {Init::normal, 1.f}));
    Parameter& a = scope.added("a", {3, layer.in()}, {Init::normal, 0.1f});
    Parameter& b = scope.added("b", {layer.out(), 3}, {Init::normal, 0.1f});
    return std::make_unique<Low>(LowRank{a, b, 2.}, shares);
  }
};

std::map<std::string, std::vector<float>> gradients_of(bool shares, Dtype dtype) {
  Reference reference(tiny_path("qwen2") + "/reference.safetensors");
  auto tokens = reference.integers("input_ids"), targets = reference.integers("targets");
  tokens.resize(24);
  targets.resize(24);
  ModelFiles files = open_model(tiny_path("qwen2"));
  auto model = build_model(files.config, *files.source, std::make_unique<TwoKinds>(shares),
                           {.dtype = dtype, .seed = 3});
  Tape tape;
  tape.backward(model->loss(plain_inputs(2, tokens, targets), scale_of(targets)).total);
  std::map<std::string, std::vector<float>> all;
  for (Parameter* p : model->parameters->trained()) all[p->name] = p->value.grad().value().values();
  return all;
}

struct Parts {
  Untouched method;
  RandomWeights source{1};
  Parameters all{Device::cpu, Dtype::bf16, 1, method, source};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scope)

BOOST_AUTO_TEST_CASE(neighbours_of_two_kinds_share_without_a_bit_changed) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    BOOST_TEST((gradients_of(true, dtype) == gradients_of(false, dtype)), name(dtype));
}

BOOST_AUTO_TEST_CASE(roles_of_added_parameters) {
  Parts parts;
  Scope layer = Scope(parts.all) / "layers" / 3;
  Parameter& trained = layer.added("a", {2, 4}, {});
  BOOST_TEST((trained.trained && trained.added && trained.decays && bool(trained.master)));
  BOOST_TEST(trained.name == "layers.3.a");
  BOOST_TEST(trained.stored_name == "base_model.model.layers.3.a");
  BOOST_TEST((trained.value.dtype() == Dtype::bf16));
  BOOST_TEST(trained.rate == 1.);

  Parameter& held = layer.added("h", {4}, {Init::constant, 0.5f}, {.trained = false, .rate = 2.});
  BOOST_TEST((!held.trained && held.added && !held.decays && !held.value.needs_grad()));
  BOOST_TEST((held.value.values() == std::vector<float>(4, 0.5f)));
  BOOST_TEST(held.rate == 2.);

  Parameter& column = layer.added("l", {4, 1}, {Init::ones}, {.vector = true});
  BOOST_TEST(!column.decays);
  BOOST_TEST((column.value.dtype() == Dtype::f32));
  BOOST_TEST(layer.added("m", {2, 4}, {}, {.decays = false, .stored = "m"}).stored_name == "m");

  const Role shared{.trained = false, .shared = true};
  Parameter& first = layer.added("vera_A", {2, 4}, {}, shared);
  BOOST_TEST(first.name == "vera_A");
  BOOST_TEST(first.stored_name == "base_model.vera_A");
  BOOST_TEST(&(Scope(parts.all) / "layers" / 4).added("vera_A", {2, 4}, {}, shared) == &first);
  check_error(
      [&] {
        layer.added("vera_A", {2, 5}, {}, shared);
      },
      {"vera_A", "(2, 5)", "(2, 4)", "layers.3"});
  check_error([&] { layer.added("a", {2, 4}, {}); }, {"two parameters", "layers.3.a"});
}

BOOST_AUTO_TEST_CASE(linear_layers_are_listed_in_order) {
  auto paths = [](const char* base) {
    std::vector<std::string> all;
    auto model = tiny_model(tiny_path(base));
    for (const Linear* linear : model->parameters->linears)
      if (linear->path.find(".0.") != std::string::npos) all.push_back(linear->path);
    return all;
  };
  const std::string llama = "model.layers.0.", gpt2 = "transformer.h.0.";
  BOOST_TEST((paths("llama") ==
              std::vector<std::string>{llama + "self_attn.q_proj", llama + "self_attn.k_proj",
                                       llama + "self_attn.v_proj", llama + "self_attn.o_proj",
                                       llama + "mlp.gate_proj", llama + "mlp.up_proj",
                                       llama + "mlp.down_proj"}));
  BOOST_TEST((paths("gpt2") == std::vector<std::string>{gpt2 + "attn.c_attn", gpt2 + "attn.c_proj",
                                                        gpt2 + "mlp.c_fc", gpt2 + "mlp.c_proj"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina

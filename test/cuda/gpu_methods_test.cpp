// The promises of every method of fine-tuning on a GPU, real or emulated, with the options that its
// card tries, and the same numbers as on the CPU (docs/numerics.md).
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/train/trainer.h"
#include "model/merge.h"
#include "model/observe.h"
#include "model/scope.h"
#include "test/cuda/gpus.h"
#include "test/model/methods/moved.h"
#include "test/scratch.h"

namespace afina {

std::vector<void (*)()>& case_makers();

namespace {

// "Equal within rounding", of f32: of losses and of the largest logit; of a parameter's largest
// gradient, in which sums over rows and layers come together; and of the model's largest gradient,
// whose rounding is all that is left in small ones.
constexpr double close = 1e-5, gradients_close = 1e-4, noise = 1e-5;

// As small as a model can be of which every method finds its part: emulated steps are slow. The MLP
// has biases and attention has none.
ModelConfig smallest() {
  return parse_config({{"model_type", "llama"},
                       {"architectures", {"LlamaForCausalLM"}},
                       {"hidden_act", "silu"},
                       {"hidden_size", 16},
                       {"num_hidden_layers", 1},
                       {"num_attention_heads", 2},
                       {"num_key_value_heads", 1},
                       {"intermediate_size", 16},
                       {"mlp_bias", true},
                       {"vocab_size", 72},
                       {"max_position_embeddings", 64},
                       {"rms_norm_eps", 1e-5},
                       {"rope_theta", 10000.},
                       {"tie_word_embeddings", true}},
                      "smallest");
}
// Numbers large enough for attention to tell tokens apart.
struct Weights : WeightSource {
  void read(Parameter& into) override {
    std::vector<float> values(size_t(into.shape.size()));
    const Random random(5, "weights", into.name);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = 0.2f * random.normal(i) + (into.init.kind == Init::ones ? 1.f : 0.f);
    into.assign(values.data());
  }
  bool has(const std::string&) const override { return true; }
};
// Two rows of four tokens, some of them without a target.
Inputs rows(Device device, bool training) {
  Inputs inputs = make_inputs(2, 4, {7, 1, 40, 3, 2, 40, 7, 5}, {1, 40, -1, 2, -1, 7, 5, 1},
                              std::vector<int32_t>(8, 0), {0, 0, 0, 0, 1, 1, 1, 1}, device);
  inputs.training = training;
  inputs.seed = 5;
  inputs.step = 3;
  return inputs;
}
constexpr int64_t target_count = 6;

std::unique_ptr<Model> built(Device device, const MethodSpec& spec, Dtype dtype = Dtype::f32) {
  Weights weights;
  auto model = build_model(smallest(), weights, make_method(spec), {dtype, device, 1});
  observe(*model, 1, target_count, [&](size_t) { return rows(device, false); });
  return model;
}
std::vector<float> logits(Model& model, Device device) {
  return model.logits(rows(device, false)).values();
}

// Loss, and every gradient of a model that has moved from its start.
void same_gradients(Model& found, Model& expected, Device device) {
  double losses[2];
  Gradients all[2];
  for (int i : {0, 1}) {
    Model& model = i ? expected : found;
    model.method->begin_step();
    Tape tape;
    const Loss loss = model.loss(rows(i ? Device::cpu : device, true), 1. / target_count);
    losses[i] = loss.total.item();
    tape.backward(loss.total);
    model.method->complete_gradients();
    all[i] = gradients_of(model);
  }
  BOOST_TEST(std::fabs(losses[0] - losses[1]) <= close * losses[1],
             "loss " << losses[0] << ", on the CPU " << losses[1]);
  BOOST_TEST(all[0].size() == all[1].size());
  double largest = 0.;
  for (const auto& [name, values] : all[1])
    for (float g : values) largest = std::max(largest, std::fabs(double(g)));
  for (const auto& [name, values] : all[1]) {
    const std::vector<float>& ours = all[0][name];
    BOOST_REQUIRE(ours.size() == values.size());
    double own = 0., off = 0.;
    for (size_t i = 0; i < values.size(); ++i) {
      own = std::max(own, std::fabs(double(values[i])));
      off = std::max(off, std::fabs(double(ours[i]) - double(values[i])));
    }
    BOOST_TEST(off <= gradients_close * own + noise * largest,
               "the gradient of " << name << " is off by " << off << " of " << own
                                  << "; the largest of all is " << largest);
  }
}

// Two steps from the start: what changes is what the method says, and the losses are the CPU's.
void trains(Model& found, Model& expected, Device device) {
  TrainOptions options;
  options.schedule.peak = 0.01;
  options.schedule.decay = Decay::constant;
  std::map<std::string, uint64_t> before;
  for (const Parameter& p : found.parameters->all) before[p.name] = checksum(p.value);
  Trainer here(found.parameters->trained(), options, found.method.get()),
      there(expected.parameters->trained(), options, expected.method.get());
  for (int step = 1; step <= 2; ++step) {
    auto by = [&](Trainer& trainer, Model& model, Device on) {
      return trainer.step(1, target_count,
                          [&](size_t, double scale) { return model.loss(rows(on, true), scale); });
    };
    const StepReport a = by(here, found, device), b = by(there, expected, Device::cpu);
    BOOST_TEST(std::fabs(a.loss - b.loss) <= close * b.loss,
               "loss " << a.loss << " of step " << step << ", on the CPU " << b.loss);
    BOOST_TEST(std::fabs(a.penalty - b.penalty) <= close * b.penalty, "penalty of step " << step);
  }
  for (const Parameter& p : found.parameters->all)
    BOOST_TEST((checksum(p.value) != before[p.name]) == p.trained, p.name);
}

// What is stored on the device gives the same logits when it is loaded there.
void comes_back(Model& model, Device device, const std::vector<float>& expected) {
  ScratchFolder folder;
  if (model.method->stored() == Stored::model) {
    save_model(folder / "model", model, Dtype::f32);
    auto again = tiny_model(folder / "model", "full", {.device = device});
    BOOST_TEST((logits(*again, device) == expected));
    return;
  }
  save_adapter(folder / "adapter", model, "smallest");
  const AdapterFiles files = load_adapter(folder / "adapter");
  Weights weights;
  auto again = build_model(smallest(), weights, make_method(files.method), {.device = device});
  files.apply(*again);
  const std::vector<float> found = logits(*again, device);
  if (stores_more(model)) BOOST_TEST(distance(found, expected) < close);
  else BOOST_TEST((found == expected));
}

void keeps_its_promises(const std::string& text, Device device) {
  const MethodSpec spec = parse_method(text);
  static std::map<Device, std::vector<float>> plain;
  if (plain[device].empty()) plain[device] = logits(*built(device, parse_method("full")), device);
  auto found = built(device, spec), expected = built(Device::cpu, spec);
  const std::vector<float> start = logits(*found, device);
  BOOST_TEST(distance(start, logits(*expected, Device::cpu)) < close);
  if (found->method->starts_as_pretrained()) BOOST_TEST((start == plain[device]));
  trains(*found, *expected, device);

  found = built(device, spec);
  expected = built(Device::cpu, spec);
  for (Model* model : {found.get(), expected.get()}) move_away(*model);
  const std::vector<float> moved = logits(*found, device);
  BOOST_TEST(distance(moved, logits(*expected, Device::cpu)) < close);
  same_gradients(*found, *expected, device);
  comes_back(*found, device, moved);
  if (!found->method->why_not_mergeable().empty()) return;
  merge_adapters(*found);
  BOOST_TEST(distance(logits(*found, device), moved) < close, "merging changes the logits");
}

void add_cases_of_methods() {
  using namespace boost::unit_test;
  test_suite* suite = BOOST_TEST_SUITE("gpu_methods");
  for (auto& [name, entry] : methods())
    for (const std::string& text : entry.card.tries) {
      // Three blocks and more in each of seven layers, one after the other: as long as all others
      // together. Its second try has larger blocks in fewer layers.
      if (text == "boft") continue;
      suite->add(make_test_case(
          [text] {
            for (Device device : gpus()) BOOST_TEST_CONTEXT(text << " on " << afina::name(device))
            keeps_its_promises(text, device);
          },
          text.substr(0, text.find(',')), __FILE__, __LINE__));
    }
  framework::master_test_suite().add(suite);
}
[[maybe_unused]] const bool registered = (case_makers().push_back(add_cases_of_methods), true);

}  // namespace

}  // namespace afina

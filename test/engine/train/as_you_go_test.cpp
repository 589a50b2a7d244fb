// Gradients applied as they come: the same bits, never all held, and what is refused.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "engine/ops/linear.h"
#include "engine/tape.h"
#include "test/engine/train/training_steps.h"

using namespace afina;
using namespace afina::reference_training;

BOOST_AUTO_TEST_SUITE(training)

BOOST_AUTO_TEST_CASE(gradients_applied_as_they_come_give_the_same_bits) {
  for (Dtype dtype : {Dtype::f32, Dtype::bf16})
    for (const char* method : {"full", "lora:rank=4,dropout=0.1"})
      for (const char* name : {"llama", "gpt2", "qwen2"}) {
        std::string expected = digest(name, method, dtype, {.clip = 0.});
        for (Checkpointing c : {Checkpointing::none, Checkpointing::mlp, Checkpointing::block}) {
          std::string found =
              digest(name, method, dtype, {.checkpointing = c, .clip = 0., .as_you_go = true});
          BOOST_TEST(found == expected, name << " " << method << " " << afina::name(dtype)
                                             << ", checkpointing " << int(c));
        }
      }
}

BOOST_AUTO_TEST_CASE(gradients_applied_as_they_come_are_never_all_held) {
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  double norm[2];
  int64_t held[2];
  for (int on : {0, 1}) {
    auto model = tiny_model("llama", "full");
    TrainOptions o;
    o.schedule = {1e-3, 5, 0, Decay::constant, 0.};
    o.clip = 0.;
    o.apply_as_you_go = on == 1;
    Trainer trainer(model->parameters->trained(), o, model->method.get());
    reset_memory_peak(Device::cpu);
    norm[on] = step(trainer, *model, rows, 0, rows.rows).gradient_norm;
    held[on] = memory_use(Device::cpu).peak[size_t(Purpose::gradients)];
    for (Parameter* p : model->parameters->trained())
      BOOST_TEST(!p->value.grad().touched(), p->name);
  }
  BOOST_TEST(norm[0] == norm[1]);
  BOOST_TEST(held[1] * 2 < held[0]);
}

BOOST_AUTO_TEST_CASE(guards_of_gradients_applied_as_they_come) {
  Rows rows(Safetensors(tiny + "llama/train_full.safetensors"));
  auto says = [](const std::string& words) {
    return
        [words](const Error& e) { return std::string(e.what()).find(words) != std::string::npos; };
  };
  TrainOptions o;
  o.schedule = {1e-3, 5, 0, Decay::constant, 0.};
  o.clip = 1.;
  o.apply_as_you_go = true;
  auto model = tiny_model("llama", "full");
  BOOST_CHECK_EXCEPTION(Trainer(model->parameters->trained(), o, model->method.get()), Error,
                        says("--clip 0"));
  o.clip = 0.;
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  BOOST_CHECK_EXCEPTION(step(trainer, *model, rows, 0, 1), Error, says("--accumulate 1"));
  // A weight that nothing uses.
  Parameter lost = make_parameter("lost.weight", {2, 2}, {}, true, Dtype::f32, Device::cpu);
  initialise(lost, 1);
  auto with_lost = model->parameters->trained();
  with_lost.push_back(&lost);
  Trainer of_lost(with_lost, o, model->method.get());
  BOOST_CHECK_EXCEPTION(step(of_lost, *model, rows, 0, rows.rows), Error, says("lost.weight"));
  // A loss that is not finite moves nothing; a gradient that is not is named.
  auto broken = tiny_model("llama", "full");
  Trainer of_broken(broken->parameters->trained(), o, broken->method.get());
  broken->parameters->find("model.norm.weight")->master.data<float>()[3] = std::nanf("");
  uint64_t before =
      checksum(broken->parameters->find("model.layers.0.self_attn.q_proj.weight")->master);
  BOOST_CHECK_EXCEPTION(step(of_broken, *broken, rows, 0, rows.rows), Error,
                        says("model.norm.weight"));
  BOOST_TEST(checksum(broken->parameters->find("model.layers.0.self_attn.q_proj.weight")->master) ==
             before);
}

// Two checkpointed blocks that share a weight hold its gradient only while they run again: it
// cannot be known when it is whole.
BOOST_AUTO_TEST_CASE(a_weight_of_two_checkpointed_blocks_cannot_move_as_gradients_come) {
  Parameter w = make_parameter("shared.weight", {4, 4}, {}, true, Dtype::f32, Device::cpu);
  initialise(w, 1);
  for (bool as_you_go : {false, true}) {
    TrainOptions o;
    o.schedule = {1e-3, 5, 0, Decay::constant, 0.};
    o.clip = 0.;
    o.apply_as_you_go = as_you_go;
    Trainer trainer({&w}, o, nullptr);
    auto forward = [&](size_t, double scale) {
      Tensor x = Tensor::from(std::vector<float>(8, 0.5f), {1, 2, 4});
      for (int i = 0; i < 2; ++i)
        x = checkpoint(x, [&](const Tensor& h) { return h + linear(h, w.value, Tensor()); });
      return cross_entropy(x, Tensor::from(std::vector<float>(20, 0.25f), {5, 4}),
                           Tensor::from(std::vector<int32_t>{1, 2}, {1, 2}), scale);
    };
    if (as_you_go)
      BOOST_CHECK_EXCEPTION(trainer.step(1, 2, forward), Error, [](const Error& e) {
        return std::string(e.what()).find("shared.weight") != std::string::npos;
      });
    else trainer.step(1, 2, forward);
  }
}

BOOST_AUTO_TEST_SUITE_END()

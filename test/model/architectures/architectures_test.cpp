// Every architecture against transformers: logits in f32, gradients in f64, five steps of training;
// and what must hold to the bit in each.
#include "engine/train/trainer.h"
#include "model/files/save.h"
#include "test/model/tiny_checks.h"

namespace afina {

namespace {

const char* const names[] = {"qwen3",
                             "qwen3_yarn",
                             "gemma",
                             "gemma2",
                             "gemma3",
                             "mistral_window",
                             "ministral",
                             "phi3",
                             "phi3_longrope",
                             "smollm3",
                             "olmo2",
                             "olmo3",
                             "granite",
                             "gpt_neox",
                             "gpt_neox_serial",
                             "stablelm",
                             "stablelm_parallel",
                             "stablelm_norms",
                             "starcoder2",
                             "ministral3",
                             "seed_oss",
                             "internlm3",
                             "qwen3_moe",
                             "mixtral"};

Reference reference_of(const std::string& name) {
  return Reference(tiny_path(name) + "/reference.safetensors");
}

// Loss and the exact gradients of all trained weights, as text, of two rows in `parts`
// micro-batches.
struct Gradients {
  std::vector<std::vector<float>> all;
  explicit Gradients(Model& model, int64_t parts = 1) {
    Reference reference = reference_of("qwen3");
    auto tokens = reference.integers("input_ids"), targets = reference.integers("targets");
    const double scale = scale_of(targets);
    const int64_t rows = 2 / parts, length = int64_t(tokens.size()) / 2;
    for (int64_t part = 0; part < parts; ++part) {
      auto cut = [&](const std::vector<int32_t>& of) {
        return std::vector<int32_t>(of.begin() + part * rows * length,
                                    of.begin() + (part + 1) * rows * length);
      };
      Tape tape;
      Inputs in = plain_inputs(rows, cut(tokens), cut(targets), part * rows);
      tape.backward(model.loss(in, scale).total);
    }
    for (Parameter* p : model.parameters->trained()) {
      p->add_uses();
      all.push_back(p->value.grad().value().values());
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(decoders)

BOOST_AUTO_TEST_CASE(logits_are_those_of_transformers) {
  for (const char* name : names) {
    Reference reference = reference_of(name);
    auto model = tiny_model(tiny_path(name));
    double far = distance(model->logits(plain_inputs(2, reference.integers("input_ids"))).values(),
                          reference.numbers("logits"));
    BOOST_TEST(far < 2e-6, name << ": " << far);
  }
}

BOOST_AUTO_TEST_CASE(gradients_in_f64_are_those_of_torch) {
  for (const char* name : names) {
    Reference reference = reference_of(name);
    auto model = tiny_model(tiny_path(name), "full", {.dtype = Dtype::f64});
    auto targets = reference.integers("targets");
    Tape tape;
    Loss loss =
        model->loss(plain_inputs(2, reference.integers("input_ids"), targets), scale_of(targets));
    BOOST_TEST(std::fabs(loss.total.item() / double(reference.numbers("loss")[0]) - 1.) < 1e-6,
               name << ": " << loss.total.item());
    tape.backward(loss.total);
    size_t seen = 0;
    for (const StoredTensor& t : reference.tensors()) {
      if (!t.name.starts_with("grad.")) continue;
      std::string parameter = t.name.substr(5);
      std::vector<float> found = gradient_of(*model, parameter);
      double far = distance(sampled(found), reference.numbers(t.name)),
             norm = double(reference.numbers("grad_norm." + parameter)[0]);
      // Rotary tables are f32 on both sides, rounded by different functions.
      BOOST_TEST(far < 3e-6, name << ": " << parameter << ": " << far);
      BOOST_TEST(std::fabs(norm_of(found) / norm - 1.) < 3e-6, name << ": " << parameter);
      ++seen;
    }
    BOOST_TEST(seen == model->parameters->all.size(), name);
  }
}

BOOST_AUTO_TEST_CASE(five_steps_of_training_give_the_losses_of_transformers) {
  for (const char* name : names) {
    Reference reference = reference_of(name);
    auto model = tiny_model(tiny_path(name));
    TrainOptions options;
    options.schedule = {1e-3, 5, 0, Decay::constant, 0.};
    options.optimizer.weight_decay = 0.01;
    options.clip = 0.;
    Trainer trainer(model->parameters->trained(), options, model->method.get());
    auto ids = reference.integers("train.input_ids");
    auto losses = reference.numbers("train.losses");
    const size_t each = ids.size() / losses.size();
    for (size_t step = 0; step < losses.size(); ++step) {
      std::vector<int32_t> tokens(ids.begin() + long(step * each),
                                  ids.begin() + long((step + 1) * each)),
          targets(tokens.begin() + 1, tokens.end());
      targets.push_back(-1);
      targets[each / 2 - 1] = -1;
      StepReport done = trainer.step(1, int64_t(each) - 2, [&](size_t, double scale) {
        return model->loss(plain_inputs(2, tokens, targets), scale);
      });
      BOOST_TEST(std::fabs(done.loss / double(losses[step]) - 1.) < 2e-5,
                 name << ", step " << step << ": " << done.loss << " for " << losses[step]);
    }
  }
}

BOOST_AUTO_TEST_CASE(packed_documents_do_not_see_each_other) {
  for (const char* name : names) check_packed(name, 3e-6);
}

BOOST_AUTO_TEST_CASE(cache_gives_the_same_bits) {
  for (const std::string name : names) {
    if (name == "phi3_longrope") continue;  // a longer text has other frequencies from its start
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) check_cache(name, dtype);
  }
}

BOOST_AUTO_TEST_CASE(bf16_is_near_f32) {
  for (const char* name : names) {
    Reference reference = reference_of(name);
    auto model = tiny_model(tiny_path(name), "full", {.dtype = Dtype::bf16});
    double far = distance(model->logits(plain_inputs(2, reference.integers("input_ids"))).values(),
                          reference.numbers("logits"));
    BOOST_TEST(far < 0.06, name << ": " << far);
  }
}

BOOST_AUTO_TEST_CASE(micro_batches_and_checkpointing_give_the_same_bits) {
  for (const char* name : names)
    for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
      auto plain = tiny_model(tiny_path(name), "full", {.dtype = dtype});
      Gradients whole(*plain);
      auto parts = tiny_model(tiny_path(name), "full", {.dtype = dtype});
      BOOST_TEST((whole.all == Gradients(*parts, 2).all), name << ": micro-batches");
      for (Checkpointing c : {Checkpointing::mlp, Checkpointing::block}) {
        // Its routers' loss looks at all layers at once.
        if (c == Checkpointing::block && std::string(name) == "qwen3_moe") continue;
        auto again = tiny_model(tiny_path(name), "full", {.dtype = dtype, .checkpointing = c});
        BOOST_TEST((whole.all == Gradients(*again).all), name << ": checkpointing " << int(c));
      }
    }
}

BOOST_AUTO_TEST_CASE(what_is_written_comes_back_to_the_bit) {
  for (const char* name : names) {
    ScratchFolder folder;
    auto model = tiny_model(tiny_path(name));
    save_model(folder.path(), *model, Dtype::f32);
    auto logits = [](Model& m) { return m.logits(make_inputs({3, 1, 4, 1, 5, 9, 2})).values(); };
    BOOST_TEST((logits(*tiny_model(folder.path())) == logits(*model)), name);
    Reference ours(folder.path()), theirs(tiny_path(name));
    BOOST_TEST(ours.tensors().size() == theirs.tensors().size(), name);
    for (const StoredTensor& t : theirs.tensors())
      BOOST_TEST((ours.numbers(t.name) == theirs.numbers(t.name)), name << ": " << t.name);
  }
}

// Each method finds its layers and points, begins as the pretrained model, and trains something.
BOOST_AUTO_TEST_CASE(methods_find_their_layers) {
  for (const char* name : names) {
    auto plain = tiny_model(tiny_path(name));
    auto before = plain->logits(make_inputs({3, 1, 4, 1, 5, 9, 2})).values();
    for (const char* method : {"lora:rank=2", "dora:rank=2", "ia3", "vera:rank=2", "bottleneck",
                               "bitfit", "adalora", "prefix", "prompt"}) {
      BOOST_TEST_CONTEXT(name << " " << method) {
        if (std::string(method) == "bitfit" && plain->parameters->all.size() > 0) {
          bool biases = false;
          for (const Parameter& p : plain->parameters->all)
            biases = biases || p.name.ends_with(".bias");
          if (!biases) continue;
        }
        auto model = tiny_model(tiny_path(name), method);
        BOOST_TEST(!model->parameters->trained().empty());
        if (!model->method->virtual_tokens())
          BOOST_TEST(distance(model->logits(make_inputs({3, 1, 4, 1, 5, 9, 2})).values(), before) <
                     1e-5);
        Gradients gradients(*model);
        bool any = false;
        for (auto& g : gradients.all) any = any || norm_of(g) > 0.;
        BOOST_TEST(any);
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace afina

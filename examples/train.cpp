// Training a tiny model: a Llama of 14 thousand parameters learns letter by letter to count, and
// goes on from "one ". The letters' codes are the tokens.
#include <cstdio>
#include <string>

#include "engine/train/trainer.h"
#include "model/generate.h"
#include "model/model.h"

using namespace afina;

int main() {
  // The model: what config.json would say, with random weights that follow from the seed.
  const Json config = parse_json(R"({"model_type": "llama", "vocab_size": 128, "hidden_size": 32,
    "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4,
    "num_key_value_heads": 4, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
    "tie_word_embeddings": true, "hidden_act": "silu"})",
                                 "config");
  RandomWeights weights(1);
  const std::unique_ptr<Model> model =
      build_model(parse_config(config, "config"), weights, make_method(parse_method("full")), {});

  // The data: one row of 48 letters; the target of each is the next one.
  const std::string text = "one two three four five six seven eight nine ten ";
  const int64_t length = 48;
  std::vector<int32_t> tokens(text.begin(), text.begin() + length),
      targets(text.begin() + 1, text.begin() + 1 + length), starts(size_t(length), 0);
  const Inputs row = make_inputs(1, length, tokens, targets, starts, {});

  TrainOptions options;
  options.schedule = {.peak = 0.01, .steps = 100, .warmup = 10};
  Trainer trainer(model->parameters->trained(), options, model->method.get());
  for (int64_t step = 0; step < 100; ++step) {
    const StepReport report =
        trainer.step(1, length, [&](size_t, double scale) { return model->loss(row, scale); });
    if (report.step == 1 || report.step % 25 == 0)
      std::printf("step %3d: loss %.4f, gradient norm %.4f\n", int(report.step), report.loss,
                  report.gradient_norm);
  }
  GenerateOptions how;
  how.most = 40;
  const Generated more = generate(*model, {'o', 'n', 'e', ' '}, how);
  std::printf("one %s\n", std::string(more.tokens.begin(), more.tokens.end()).c_str());
  std::printf("digest %.16s\n", digest_of(std::as_const(*model->parameters).trained()).c_str());
}

// Training on the reference batches of the tiny models: what tests of the trainer share.
#pragma once
#include <cstring>

#include "engine/bf16_sums.h"
#include "engine/files/safetensors.h"
#include "engine/threads.h"
#include "engine/train/checkpoint.h"
#include "engine/train/trainer.h"
#include "model/files/weights.h"

namespace afina::reference_training {

inline const std::string tiny = std::string(AFINA_SOURCE_DIR) + "/test/stored/tiny/";

inline std::unique_ptr<Model> tiny_model(const std::string& name, const std::string& method,
                                         Dtype dtype = Dtype::f32,
                                         Checkpointing checkpointing = Checkpointing::none) {
  ModelFiles open = open_model(tiny + name);
  return build_model(open.config, *open.source, make_method(parse_method(method)),
                     {dtype, Device::cpu, 1, checkpointing});
}
inline std::vector<float> floats(const StoredTensor& t) {
  std::vector<float> out(size_t(t.count()));
  std::memcpy(out.data(), t.data, t.bytes);
  return out;
}
// The rows of a batch of the reference: i32 (batches, rows, length); -100 becomes -1. Padded to
// what bf16 sums as one, as batches are.
struct Rows {
  int64_t batches, rows, length;
  std::vector<int32_t> tokens, targets;
  Rows(const Safetensors& file) {
    const StoredTensor &ids = file.at("input_ids"), &t = file.at("targets");
    batches = ids.shape[0];
    rows = ids.shape[1];
    length = ids.shape[2];
    tokens.resize(size_t(ids.count()));
    targets.resize(tokens.size());
    std::memcpy(tokens.data(), ids.data, ids.bytes);
    std::memcpy(targets.data(), t.data, t.bytes);
    for (int32_t& one : targets) one = one < 0 ? -1 : one;
    if (length % rows_summed_as_one())
      pad((length / rows_summed_as_one() + 1) * rows_summed_as_one());
  }
  void pad(int64_t to) {
    std::vector<int32_t> t(size_t(batches * rows * to), 0), wanted(t.size(), -1);
    for (size_t i = 0; i < tokens.size(); ++i) {
      size_t at = i / size_t(length) * size_t(to) + i % size_t(length);
      t[at] = tokens[i];
      wanted[at] = targets[i];
    }
    tokens = t;
    targets = wanted;
    length = to;
  }
  // Rows `from` .. `from + count` of a batch.
  Inputs inputs(int64_t batch, int64_t from, int64_t count) const {
    auto begin = (batch * rows + from) * length, end = begin + count * length;
    std::vector<int32_t> starts(size_t(count * length), 0);
    std::vector<int64_t> samples;
    for (int64_t i = 0; i < count * length; ++i)
      samples.push_back(batch * rows + from + i / length);
    Inputs in = make_inputs(count, length, {tokens.begin() + begin, tokens.begin() + end},
                            {targets.begin() + begin, targets.begin() + end}, starts, samples);
    in.training = true;
    in.seed = 3;
    in.step = batch;
    return in;
  }
  int64_t count(int64_t batch) const {
    int64_t n = 0;
    for (int64_t i = batch * rows * length; i < (batch + 1) * rows * length; ++i)
      n += targets[size_t(i)] >= 0;
    return n;
  }
};
// One step on a batch, in micro-batches of `rows_each` rows.
inline StepReport step(Trainer& trainer, Model& model, const Rows& rows, int64_t batch,
                       int64_t rows_each) {
  return trainer.step(
      size_t(rows.rows / rows_each), rows.count(batch), [&](size_t i, double scale) {
        return model.loss(rows.inputs(batch, int64_t(i) * rows_each, rows_each), scale);
      });
}
struct Setting {
  std::string isa{};
  int threads = 2;
  int64_t rows_each = 2;
  Checkpointing checkpointing = Checkpointing::none;
  double clip = 1.;
  bool as_you_go = false;
};
// Digest after five steps on the reference batches, which hold odd numbers of targets and prompts
// that are not trained on.
inline std::string digest(const std::string& name, const std::string& method, Dtype dtype,
                          const Setting& s) {
  int threads = thread_count();
  set_thread_count(s.threads);
  auto model = tiny_model(name, method, dtype, s.checkpointing);
  Rows rows(Safetensors(tiny + name + "/train_full.safetensors"));
  TrainOptions o;
  o.schedule = {3e-3, rows.batches, 1, Decay::cosine, 0.1};
  o.clip = s.clip;
  o.apply_as_you_go = s.as_you_go;
  Trainer trainer(model->parameters->trained(), o, model->method.get());
  for (int64_t b = 0; b < rows.batches; ++b) step(trainer, *model, rows, b, s.rows_each);
  set_thread_count(threads);
  return digest_of(std::as_const(*model->parameters).trained());
}

}  // namespace afina::reference_training

// What all architectures share: the registry, building a model, logits, and the KV cache.
#include "model/model.h"

#include <algorithm>

#include "engine/nearest.h"
#include "engine/primitives.h"
#include "model/words.h"

namespace afina {

std::map<std::string, Architecture>& architectures() {
  static std::map<std::string, Architecture> all;
  return all;
}

int64_t config_size(const Json& json, const std::string& key, const std::string& where,
                    int64_t most) {
  int64_t value = get<int64_t>(json, key, where);
  require(value >= 1 && value <= most, where, ": '", key, "' is ", value, " where 1 to ", most,
          " is expected");
  return value;
}

ModelConfig parse_config(const Json& json, const std::string& where) {
  ModelConfig config;
  config.json = json;
  config.architecture = get<std::string>(json, "model_type", where);
  std::vector<std::string> known;
  for (auto& [name, architecture] : architectures()) known.push_back(name);
  auto found = architectures().find(config.architecture);
  require(found != architectures().end(), where, ": model_type '", config.architecture,
          "' is not known", did_you_mean(config.architecture, known), "; known: ", joined(known));
  if (const Json* quantised = find_member(json, "quantization_config", where)) {
    const std::string how = get_or<std::string>(*quantised, "quant_method", where, "");
    require(how == "bitsandbytes", where,
            ": the weights are quantised (quantization_config, quant_method '", how,
            "'); use the original model in F32, F16 or BF16, one quantised by bitsandbytes, or a "
            "GGUF file");
    config.json.erase("quantization_config");  // what is saved of it is not
  }
  found->second.check(config, where);
  return config;
}

// Is anything held as was asked for?
static void require_blocks(const Parameters& parameters, const Method& method) {
  const BaseForm form = parameters.base.form;
  if (form == BaseForm::plain) return;
  bool frozen = false;
  for (const Linear* layer : parameters.linears) {
    if (layer->weight.value.blocks()) return;
    frozen = frozen || !layer->weight.trained;
  }
  require(frozen, "--base ", name(form), ": the method '", method.in_force.name,
          "' trains every matrix, and what is trained needs all its bits, so none is left to hold "
          "in ",
          name(form), "; use --base plain, or a method that adds to a frozen base, as lora");
  fail(
      "--base ", name(form),
      ": no matrix of the model's files takes fewer bits than --dtype; use --base plain, or name a "
      "form, as nf4");
}

std::unique_ptr<Model> build_model(const ModelConfig& config, WeightSource& source,
                                   std::unique_ptr<Method> method, const BuildOptions& options) {
  auto found = architectures().find(config.architecture);
  require(found != architectures().end(), "no model of architecture '", config.architecture,
          "' can be built");
  std::unique_ptr<Parameters> parameters(
      new Parameters{options.device, options.dtype, options.seed, *method, source, options.base});
  std::unique_ptr<Model> model;
  try {
    method->beside.begin(config);
    method->begin(config);
    model = found->second.build(config, *parameters);
    source.finish();
    require_blocks(*parameters, *method);
    method->built(Scope(*parameters));
  } catch (const Error& error) {
    // Whoever opens an adapter has chosen no options that could be others.
    const std::string &file = method->in_force.file, what = error.what();
    if (file.empty() || !what.starts_with("method '")) throw;
    fail(file, " does not fit this model: ", what, ". The adapter may be one of another model");
  }
  method->beside.check(Scope(*parameters));
  model->config = config;
  model->checkpointing = options.checkpointing;
  model->method = std::move(method);
  model->parameters = std::move(parameters);
  return model;
}

// logits = x Wᵀ, and what stands beside the head. x (rows, dim).
void Model::logits_into(Tensor& logits, const Tensor& x, const Inputs& inputs) const {
  kernel::matmul(logits, x, head().detached(), false, true, false, Tensor());
  if (const HeadPath path = ends().path(x.viewed({1, x.rows(), x.columns()}), inputs); path.low)
    kernel::matmul(logits, flat(path.low), path.high.detached(), false, true, true, Tensor());
  if (config.logit_cap > 0.) cap_logits(logits, config.logit_cap);
}

Tensor Model::logits(const Inputs& inputs, KvCache* cache) {
  Tensor x = hidden(inputs, cache);
  Tensor y({x.shape()[0], x.shape()[1], head().rows()}, statistic_dtype(x.dtype()), x.device());
  Tensor rows = y.viewed({y.rows(), y.columns()});
  logits_into(rows, x.viewed({x.rows(), x.columns()}), inputs);
  return y;
}

Tensor Model::last_logits(const Inputs& inputs, KvCache* cache) {
  Tensor x = hidden(inputs, cache);
  Tensor y({1, head().rows()}, statistic_dtype(x.dtype()), x.device());
  logits_into(y, x.viewed({x.rows(), x.columns()}).slice_rows(x.rows() - 1, 1), inputs);
  return y.viewed({y.size()});
}

KvCache Model::cache(int64_t capacity) const {
  KvCache cache;
  cache.capacity = std::min(capacity + method->virtual_tokens(), config.context);
  Shape shape{1, cache.capacity, config.kv_heads, config.head_dim};
  for (int64_t i = 0; i < config.layers; ++i)
    cache.layers.push_back({Tensor(shape, parameters->dtype, parameters->device),
                            Tensor(shape, parameters->dtype, parameters->device)});
  return cache;
}

KvCache::Layer KvCache::extended(size_t i, const Tensor& k, const Tensor& v) const {
  int64_t T = k.shape()[1], heads = k.shape()[2], dim = k.shape()[3];
  auto put = [&](const Tensor& store, const Tensor& part) {
    Tensor rows = store.viewed({capacity, heads * dim});
    rows.slice_rows(length, T).copy_from(part.viewed({T, heads * dim}));
    return rows.slice_rows(0, length + T).viewed({1, length + T, heads, dim});
  };
  return {put(layers[i].k, k), put(layers[i].v, v)};
}

int64_t Model::check_inputs(const Inputs& inputs, const KvCache* cache) const {
  const Shape& shape = inputs.tokens.shape();
  require(shape.rank() == 2 && inputs.tokens.size() > 0, "a model reads tokens (B, T), not ",
          shape.text());
  require(inputs.positions.shape() == shape && inputs.starts.shape() == shape,
          "positions and starts must be shaped as the tokens, ", shape.text());
  const int64_t before = virtual_tokens(cache);
  int64_t end = shape[1] + before;
  if (cache) {
    require(shape[0] == 1 && int64_t(cache->layers.size()) == config.layers,
            "a cache of keys and values is for one row and for the model that made it");
    end += cache->length;
    require(end <= cache->capacity, "the cache of keys and values holds ", cache->capacity,
            " tokens, and ", end, " are requested");
  }
  if (inputs.tokens.device() == Device::cpu) {
    const int32_t* position = inputs.positions.data<int32_t>();
    for (int64_t i = 0; i < inputs.tokens.size(); ++i) {
      int32_t id = inputs.tokens.data<int32_t>()[i];
      require(id >= 0 && id < config.vocabulary, "token ", id,
              " is outside the model's vocabulary of ", config.vocabulary,
              "; is this the model's own tokenizer?");
      require(position[i] >= 0, "a token cannot have position ", position[i]);
      end = std::max(end, before + int64_t(position[i]) + 1);
    }
  }
  require(end <= config.context, "a sequence of ", end,
          " tokens is longer than the model's context of ", config.context,
          "; choose a smaller length");
  return end;
}

Model::Places Model::places(int64_t rows, int64_t length, int64_t first) const {
  const Device device = parameters->device;
  auto made = places_.find({rows, length, first});
  if (made != places_.end()) return made->second;
  PurposeScope purpose(Purpose::weights);
  const size_t n = size_t(rows * length);
  std::vector<int32_t> positions(n);
  for (size_t i = 0; i < n; ++i) positions[i] = int32_t(first + int64_t(i) % length);
  Places all{Tensor::from(positions, {rows, length}, device),
             Tensor::from(std::vector<int32_t>(n, 0), {rows, length}, device)};
  return places_[{rows, length, first}] = all;
}

Inputs Model::placed(const Inputs& inputs, const KvCache* cache, bool rows) const {
  const int64_t before = virtual_tokens(cache);
  if (!before) return inputs;
  // Padding has starts of its own and no targets.
  std::vector<int32_t> starts = inputs.starts.integers(),
                       targets = inputs.targets ? inputs.targets.integers() : starts;
  for (size_t i = 0; i < starts.size(); ++i)
    require(starts[i] == 0 || targets[i] < 0, "the method '", method->in_force.name, "' puts ",
            before,
            " virtual tokens before every document, so a row can hold one document alone; use "
            "--pack off");
  Inputs all = inputs;
  const Shape& shape = inputs.tokens.shape();
  Places at = rows ? places(shape[0], before + shape[1], 0) : places(shape[0], shape[1], before);
  all.positions = at.positions;
  all.starts = at.starts;
  all.virtual_tokens = before;
  return all;
}

void Model::run_block(Stream& s, const KvCache* cache,
                      const std::function<void(Stream&)>& block) const {
  if (checkpointing != Checkpointing::block || cache) return block(s);
  Tensor y = checkpoint(s.whole(), [block](const Tensor& x) {
    Stream inner{x, {}};
    block(inner);
    return inner.whole();
  });
  s = {y, {}};
}

}  // namespace afina

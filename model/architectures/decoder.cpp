// Decoders: reading what their configs share, and the model around its blocks.
#include "model/architectures/decoder.h"

#include <deque>

#include "model/architectures/decoder_block.h"

namespace afina {

namespace {

Activation activation_of(ConfigReader& config, const DecoderDefaults& defaults) {
  static const std::map<std::string, Activation> known = {
      {"silu", Activation::silu},          {"swish", Activation::silu},
      {"gelu", Activation::gelu},          {"gelu_pytorch_tanh", Activation::gelu_tanh},
      {"gelu_new", Activation::gelu_tanh}, {"gelu_fast", Activation::gelu_tanh},
      {"relu", Activation::relu}};
  std::string name = config.text(defaults.activation_key, defaults.activation);
  auto found = known.find(name);
  require(found != known.end(), config.where(), ": ", defaults.activation_key, " '", name,
          "' is not supported; supported: silu, gelu, gelu_pytorch_tanh, relu");
  return found->second;
}

class Decoder : public Model {
 public:
  Decoder(const DecoderForm& form, const ModelConfig& c, Parameters& p)
      : form_(form),
        ends_(Scope(p, form.names.root) / form.names.tokens, Scope(p, form.names.head),
              c.vocabulary, c.dim, c.tied),
        embeddings_(Scope(p, form.names.root) / form.names.tokens, Place::embeddings, c.dim) {
    for (const RopeForm& rope : form_.ropes) tables_.emplace_back(rope, p.dtype, p.device);
    // transformers rounds Gemma's factor to the dtype of the weights.
    if (p.dtype == Dtype::bf16)
      form_.embedding_factor = double(to_float(to_bf16(float(form_.embedding_factor))));
    Scope scope(p, form.names.root);
    for (int64_t i = 0; i < c.layers; ++i)
      layers_.emplace_back(scope / form.names.layers / i, form_, c, i);
    norm_.emplace(scope / form.names.norm, c.dim, form.norm, c.norm_eps);
    ends_.build_head();
  }

  Tensor hidden(const Inputs& inputs, KvCache* cache) override {
    const int64_t end = check_inputs(inputs, cache);
    DecoderPass pass{placed(inputs, cache, bool(embeddings_.adapter)),
                     {},
                     cache,
                     checkpointing == Checkpointing::mlp,
                     choices_};
    const Inputs& in = pass.in;
    for (RopeTable& table : tables_) pass.ropes.push_back(table.turned(in, end));
    Tensor embedded = ends_.embedded(in);
    if (form_.embedding_factor != 1.) embedded = embedded * form_.embedding_factor;
    Stream s{embeddings_.before(embedded, in), {}};
    embedded = {};
    for (const DecoderBlock& block : layers_)
      run_block(s, cache, [&block, pass](Stream& h) { block(h, pass); });
    if (cache) cache->length += in.virtual_tokens + in.tokens.columns();
    Tensor y = embeddings_.without((*norm_)(s), in);
    return form_.logit_factor == 1. ? y : y * form_.logit_factor;
  }
  const TokenEnds& ends() const override { return ends_; }

  Loss loss(const Inputs& inputs, double scale) override {
    if (form_.experts.loss_factor == 0. || !Tape::recording()) return Model::loss(inputs, scale);
    require(
        checkpointing != Checkpointing::block,
        "the routers' loss (output_router_logits) looks at all layers at once, so blocks cannot "
        "be computed again one by one; use --checkpointing none or mlp");
    RouterChoices choices;
    choices_ = &choices;
    Loss loss = Model::loss(inputs, scale);
    choices_ = nullptr;
    loss.total = loss.total + router_loss(form_.experts, choices, inputs, scale);
    return loss;
  }

 private:
  DecoderForm form_;
  std::deque<RopeTable> tables_;
  TokenEnds ends_;
  Point embeddings_;
  std::deque<DecoderBlock> layers_;
  // Built after the layers so that parameters keep the order of the file.
  std::optional<DecoderNorm> norm_;
  RouterChoices* choices_ = nullptr;  // of the forward pass whose loss asks for them
};

}  // namespace

DecoderForm begin_decoder(ConfigReader& config, ModelConfig& c, const DecoderDefaults& defaults) {
  const std::string& where = config.where();
  c.vocabulary = config.size("vocab_size", 1 << 22);
  c.dim = config.size("hidden_size");
  c.layers = config.size("num_hidden_layers", 4096);
  c.heads = config.size("num_attention_heads", 4096);
  const bool said = config.has("num_key_value_heads");
  c.kv_heads = config.size_or("num_key_value_heads",
                              said || !defaults.kv_heads ? c.heads : defaults.kv_heads, 4096);
  c.head_dim = defaults.head_dim ? defaults.head_dim : c.dim / c.heads;
  if (defaults.own_head_dim) c.head_dim = config.size_or("head_dim", c.head_dim, 4096);
  c.ffn_dim = config.size("intermediate_size");
  require(config.find("max_position_embeddings"), where,
          ": 'max_position_embeddings' is missing; give the longest sequence that the model was "
          "trained for, which its model card names (transformers would take a number of its own)");
  c.context = config.size("max_position_embeddings", 1 << 30);
  c.norm_eps = config.number(defaults.eps_key, defaults.eps, 1e-30, 0.999);
  c.tied = config.flag("tie_word_embeddings", defaults.tied);
  require(c.heads % c.kv_heads == 0, where, ": ", c.heads, " query heads cannot share ", c.kv_heads,
          " key heads evenly");
  require(defaults.own_head_dim || c.dim % c.heads == 0, where, ": hidden_size ", c.dim,
          " is no multiple of num_attention_heads ", c.heads);
  config.only("is_encoder_decoder", false);
  config.only("add_cross_attention", false);
  config.dropout("attention_dropout");
  DecoderForm form;
  form.activation = activation_of(config, defaults);
  form.rope.assign(size_t(c.layers), -1);
  form.window.assign(size_t(c.layers), 0);
  return form;
}

void rope_everywhere(DecoderForm& form, const ModelConfig& c, const RopeForm& rope) {
  form.ropes = {rope};
  form.rope.assign(size_t(c.layers), 0);
}

std::vector<bool> sliding_layers(ConfigReader& config, const ModelConfig& c,
                                 const std::function<bool(int64_t)>& otherwise) {
  std::vector<bool> slides(size_t(c.layers), false);
  if (!config.find("layer_types")) {
    for (int64_t i = 0; i < c.layers; ++i) slides[size_t(i)] = otherwise(i);
    return slides;
  }
  std::vector<std::string> types = config.texts("layer_types");
  require(int64_t(types.size()) == c.layers, config.where(), ": layer_types has ", types.size(),
          " entries for ", c.layers, " layers");
  for (size_t i = 0; i < types.size(); ++i) {
    require(types[i] == "full_attention" || types[i] == "sliding_attention", config.where(),
            ": layer type '", types[i], "' is not known; known: full_attention, sliding_attention");
    slides[i] = types[i] == "sliding_attention";
  }
  return slides;
}

int64_t read_window(ConfigReader& config, int64_t otherwise) {
  return config.size_or("sliding_window", config.has("sliding_window") ? 0 : otherwise, 1 << 30);
}

void slide(const ConfigReader& config, DecoderForm& form, const ModelConfig& c,
           const std::vector<bool>& layers, int64_t window) {
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i]) continue;
    require(window > 0, config.where(), ": layer ", i,
            " slides, but the config gives no window; set sliding_window, or make the layer's type "
            "full_attention");
    form.window[i] = window < c.context ? window : 0;
  }
}

Architecture decoder_architecture(ReadDecoder read, const char* hf_class, GgufForm gguf) {
  auto check = [read](ModelConfig& c, const std::string& where) {
    ConfigReader config(c.json, where);
    DecoderForm form = read(config, c);
    config.finish();
    c.rope_theta = form.ropes.empty() ? 0. : form.ropes[0].theta;
    c.notes = config.notes();
  };
  auto build = [read](const ModelConfig& c, Parameters& p) -> std::unique_ptr<Model> {
    ModelConfig copy = c;
    ConfigReader config(copy.json, "config");
    return std::make_unique<Decoder>(read(config, copy), c, p);
  };
  return {check, build, hf_class, std::move(gguf)};
}

}  // namespace afina

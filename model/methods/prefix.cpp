// Prefix tuning (Li and Liang, 2021): keys and values of virtual tokens that stand before the text
// in every block's attention; they alone are trained. As PEFT has it, keys go in without rotary
// embedding, and the text's positions begin after them.
#include "model/model.h"
#include "model/peft.h"

namespace afina {

namespace {

struct PrefixAdapter : PointAdapter {
  const Parameter& rows;
  int64_t keys, values;  // first columns
  PrefixAdapter(const Parameter& rows, int64_t keys, int64_t values)
      : rows(rows), keys(keys), values(values) {}
  std::vector<Rows> virtual_rows() const override { return {{rows, keys}, {rows, values}}; }
};

class Prefix : public Method {
 public:
  explicit Prefix(MethodOptions& o) : tokens_(o.integer("tokens", 20, 1, 65536)) {}
  void begin(const ModelConfig& config) override {
    layers_ = config.layers;
    heads_ = config.kv_heads;
    width_ = config.kv_heads * config.head_dim;
    require(tokens_ < config.context, "method 'prefix': ", tokens_,
            " virtual tokens leave no room for a text in the model's context of ", config.context);
  }
  // One matrix for the whole model, keys and values of layer after layer side by side; as in PEFT
  // its values begin as normal numbers of deviation 1.
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (point.place != Place::keys_values) return nullptr;
    const Parameter& rows =
        scope.added("prompt_embeddings", {tokens_, 2 * layers_ * width_}, {Init::normal, 1.f},
                    {.shared = true, .stored = "prompt_embeddings"});
    const int64_t keys = 2 * point.layer * width_;
    return std::make_unique<PrefixAdapter>(rows, keys, keys + width_);
  }
  int64_t virtual_tokens() const override { return tokens_; }
  Stored stored() const override { return Stored::adapter; }
  bool starts_as_pretrained() const override { return false; }
  std::string why_not_mergeable() const override {
    return "virtual tokens stand in the sequence, not in a weight";
  }
  Json peft_config() const override {
    Json config = peft_common("PREFIX_TUNING");
    config["num_virtual_tokens"] = tokens_;
    config["num_layers"] = layers_;
    config["token_dim"] = width_;
    config["num_attention_heads"] = heads_;
    config["num_transformer_submodules"] = 1;
    config["encoder_hidden_size"] = width_;
    config["prefix_projection"] = false;
    return config;
  }

 private:
  int64_t tokens_, layers_ = 0, heads_ = 0, width_ = 0;
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  // Widths follow from the model. A projection is training's alone: what it made is stored.
  for (const char* key :
       {"num_layers", "token_dim", "num_attention_heads", "num_transformer_submodules",
        "encoder_hidden_size", "prefix_projection", "init_weights"})
    config.find(key);
  return {{"tokens", std::to_string(config.get<int64_t>("num_virtual_tokens"))}};
}

const MethodCard card{
    .name = "prefix",
    .paper = "Prefix-Tuning (Li and Liang, 2021)",
    .formula = "attention(q, [P_k; k], [P_v; v])",
    .trains = "P_k and P_v (tokens, key heads * head size) of each block",
    .options = "tokens=20: virtual tokens before every document; needs --pack off",
    .rate = 1e-2,
    .rate_because = "few numbers, none of them the model's own, begin at random",
    .peft_type = "PREFIX_TUNING",
    .tries = {"prefix", "prefix:tokens=3"},
    .not_promised = {{Promise::starts_as_pretrained, "the virtual tokens draw attention at once"}}};

}  // namespace

REGISTER_METHOD(card, make_new<Prefix>, from_peft);

}  // namespace afina

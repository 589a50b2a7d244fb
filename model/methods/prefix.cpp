// Prefix tuning (Li and Liang, 2021): keys and values of virtual tokens that stand before the text
// in every block's attention; they alone are trained. As PEFT has it, keys go in without rotary
// embedding, and the text's positions begin after them.
#include "model/methods/virtual_tokens.h"

namespace afina {

namespace {

struct PrefixAdapter : PointAdapter {
  const Parameter& rows;
  int64_t keys, values;  // first columns
  PrefixAdapter(const Parameter& rows, int64_t keys, int64_t values)
      : rows(rows), keys(keys), values(values) {}
  std::vector<Rows> virtual_rows() const override { return {{rows, keys}, {rows, values}}; }
};

class Prefix : public VirtualTokens {
 public:
  using VirtualTokens::VirtualTokens;
  void begin(const ModelConfig& config) override {
    VirtualTokens::begin(config);
    heads_ = config.kv_heads;
    width_ = config.kv_heads * config.head_dim;
  }
  // Keys and values of layer after layer lie side by side.
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (point.place != Place::keys_values) return nullptr;
    const int64_t keys = 2 * point.layer * width_;
    return std::make_unique<PrefixAdapter>(rows(scope, 2 * layers_ * width_), keys, keys + width_);
  }
  Json peft_config() const override {
    Json config = peft_keys("PREFIX_TUNING", width_, heads_);
    config["encoder_hidden_size"] = width_;
    config["prefix_projection"] = false;
    return config;
  }
  // A projection is training's alone: what it made is stored.
  static std::map<std::string, std::string> from_peft(PeftConfig& config) {
    return options_from_peft(config, {"encoder_hidden_size", "prefix_projection", "init_weights"});
  }

 private:
  int64_t heads_ = 0, width_ = 0;
};

const MethodCard card{
    .name = "prefix",
    .label = "prefix tuning",
    .paper = "Prefix-Tuning (Li and Liang, 2021)",
    .formula = "attention(q, [P_k; k], [P_v; v])",
    .trains = "P_k and P_v (tokens, key heads * head size) of each block",
    .options = "tokens=20: virtual tokens before every document",
    .rate = 1e-2,
    .rate_because = "few numbers, none of them the model's own, begin at random",
    .peft_type = "PREFIX_TUNING",
    .tries = {"prefix", "prefix:tokens=3"},
    .not_promised = {{Promise::starts_as_pretrained, "the virtual tokens draw attention at once"}},
    .needs = "rows that hold one document: --pack off"};

}  // namespace

REGISTER_METHOD(card, make_new<Prefix>, Prefix::from_peft);

}  // namespace afina

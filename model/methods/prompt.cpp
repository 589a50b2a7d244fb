// Prompt tuning (Lester et al., 2021): embeddings of virtual tokens before the text, which go
// through the whole model; they alone are trained.
#include "engine/random.h"
#include "model/model.h"
#include "model/peft.h"

namespace afina {

namespace {

struct PromptAdapter : PointAdapter {
  const Parameter& rows;
  explicit PromptAdapter(const Parameter& rows) : rows(rows) {}
  std::vector<Rows> virtual_rows() const override { return {{rows, 0}}; }
};

class Prompt : public Method {
 public:
  explicit Prompt(MethodOptions& o)
      : tokens_(o.integer("tokens", 20, 1, 65536)), start_(o.text("start", "vocabulary")) {
    require(start_ == "vocabulary" || start_ == "normal", "method 'prompt': start=", start_,
            " where vocabulary or normal is expected");
  }
  void begin(const ModelConfig& config) override {
    layers_ = config.layers;
    heads_ = config.heads;
    require(tokens_ < config.context, "method 'prompt': ", tokens_,
            " virtual tokens leave no room for a text in the model's context of ", config.context);
  }
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (point.place != Place::embeddings) return nullptr;
    width_ = point.width;
    Parameter& rows = scope.added("prompt_embeddings", {tokens_, width_}, {Init::normal, 1.f},
                                  {.shared = true, .stored = "prompt_embeddings"});
    if (start_ == "vocabulary") copy_tokens(rows, scope);
    return std::make_unique<PromptAdapter>(rows);
  }
  int64_t virtual_tokens() const override { return tokens_; }
  Stored stored() const override { return Stored::adapter; }
  bool starts_as_pretrained() const override { return false; }
  std::string why_not_mergeable() const override {
    return "virtual tokens stand in the sequence, not in a weight";
  }
  Json peft_config() const override {
    Json config = peft_common("PROMPT_TUNING");
    config["num_virtual_tokens"] = tokens_;
    config["num_layers"] = layers_;
    config["token_dim"] = width_;
    config["num_attention_heads"] = heads_;
    config["num_transformer_submodules"] = 1;
    config["prompt_tuning_init"] = "RANDOM";
    return config;
  }

 private:
  // Begins with the embeddings of tokens chosen at random: as large as real ones, which the paper
  // found to learn better than numbers of any size.
  void copy_tokens(Parameter& rows, const Scope& scope) const {
    const Parameter* table = scope.parameters().find(scope.path() + ".weight");
    require(table && table->shape[1] == width_, scope.path(), " has no table of embeddings");
    if (!holds_bytes(table->value.device())) return;
    Random random(scope.parameters().seed, "init", rows.name);
    const Tensor& from = table->master ? table->master : table->value;
    std::vector<float> values;
    for (int64_t i = 0; i < tokens_; ++i) {
      const int64_t token =
          std::min(table->shape[0] - 1,
                   int64_t(double(random.uniform(uint64_t(i))) * double(table->shape[0])));
      std::vector<float> row = from.slice_rows(token, 1).values();
      values.insert(values.end(), row.begin(), row.end());
    }
    rows.assign(values.data());
  }
  int64_t tokens_;
  std::string start_;
  int64_t layers_ = 0, heads_ = 0, width_ = 0;
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  // Widths follow from the model; how the rows began does not matter once they are stored.
  for (const char* key : {"num_layers", "token_dim", "num_attention_heads",
                          "num_transformer_submodules", "prompt_tuning_init",
                          "prompt_tuning_init_text", "tokenizer_name_or_path", "tokenizer_kwargs"})
    config.find(key);
  return {{"tokens", std::to_string(config.get<int64_t>("num_virtual_tokens"))}};
}

const MethodCard card{
    .name = "prompt",
    .paper = "The Power of Scale for Parameter-Efficient Prompt Tuning (Lester et al., 2021)",
    .formula = "model([P; embeddings of the text])",
    .trains = "P (tokens, width)",
    .options =
        "tokens=20,start=vocabulary: virtual tokens before every document, which begin as "
        "embeddings of tokens chosen at random (vocabulary) or as normal numbers; needs --pack off",
    .rate = 3e-2,
    .rate_because = "a few rows steer the whole model; the paper's rate is 0.3, of Adafactor",
    .peft_type = "PROMPT_TUNING",
    .tries = {"prompt", "prompt:tokens=3,start=normal"},
    .not_promised = {{Promise::starts_as_pretrained, "the virtual tokens are read at once"}}};

}  // namespace

REGISTER_METHOD(card, make_new<Prompt>, from_peft);

}  // namespace afina

// Prompt tuning (Lester et al., 2021): embeddings of virtual tokens before the text, which go
// through the whole model; they alone are trained.
#include "engine/random.h"
#include "model/methods/virtual_tokens.h"

namespace afina {

namespace {

struct PromptAdapter : PointAdapter {
  const Parameter& rows;
  explicit PromptAdapter(const Parameter& rows) : rows(rows) {}
  std::vector<Rows> virtual_rows() const override { return {{rows.value, 0}}; }
};

class Prompt : public VirtualTokens {
 public:
  explicit Prompt(MethodOptions& o) : VirtualTokens(o), start_(o.text("start", "vocabulary")) {
    require(start_ == "vocabulary" || start_ == "normal", "method 'prompt': start=", start_,
            " where vocabulary or normal is expected");
  }
  void begin(const ModelConfig& config) override {
    VirtualTokens::begin(config);
    heads_ = config.heads;
  }
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (point.place != Place::embeddings) return nullptr;
    width_ = point.width;
    Parameter& own = rows(scope, width_);
    if (start_ == "vocabulary") copy_tokens(own, scope);
    return std::make_unique<PromptAdapter>(own);
  }
  Json peft_config() const override {
    Json config = peft_keys("PROMPT_TUNING", width_, heads_);
    config["prompt_tuning_init"] = "RANDOM";
    return config;
  }
  // How the rows began does not matter once they are stored.
  static std::map<std::string, std::string> from_peft(PeftConfig& config) {
    return options_from_peft(config, {"prompt_tuning_init", "prompt_tuning_init_text",
                                      "tokenizer_name_or_path", "tokenizer_kwargs"});
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
      std::vector<float> row = rows_of(from, token, 1).values();
      values.insert(values.end(), row.begin(), row.end());
    }
    rows.assign(values.data());
  }
  std::string start_;
  int64_t heads_ = 0, width_ = 0;
};

const MethodCard card{
    .name = "prompt",
    .label = "prompt tuning",
    .paper = "The Power of Scale for Parameter-Efficient Prompt Tuning (Lester et al., 2021)",
    .formula = "model([P; embeddings of the text])",
    .trains = "P (tokens, width)",
    .options =
        "tokens=20,start=vocabulary: virtual tokens before every document, which begin as "
        "embeddings of tokens chosen at random (vocabulary) or as normal numbers",
    .rate = 3e-2,
    .rate_because = "a few rows steer the whole model; the paper's rate is 0.3, of Adafactor",
    .peft_type = "PROMPT_TUNING",
    .tries = {"prompt", "prompt:tokens=3,start=normal"},
    .not_promised = {{Promise::starts_as_pretrained, "the virtual tokens are read at once"}},
    .needs = "rows that hold one document: --pack off"};

}  // namespace

REGISTER_METHOD(card, make_new<Prompt>, Prompt::from_peft);

}  // namespace afina

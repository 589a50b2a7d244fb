// Prefix tuning (Li and Liang, 2021): keys and values of virtual tokens that stand before the text
// in every block's attention; they alone are trained. As PEFT has it, keys go in without rotary
// embedding, and the text's positions begin after them.
#include "model/methods/virtual_tokens.h"

namespace afina {

namespace {

struct PrefixAdapter : PointAdapter {
  std::function<Tensor()> rows;
  int64_t keys, values;  // first columns
  PrefixAdapter(std::function<Tensor()> rows, int64_t keys, int64_t values)
      : rows(std::move(rows)), keys(keys), values(values) {}
  std::vector<Rows> virtual_rows() const override {
    const Tensor all = rows();
    return {{all, keys}, {all, values}};
  }
};

class Prefix : public VirtualTokens {
 public:
  explicit Prefix(MethodOptions& o)
      : VirtualTokens(o),
        projection_(o.flag("projection", false)),
        hidden_(o.integer("hidden", 0, 0, 65536)) {
    const std::string trains = o.text("trains", projection_ ? "projection" : "rows");
    require(trains == "rows" || (trains == "projection" && projection_),
            option_label("prefix", o.file(), "trains"), "=", trains, " where rows",
            projection_ ? " or projection" : "", " is expected");
    encoded_ = trains == "projection";
  }
  void begin(const ModelConfig& config) override {
    VirtualTokens::begin(config);
    heads_ = config.kv_heads;
    width_ = config.kv_heads * config.head_dim;
  }
  // Keys and values of layer after layer lie side by side.
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (point.place != Place::keys_values) return nullptr;
    const int64_t keys = 2 * point.layer * width_, whole = 2 * layers_ * width_;
    const Parameter& own = rows(scope, whole);
    std::function<Tensor()> rows = [&own] { return own.value; };
    if (encoded_) {
      if (!made_)
        encode(scope,
               projection_encoder(scope, tokens_, width_, hidden_ ? hidden_ : width_, whole));
      rows = [this] { return (*made_)(); };
    }
    return std::make_unique<PrefixAdapter>(rows, keys, keys + width_);
  }
  Json peft_config() const override {
    Json config = peft_keys("PREFIX_TUNING", width_, heads_);
    config["encoder_hidden_size"] = hidden_ ? hidden_ : width_;
    config["prefix_projection"] = projection_;
    return config;
  }
  // A projection is training's alone: what it made is stored, and trained on, if anything is.
  static std::map<std::string, std::string> from_peft(PeftConfig& config) {
    auto options = options_from_peft(config, {"init_weights"});
    options["projection"] = config.flag_or("prefix_projection", false);
    options["hidden"] = std::to_string(config.get_or<int64_t>("encoder_hidden_size", 0));
    options["trains"] = "rows";
    return options;
  }

 private:
  bool projection_;
  int64_t hidden_, heads_ = 0, width_ = 0;
};

const MethodCard card{
    .name = "prefix",
    .label = "prefix tuning",
    .paper = "Prefix-Tuning (Li and Liang, 2021)",
    .formula = "attention(q, [P_k; k], [P_v; v])",
    .trains = "P_k and P_v (tokens, key heads * head size) of each block",
    .options =
        "tokens=20,projection=false,hidden=0,trains=rows: virtual tokens before every document; "
        "projection: a network with one hidden layer of this width (0: of the keys) makes their "
        "rows in training, and these are stored; trains: projection, or the rows themselves, as an "
        "adapter's file has them",
    .rate = 1e-2,
    .rate_because = "few numbers, none of them the model's own, begin at random",
    .peft_type = "PREFIX_TUNING",
    .tries = {"prefix", "prefix:tokens=3,projection=true,hidden=6"},
    .not_promised = {{Promise::starts_as_pretrained, "the virtual tokens draw attention at once"}},
    .needs = "rows that hold one document: --pack off"};

}  // namespace

REGISTER_METHOD(card, make_new<Prefix>, Prefix::from_peft);

}  // namespace afina

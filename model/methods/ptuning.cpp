// P-tuning (Liu et al., 2021): embeddings of virtual tokens before the text, which a small network
// makes while they are trained. The network's result alone is stored.
#include "model/methods/virtual_tokens.h"

namespace afina {

namespace {

struct PTuningAdapter : PointAdapter {
  std::function<Tensor()> rows;
  explicit PTuningAdapter(std::function<Tensor()> rows) : rows(std::move(rows)) {}
  std::vector<Rows> virtual_rows() const override { return {{rows(), 0}}; }
};

class PTuning : public VirtualTokens {
 public:
  explicit PTuning(MethodOptions& o)
      : VirtualTokens(o),
        encoder_(o.text("encoder", "mlp")),
        hidden_(o.integer("hidden", 0, 0, 65536)),
        lstm_layers_(o.integer("layers", 2, 1, 64)) {
    const std::string trains = o.text("trains", "encoder");
    require(encoder_ == "mlp" || encoder_ == "lstm", option_label("ptuning", o.file(), "encoder"),
            "=", encoder_, " where mlp or lstm is expected");
    require(trains == "encoder" || trains == "rows", option_label("ptuning", o.file(), "trains"),
            "=", trains, " where encoder or rows is expected");
    encoded_ = trains == "encoder";
  }
  void begin(const ModelConfig& config) override {
    VirtualTokens::begin(config);
    heads_ = config.heads;
  }
  std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope) override {
    if (point.place != Place::embeddings) return nullptr;
    width_ = point.width;
    const Parameter& own = rows(scope, width_);
    if (!encoded_) return std::make_unique<PTuningAdapter>([&own] { return own.value; });
    const int64_t hidden = hidden_ ? hidden_ : width_;
    encode(scope, encoder_ == "mlp"
                      ? mlp_encoder(scope, tokens_, width_, hidden, width_)
                      : lstm_encoder(scope, tokens_, width_, hidden, lstm_layers_, width_));
    return std::make_unique<PTuningAdapter>([this] { return (*made_)(); });
  }
  Json peft_config() const override {
    Json config = peft_keys("P_TUNING", width_, heads_);
    config["encoder_reparameterization_type"] = encoder_ == "mlp" ? "MLP" : "LSTM";
    config["encoder_hidden_size"] = hidden_ ? hidden_ : width_;
    config["encoder_num_layers"] = lstm_layers_;
    config["encoder_dropout"] = 0.;
    return config;
  }
  // The file holds what the encoder made: that is trained on, if anything is.
  static std::map<std::string, std::string> from_peft(PeftConfig& config) {
    auto options = options_from_peft(config, {"encoder_dropout"});
    const std::string type = config.get_or<std::string>("encoder_reparameterization_type", "MLP");
    require(type == "MLP" || type == "LSTM", config.where(),
            ": encoder_reparameterization_type is '", type, "' where MLP or LSTM is expected");
    options["encoder"] = type == "MLP" ? "mlp" : "lstm";
    options["hidden"] = std::to_string(config.get_or<int64_t>("encoder_hidden_size", 0));
    options["layers"] = std::to_string(config.get_or<int64_t>("encoder_num_layers", 2));
    options["trains"] = "rows";
    return options;
  }

 private:
  std::string encoder_;
  int64_t hidden_, lstm_layers_, heads_ = 0, width_ = 0;
};

const MethodCard card{
    .name = "ptuning",
    .label = "P-tuning",
    .paper = "GPT Understands, Too (Liu et al., 2021)",
    .formula = "model([f(E); embeddings of the text]), f: an MLP or an LSTM",
    .trains = "E (tokens, width) and f; stored is f(E) (tokens, width)",
    .options =
        "tokens=20,encoder=mlp,hidden=0,layers=2,trains=encoder: virtual tokens before every "
        "document; encoder: mlp (three layers) or lstm (two directions, `layers` layers); hidden: "
        "its width (0: the model's); trains: the encoder, or the rows themselves, as an adapter's "
        "file has them",
    .rate = 1e-3,
    .rate_because = "the network moves all rows together; the paper searches 1e-5 to 1e-3",
    .peft_type = "P_TUNING",
    .tries = {"ptuning:tokens=3,hidden=5", "ptuning:encoder=lstm,tokens=3,hidden=4",
              "ptuning:trains=rows,tokens=2"},
    .not_promised = {{Promise::starts_as_pretrained, "the virtual tokens are read at once"}},
    .needs = "rows that hold one document: --pack off"};

}  // namespace

REGISTER_METHOD(card, make_new<PTuning>, PTuning::from_peft);

}  // namespace afina

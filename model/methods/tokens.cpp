// Trainable tokens: rows of the embedding are replaced by trained ones, and all else is frozen. The
// head follows where it is the same table; a head of its own has trained rows too.
#include "model/peft.h"
#include "model/scope.h"

namespace afina {

namespace {

// What it trains is what every method can have beside its adapter (model/beside.h); this one has no
// adapter.
struct Tokens : Method {
  bool given;
  explicit Tokens(MethodOptions& o)
      : given(o.given("tokens") || o.given("trainable_token_indices")) {}
  void begin(const ModelConfig&) override {
    require(given,
            "method 'tokens': tokens= is missing: the numbers of the tokens to train, joined "
            "by '+', as in tokens:tokens=2000+2001");
  }
  Stored stored() const override { return Stored::adapter; }
  Json peft_config() const override {
    Json config = peft_common("TRAINABLE_TOKENS");
    config.erase("modules_to_save");
    config["init_weights"] = true;
    return config;
  }
};

std::map<std::string, std::string> from_peft(PeftConfig& config) {
  config.get_or<bool>("init_weights", true);
  return {};
}

const MethodCard card{
    .name = "tokens",
    .label = "trainable tokens",
    .paper = "PEFT's TRAINABLE_TOKENS (no paper)",
    .formula = "x = R[token] for the tokens named, E[token] for all others; logits likewise",
    .trains = "R (tokens, width), the rows of the tokens named",
    .options =
        "tokens=2000+2001: the numbers of the tokens; tokens_at=both: or embedding or head alone, "
        "where these are two tables",
    .rate = 1e-3,
    .rate_because = "as for embeddings: a row learns only when its token occurs",
    .peft_type = "TRAINABLE_TOKENS",
    .tries = {"tokens:tokens=5+64+9"}};

}  // namespace

REGISTER_METHOD(card, make_new<Tokens>, from_peft);

}  // namespace afina

// What methods share that put virtual tokens before the text: how many, how they are stored, and
// what does not apply to them.
#pragma once
#include "engine/ops/arrange.h"
#include "model/methods/prompt_encoder.h"
#include "model/model.h"
#include "model/peft.h"

namespace afina {

class VirtualTokens : public Method {
 public:
  // Takes the option `tokens`.
  explicit VirtualTokens(MethodOptions& o) : tokens_(o.integer("tokens", 20, 1, 65536)) {}
  // An Error when the virtual tokens leave no room for a text.
  void begin(const ModelConfig& config) override {
    layers_ = config.layers;
    require(tokens_ < config.context, "method '", in_force.name, "': ", tokens_,
            " virtual tokens leave no room for a text in the model's context of ", config.context);
  }
  int64_t virtual_tokens() const override { return tokens_; }
  Stored stored() const override { return Stored::adapter; }
  bool starts_as_pretrained() const override { return false; }
  std::string why_not_mergeable() const override {
    return "virtual tokens stand in the sequence, not in a weight";
  }

 protected:
  // The trained rows (tokens, width), one matrix for the whole model; as in PEFT they begin as
  // normal numbers of deviation 1.
  Parameter& rows(const Scope& scope, int64_t width) const {
    return scope.added("prompt_embeddings", {tokens_, width}, {Init::normal, 1.f},
                       {.trained = !encoded_, .shared = true, .stored = "prompt_embeddings"});
  }
  // Rows that an encoder makes: rows() above is then what an adapter's file holds, made anew when
  // it is written.
  void encode(const Scope& scope, std::unique_ptr<PromptEncoder> encoder) {
    encoder_ = std::move(encoder);
    made_ = &derived(
        [this] { return encoder_->rows(); },
        [dtype = scope.parameters().dtype](const Tensor& of) { return in_dtype(of, dtype); });
  }
  Tensor value_in_adapter(const Parameter& parameter) const override {
    return made_ && parameter.name == "prompt_embeddings" ? encoder_->rows() : parameter.exact();
  }
  // The keys that PEFT writes for both kinds. width: token_dim.
  Json peft_keys(const char* type, int64_t width, int64_t heads) const {
    Json config = peft_common(type);
    config["num_virtual_tokens"] = tokens_;
    config["num_layers"] = layers_;
    config["token_dim"] = width;
    config["num_attention_heads"] = heads;
    config["num_transformer_submodules"] = 1;
    return config;
  }
  // The option of an adapter_config.json. Widths follow from the model, so those keys, and
  // `others`, are read past.
  static std::map<std::string, std::string> options_from_peft(
      PeftConfig& config, std::initializer_list<const char*> others) {
    for (const char* key :
         {"num_layers", "token_dim", "num_attention_heads", "num_transformer_submodules"})
      config.find(key);
    for (const char* key : others) config.find(key);
    return {{"tokens", std::to_string(config.get<int64_t>("num_virtual_tokens"))}};
  }

  int64_t tokens_, layers_ = 0;
  bool encoded_ = false;           // is there an encoder, which is trained instead of the rows?
  const Derived* made_ = nullptr;  // its rows

 private:
  std::unique_ptr<PromptEncoder> encoder_;
};

}  // namespace afina

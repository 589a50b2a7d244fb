// What methods with LoRA's matrices have in common: options, parameters, dropout, PEFT's words.
#pragma once
#include "model/methods/low_rank_starts.h"
#include "model/peft.h"
#include "model/targets.h"
#include "model/token_ends.h"

namespace afina {

// The help text of the options that LowRankMethod reads.
extern const char* const low_rank_options;

// A method that puts matrices A (rank, in) and B (out, rank), scaled by alpha / rank or, with
// rslora, by alpha / sqrt(rank), beside each target layer.
class LowRankMethod : public Method {
 public:
  explicit LowRankMethod(MethodOptions& options);
  void passes_over(const Linear& layer) override { targets_.pass_over(layer); }
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override;
  std::unique_ptr<TableAdapter> adapt_table(const TokenWeights& table, const Scope& scope) override;
  void built(const Scope&) override { targets_.check(); }
  std::string why_not_mergeable() const override;
  Stored stored() const override { return Stored::adapter; }
  // As LoRA's; a method of another kind changes it.
  Json peft_config() const override;
  bool starts_as_pretrained() const override;
  bool decomposes() const override { return afina::decomposes(start()); }
  int64_t observes() const override { return starts_.observes(); }
  bool observes_gradients() const override { return starts_.observes_gradients(); }
  void begin_observing() override { starts_.begin_observing(); }
  void end_observing() override { starts_.end_observing(); }
  StoredBehind stored_behind(const Parameter& p) const override { return starts_.stored_behind(p); }
  bool takes_part() const override { return corrects_ || Method::takes_part(); }
  void complete_gradients() override;

 protected:
  // part: the layer's matrices, made already. dropout: the share of x's elements that are dropped
  // in training.
  virtual std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope,
                                        const LowRank& part, double dropout) = 0;
  // An Error for options that this method cannot have with its own: `why` ends the message.
  void refuse(bool given, const std::string& option, const std::string& why) const;
  // The bias of B, scale b and the layer's own bias in one; null without the option lora_bias.
  Derived* bias_of(const Linear& layer, const Scope& scope, const LowRank& part);
  Start start() const { return starts_.kind(); }
  bool has_bias() const { return bias_; }
  bool corrects() const { return corrects_; }

  // Does the method have a form for the embedding and the head? LoRA's is then put there.
  virtual bool adapts_ends() const { return false; }

 private:
  // A held, B trained: what the gradient of B is multiplied by (LoRA-FA).
  struct Corrected {
    const Parameter &a, &b;
    double scale;
    Tensor by;  // (rank, rank); made in the first step
  };
  double scale_of(int64_t rank, double alpha) const;
  std::string name_, file_;
  int64_t rank_;
  double alpha_, dropout_;
  bool rslora_;
  double plus_;  // LoRA+ (Hayou et al., 2024): how many times A's learning rate B has
  bool bias_;
  LowRankStarts starts_;
  bool corrects_, holds_a_ = false, holds_b_ = false;
  std::string no_bias_;  // an adapted layer without a bias, where B has one
  std::vector<Corrected> corrected_;
  Targets targets_;
  bool on_shared_table_ = false;
};

// x after dropout in training, keyed by sample, position and the layer's path; else x itself.
Tensor dropped(const Tensor& x, double rate, const std::string& path, const Inputs& inputs);
inline Tensor dropped(const Tensor& x, double rate, const Linear& layer, const Inputs& inputs) {
  return dropped(x, rate, layer.path, inputs);
}

// The options that LoRA's adapter_config.json means.
std::map<std::string, std::string> low_rank_from_peft(PeftConfig& config);

}  // namespace afina

// What methods with LoRA's matrices have in common: options, parameters, dropout, PEFT's words.
#pragma once
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
  std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) override;
  std::unique_ptr<TableAdapter> adapt_table(const TokenTable& table, const Scope& scope) override;
  void built(const Scope&) override { targets_.check(); }
  std::string why_not_mergeable() const override;
  Stored stored() const override { return Stored::adapter; }
  // As LoRA's; a method of another kind changes it.
  Json peft_config() const override;

 protected:
  // part: the layer's matrices, made already. dropout: the share of x's elements that are dropped
  // in training.
  virtual std::unique_ptr<Adapter> make(const Linear& layer, const Scope& scope,
                                        const LowRank& part, double dropout) const = 0;

  // Does the method have a form for the embedding and the head? LoRA's is then put there.
  virtual bool adapts_ends() const { return false; }

 private:
  double scale_of(int64_t rank, double alpha) const;
  int64_t rank_;
  double alpha_, dropout_;
  bool rslora_;
  double plus_;  // LoRA+ (Hayou et al., 2024): how many times A's learning rate B has
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

// The two ends of a language model: the embedding that tokens are looked up in, and the head that
// gives the logits; one table or two. Here methods stand beside them.
#pragma once
#include <functional>
#include <memory>

#include "engine/ops/cross_entropy.h"
#include "model/scope.h"

namespace afina {

struct LowRank;

// One of the two as a method sees it.
struct TokenWeights {
  std::string path;  // "model.embed_tokens", "lm_head"
  bool head;
  bool shared;              // by embedding and head: what is beside the one leaves the other alone
  const Parameter& weight;  // (vocabulary, width); loaded already
  int64_t vocabulary() const { return weight.shape[0]; }
  int64_t width() const { return weight.shape[1]; }
};

// What stands beside a table; made by the method, owned by the ends. Of the two forwards only that
// of its end is called.
struct TableAdapter {
  virtual ~TableAdapter() = default;
  // What is added to the embeddings of tokens (B, T): (B, T, width), in the table's dtype.
  virtual Tensor looked_up(const Tensor& tokens) const {
    (void)tokens;
    return {};
  }
  // What is added to the logits of x (B, T, width).
  virtual HeadPath path(const Tensor& x, const Inputs& inputs) const {
    (void)x;
    (void)inputs;
    return {};
  }
  // Not null: what is added is scale A[token] Bᵀ, with A (vocabulary, rank) and B (width, rank), or
  // scale (x Aᵀ) Bᵀ, with A (rank, width) and B (vocabulary, rank), and nothing else.
  virtual const LowRank* factors() const { return nullptr; }
  // Changes the table (vocabulary, width), f32, so that it does the same alone.
  virtual void merge(Tensor& weight) const = 0;
  // Its low-rank path, where that is all it is: a (rank, width) and b (vocabulary, rank) of a head,
  // a (vocabulary, rank) and b (width, rank) of an embedding; nullptr: it is something else.
  virtual const LowRank* low_rank() const { return nullptr; }
};

class TokenEnds {
 public:
  // Builds the embedding at `tokens`. head: where the head will be; tied: does the config say that
  // it is the embedding?
  TokenEnds(const Scope& tokens, const Scope& head, int64_t vocabulary, int64_t width, bool tied);
  TokenEnds(const TokenEnds&) = delete;
  // Builds the head; after the blocks, so that parameters keep the order of files.
  void build_head();

  // The embeddings of the tokens (B, T): (B, T, width).
  Tensor embedded(const Inputs& inputs) const;
  // The head's weight (vocabulary, width), without what stands beside it.
  const Tensor& head() const { return head_->value; }
  HeadPath path(const Tensor& x, const Inputs& inputs) const {
    return head_adapter_ ? head_adapter_->path(x, inputs) : HeadPath();
  }
  const Parameter& table() const { return *table_; }
  const Parameter& head_table() const { return *head_; }
  // Is the head the embedding? Not where the config says so and one of them is trained as a whole.
  bool tied() const { return head_ == table_; }

  // What stands beside the embedding or the head; nullptr: nothing.
  const TableAdapter* beside(bool head) const {
    return head ? head_adapter_.get() : table_adapter_.get();
  }
  // Does anything stand beside them?
  bool adapted() const { return table_adapter_ || head_adapter_; }
  // Is every row of the head trained, or changed by an adapter of its method?
  bool trains_head() const { return head_->trained || whole_adapter_; }
  // The weight in f32 with what stands beside it merged into it; empty: it is no end's, or there is
  // nothing beside it.
  Tensor merged(const Parameter& weight) const;
  // What stands beside them; null for nothing.
  struct Adapters {
    std::unique_ptr<TableAdapter> table, head;
  };
  const TableAdapter* table_adapter() const { return table_adapter_.get(); }
  const TableAdapter* head_adapter() const { return head_adapter_.get(); }
  // Merges what stands beside the ends into their weights, and removes it. before: called with each
  // weight that is about to change.
  Adapters merge(const std::function<void(Parameter&)>& before = {});
  // Puts back what merge() removed; the weights are the caller's to restore.
  void put_back(Adapters adapters);

 private:
  // What the model's Beside (rows of tokens) or its method puts there; null for nothing.
  std::unique_ptr<TableAdapter> adapter_of(const Scope& at, const Parameter& weight, bool head);
  Scope at_tokens_, at_head_;
  bool tied_, copied_ = false;  // copied: the head is a copy of the embedding that the config ties
  bool whole_adapter_ = false;  // the head's changes every row
  Parameter* rows_ = nullptr;   // the trained rows of both, where they are one table
  Parameter *table_ = nullptr, *head_ = nullptr;
  Tensor looked_up_;  // the table's second use, where a table of both is trained; or empty
  std::unique_ptr<TableAdapter> table_adapter_, head_adapter_;
};

}  // namespace afina

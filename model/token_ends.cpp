// Embedding and head: built, applied, merged; trained rows of tokens.
#include "model/token_ends.h"

#include "engine/ops/arrange.h"
#include "engine/ops/embedding.h"
#include "engine/ops/linear.h"
#include "engine/watch.h"

namespace afina {

namespace {

// Rows of chosen tokens are replaced: the table is W + U (R - rows of W), where U (vocabulary, n)
// has a one for each token in its own column. So a step forms no second table, and starts with the
// pretrained bits.
struct TokenRows : TableAdapter {
  const TokenWeights table;
  Parameter& rows;  // R (n, width), f32 (f64)
  Tensor ids, chosen;
  Derived* change = nullptr;  // R - rows of W; transposed for the embedding

  TokenRows(const TokenWeights& table, Method& method, Parameter& rows) : table(table), rows(rows) {
    const std::vector<int32_t>& tokens = method.beside.tokens();
    const Tensor& weight = table.weight.value;
    const int64_t n = int64_t(tokens.size());
    PurposeScope purpose(Purpose::weights);
    ids = Tensor::from(tokens, {1, n}, weight.device());
    std::vector<float> ones(size_t(table.vocabulary() * n), 0.f);
    for (int64_t i = 0; i < n; ++i) ones[size_t(tokens[size_t(i)] * n + i)] = 1.f;
    chosen = Tensor::from(ones, {table.vocabulary(), n}, weight.computed(), weight.device());
    change = &method.derived(
        [this] { return this->table.head ? moved() : transposed(moved()); },
        [dtype = weight.computed()](const Tensor& d) { return in_dtype(d, dtype); });
  }
  Tensor pretrained() const {
    const Tensor all = embedding(table.weight.value.detached(), ids);
    return all.as(rows.value.dtype()).viewed(rows.shape);
  }
  Tensor moved() const { return rows.value - pretrained(); }

  Tensor looked_up(const Tensor& tokens) const override {
    return linear(embedding(chosen, tokens), (*change)(), {});
  }
  HeadPath path(const Tensor& x, const Inputs&) const override {
    return {linear(x, (*change)(), {}), chosen};
  }
  void merge(Tensor& weight) const override {
    const std::vector<int32_t> tokens = ids.integers();
    for (size_t i = 0; i < tokens.size(); ++i)
      weight.slice_rows(tokens[i], 1).copy_from(rows.exact().slice_rows(int64_t(i), 1));
  }
};

}  // namespace

TokenEnds::TokenEnds(const Scope& tokens, const Scope& head, int64_t vocabulary, int64_t width,
                     bool tied)
    : at_tokens_(tokens), at_head_(head), tied_(tied) {
  const Beside& beside = tokens.method().beside;
  copied_ = tied && !beside.tie() && (beside.whole(tokens.path()) || beside.whole(head.path()));
  if (copied_) tied_ = false;
  table_ = &tokens.end("weight", {vocabulary, width});
  if (tied_ && table_->trained) looked_up_ = table_->use_by_rows();
  table_adapter_ = adapter_of(at_tokens_, *table_, false);
}

void TokenEnds::build_head() {
  const Shape shape = table_->shape;
  if (tied_) head_ = table_;
  else head_ = copied_ ? &at_head_.copied("weight", *table_) : &at_head_.end("weight", shape);
  Beside& beside = at_head_.method().beside;
  if (tied_ && beside.whole(at_tokens_.path()))
    beside.also(table_->name, at_head_.path() + ".weight");
  head_adapter_ = adapter_of(at_head_, *head_, true);
}

std::unique_ptr<TableAdapter> TokenEnds::adapter_of(const Scope& at, const Parameter& weight,
                                                    bool head) {
  Method& method = at.method();
  Beside& beside = method.beside;
  const TokenWeights table{at.path(), head, tied_, weight};
  // Where the two are one table, rows that are trained are rows of both.
  const bool rows = !beside.tokens().empty() && (tied_ || beside.tokens_at() == TokensAt::both ||
                                                 (beside.tokens_at() == TokensAt::head) == head);
  require(!rows || !weight.trained, "method '", method.in_force.name, "': tokens: ", weight.name,
          " is trained as a whole already, with the rows of these tokens");
  if (beside.whole(at.path())) return nullptr;
  std::unique_ptr<TableAdapter> adapter = method.adapt_table(table, at);
  require(!rows || !adapter, "method '", method.in_force.name, "': an adapter on ", at.path(),
          " and rows of it that are trained (tokens): choose one of the two");
  whole_adapter_ = whole_adapter_ || (head && adapter);
  if (!rows) return adapter;
  if (!tied_) return std::make_unique<TokenRows>(table, method, beside.rows(at, weight));
  if (!head) rows_ = &beside.rows(at, weight, at_head_.path());
  return std::make_unique<TokenRows>(table, method, *rows_);
}

Tensor TokenEnds::embedded(const Inputs& inputs) const {
  const Here here(table_->name);
  Tensor y = embedding(looked_up_ ? looked_up_ : table_->value, inputs.tokens);
  return table_adapter_ ? y + table_adapter_->looked_up(inputs.tokens) : y;
}

Tensor TokenEnds::merged(const Parameter& weight) const {
  Tensor out;
  auto take = [&](const Parameter* of, const std::unique_ptr<TableAdapter>& adapter) {
    if (of != &weight || !adapter) return;
    if (!out) out = weight.exact().copy();
    adapter->merge(out);
  };
  take(table_, table_adapter_);
  take(head_, head_adapter_);
  return out;
}

TokenEnds::Adapters TokenEnds::merge(const std::function<void(Parameter&)>& before) {
  for (Parameter* weight : {table_, tied() ? nullptr : head_}) {
    const Tensor values = weight ? merged(*weight) : Tensor();
    if (!values) continue;
    if (before) before(*weight);
    weight->unpack();
    weight->assign(values.values().data());
  }
  return {std::move(table_adapter_), std::move(head_adapter_)};
}

void TokenEnds::put_back(Adapters adapters) {
  table_adapter_ = std::move(adapters.table);
  head_adapter_ = std::move(adapters.head);
}

}  // namespace afina

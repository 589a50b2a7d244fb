// A way of fine-tuning: which weights of the pretrained model are trained, and what is added to its
// linear layers. It is asked while the model is built; nothing walks the model afterwards.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/files/json.h"
#include "engine/train/step_part.h"
#include "model/beside.h"
#include "model/derived.h"
#include "model/inputs.h"

namespace afina {

struct Linear;
struct LowRank;
struct ModelConfig;
struct Parameter;
struct Parameters;
struct Point;
struct PointAdapter;
struct TokenWeights;
struct TableAdapter;
class Scope;
class PeftConfig;

// A method's name and options, and the text that says both.
struct MethodSpec {
  std::string text, name;
  std::map<std::string, std::string> options;
  std::string file = {};   // the adapter's config that says so; empty: somebody typed it
  std::string label = {};  // what its user calls it, by name=...; empty: nothing of one's own
};
// How messages name an option: "method 'lora': rank", or in the words of an adapter's config that
// another program wrote ("adapter/adapter_config.json: r").
std::string option_label(const std::string& method, const std::string& file,
                         const std::string& key);

// What stands in a linear layer's place. One per adapted layer, made by the method, owned by the
// layer. An adapter reads the layer through Linear's functions, never its weight's memory.
struct Adapter {
  virtual ~Adapter() = default;
  // x (B, T, in) -> (B, T, out), in place of layer.plain(x).
  virtual Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const = 0;
  // Not null: for these inputs forward(x) is layer.plus_low_rank(x, x, *low_rank()), bit for bit.
  // Layers with a common input then share part of the work (together() in layers.h).
  virtual const LowRank* low_rank(const Inputs& inputs) const {
    (void)inputs;
    return nullptr;
  }
  // Not null: the adapter does what merge() with scale B A does, and nothing else but to add a bias
  // of B's where it has one (the parameter lora_B.bias), so that several of them add up.
  virtual const LowRank* factors() const { return nullptr; }
  // Changes the layer's own weight (out, in) and bias (out), both f32, so that they do the same
  // alone. The bias is empty where the layer has none: an Error if the method would need one.
  // Called only if the method's why_not_mergeable() is empty.
  virtual void merge(Tensor& weight, Tensor& bias) const = 0;
};

// What is written when a model is stored: the parameters that the method added; the trained weights
// of the pretrained model (few of them, as BitFit's biases); or the whole model.
enum class Stored : uint8_t { adapter, changed, model };

// Values that an adapter's file holds behind a parameter's own, in the same tensor: further rows
// (axis 0) or columns (axis 1) of a matrix.
struct StoredBehind {
  int axis = 0;
  int64_t extent = 0;              // 0: nothing
  std::vector<float> values = {};  // row-major; zeros where the model has no bytes
};

struct Method : StepPart {
  // Called first, before any layer is built: what the method has to know of the model's config.
  virtual void begin(const ModelConfig& config) { (void)config; }
  // Is this weight of the pretrained model trained? name: "model.layers.0.self_attn.q_proj.weight".
  virtual bool trains(const std::string& name) const {
    (void)name;
    return false;
  }
  // The adapter of a layer, nullptr for none. The layer's weight is loaded already. scope is the
  // layer's place, its parameters are made by scope.added(...).
  // Called in place of adapt() for a layer within a module that is trained whole (`save`): it gets
  // no adapter, and a target that names it has still found its layer.
  virtual void passes_over(const Linear&) {}
  virtual std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) {
    (void)layer;
    (void)scope;
    return nullptr;
  }
  // The adapter of a point (model/points.h), nullptr for none. scope is the point's place.
  virtual std::unique_ptr<PointAdapter> adapt_point(const Point& point, const Scope& scope);
  // What stands beside the embedding or the head (model/token_ends.h), nullptr for nothing. scope
  // is its place.
  virtual std::unique_ptr<TableAdapter> adapt_table(const TokenWeights& table, const Scope& scope);
  // How many tokens of its own the method puts before every document: at positions 0, 1, ..., the
  // text follows. The adapters of `embeddings` or of `keys_values` have their rows.
  virtual int64_t virtual_tokens() const { return 0; }
  // Called when all layers are built: an Error here if a pattern matched nothing. What the whole
  // model shares and follows from all layers is made here; `model` is the scope of the whole model.
  virtual void built(const Scope& model) { (void)model; }
  virtual Stored stored() const = 0;
  // The name that a parameter has in an adapter's file; by default its own stored_name.
  virtual std::string name_in_adapter(const Parameter& parameter) const;
  // The values (f32 or f64) that an adapter's file has of a parameter; by default its own.
  virtual Tensor value_in_adapter(const Parameter& parameter) const;
  // Integers that an adapter's file holds besides the parameters: the places of single weights.
  struct Integers {
    std::string name;  // in the file
    std::vector<int64_t> shape;
    std::vector<int32_t> values;
  };
  virtual std::vector<Integers> integers() const { return {}; }
  // Those of a file, with the names and shapes of integers(); an Error if they cannot be places.
  virtual void take(const std::vector<Integers>& stored) { (void)stored; }
  // Where a file may hold a tensor twice: the name of the tensor that `name` only repeats; empty:
  // it repeats none.
  virtual std::string repeated_by(const std::string& name) const {
    (void)name;
    return {};
  }
  virtual StoredBehind stored_behind(const Parameter& parameter) const;
  // The adapter_config.json that PEFT reads; null when PEFT does not know the method.
  virtual Json peft_config() const { return nullptr; }
  // Does the model start out as the pretrained one? (Guard at step 0.)
  virtual bool starts_as_pretrained() const { return true; }
  // Does it begin with a decomposition (SVD, QR) of a matrix of each adapted layer's size, which
  // takes seconds and is no part of a training step?
  virtual bool decomposes() const { return false; }
  // Why adapters cannot be merged into the weights; empty: they can.
  virtual std::string why_not_mergeable() const { return {}; }

  // Before the first step some methods look at the data (EVA, LoRA-GA, CorDA): at the batches of
  // this many steps; 0: they do not. model/observe.h shows them to the model between the two calls
  // below: hidden states alone, or losses and their gradients. Nothing is trained in between. What
  // is not shown any data begins as the method would without it.
  virtual int64_t observes() const { return 0; }
  virtual bool observes_gradients() const { return false; }
  virtual void begin_observing() {}
  virtual void end_observing() {}

  // A tensor that adapters read like a weight and that follows from parameters (model/derived.h).
  // To be made while the model is built; it lives as long as the method.
  Derived& derived(std::function<Tensor()> make, std::function<Tensor(const Tensor&)> finish = {}) {
    return derived_.emplace_back(std::move(make), std::move(finish));
  }
  // A method that overrides one of these calls Method's own as well.
  bool takes_part() const override { return !derived_.empty(); }
  void begin_step() override {
    for (Derived& one : derived_) one.begin();
  }
  void complete_gradients() override {
    for (Derived& one : derived_) one.complete();
  }
  void abandon_step() override {
    for (Derived& one : derived_) one.forget();
  }

  Beside beside;        // what of the pretrained model is trained as well; set by make_method
  MethodSpec in_force;  // name and all options, defaults included; set by make_method

 private:
  friend class HeldDerived;
  std::deque<Derived> derived_;  // a deque: references stay good
};
// While one is alive, derived tensors are computed once for all forward passes: for generation,
// where a pass is one token and no weight changes.
class HeldDerived {
 public:
  explicit HeldDerived(Method& method) : method_(method) {
    for (Derived& one : method.derived_) one.begin();
  }
  ~HeldDerived() {
    for (Derived& one : method_.derived_) one.forget();
  }
  HeldDerived(const HeldDerived&) = delete;

 private:
  Method& method_;
};
// Nothing is trained and nothing is added: the pretrained model alone.
struct Untouched : Method {
  Stored stored() const override { return Stored::model; }
};

// Options as written in "lora:rank=8,alpha=16"; a method takes what it knows, and what is left over
// is an Error naming the known ones.
class MethodOptions {
 public:
  // file: the adapter's config that the options stand in, for messages; empty: they were typed.
  MethodOptions(std::string method, std::map<std::string, std::string> given, std::string file = {})
      : method_(std::move(method)), file_(std::move(file)), given_(std::move(given)) {}
  int64_t integer(const std::string& key, int64_t otherwise, int64_t least, int64_t most);
  double number(const std::string& key, double otherwise, double least, double most);
  bool flag(const std::string& key, bool otherwise);
  std::string text(const std::string& key, const std::string& otherwise);
  // A list separated by '+': "q_proj+v_proj".
  std::vector<std::string> list(const std::string& key, const std::string& otherwise);
  // Was this option given?
  bool given(const std::string& key) const { return given_.count(key) > 0; }
  // The method's name, for messages.
  const std::string& method() const { return method_; }
  const std::string& file() const { return file_; }
  // To be called last: Error for a key that nobody asked for.
  void finish() const;
  // Every option asked for with the value in force.
  const std::map<std::string, std::string>& in_force() const { return in_force_; }

 private:
  const std::string& find(const std::string& key, const std::string& otherwise);
  std::string label(const std::string& key) const { return option_label(method_, file_, key); }
  std::string method_, file_;
  std::map<std::string, std::string> given_, in_force_;
};

// What every method promises and the tests check of it, unless its card says that one does not
// apply.
enum class Promise : uint8_t {
  starts_as_pretrained,  // equal logits before the first step
  trains_what_it_says,   // those parameters change in training, and no others
  merges,                // the merged model's logits are the adapted one's
  checkpoints,           // equal gradients under every kind of checkpointing
  splits,                // equal gradients for micro-batches and for the whole batch
  slope,                 // the gradient is the loss's slope, in f64
  stores                 // what is stored gives the same logits when it is loaded
};
// A promise that does not apply, and why.
struct NotPromised {
  Promise promise;
  std::string because;
};

// A method as people read about it (`afina methods`) and as the tests know it.
struct MethodCard {
  std::string name;          // as --method has it
  std::string label = {};    // as people write it, "LoRA"; empty: the name
  std::string paper;         // "LoRA (Hu et al., 2021)"
  std::string formula;       // "y = W x + b + alpha/rank B A x"
  std::string trains;        // "A (rank, in) and B (out, rank) of each target layer"
  std::string options;       // "rank=8,alpha=16,targets=all: ...", empty for none
  double rate;               // a learning rate to begin with
  std::string rate_because;  // why this one
  // As adapter_config.json names the method; empty where PEFT does not know it. Where several
  // methods have one type, `peft_flag` names the key that is true for this one.
  std::string peft_type = {}, peft_flag = {};
  std::vector<std::string> tries;  // option strings that the promises are tested with
  std::vector<NotPromised> not_promised = {};
  // What a model or its rows must have for the method to apply, in words, and whether a pretrained
  // model has it; empty and null: any model will do. On others, building it is an Error.
  std::string needs = {};
  bool (*fits)(const Parameters& pretrained) = nullptr;

  // Why a promise does not apply; empty: it applies.
  std::string why_not(Promise promise) const;
};

struct MethodEntry {
  MethodCard card;
  std::unique_ptr<Method> (*make)(MethodOptions&) = nullptr;
  // The options that an adapter_config.json means (model/peft.h); null where PEFT does not know
  // the method.
  std::map<std::string, std::string> (*from_peft)(PeftConfig& config) = nullptr;
};
std::map<std::string, MethodEntry>& methods();
// Splits "lora:rank=8,alpha=16" into its name and options. Every part must be key=value; name=...
// is the label, which no method sees. Options may have PEFT's names (r, lora_alpha, target_modules,
// ...): the spec holds ours.
MethodSpec parse_method(const std::string& text);
// The reverse, with options in order of their names: fills in the text.
MethodSpec method_spec(const std::string& name, const std::map<std::string, std::string>& options);
// An unknown name is an Error listing the known ones.
std::unique_ptr<Method> make_method(const MethodSpec& spec);

template <class Kind>
std::unique_ptr<Method> make_new(MethodOptions& options) {
  return std::make_unique<Kind>(options);
}
// For REGISTER_METHOD. Returns true.
bool register_method(MethodCard card, std::unique_ptr<Method> (*make)(MethodOptions&),
                     std::map<std::string, std::string> (*from_peft)(PeftConfig&) = nullptr);

}  // namespace afina

// REGISTER_METHOD(card, make_new<Lora>) or, where PEFT knows the method, REGISTER_METHOD(card,
// make_new<Lora>, from_peft).
#define REGISTER_METHOD(...) \
  [[maybe_unused]] static const bool registered_method = ::afina::register_method(__VA_ARGS__)

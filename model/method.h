// A way of fine-tuning: which weights of the pretrained model move, and what is added to its linear
// layers. It is asked while the model is built; nothing walks the model afterwards.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/files/json.h"
#include "model/inputs.h"

namespace afina {

struct Linear;
class Scope;

// What stands in a linear layer's place. One per adapted layer, made by the method, owned by the
// layer.
struct Adapter {
  virtual ~Adapter() = default;
  // x (B, T, in) -> (B, T, out), in place of layer.plain(x).
  virtual Tensor forward(const Tensor& x, const Linear& layer, const Inputs& inputs) const = 0;
  // The results of layers that take the same x, in their order and with the bits of each alone,
  // where something can be done once for several of them. Asked of the first adapter among them;
  // empty: each layer goes alone.
  virtual std::vector<Tensor> forward_together(const Tensor& x,
                                               const std::vector<const Linear*>& layers,
                                               const Inputs& inputs) const {
    (void)x;
    (void)layers;
    (void)inputs;
    return {};
  }
  // The f32 weight (out, in) that does the same alone, from the layer's own f32 weight.
  virtual Tensor merged(const Tensor& weight) const = 0;
};

struct Method {
  virtual ~Method() = default;
  // Is this weight of the pretrained model trained? name: "model.layers.0.self_attn.q_proj.weight".
  virtual bool trains(const std::string& name) const {
    (void)name;
    return false;
  }
  // The adapter of a layer, nullptr for none. The layer's weight is loaded already. scope is the
  // layer's place, its parameters are made by scope.added(...).
  virtual std::unique_ptr<Adapter> adapt(const Linear& layer, const Scope& scope) {
    (void)layer;
    (void)scope;
    return nullptr;
  }
  // Called when the model stands: an Error here if a pattern matched nothing.
  virtual void built() const {}
  // The adapter_config.json that PEFT reads; null when the method adds nothing that PEFT knows
  // (full: the whole model is stored).
  virtual Json peft_config() const { return nullptr; }
  // All options in force, defaults included, for manifests and reports.
  virtual std::map<std::string, std::string> options() const { return {}; }
  // Does the model start out as the pretrained one? (Guard at step 0.)
  virtual bool starts_as_pretrained() const { return true; }
};

// Options as written in "lora:rank=8,alpha=16"; a method takes what it knows, and what is left over
// is an Error naming the known ones.
class MethodOptions {
 public:
  MethodOptions(std::string method, std::map<std::string, std::string> given)
      : method_(std::move(method)), given_(std::move(given)) {}
  int64_t integer(const std::string& key, int64_t otherwise, int64_t least, int64_t most);
  double number(const std::string& key, double otherwise, double least, double most);
  bool flag(const std::string& key, bool otherwise);
  std::string text(const std::string& key, const std::string& otherwise);
  // A list separated by '+': "q_proj+v_proj".
  std::vector<std::string> list(const std::string& key, const std::string& otherwise);
  // To be called last: Error for a key that nobody asked for.
  void finish() const;
  // Every option asked for with the value in force.
  const std::map<std::string, std::string>& in_force() const { return in_force_; }

 private:
  const std::string& find(const std::string& key, const std::string& otherwise);
  std::string method_;
  std::map<std::string, std::string> given_, in_force_;
};

struct MethodSpec {
  std::string text, name;
  std::map<std::string, std::string> options;
};
struct MethodEntry {
  std::unique_ptr<Method> (*make)(MethodOptions&);
  const char* help;                 // one line and the options
  const char* peft_type = nullptr;  // as adapter_config.json names it, where PEFT knows the method
  // The options that an adapter_config.json means, name and text left to the caller; what it asks
  // for and we lack is an Error that begins with `where`.
  MethodSpec (*from_peft)(const Json& config, const std::string& where) = nullptr;
};
std::map<std::string, MethodEntry>& methods();
// Splits "lora:rank=8,alpha=16" into its name and options. Every part must be key=value.
MethodSpec parse_method(const std::string& text);
// An unknown name is an Error listing the known ones.
std::unique_ptr<Method> make_method(const MethodSpec& spec);

}  // namespace afina

// REGISTER_METHOD("lora", make, help) or, where PEFT knows the method, REGISTER_METHOD("lora",
// make, help, "LORA", from_peft).
#define REGISTER_METHOD(name, make, ...)                 \
  [[maybe_unused]] static const bool registered_method = \
      (::afina::methods()[name] = ::afina::MethodEntry{make, __VA_ARGS__}, true)

// A place in the model: where parameters get their names, their values and the method's word on
// them.
#pragma once
#include <deque>
#include <optional>
#include <string>

#include "engine/blocks.h"
#include "engine/train/parameter.h"
#include "model/method.h"

namespace afina {

// Where the values of pretrained weights come from: a folder, a GGUF file, or random numbers.
struct WeightSource {
  virtual ~WeightSource() = default;
  // Called before memory is taken for a weight: a missing or misshapen tensor is an Error by name.
  // transposed: files hold it as (in, out).
  virtual void expect(const std::string& name, const Shape& shape, bool transposed) {
    (void)name;
    (void)shape;
    (void)transposed;
  }
  // Fills the parameter's values by its name.
  virtual void read(Parameter& into) = 0;
  // Is there a tensor of this name? (Optional biases, an untied head.)
  virtual bool has(const std::string& name) const = 0;
  // A parameter whose memory a weight that is not trained may read, in place of memory of its own
  // (model/several.h); null: there is none.
  virtual const Parameter* lends(const std::string& name) const {
    (void)name;
    return nullptr;
  }
  // The weight in blocks as its file holds them, where they take fewer bits than `computed`, in
  // which it is to be computed; empty: it is to be read. device: where it is to lie, or shapes for
  // its bytes alone. An Error for numbers that are not finite.
  virtual Tensor lies(const std::string& name, const Shape& shape, bool transposed, Dtype computed,
                      Device device) {
    (void)name;
    (void)shape;
    (void)transposed;
    (void)computed;
    (void)device;
    return {};
  }
  // Called when the model stands: tensors nobody read are an Error by name.
  virtual void finish() {}
};
// Values by each parameter's Init, keyed by seed and name.
struct RandomWeights : WeightSource {
  uint64_t seed;
  explicit RandomWeights(uint64_t s) : seed(s) {}
  void read(Parameter& into) override { initialise(into, seed); }
  bool has(const std::string&) const override { return true; }
};

// What a parameter that a method brings is for: scope.added("vera_A", shape, init, {.trained =
// false, .shared = true}).
struct Role {
  bool trained = true;  // false: held as it began or was loaded, and stored with the rest
  // One for the whole model: the name is a whole name, whoever asks first makes it, and whoever
  // asks later gets the same (and must ask for the same shape).
  bool shared = false;
  bool vector = false;  // a vector whatever its shape: held in f32 (f64), does not decay
  std::optional<bool> decays = {};  // when not said, matrices decay and vectors do not
  double rate = 1.;                 // a factor on the learning rate
  bool aside = false;  // needed in training alone: an adapter's file holds what it makes instead
  // The name in an adapter's file. When not said, "base_model.model." and the parameter's name;
  // "base_model." and the name of a shared one, as PEFT has it.
  std::string stored = {};
};

// How a model holds its frozen matrices: in which form, whether embedding and head are in it too,
// and, with BaseForm::file, whose files are asked where that is not the source of the values.
struct BaseStorage {
  BaseForm form = BaseForm::plain;
  bool ends = false;
  WeightSource* files = nullptr;
};

// All parameters of one model, in order of construction.
struct Parameters {
  Device device = Device::cpu;
  Dtype dtype = Dtype::f32;  // of activations and matrices
  uint64_t seed = 0;         // for what the method adds
  Method& method;
  WeightSource& source;
  BaseStorage base{};
  std::deque<Parameter> all{};     // a deque: references stay good
  std::vector<Linear*> linears{};  // every linear layer, in order of construction

  std::vector<Parameter*> trained();
  std::vector<const Parameter*> trained() const;
  Parameter* find(const std::string& name);
};

class Scope {
 public:
  explicit Scope(Parameters& of, std::string path = "") : of_(&of), path_(std::move(path)) {}
  Scope operator/(const std::string& name) const {
    return Scope(*of_, path_.empty() ? name : path_ + "." + name);
  }
  Scope operator/(int64_t index) const { return *this / std::to_string(index); }
  // A weight of the pretrained model: loaded now; the method says whether it is trained.
  Parameter& base(const std::string& name, Shape shape, Init init = {},
                  bool stored_transposed = false) const;
  // The same for the matrix of a linear layer, and for embedding and head: where it is frozen, it
  // is held as Parameters::base says.
  Parameter& matrix(const std::string& name, Shape shape, Init init = {},
                    bool stored_transposed = false) const;
  Parameter& end(const std::string& name, Shape shape) const;
  // A weight of the pretrained model that begins as another one, `of`, and goes its own way.
  Parameter& copied(const std::string& name, const Parameter& of) const;
  // A weight that the method brings; begins by init. Two of one name are an Error unless shared.
  Parameter& added(const std::string& name, Shape shape, Init init, const Role& role = {}) const;
  Parameters& parameters() const { return *of_; }
  Method& method() const { return of_->method; }
  const std::string& path() const { return path_; }  // "model.layers.0.self_attn.q_proj"

 private:
  std::string full(const std::string& name) const {
    return path_.empty() ? name : path_ + "." + name;
  }
  Parameter& keep(Parameter parameter) const;
  Parameter& loaded(const std::string& name, Shape shape, Init init, bool stored_transposed,
                    BaseForm form) const;
  Tensor in_blocks_of(const Parameter& p, BaseForm form) const;
  Parameters* of_;
  std::string path_;
};

}  // namespace afina

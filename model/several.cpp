// Models over one base: weights that are lent, and adapters by name.
#include "model/several.h"

#include "engine/nearest.h"
#include "engine/primitives.h"
#include "model/words.h"

namespace afina {

namespace {

// The weights of another model: lent where they stay as they are, copied where they are trained.
class WeightsOf : public WeightSource {
 public:
  explicit WeightsOf(const Model& base) {
    for (const Parameter& p : base.parameters->all) {
      require(!p.trained && !p.added,
              "the model under several adapters must be the pretrained one "
              "alone, and ",
              p.name, " is ", p.added ? "an adapter's" : "trained");
      all_[p.name] = &p;
    }
  }
  const Parameter* lends(const std::string& name) const override {
    auto found = all_.find(name);
    return found == all_.end() ? nullptr : found->second;
  }
  bool has(const std::string& name) const override { return lends(name) != nullptr; }
  void read(Parameter& into) override {
    const Parameter* from = lends(into.name);
    require(from && from->shape == into.shape, into.name,
            ": the model has no such weight of the shape ", into.shape.text());
    if (!holds_bytes(into.value.device())) return into.settle();
    into.assign(from->exact().values().data());
  }

 private:
  std::map<std::string, const Parameter*> all_;
};

}  // namespace

std::unique_ptr<Model> built_beside(const Model& base, std::unique_ptr<Method> method) {
  WeightsOf weights(base);
  BuildOptions options;
  options.dtype = base.parameters->dtype;
  options.device = base.parameters->device;
  options.seed = base.parameters->seed;
  options.checkpointing = base.checkpointing;
  std::unique_ptr<Model> model = build_model(base.config, weights, std::move(method), options);
  model->parameters->base = base.parameters->base;  // the form of what is lent
  return model;
}

LiveAdapters::LiveAdapters(std::unique_ptr<Model> base) : base_(std::move(base)) {
  const WeightsOf checked(*base_);
}

void LiveAdapters::add(const std::string& name, std::unique_ptr<Model> model) {
  require(!name.empty(), "an adapter needs a name");
  require(name != none, "the name '", none, "' is that of the model without an adapter");
  for (auto& [taken, other] : adapted_)
    require(taken != name, "two adapters have the name '", name, "'");
  adapted_.emplace_back(name, std::move(model));
}

std::vector<std::string> LiveAdapters::names() const {
  std::vector<std::string> all;
  for (auto& [name, model] : adapted_) all.push_back(name);
  return all;
}

Model& LiveAdapters::model(const std::string& name) {
  if (name == none) return *base_;
  for (auto& [known, model] : adapted_)
    if (known == name) return *model;
  std::vector<std::string> known = names();
  known.insert(known.begin(), none);
  fail("there is no adapter of the name '", name, "'", did_you_mean(name, known),
       "; live: ", joined(known));
}

void LiveAdapters::activate(const std::string& name) {
  model(name);
  active_ = name;
}

}  // namespace afina

// Adapters as the command line names them: several, by name, and sums of LoRAs.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/several.h"
#include "tools/runs/load.h"

namespace afina {

// One --adapter: a folder, or a sum of LoRAs with a weight for each.
struct AdapterChoice {
  struct Part {
    std::string path;
    double weight = 1.;
  };
  std::string name;  // what answers and tables call it
  std::vector<Part> parts;
  bool combined = false;  // weights were given, be it to one adapter alone
};
// PATH, NAME=PATH, or with weights PATH:0.5+PATH:0.5. A '+' parts two adapters only behind a
// weight, and a text that names a folder as it stands is that folder, so that paths may have ':',
// '+' and
// '='. The name is the folder's, or that of the folder around it where it is called "adapter" or
// "model", as in runs/support/adapter. A UsageError for what cannot be read, for a weight of 0 or
// one that is not finite, and for a folder that a sum names twice.
AdapterChoice adapter_choice(const std::string& text);
// All of them. A UsageError where two have one name, or one of several has that of the base.
std::vector<AdapterChoice> adapter_choices(const std::vector<std::string>& texts);

// The folder whose chat template counts with this adapter, empty for the model's own. An Error
// where the adapters of a sum were trained with different ones.
std::string template_folder(const AdapterChoice& choice);

// The base with this adapter, or with the sum of these LoRAs as one.
std::unique_ptr<Model> load_beside(const Model& base, const AdapterChoice& choice);
// The model with all of them live; the base is active.
std::unique_ptr<LiveAdapters> load_live(ModelFiles& files,
                                        const std::vector<AdapterChoice>& choices, Dtype dtype,
                                        Device device = Device::cpu, const BaseStorage& base = {});

// The model of a command that takes several adapters.
struct LiveOptions : ComputedOptions {
  std::string model;
  std::vector<std::string> adapters;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("model,m", o.model, Bits::keep, "Hugging Face folder or .gguf file",
      required.naming(Names::files));
    v("adapter", o.adapters, Bits::keep, adapters_help, naming(Names::folders));
    ComputedOptions::each(o, v);
  }
  static constexpr const char* adapters_help =
      "folder of an adapter: adapter_config.json and adapter_model.safetensors, as 'afina train' "
      "and PEFT write them, or NAME=FOLDER; may be given more than once, for adapters of any "
      "method "
      "beside each other. FOLDER:0.5+FOLDER:0.5 is a weighted sum of LoRAs";
};

// The model of a command with what --adapter names: one adapter or none as load_model opens it;
// more of them, or a sum, live beside each other. Weights are loaded by the first call of use().
class OpenedModels {
 public:
  // always_live: keeps the base beside a single adapter too. files must outlive this object.
  OpenedModels(ModelFiles& files, const LiveOptions& options, bool always_live = false);
  struct Opened {
    std::string name;       // the base's is LiveAdapters::none
    std::string templates;  // template_folder; empty for the base
  };
  // The adapters in their order; the base where there is none.
  const std::vector<Opened>& adapters() const { return adapters_; }
  bool live() const { return live_wanted_; }
  // What a reader should know: adapters that were trained over another form of the base.
  std::vector<std::string> notes() const;
  // What has this name, the base among them where live(). An unknown one is a UsageError.
  const Opened& find(const std::string& name) const;
  // Its model, which becomes the active one.
  Model& use(const Opened& opened);

 private:
  ModelFiles& files_;
  std::vector<AdapterChoice> choices_;
  Dtype dtype_;
  Device device_;
  BaseStorage storage_;
  bool live_wanted_;
  Opened base_{LiveAdapters::none, ""};
  std::vector<Opened> adapters_;
  std::unique_ptr<Model> single_;
  std::unique_ptr<LiveAdapters> live_;
};

}  // namespace afina

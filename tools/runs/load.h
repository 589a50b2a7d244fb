// A model as the smaller commands open it: its files, its tokenizer, and an adapter where one is
// named.
#pragma once
#include <memory>

#include "model/files/save.h"
#include "model/files/weights.h"
#include "tools/options/groups.h"

namespace afina {

// Where and how a command computes that does not train.
struct ComputedOptions {
  Precision dtype = Precision::f32;
  DeviceChoice device = DeviceChoice::automatic;
  BaseForm base = BaseForm::plain;
  OnOff base_ends = OnOff::off;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("dtype", o.dtype, Bits::keep,
      "precision to compute in: f32, bf16 or bf16-tiles (see 'afina train --help')");
    v("device", o.device, Bits::keep, device_help);
    v("base", o.base, Bits::keep, base_help);
    v("base-ends", o.base_ends, Bits::keep, base_ends_help);
  }
  // To be held while the model computes. A UsageError for what cannot be computed here.
  ComputeScope scope() const {
    require_precision(dtype, usable_device(device));
    return ComputeScope(dtype);
  }
  BaseStorage storage() const { return base_storage(base, base_ends); }
};
// Its model, with one adapter at most.
struct LoadOptions : ComputedOptions {
  std::string model, adapter;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("model,m", o.model, Bits::keep, "Hugging Face folder or .gguf file",
      required.naming(Names::files));
    v("adapter", o.adapter, Bits::keep,
      "folder of an adapter: adapter_config.json and adapter_model.safetensors, as 'afina train' "
      "and PEFT write them",
      naming(Names::folders));
    ComputedOptions::each(o, v);
  }
};

// The tokenizer of a Hugging Face folder or of a GGUF file.
Tokenizer tokenizer_of(const ModelFiles& files);
// The ids at which other programs stop when they run these files: those of generation_config.json,
// else of config.json; of a GGUF file those that it names (eos, eot, eom) and the special tokens
// that llama.cpp takes for an end by their names. Empty where there is none.
std::vector<int32_t> stop_tokens(const ModelFiles& files, const Tokenizer& tokenizer);
// The untouched model, with the adapter when a folder is named.
std::unique_ptr<Model> load_model(ModelFiles& files, const std::string& adapter, Dtype dtype,
                                  Device device = Device::cpu, const BaseStorage& base = {});
// The same as the options say.
std::unique_ptr<Model> load_model(ModelFiles& files, const LoadOptions& options);

// "--base nf4 --base-ends on"
std::string words_of(const BaseStorage& base);
// What is to be said of an adapter that is opened over `now`: that it was trained over another form
// of the base, with what to give. Empty where the numbers are the same, or its file does not say.
std::string over_another_base(const AdapterFiles& adapter, const BaseStorage& now);
// The same of a folder; empty names none.
std::string over_another_base(const std::string& adapter, const BaseStorage& now);

// --data and how its records become tokens: what eval and show share with training.
struct ReadOptions : RecordOptions {
  std::string path;
  ReadOptions() { length = 0; }  // as for training, or the model's context where that is shorter

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("data", o.path, Bits::keep,
      "records: .jsonl, .json, .csv, .tsv, .parquet or .txt, also with .gz or .zst",
      naming(Names::files));
    RecordOptions::each(o, v);
  }
  // What --help shows for the length of 0.
  static constexpr const char* length_shown = "256, or the model's context";
  // The longest row; one beyond the model's context is an Error.
  int64_t row_length(const ModelConfig& config) const;
  // Records as rows of tokens; `whole`, when given, receives the examples they came from. adapter:
  // the folder whose template counts before the model's, or empty.
  Samples read(const Tokenizer& tokenizer, const ModelConfig& config, const std::string& adapter,
               std::vector<Example>* whole = nullptr) const;
};

}  // namespace afina

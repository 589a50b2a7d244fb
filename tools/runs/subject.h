// What is exported or compared: a run's folder, a model, or a model with an adapter.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/runs/load.h"

namespace afina {

struct SubjectOptions {
  std::string run, model, adapter;
  // With a model: the form of the base that its adapter was trained over, where its file does not
  // say or another is wanted. A run knows its own.
  std::optional<BaseForm> base = {};
  OnOff base_ends = OnOff::off;
};

inline constexpr const char* subject_base_help =
    "the form of the base that --adapter was trained over (--base of train), where its file does "
    "not say or another is meant; a run knows its own";

// A trained model on disk. Opening reads no weights.
struct Subject {
  std::string described;  // "runs/lora", "data/pocket with runs/lora/adapter"
  std::string model;      // the folder or file that was opened
  std::string adapter;    // empty: none
  std::string run;        // the run's folder; empty: none
  Json manifest;          // of the run; null: none
  BaseStorage base;       // the form of the base that the adapter was trained over
  ModelFiles files;
  bool has_tokenizer = false;

  // Loads the weights, f32, with the adapter; as often as asked. Over a base in blocks the model is
  // that of their numbers.
  std::unique_ptr<Model> load();
  // The same without the adapter; nullptr where there is no adapter.
  std::unique_ptr<Model> load_base();
  Tokenizer tokenizer() const { return tokenizer_of(files); }
  // The template that the model was trained with: of the adapter, or its own.
  ChatTemplate chat(const Tokenizer& tokenizer) const;
  // The tokens at which an answer ends: those of the files, and the template's end of a turn.
  std::vector<int32_t> stops(const Tokenizer& tokenizer, const ChatTemplate& chat) const;
};

// A UsageError unless either a run or a model is named; an Error for a folder that is no finished
// run (of a comparison it lists the runs), whose model is no longer where it was or is another one
// (by the hashes of the manifest), or whose adapter holds other values than were trained (by the
// run's digest).
Subject open_subject(const SubjectOptions& options);

struct Workbench;
// Are the records of a run those that it was trained on, by their hashes? Says which are others, as
// in "support.jsonl has changed since"; empty: none.
std::string changed_data(const Json& manifest, const Workbench& bench);

}  // namespace afina

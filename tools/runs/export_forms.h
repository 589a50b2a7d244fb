// The forms in which a model leaves, each written into a folder.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "model/files/gguf_save.h"
#include "tools/runs/certify.h"

namespace afina {

enum class ExportForm : uint8_t { hf, peft, gguf, gguf_lora, ollama };
template <>
struct WordList<ExportForm> {
  static constexpr std::pair<const char*, ExportForm> all[] = {{"hf", ExportForm::hf},
                                                               {"peft", ExportForm::peft},
                                                               {"gguf", ExportForm::gguf},
                                                               {"gguf-lora", ExportForm::gguf_lora},
                                                               {"ollama", ExportForm::ollama}};
};
template <>
struct WordList<GgufType> {
  static constexpr std::pair<const char*, GgufType> all[] = {
      {"auto", GgufType::automatic}, {"f32", GgufType::f32},   {"f16", GgufType::f16},
      {"bf16", GgufType::bf16},      {"q8_0", GgufType::q8_0}, {"q4_0", GgufType::q4_0},
      {"q5_0", GgufType::q5_0},      {"q4_k", GgufType::q4_k}, {"q5_k", GgufType::q5_k},
      {"q6_k", GgufType::q6_k}};
};

struct Written {
  std::string file;   // the main one, within the folder
  StoredTypes types;  // of the model's parameters, where rounding matters
  std::vector<std::string> notes;
};

// Writes the form into an existing folder; file: the name of a GGUF file there. name: what the file
// calls the model; may be empty. UsageError for a type that the form does not have; Errors are
// those of what is written.
Written write_form(ExportForm form, GgufType type, Subject& subject, Model& model,
                   const std::string& folder, const std::string& file, const std::string& name);

// Reads what was written, by the loaders that everything is read by, and lets the certifier compare
// it with the trained model. path: a GGUF file (a model or an adapter), a model's folder or an
// adapter's. types: in which it was stored; nullptr: as the file says. The trained model is gone
// afterwards.
void compare_written(Certifier& certifier, Subject& subject, const std::string& path,
                     const StoredTypes* types);

}  // namespace afina

// What is written of an architecture's config into a GGUF file: the other way of model/gguf_form.h.
#pragma once
#include <string>
#include <vector>

#include "engine/files/gguf_writer.h"
#include "model/model.h"
#include "model/rope_table.h"

namespace afina {

// Keys after the architecture's prefix, and what the format holds as tensors.
struct GgufKeys {
  std::string prefix;  // "llama."
  GgufPairs pairs;
  struct Factors {
    std::string name;  // "rope_freqs.weight"
    std::vector<float> values;
  };
  std::vector<Factors> factors;
  std::vector<std::string> notes;  // what the user should know; a sentence each

  void size(const std::string& key, int64_t value) { pairs.set(prefix + key, uint32_t(value)); }
  void number(const std::string& key, double value) { pairs.set(prefix + key, float(value)); }
  template <class T>
  void set(const std::string& key, const T& value) {
    pairs.set(prefix + key, value);
  }
};

// The keys of a config, with those of its architecture's GgufForm. An Error, by the architecture's
// name, for one that has no form that is verified here, and for a config that the form cannot say.
GgufKeys gguf_keys(const ModelConfig& config);

// For the forms: sizes, and the epsilon of the norms.
void gguf_decoder_keys(const ModelConfig& config, GgufKeys& out, GgufNorm norm = GgufNorm::rms);
// The rotary embedding. An Error for a kind that the format does not have.
void gguf_rope_keys(const ModelConfig& config, const RopeForm& rope, GgufKeys& out);
// Both, of a decoder without peculiarities; and with llama.cpp's keys for Llama and its relatives.
void gguf_plain_keys(const ModelConfig& config, GgufKeys& out);
void gguf_llama_keys(const ModelConfig& config, GgufKeys& out);
// llama.cpp has no window for this architecture: a model with one is the same within it, so the
// context ends there, and a note says so.
void gguf_end_at_window(const ModelConfig& config, GgufKeys& out);
// An Error for a config with one of these flags: llama.cpp has no such biases in this architecture.
void gguf_without_bias(const ModelConfig& config, std::initializer_list<const char*> flags);
// The rotary embedding as the config says it, all layers alike.
RopeForm gguf_rope_of(const ModelConfig& config, const RopeDefaults& defaults = {});
// A number or whole number of the config under another name; nothing where it has none.
void gguf_put_number(const ModelConfig& config, const char* from, GgufKeys& out, const char* to);

}  // namespace afina

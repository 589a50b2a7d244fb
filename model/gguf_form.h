// How llama.cpp's files (GGUF) hold an architecture: names of tensors, metadata as a config.json,
// and what their converter changes in values.
#pragma once
#include <map>
#include <string>

#include "engine/files/json.h"

namespace afina {

class Gguf;
struct GgufKeys;
struct ModelConfig;

using GgufNames = std::map<std::string, std::string>;

struct GgufForm {
  // general.architecture of the files; empty: this architecture is not read from GGUF.
  std::string name;
  // Modules to GGUF's words: whole ones ("model.norm" to "output_norm"), and what follows a layer's
  // number ("self_attn.q_proj" to "attn_q"). A star is a number: of a tensor whose parts GGUF holds
  // as one, one after the other ("mlp.experts.*.up_proj" to "ffn_up_exps").
  GgufNames names;
  // The config.json that the metadata amount to, without model_type, vocabulary and tying. An Error
  // for what afina does not compute.
  Json (*config)(const Gguf& gguf) = nullptr;
  // The other way (model/gguf_keys.h): what is written of a config. nullptr: this architecture is
  // not written as GGUF.
  void (*keys)(const ModelConfig& config, GgufKeys& out) = nullptr;
  // llama.cpp rotates neighbouring columns here, so rows of queries and keys are reordered.
  bool reorders = false;
  float added_to_norms = 0.f;  // by the converter (Gemma: 1)
  // The layer whose rows are query, key and value of each head in turn here and all queries, all
  // keys, all values there (GPT-NeoX); nullptr: none.
  const char* joins = nullptr;
  // Where files of several architectures have one name: is it one of this one? nullptr: it is.
  // gguf_only_written: no file is read as this architecture, as another one computes the same.
  bool (*fits)(const Gguf& gguf) = nullptr;
};

inline bool gguf_only_written(const Gguf&) { return false; }

// A tensor of a file, or a part of one: part -1 is the whole.
struct GgufPlace {
  std::string name;
  int64_t part = -1;
};
// "model.layers.3.self_attn.q_proj.weight" -> "blk.3.attn_q.weight"; a name that the names do not
// know stays.
GgufPlace gguf_place(const GgufNames& names, const std::string& name);

// The names that most decoders have, with `own` added or instead.
GgufNames gguf_decoder_names(const GgufNames& own = {});
// Which epsilon the metadata have: rms_norm_eps, or layer_norm_eps.
enum class GgufNorm : uint8_t { rms, layer };
// What the metadata of most decoders amount to: sizes, epsilon of the norms, and rotary embedding.
// An Error for a mixture of experts unless that is what is read.
Json gguf_decoder_config(const Gguf& gguf, GgufNorm norm = GgufNorm::rms, bool experts = false);
// The same, for a GgufForm.
Json gguf_plain_config(const Gguf& gguf);
// Gives a config without a head_dim the share of each head's columns that rotate, under this key.
void gguf_partial_rope(Json& out, const char* key);
// How many experts the metadata name; 0: none.
int64_t gguf_expert_count(const Gguf& gguf);
// "general.architecture" and a dot, with which metadata begin.
std::string gguf_prefix(const Gguf& gguf);
// A number of the metadata that is stored in f32, as the shortest decimal: 1e-05, not
// 9.99999974737875e-06. An Error if `key` (after the prefix) is absent.
double gguf_number(const Gguf& gguf, const std::string& key);
// Sets out[to] to that number where the metadata have it.
void gguf_copy_number(Json& out, const std::string& to, const Gguf& gguf, const std::string& key);

}  // namespace afina

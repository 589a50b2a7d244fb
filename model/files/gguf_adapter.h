// LoRA adapters as GGUF files, which llama.cpp applies to a model while it runs.
#pragma once
#include <string>

#include "engine/files/gguf.h"
#include "engine/files/stored_tensor.h"
#include "model/model.h"

namespace afina {

// Writes the adapter of `model`, which has LoRA beside its layers, as an adapter of GGUF: for each
// adapted tensor T the pair T.lora_a (rank, in), T.lora_b (out, rank), in `type` where rows are
// whole blocks of it, else in F32. llama.cpp scales all pairs by one alpha / rank of their own, so
// b is written times what a layer's scale is more than that (rank-stabilised scales, exceptions of
// alpha); an adapter of one alpha keeps its bits. Errors, with the advice to merge: a method other
// than LoRA, an adapter on an embedding that is the head too, and all else that is trained beside
// the layers (biases, norms, whole modules, rows of tokens), of which the format cannot speak.
void save_gguf_adapter(const std::string& path, const Model& model, StoredType type,
                       const std::string& name);

// Adds the adapter of a GGUF file to the weights of a model that has none, f32: W + alpha / rank b
// a, or b a alone where alpha is 0. Errors: a file that is no LoRA adapter or is one of another
// architecture, a tensor whose pair, layer or shape is missing or another.
void apply_gguf_adapter(Model& model, const Gguf& file);

}  // namespace afina

// A model as a GGUF file, tensor by tensor as llama.cpp's own converter lays it out.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "engine/files/gguf_writer.h"
#include "model/gguf_keys.h"
#include "model/model.h"

namespace afina {

// The type that a file's matrices are asked to have.
enum class GgufType : uint8_t { f32, f16, bf16, q8_0, q4_0, q5_0, q4_k, q5_k, q6_k, automatic };

// A tensor of the file that is to be written.
struct GgufTensorPlan {
  std::string name;                     // "blk.0.attn_q.weight"
  StoredType type;                      // in which it is stored
  std::vector<int64_t> shape;           // rows first
  std::vector<const Parameter*> parts;  // whose values follow each other in it; experts are several
  bool copied = false;                  // byte for byte from the source
};

// What a file holds. wanted: of matrices; norms, biases, positions and routers are F32. A head that
// has few bits is Q6_K, as llama.cpp's quantiser has it. Rows that are no whole blocks get another
// type: of 256 (K types) Q5_0, Q5_1, Q8_0 for Q4_K, Q5_K, Q6_K, and where they are no whole blocks
// of 32 either F16. source: the GGUF file that the model was read from, or nullptr; with
// `automatic` its untouched tensors are copied. otherwise: what `automatic` means for the others.
std::vector<GgufTensorPlan> gguf_plan(const Model& model, GgufType wanted, StoredType otherwise,
                                      const Gguf* source);

// The number of general.file_type that readers show for a type.
uint32_t gguf_file_type(GgufType wanted, StoredType otherwise);

// Writes the file: `pairs` are all metadata, `factors` what the architecture holds as tensors (they
// come first). Adapters are merged into what is written; the model stays as it is. Errors: adapters
// that cannot be merged, numbers that a type cannot hold (by the tensor's name), a full disk; then
// nothing is left.
void save_gguf(const std::string& path, Model& model, const std::vector<GgufTensorPlan>& plan,
               const GgufPairs& pairs, const std::vector<GgufKeys::Factors>& factors,
               const Gguf* source);

// Which row of this parameter each row of its tensor is, of `rows`; empty: the same. Of queries and
// keys that llama.cpp rotates otherwise, row i of the first half of a head and row i of the second
// become neighbours; what has query, key and value of each head in turn becomes all queries, all
// keys, all values.
std::vector<int64_t> gguf_row_order(const ModelConfig& config, const std::string& parameter,
                                    int64_t rows);

}  // namespace afina

// Frozen matrices in blocks of few bits: what the formats are, how their numbers lie, and how they
// are made of f32. They are read by engine/cpu/blocks.h and cuda/blocks.cu.
//
// NF4 and FP4 (Dettmers et al., 2023, QLoRA) and int8 by rows (Dettmers et al., 2022, LLM.int8) are
// those of bitsandbytes, bit for bit; the others are GGUF's (engine/files/quantize.h).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "engine/files/stored_tensor.h"
#include "engine/tensor.h"

namespace afina {

// How the frozen matrices of a model are held (--base). plain: in the dtype that is computed in.
// file: as the file holds them, wherever that takes fewer bits. nf4, fp4: 16 levels and a scale in
// f32 for each 64 numbers; _double: the scales in 8 bits. int8: 8 bits and a scale for each row.
enum class BaseForm : uint8_t {
  plain,
  file,
  nf4,
  nf4_double,
  fp4,
  fp4_double,
  int8,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q4_k,
  q5_k,
  q6_k
};
// As --base has them: "nf4-double".
const char* name(BaseForm form);

// A matrix (rows, columns) in blocks. Numbers are counted row after row; blocks run on across the
// ends of rows.
struct Blocks {
  enum class Kind : uint8_t {
    stored,  // blocks of `type`
    coded,   // 4 bits that name one of the 16 of `code`, the first number in the high half of a
             // byte, times the scale of the `block` numbers
    rows     // 8 bits with sign, times the scale of the row, times 1 / 127
  };
  Kind kind = Kind::stored;
  std::string name;             // for messages: "nf4", "Q4_K"
  Dtype computed = Dtype::f32;  // what operations see: f32 or bf16
  // To which values are rounded before that, as of a model that was quantised in this type.
  StoredType rounded = StoredType::f32;
  StoredType type = StoredType::f32;
  int64_t rows = 0, columns = 0, block = 64;
  const uint8_t* data = nullptr;    // blocks, or codes
  const uint8_t* scales = nullptr;  // f32, at any alignment; 8 bits where there are scale_scales
  // Scale b is scale_map[scales[b]] * scale_scales[b / scale_block] + offset.
  const uint8_t* scale_scales = nullptr;  // f32, at any alignment; null: scales are f32
  int64_t scale_block = 256;
  float offset = 0.f;
  std::vector<float> code, scale_map;  // 16 and 256
  std::vector<int32_t> order;          // row r lies as row order[r]; empty: as row r
  std::shared_ptr<const void> holder;  // of memory that is not the tensor's own
};

// Blocks as kernels read them: kernels may use no templates of the standard library, as those of
// several instruction sets would share them.
struct Unpacking {
  const Blocks& b;
  const float *code, *scale_map;  // null where there are none
  const int32_t* order;           // the same
};
Unpacking unpacking(const Blocks& blocks);

// The values of 4-bit codes, ascending for NF4; index 8 of FP4 is a second zero.
const std::vector<float>& nf4_code();
const std::vector<float>& fp4_code();
// The 256 values of the dynamic map (Dettmers et al., 2022), ascending, in which double
// quantisation holds scales.
const std::vector<float>& dynamic_map();
// The same without negative values and with one bit more for the others: for second moments.
const std::vector<float>& unsigned_dynamic_map();
// The index of y, within -1 .. 1, in the dynamic map as bitsandbytes' CPU code finds it: by a table
// of 65536 places, so not always the nearest.
uint8_t dynamic_index(float y);

// Bytes of a matrix (rows, columns) in this form; not of plain and file. Throws an Error that
// begins with `where` if a form of GGUF has no whole number of blocks for it.
size_t bytes_of(BaseForm form, int64_t rows, int64_t columns, const std::string& where);
// values (rows, columns), f32 on the host, in this form, computed in f32 or bf16. On Device::shapes
// (values of that device): a tensor of its bytes. Throws an Error that begins with `where` for
// values that are not finite or that the form cannot hold.
Tensor in_blocks(BaseForm form, const Tensor& values, Dtype computed, const std::string& where);
// A tensor over blocks that lie in memory which they hold, counted as weights of `device`; on a GPU
// it is a copy (engine/blocks_on_gpu.h). Throws an Error that begins with `where` for values that
// are not finite, with their position.
Tensor over_blocks(std::shared_ptr<const Blocks> blocks, size_t bytes, Device device,
                   const std::string& where);
// So many rows of a matrix that they take about a MiB once unpacked; 1 at least.
int64_t rows_at_a_time(const Tensor& matrix);
// Rows first .. first + count of a matrix, unpacked if it is in blocks.
Tensor rows_of(const Tensor& matrix, int64_t first, int64_t count);

}  // namespace afina

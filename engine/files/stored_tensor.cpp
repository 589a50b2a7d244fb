// A tensor as it lies in a file.
#include "engine/files/stored_tensor.h"

#include "engine/error.h"
#include "engine/nearest.h"

namespace afina {

namespace {

// clang-format off
constexpr StoredTypeInfo infos[] = {
    {StoredType::f64, "F64", 28, true, 1, 8},        {StoredType::f32, "F32", 0, true, 1, 4},
    {StoredType::f16, "F16", 1, true, 1, 2},         {StoredType::bf16, "BF16", 30, true, 1, 2},
    {StoredType::f8_e4m3, "F8_E4M3", -1, true, 1, 1},{StoredType::f8_e5m2, "F8_E5M2", -1, true, 1, 1},
    {StoredType::i64, "I64", 27, true, 1, 8},        {StoredType::i32, "I32", 26, true, 1, 4},
    {StoredType::i16, "I16", 25, true, 1, 2},        {StoredType::i8, "I8", 24, true, 1, 1},
    {StoredType::u64, "U64", -1, true, 1, 8},        {StoredType::u32, "U32", -1, true, 1, 4},
    {StoredType::u16, "U16", -1, true, 1, 2},        {StoredType::u8, "U8", -1, true, 1, 1},
    {StoredType::boolean, "BOOL", -1, true, 1, 1},
    {StoredType::q4_0, "Q4_0", 2, false, 32, 18},    {StoredType::q4_1, "Q4_1", 3, false, 32, 20},
    {StoredType::q5_0, "Q5_0", 6, false, 32, 22},    {StoredType::q5_1, "Q5_1", 7, false, 32, 24},
    {StoredType::q8_0, "Q8_0", 8, false, 32, 34},    {StoredType::q8_1, "Q8_1", 9, false, 32, 36},
    {StoredType::q2_k, "Q2_K", 10, false, 256, 84},  {StoredType::q3_k, "Q3_K", 11, false, 256, 110},
    {StoredType::q4_k, "Q4_K", 12, false, 256, 144}, {StoredType::q5_k, "Q5_K", 13, false, 256, 176},
    {StoredType::q6_k, "Q6_K", 14, false, 256, 210}, {StoredType::q8_k, "Q8_K", 15, false, 256, 292},
    {StoredType::iq2_xxs, "IQ2_XXS", 16, false, 256, 66}, {StoredType::iq2_xs, "IQ2_XS", 17, false, 256, 74},
    {StoredType::iq3_xxs, "IQ3_XXS", 18, false, 256, 98}, {StoredType::iq1_s, "IQ1_S", 19, false, 256, 50},
    {StoredType::iq4_nl, "IQ4_NL", 20, false, 32, 18},    {StoredType::iq3_s, "IQ3_S", 21, false, 256, 110},
    {StoredType::iq2_s, "IQ2_S", 22, false, 256, 82},     {StoredType::iq4_xs, "IQ4_XS", 23, false, 256, 136},
    {StoredType::iq1_m, "IQ1_M", 29, false, 256, 56},     {StoredType::tq1_0, "TQ1_0", 34, false, 256, 54},
    {StoredType::tq2_0, "TQ2_0", 35, false, 256, 66},     {StoredType::mxfp4, "MXFP4", 39, false, 32, 17},
};
// clang-format on

constexpr bool in_order() {
  for (size_t i = 0; i < std::size(infos); ++i)
    if (size_t(infos[i].type) != i) return false;
  return std::size(infos) == size_t(StoredType::mxfp4) + 1;
}
static_assert(in_order(), "the table is indexed by StoredType");

}  // namespace

const StoredTypeInfo& info(StoredType type) { return infos[size_t(type)]; }
const char* name(StoredType type) { return info(type).name; }

const StoredTypeInfo* safetensors_type(std::string_view name) {
  for (const StoredTypeInfo& one : infos)
    if (one.safetensors && name == one.name) return &one;
  return nullptr;
}

const StoredTypeInfo* gguf_type(uint32_t number) {
  for (const StoredTypeInfo& one : infos)
    if (one.gguf >= 0 && uint32_t(one.gguf) == number) return &one;
  return nullptr;
}

int64_t element_count(const std::vector<int64_t>& shape, const std::string& where) {
  int64_t count = 1;
  bool fits = true, empty = false;
  for (int64_t dimension : shape) {
    require(dimension >= 0, where, ": shape ", shape_text(shape), " has a negative dimension");
    empty |= dimension == 0;
    // A zero further on makes the product small again, but not the file right: such a shape is
    // refused as well.
    fits = fits && !__builtin_mul_overflow(count, dimension == 0 ? 1 : dimension, &count);
  }
  require(fits, where, ": shape ", shape_text(shape), " has more elements than can be counted");
  return empty ? 0 : count;
}

size_t stored_bytes(StoredType type, int64_t count, const std::string& where) {
  const StoredTypeInfo& t = info(type);
  require(count >= 0 && count % t.block_elements == 0, where, ": ", count,
          " numbers are no whole blocks of ", t.block_elements, " of type ", t.name);
  size_t bytes = 0;
  bool fits =
      !__builtin_mul_overflow(size_t(count / t.block_elements), size_t(t.block_bytes), &bytes);
  require(fits, where, ": ", count, " numbers of type ", t.name,
          " take more bytes than can be counted");
  return bytes;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

int64_t StoredTensor::count() const { return element_count(shape, where()); }

void StoredTensors::add(StoredTensor tensor) {
  auto [entry, fresh] = index_.try_emplace(tensor.name, all_.size());
  require(fresh, tensor.where(), " is there twice",
          fresh || all_[entry->second].file == tensor.file ? "" : ", also in ",
          fresh || all_[entry->second].file == tensor.file ? "" : all_[entry->second].file);
  all_.push_back(std::move(tensor));
}

const StoredTensor* StoredTensors::find(std::string_view name) const {
  auto found = index_.find(name);
  return found == index_.end() ? nullptr : &all_[found->second];
}

const StoredTensor& StoredTensors::at(std::string_view name, const std::string& where) const {
  if (const StoredTensor* found = find(name)) return *found;
  std::vector<std::string> names;
  for (const StoredTensor& tensor : all_) names.push_back(tensor.name);
  fail(where, ": tensor '", name, "' is missing among ", all_.size(), did_you_mean(name, names));
}

}  // namespace afina

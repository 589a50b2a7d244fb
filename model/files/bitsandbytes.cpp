// Reads what bitsandbytes 0.50 saves beside a quantised weight.
#include "model/files/bitsandbytes.h"

#include <cstring>

#include "engine/files/dequantize.h"
#include "engine/files/json.h"

namespace afina {

namespace {

struct Reader {
  const StoredTensors& file;
  const StoredTensor& weight;
  SavedBlocks found{};

  // A part of the matrix, of this type and number of elements.
  const StoredTensor& part(const std::string& name, StoredType type, int64_t count) {
    const StoredTensor* t = file.find(name);
    require(t, weight.where(), " is quantised by bitsandbytes, and '", name,
            "', which it needs, is missing; the file is incomplete");
    require(t->type == type && t->count() == count, t->where(), " has ", t->count(),
            " numbers of type ", afina::name(t->type), " where ", count, " of type ",
            afina::name(type), " are expected");
    found.names.push_back(name);
    found.bytes += t->bytes;
    return *t;
  }
  const uint8_t* data(const StoredTensor& t) { return reinterpret_cast<const uint8_t*>(t.data); }
  std::vector<float> numbers(const StoredTensor& t) {
    std::vector<float> values(size_t(t.count()));
    to_f32(t, 0, t.count(), values.data());
    return values;
  }
};

StoredType rounded_to(const std::string& dtype, const std::string& where) {
  if (dtype == "float32") return StoredType::f32;
  if (dtype == "bfloat16") return StoredType::bf16;
  require(dtype == "float16", where, ": dtype '", dtype,
          "' is not supported; supported: float32, bfloat16, float16");
  return StoredType::f16;
}

void read_four_bits(Reader& r, const StoredTensor& state, const Shape& shape) {
  const std::string where = state.where();
  const Json json =
      parse_json(std::string_view(reinterpret_cast<const char*>(state.data), state.bytes), where);
  Blocks& b = *r.found.blocks;
  const std::string type = get<std::string>(json, "quant_type", where);
  const int64_t n = shape.size(), block = get<int64_t>(json, "blocksize", where);
  const auto extents = get<std::vector<int64_t>>(json, "shape", where);
  require(extents == std::vector<int64_t>({shape[0], shape[1]}), where, ": the weight has shape ",
          shape_text(extents), " where the config asks for ", shape.text());
  require(block >= 32 && block <= 4096 && block % 32 == 0, where, ": blocksize ", block,
          " is not supported; expected 32 to 4096");
  require(int64_t(r.weight.bytes) == (n + 1) / 2, r.weight.where(), " has ", r.weight.bytes,
          " bytes where ", n, " numbers of 4 bits take ", (n + 1) / 2);
  const int64_t blocks = (n + block - 1) / block;
  const std::string& name = r.weight.name;
  b.kind = Blocks::Kind::coded;
  b.name = type;
  b.block = block;
  b.rounded = rounded_to(get<std::string>(json, "dtype", where), where);
  b.code = r.numbers(r.part(name + ".quant_map", StoredType::f32, 16));
  if (!find_member(json, "nested_blocksize", where)) {
    b.scales = r.data(r.part(name + ".absmax", StoredType::f32, blocks));
    return;
  }
  b.name += "-double";
  b.scale_block = get<int64_t>(json, "nested_blocksize", where);
  require(b.scale_block >= 1 && b.scale_block <= 1 << 20, where, ": nested_blocksize is ",
          b.scale_block);
  b.offset = float(get<double>(json, "nested_offset", where));
  b.scales = r.data(r.part(name + ".absmax", StoredType::u8, blocks));
  b.scale_map = r.numbers(r.part(name + ".nested_quant_map", StoredType::f32, 256));
  b.scale_scales = r.data(r.part(name + ".nested_absmax", StoredType::f32,
                                 (blocks + b.scale_block - 1) / b.scale_block));
}

void read_eight_bits(Reader& r, const std::string& scales, const Shape& shape) {
  Blocks& b = *r.found.blocks;
  require(r.weight.type == StoredType::i8 &&
              r.weight.shape == std::vector<int64_t>({shape[0], shape[1]}),
          r.weight.where(), " is ", shape_text(r.weight.shape), " of type ",
          afina::name(r.weight.type), " where ", shape.text(), " of type I8 is expected");
  b.kind = Blocks::Kind::rows;
  b.name = "int8";
  b.scales = r.data(r.part(scales, StoredType::f32, shape[0]));
}

}  // namespace

SavedBlocks saved_blocks(const StoredTensors& file, const StoredTensor& weight,
                         const Shape& shape) {
  Reader r{file, weight};
  const std::string stem = weight.name.ends_with(".weight")
                               ? weight.name.substr(0, weight.name.size() - 6)
                               : weight.name + ".";
  const StoredTensor* state = nullptr;
  for (const char* type : {"nf4", "fp4"})
    if (auto* t = file.find(weight.name + ".quant_state.bitsandbytes__" + type)) state = t;
  const bool eight = file.find(stem + "SCB") != nullptr;
  // What is left of one whose main part is not there.
  const bool four = file.find(weight.name + ".quant_map") || file.find(weight.name + ".absmax");
  require(state || !four, weight.where(), " is quantised by bitsandbytes, and '", weight.name,
          ".quant_state.bitsandbytes__nf4' (or fp4), which it needs, is missing; the file is "
          "incomplete");
  require(eight || state || weight.type != StoredType::i8, weight.where(),
          " is of type I8, as bitsandbytes saves it, and '", stem,
          "SCB', which it needs, is missing; the file is incomplete");
  if (!state && !eight) return {};
  require(shape.rank() == 2, weight.where(), ": only matrices can be quantised, not ",
          shape.text());
  r.found.blocks = std::make_shared<Blocks>();
  Blocks& b = *r.found.blocks;
  b.rows = shape[0];
  b.columns = shape[1];
  b.data = r.data(weight);
  r.found.bytes = weight.bytes;
  r.found.names.push_back(weight.name);
  if (state) {
    r.found.names.push_back(state->name);
    read_four_bits(r, *state, shape);
    return std::move(r.found);
  }
  read_eight_bits(r, stem + "SCB", shape);
  // Layouts of older versions are other ones.
  if (auto* format = file.find(stem + "weight_format")) {
    require(format->bytes == 1 && *format->data == std::byte(0), format->where(),
            ": only weights row by row (0) are supported; save the model again with bitsandbytes "
            "0.44 or newer");
    r.found.names.push_back(format->name);
  }
  return std::move(r.found);
}

}  // namespace afina

// Reads weights tensor by tensor, so that the model is never in memory twice.
#include "model/files/file_weights.h"

#include <algorithm>

#include "engine/files/dequantize.h"
#include "engine/nearest.h"
#include "model/words.h"

namespace afina {

namespace {

constexpr int64_t piece = 1 << 18;  // values converted at a time; a multiple of every block size

// less: what the file's values have more.
void read_plain(Parameter& into, const StoredTensor& stored, float less) {
  std::vector<float> values;
  for (int64_t first = 0; first < into.shape.size(); first += piece) {
    values.resize(size_t(std::min(piece, into.shape.size() - first)));
    to_f32(stored, first, int64_t(values.size()), values.data());
    if (less != 0.f)
      for (float& value : values) value -= less;
    into.assign_part(first, values.data(), int64_t(values.size()));
  }
}

void read_transposed(Parameter& into, const StoredTensor& stored) {
  int64_t out = into.shape[0], in = into.shape[1];
  std::vector<float> values(size_t(out * in)), transposed_values(values.size());
  to_f32(stored, 0, out * in, values.data());
  for (int64_t i = 0; i < in; ++i)
    for (int64_t o = 0; o < out; ++o)
      transposed_values[size_t(o * in + i)] = values[size_t(i * out + o)];
  into.assign_part(0, transposed_values.data(), out * in);
}

// llama.cpp rotates neighbouring columns, Hugging Face the two halves of a head. So llama.cpp
// stores row (p, i) of a head, p < 2, i < dim / 2, as row 2 i + p; this restores Hugging Face's
// order.
void read_permuted(Parameter& into, const StoredTensor& stored, int64_t heads) {
  int64_t rows = into.shape[0], width = into.shape.size() / rows, dim = rows / heads,
          half = dim / 2;
  std::vector<float> head(size_t(dim * width)), ordered(head.size());
  for (int64_t h = 0; h < heads; ++h) {
    to_f32(stored, h * dim * width, dim * width, head.data());
    for (int64_t r = 0; r < dim; ++r) {
      int64_t from = 2 * (r % half) + r / half;
      std::copy_n(head.begin() + from * width, width, ordered.begin() + r * width);
    }
    into.assign_part(h * dim * width, ordered.data(), dim * width);
  }
}

// Query, key and value of each head in turn, from all queries, all keys, all values.
void read_by_head(Parameter& into, const StoredTensor& stored, int64_t heads) {
  const int64_t rows = into.shape[0], width = into.shape.size() / rows, dim = rows / heads / 3;
  std::vector<float> head(size_t(dim * width));
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t kind = 0; kind < 3; ++kind) {
      to_f32(stored, (kind * heads + h) * dim * width, dim * width, head.data());
      into.assign_part((h * 3 + kind) * dim * width, head.data(), dim * width);
    }
}

std::vector<int64_t> extents(const Shape& shape, bool transposed) {
  std::vector<int64_t> all;
  for (int i = 0; i < shape.rank(); ++i) all.push_back(shape[i]);
  if (transposed) std::reverse(all.begin(), all.end());
  return all;
}

}  // namespace

bool same_numbers(const StoredTensor& a, const StoredTensor& b) {
  if (a.shape != b.shape) return false;
  if (a.type == b.type) return std::equal(a.data, a.data + a.bytes, b.data);
  std::vector<float> x, y;
  for (int64_t first = 0; first < a.count(); first += piece) {
    x.resize(size_t(std::min(piece, a.count() - first)));
    y.resize(x.size());
    to_f32(a, first, int64_t(x.size()), x.data());
    to_f32(b, first, int64_t(y.size()), y.data());
    if (x != y) return false;
  }
  return true;
}

const StoredTensor& FileWeights::at(const std::string& name) const {
  if (const StoredTensor* stored = find(name)) return *stored;
  std::vector<std::string> names;
  for (const StoredTensor& t : tensors()) names.push_back(t.name);
  bool head = !config_.tied && (name == "lm_head.weight" || name == "embed_out.weight");
  fail(path_, ": tensor '", stored_name(name), "' is missing",
       did_you_mean(stored_name(name), names),
       head ? "; if the head is the embedding, write \"tie_word_embeddings\": true into config.json"
            : "");
}

void FileWeights::expect(const std::string& parameter, const Shape& shape, bool transposed) {
  const StoredTensor& stored = at(parameter);
  std::vector<int64_t> expected = extents(shape, transposed && transposes());
  require(stored.shape == expected, stored.where(), " has shape ", shape_text(stored.shape),
          " where the config asks for ", shape_text(expected));
  require(can_dequantize(stored.type), stored.where(), " is of type ", name(stored.type),
          ", which afina cannot read as weights");
}

void FileWeights::read(Parameter& into) {
  const StoredTensor& stored = at(into.name);
  if (int64_t heads = permuted_heads(into.name)) read_permuted(into, stored, heads);
  else if (joins(into.name)) read_by_head(into, stored, config_.heads);
  else if (into.stored_transposed && transposes()) read_transposed(into, stored);
  else read_plain(into, stored, added(into.name));
  into.settle();
  drop(stored);
  read_.insert(stored.name);
}

// In which row of the file each row lies; empty: in its own. What read_permuted and read_by_head
// do with rows.
std::vector<int32_t> FileWeights::order_of(const std::string& name, int64_t rows) const {
  std::vector<int32_t> order;
  if (const int64_t heads = permuted_heads(name)) {
    const int64_t dim = rows / heads, half = dim / 2;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t r = row % dim;
      order.push_back(int32_t(row - r + 2 * (r % half) + r / half));
    }
  } else if (joins(name)) {
    const int64_t dim = rows / config_.heads / 3;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t head = row / (3 * dim), kind = row / dim % 3;
      order.push_back(int32_t((kind * config_.heads + head) * dim + row % dim));
    }
  }
  return order;
}

Tensor FileWeights::lies(const std::string& name, const Shape& shape, bool transposed,
                         Dtype computed, Device device) {
  const StoredTensor& stored = at(name);
  const StoredTypeInfo& type = info(stored.type);
  const bool turned = transposed && transposes();
  if (turned || added(name) != 0.f ||
      type.block_bytes >= type.block_elements * int64_t(size_of(computed)))
    return {};
  auto blocks = std::make_shared<Blocks>();
  blocks->name = type.name;
  blocks->computed = computed;
  blocks->type = stored.type;
  blocks->rows = shape[0];
  blocks->columns = shape[1];
  blocks->data = reinterpret_cast<const uint8_t*>(stored.data);
  blocks->order = order_of(name, shape[0]);
  blocks->holder = holder();
  if (holds_bytes(device)) read_.insert(stored.name);
  const Tensor all = over_blocks(std::move(blocks), stored.bytes, device, stored.where());
  if (!all.blocks()->holder) drop(stored);  // a copy: the file's pages are not needed any more
  return all;
}

void FileWeights::finish() {
  std::vector<std::string> extra;
  for (const StoredTensor& t : tensors())
    if (!read_.count(t.name) && !benign(t)) extra.push_back("'" + t.name + "'");
  read_.clear();
  size_t count = extra.size();
  if (count > 5) {
    extra.resize(5);
    extra.push_back("...");
  }
  require(count == 0, path_, ": ", count, count == 1 ? " tensor has" : " tensors have",
          " no place in a ", config_.architecture, " model with this config: ", joined(extra));
}

}  // namespace afina

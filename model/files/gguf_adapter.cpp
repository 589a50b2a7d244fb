// LoRA adapters in GGUF: one alpha for the file, the scale of each layer in its b.
#include "model/files/gguf_adapter.h"

#include <algorithm>
#include <set>

#include "engine/files/dequantize.h"
#include "engine/files/gguf_writer.h"
#include "model/files/gguf_save.h"
#include "model/files/save.h"

namespace afina {

namespace {

constexpr const char* merge_instead =
    "; merge it into its model and write that (--to gguf) where its method can be merged, or write "
    "it for PEFT (--to peft)";

// A pair to be written beside a tensor of the base.
struct LoraPair {
  std::string tensor;     // "blk.0.attn_q.weight"
  const Parameter* base;  // the weight
  LowRank part;
};

std::vector<float> reordered(const std::vector<float>& values, const std::vector<int64_t>& order) {
  if (order.empty()) return values;
  const size_t width = values.size() / order.size();
  std::vector<float> out(values.size());
  for (size_t r = 0; r < order.size(); ++r)
    std::copy_n(values.begin() + order[r] * int64_t(width), width,
                out.begin() + int64_t(r * width));
  return out;
}

std::vector<LoraPair> pairs_of(const std::string& path, const Model& model) {
  const GgufForm& form = architectures().at(model.config.architecture).gguf;
  const Method& method = *model.method;
  require(method.in_force.name == "lora", path, ": GGUF has adapters of LoRA alone, and this is '",
          method.in_force.name, "'", merge_instead);
  std::vector<LoraPair> pairs;
  std::set<const Parameter*> used;
  auto add = [&](const Parameter& base, const LowRank& part) {
    const GgufPlace place = gguf_place(form.names, base.name);
    require(place.name != base.name && place.part < 0, path, ": an adapter on '", base.name,
            "' has no name in GGUF", merge_instead);
    pairs.push_back({place.name, &base, part});
    used.insert({&part.a, &part.b});
  };
  for (const Linear* linear : model.parameters->linears)
    if (linear->adapter)
      if (const LowRank* part = linear->adapter->low_rank(Inputs())) add(linear->weight, *part);
  for (bool head : {false, true}) {
    const TableAdapter* beside = model.ends().beside(head);
    const LowRank* part = beside ? beside->low_rank() : nullptr;
    if (!part) continue;
    require(!model.ends().tied(), path, ": the adapter is on the ",
            head ? "head, which is the embedding too" : "embedding, which is the head too",
            ": llama.cpp cannot apply it", merge_instead);
    const Parameter* base = head ? model.parameters->find(head ? "lm_head.weight" : "") : nullptr;
    if (head && !base) base = model.parameters->find("embed_out.weight");
    if (!head) base = &model.ends().table();
    require(base, path, ": an adapter on the head has no name in GGUF", merge_instead);
    add(*base, *part);
  }
  for (const Parameter& p : model.parameters->all) {
    if (!in_adapter(p, method.stored())) continue;
    require(used.count(&p), path, ": the adapter holds '", p.name,
            "', which an adapter of GGUF cannot", merge_instead);
    require(method.stored_behind(p).extent == 0, path, ": the adapter's start took '", p.name,
            "' out of its layer's weight; load it from its folder", merge_instead);
  }
  require(!pairs.empty(), path, ": the model has no adapter to write");
  return pairs;
}

// The reader's word on one tensor.
std::vector<float> numbers_of(const StoredTensor& stored) {
  std::vector<float> values(size_t(stored.count()));
  to_f32(stored, 0, stored.count(), values.data());
  return values;
}

}  // namespace

void save_gguf_adapter(const std::string& path, const Model& model, StoredType type,
                       const std::string& name) {
  const std::vector<LoraPair> pairs = pairs_of(path, model);
  auto rank = [](const LoraPair& pair) { return pair.part.b.shape[1]; };
  const double alpha_of_first = pairs[0].part.scale * double(rank(pairs[0]));
  // An alpha of 0 means "unscaled" to the reader: an adapter that does nothing has b of zeros.
  const double alpha = alpha_of_first == 0. ? 1. : alpha_of_first;
  GgufPairs metadata;
  const GgufForm& form = architectures().at(model.config.architecture).gguf;
  metadata.set("general.architecture", form.name);
  metadata.set("general.type", "adapter");
  metadata.set("adapter.type", "lora");
  if (!name.empty()) metadata.set("general.name", name);
  metadata.set("adapter.lora.alpha", float(alpha));
  metadata.set("general.quantization_version", 2u);
  GgufWriter writer(path, metadata);
  auto fitting = [&](int64_t row) {
    return row % info(type).block_elements == 0 ? type : StoredType::f32;
  };
  for (const LoraPair& pair : pairs)
    for (auto [part, end] :
         {std::pair(&pair.part.a, ".lora_a"), std::pair(&pair.part.b, ".lora_b")})
      writer.declare(pair.tensor + end, fitting(part->shape[1]), {part->shape[0], part->shape[1]});
  for (const LoraPair& pair : pairs) {
    const std::vector<float> a = pair.part.a.exact().values();
    std::vector<float> b = pair.part.b.exact().values();
    const double factor = pair.part.scale * double(rank(pair)) / alpha;
    if (float(factor) != 1.f)
      for (float& value : b) value = float(double(value) * factor);
    b = reordered(b, gguf_row_order(model.config, pair.base->name, pair.base->shape[0]));
    writer.write(pair.tensor + ".lora_a", a.data(), int64_t(a.size()));
    writer.write(pair.tensor + ".lora_b", b.data(), int64_t(b.size()));
  }
  writer.commit();
}

void apply_gguf_adapter(Model& model, const Gguf& file) {
  const GgufForm& form = architectures().at(model.config.architecture).gguf;
  const Json& meta = file.metadata();
  auto text = [&](const char* key) { return get_or<std::string>(meta, key, file.path(), ""); };
  require(text("general.type") == "adapter" && text("adapter.type") == "lora", file.path(),
          ": is no LoRA adapter (general.type '", text("general.type"), "', adapter.type '",
          text("adapter.type"), "')");
  require(text("general.architecture") == form.name, file.path(), ": is an adapter for '",
          text("general.architecture"), "' and the model is a '", form.name, "'");
  const double alpha = get_or<double>(meta, "adapter.lora.alpha", file.path(), 0.);
  std::set<std::string> read;
  for (Parameter& p : model.parameters->all) {
    const GgufPlace place = gguf_place(form.names, p.name);
    const StoredTensor* a = place.part < 0 ? file.find(place.name + ".lora_a") : nullptr;
    if (!a) continue;
    const StoredTensor& b = file.at(place.name + ".lora_b");
    read.insert({a->name, b.name});
    const bool table = place.name == "token_embd.weight";  // a (vocabulary, rank), b (width, rank)
    const int64_t rows = p.shape[0], width = p.shape.size() / rows,
                  rank = b.shape.empty() ? 0 : b.shape.back();
    const std::vector<int64_t> of_a = table ? std::vector<int64_t>{rows, rank}
                                            : std::vector<int64_t>{rank, width},
                               of_b = {table ? width : rows, rank};
    require(rank > 0 && a->shape == of_a && b.shape == of_b, a->where(),
            " and its pair have shapes ", shape_text(a->shape), " and ", shape_text(b.shape),
            " where the weight has ", p.shape.text());
    const double scale = alpha == 0. ? 1. : alpha / double(rank);
    const std::vector<float> x = numbers_of(*a);
    std::vector<float> y = numbers_of(b);
    if (const auto order = gguf_row_order(model.config, p.name, rows); !order.empty() && !table) {
      std::vector<float> back(y.size());
      for (size_t r = 0; r < order.size(); ++r)
        std::copy_n(y.begin() + int64_t(r) * rank, rank, back.begin() + order[r] * rank);
      y = back;
    }
    const Tensor left = Tensor::from(table ? x : y, {rows, rank}),
                 right = Tensor::from(table ? y : x, {table ? width : rank, table ? rank : width}),
                 weight = p.exact() + matmul(left, right, false, table) * scale;
    p.unpack();
    p.assign(weight.values().data());
  }
  for (const StoredTensor& t : file.tensors())
    require(read.count(t.name), t.where(), " has no place in this model");
}

}  // namespace afina

// Writing models as GGUF: llama.cpp's names, orders and types.
#include "model/files/gguf_save.h"

#include <algorithm>
#include <map>

#include "model/files/save.h"
#include "model/merged.h"

namespace afina {

namespace {

const GgufForm& form_of(const Model& model) {
  return architectures().at(model.config.architecture).gguf;
}

// Norms, biases, positions and routers: few numbers, on which much depends.
bool always_f32(const std::string& name, const std::vector<int64_t>& shape) {
  return shape.size() < 2 || name.ends_with("_norm.weight") || name == "position_embd.weight" ||
         name.ends_with(".ffn_gate_inp.weight");
}

StoredType stored(GgufType wanted, StoredType otherwise) {
  switch (wanted) {
    case GgufType::f32: return StoredType::f32;
    case GgufType::f16: return StoredType::f16;
    case GgufType::bf16: return StoredType::bf16;
    case GgufType::q8_0: return StoredType::q8_0;
    case GgufType::q4_0: return StoredType::q4_0;
    case GgufType::q5_0: return StoredType::q5_0;
    case GgufType::q4_k: return StoredType::q4_k;
    case GgufType::q5_k: return StoredType::q5_k;
    case GgufType::q6_k: return StoredType::q6_k;
    case GgufType::automatic: break;
  }
  return otherwise;
}

bool few_bits(StoredType type) {
  return type == StoredType::q4_0 || type == StoredType::q5_0 || type == StoredType::q4_k ||
         type == StoredType::q5_k;
}

StoredType that_fits(StoredType type, int64_t row) {
  auto fits = [&](StoredType one) { return row % info(one).block_elements == 0; };
  if (fits(type)) return type;
  if (info(type).block_elements == 256) {
    type = type == StoredType::q4_k   ? StoredType::q5_0
           : type == StoredType::q5_k ? StoredType::q5_1
                                      : StoredType::q8_0;
    if (fits(type)) return type;
  }
  return StoredType::f16;
}

// The values that are written of a parameter: with what is merged into it, and in the order that
// the file has.
class Values {
 public:
  explicit Values(const Model& model) : model_(model), form_(form_of(model)), merged_(model) {}
  // Was it trained, or does an adapter change it?
  bool changed(const Parameter& p) const { return p.trained || merged_.adapted(p); }
  std::vector<float> of(const Parameter& p) const {
    std::vector<float> values = merged_.of(p).values();
    const int64_t rows = p.shape[0], width = int64_t(values.size()) / rows;
    if (const auto order = gguf_row_order(model_.config, p.name, rows); !order.empty()) {
      std::vector<float> ordered(values.size());
      for (size_t r = 0; r < order.size(); ++r)
        std::copy_n(values.begin() + order[r] * width, width, ordered.begin() + int64_t(r) * width);
      return ordered;
    }
    if (form_.added_to_norms != 0.f && p.name.ends_with("norm.weight"))
      for (float& value : values) value += form_.added_to_norms;
    return values;
  }

 private:
  const Model& model_;
  const GgufForm& form_;
  MergedWeights merged_;
};

}  // namespace

std::vector<int64_t> gguf_row_order(const ModelConfig& config, const std::string& parameter,
                                    int64_t rows) {
  const GgufForm& form = architectures().at(config.architecture).gguf;
  std::vector<int64_t> order;
  const bool query = parameter.find(".q_proj.") != parameter.npos,
             key = parameter.find(".k_proj.") != parameter.npos;
  if (form.reorders && (query || key)) {
    const int64_t dim = rows / (query ? config.heads : config.kv_heads), half = dim / 2;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t in = r % dim;
      order.push_back(r - in + in % 2 * half + in / 2);
    }
  } else if (form.joins && parameter.find(std::string(".") + form.joins + ".") != parameter.npos) {
    const int64_t heads = config.heads, dim = rows / heads / 3;
    for (int64_t kind = 0; kind < 3; ++kind)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < dim; ++i) order.push_back((h * 3 + kind) * dim + i);
  }
  return order;
}

std::vector<GgufTensorPlan> gguf_plan(const Model& model, GgufType wanted, StoredType otherwise,
                                      const Gguf* source) {
  const GgufForm& form = form_of(model);
  const Values values(model);
  std::vector<GgufTensorPlan> all;
  std::map<std::string, size_t> index;
  for (const Parameter& p : model.parameters->all) {
    if (p.added) continue;
    const GgufPlace place = gguf_place(form.names, p.name);
    require(place.name != p.name, "tensor '", p.name, "' of a ", model.config.architecture,
            " has no name in GGUF; write a Hugging Face folder (--to hf)");
    auto [found, fresh] = index.try_emplace(place.name, all.size());
    if (fresh) {
      all.push_back({place.name, StoredType::f32, {}, {}, false});
      for (int i = 0; i < p.shape.rank(); ++i) all.back().shape.push_back(p.shape[i]);
      if (place.part >= 0) all.back().shape.insert(all.back().shape.begin(), 0);
    }
    GgufTensorPlan& tensor = all[found->second];
    if (place.part >= 0) {
      require(place.part == tensor.shape[0], "tensor '", p.name, "' is part ", place.part, " of '",
              place.name, "' where part ", tensor.shape[0], " is expected");
      ++tensor.shape[0];
    }
    tensor.parts.push_back(&p);
  }
  const StoredType matrices = stored(wanted, otherwise);
  const bool own_head = index.count("output.weight") > 0;
  for (GgufTensorPlan& tensor : all) {
    const StoredTensor* same = source ? source->find(tensor.name) : nullptr;
    const bool untouched = same && same->shape == tensor.shape &&
                           std::none_of(tensor.parts.begin(), tensor.parts.end(),
                                        [&](const Parameter* p) { return values.changed(*p); });
    if (untouched && wanted == GgufType::automatic) {
      tensor.type = same->type;
      tensor.copied = true;
      continue;
    }
    if (always_f32(tensor.name, tensor.shape)) continue;
    const bool head = tensor.name == (own_head ? "output.weight" : "token_embd.weight");
    tensor.type =
        that_fits(head && few_bits(matrices) ? StoredType::q6_k : matrices, tensor.shape.back());
  }
  return all;
}

uint32_t gguf_file_type(GgufType wanted, StoredType otherwise) {
  switch (stored(wanted, otherwise)) {
    case StoredType::f32: return 0;
    case StoredType::f16: return 1;
    case StoredType::q4_0: return 2;
    case StoredType::q8_0: return 7;
    case StoredType::q5_0: return 8;
    case StoredType::q4_k: return 14;
    case StoredType::q5_k: return 16;
    case StoredType::q6_k: return 18;
    default: return 32;
  }
}

void save_gguf(const std::string& path, Model& model, const std::vector<GgufTensorPlan>& plan,
               const GgufPairs& pairs, const std::vector<GgufKeys::Factors>& factors,
               const Gguf* source) {
  const std::string why = model.method->why_not_mergeable();
  require(why.empty(), path, ": the adapters cannot be merged: ", why);
  const Values values(model);
  GgufWriter writer(path, pairs);
  for (const GgufKeys::Factors& one : factors)
    writer.declare(one.name, StoredType::f32, {int64_t(one.values.size())});
  for (const GgufTensorPlan& tensor : plan) writer.declare(tensor.name, tensor.type, tensor.shape);
  for (const GgufKeys::Factors& one : factors)
    writer.write(one.name, one.values.data(), int64_t(one.values.size()));
  for (const GgufTensorPlan& tensor : plan) {
    if (tensor.copied) {
      const StoredTensor& same = source->at(tensor.name);
      writer.write_stored(tensor.name, same.data, same.bytes);
      source->drop(same);
      continue;
    }
    for (const Parameter* p : tensor.parts) {
      const std::vector<float> numbers = values.of(*p);
      writer.write(tensor.name, numbers.data(), int64_t(numbers.size()));
    }
  }
  writer.commit();
}

}  // namespace afina

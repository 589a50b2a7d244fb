// What was written, read again as a stranger reads it and compared with what was trained.
#include <algorithm>
#include <filesystem>

#include "engine/files/folder_file.h"
#include "engine/files/rounding.h"
#include "model/files/file_weights.h"
#include "model/files/gguf_adapter.h"
#include "model/files/save.h"
#include "tools/runs/export_forms.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

// The stored types that a file has of the trained model's parameters.
StoredTypes types_in(const Gguf& written, const Model& model) {
  const GgufForm& form = architectures().at(model.config.architecture).gguf;
  StoredTypes types;
  for (const Parameter& p : model.parameters->all)
    if (const StoredTensor* found = written.find(gguf_place(form.names, p.name).name))
      types[p.name] = found->type;
  return types;
}
StoredTypes types_in(const Safetensors& written, const Model& model) {
  StoredTypes types;
  for (const Parameter& p : model.parameters->all)
    if (const StoredTensor* found = written.find(p.stored_name)) types[p.name] = found->type;
  return types;
}

// The coarser type of the two factors of each weight.
std::vector<FactorType> factors_in(const Gguf& file, const Model& model) {
  const GgufForm& form = architectures().at(model.config.architecture).gguf;
  std::vector<FactorType> factors;
  for (const Parameter& p : model.parameters->all) {
    const std::string name = gguf_place(form.names, p.name).name;
    const StoredTensor *a = file.find(name + ".lora_a"), *b = file.find(name + ".lora_b");
    if (!a || !b) continue;
    const bool coarse = gaussian_rounding(a->type) > gaussian_rounding(b->type);
    factors.push_back({p.name, coarse ? a->type : b->type});
  }
  return factors;
}

bool is_adapter(const Gguf& file) {
  return get_or<std::string>(file.metadata(), "general.type", file.path(), "") == "adapter";
}

void compare_adapter_gguf(Certifier& certifier, Subject& subject, const std::string& path,
                          const Gguf& file) {
  const Model& model = certifier.trained();
  const GgufForm& form = architectures().at(model.config.architecture).gguf;
  StoredTypes types;
  auto add = [&](const Parameter& base, const LowRank* part) {
    const std::string name = gguf_place(form.names, base.name).name;
    if (!part) return;
    if (const StoredTensor* a = file.find(name + ".lora_a")) types[part->a.name] = a->type;
    if (const StoredTensor* b = file.find(name + ".lora_b")) types[part->b.name] = b->type;
  };
  for (const Linear* linear : model.parameters->linears)
    if (linear->adapter) add(linear->weight, linear->adapter->low_rank(Inputs()));
  certifier.certificate.form = "gguf-lora";
  auto base = subject.load_base();
  if (!base) base = subject.load();
  apply_gguf_adapter(*base, Gguf(path));
  certifier.adapter(*base, nullptr, factors_in(file, model));
  certifier.rounded(types);
  certifier.stranger(*base, nullptr);
}

// Other programs open the base that the adapter's config names.
void compare_base(ExportCertificate& certificate, const Subject& subject,
                  const AdapterFiles& written) {
  const std::string then = subject.adapter.empty() ? "" : load_adapter(subject.adapter).base;
  std::error_code ignored;
  if (written.base == then || written.base == subject.model ||
      fs::equivalent(written.base, subject.model, ignored))
    return;
  std::string note = written.path + " names " +
                     (written.base.empty() ? "no base model" : "'" + written.base + "'") +
                     ", which other programs will open, where the trained adapter names " +
                     (then.empty() ? "none" : "'" + then + "'") + ": is it the same model as " +
                     subject.model + "?";
  bool other = false;
  if (fs::exists(written.base, ignored)) try {
      other = open_model(written.base).hashes() != subject.files.hashes();
    } catch (const Error&) { other = true; }
  if (other)
    certificate.checks.push_back({"base model", written.base, subject.model,
                                  "the weights of the base that the adapter's config names are "
                                  "others than those that were trained on",
                                  false});
  else certificate.notes.push_back(std::move(note));
}

void compare_peft(Certifier& certifier, Subject& subject, const std::string& path) {
  certifier.certificate.form = "peft";
  ModelFiles base = open_model(subject.model);
  auto written = load_model(base, path, Dtype::f32, Device::cpu, subject.base);
  const AdapterFiles files = load_adapter(path);
  StoredTypes types;
  std::vector<FactorType> factors;
  for (const Parameter& p : written->parameters->all)
    if (in_adapter(p, written->method->stored()))
      if (const StoredTensor* found = files.values->find(Beside::names(*written->method, p)[0]))
        types[p.name] = found->type;
  for (const Linear* linear : written->parameters->linears) {
    if (!linear->adapter) continue;
    FactorType coarsest = {linear->weight.name, StoredType::f32};
    for (auto& [name, type] : types)
      if (name.starts_with(linear->path + ".") &&
          gaussian_rounding(type) > gaussian_rounding(coarsest.type))
        coarsest.type = type;
    factors.push_back(coarsest);
  }
  certifier.adapter(*written, &files.values->tensors(), factors);
  certifier.rounded(types);
  compare_base(certifier.certificate, subject, files);
  certifier.stranger(*written, subject.has_tokenizer ? &base : nullptr, path);
}

// The model's own config, not the file's: what that says is compared by itself (Certifier::form).
void compare_weights(Certifier& certifier, const ModelFiles& files, Scales scales) {
  std::vector<std::string> names;
  const std::unique_ptr<WeightSource> source =
      files.gguf ? gguf_weights(certifier.config(), files.gguf)
                 : folder_weights(certifier.config(), files.path, names);
  certifier.weights(dynamic_cast<FileWeights&>(*source), scales);
}

}  // namespace

void compare_written(Certifier& certifier, Subject& subject, const std::string& given,
                     const StoredTypes* types) {
  ExportCertificate& certificate = certifier.certificate;
  std::error_code ignored;
  bool folder = fs::is_directory(given, ignored);
  const bool peft =
      folder && (in_folder(given, "adapter_config.json") || in_folder(given, "afina_adapter.json"));
  // A folder may hold one .gguf file, a model or an adapter.
  const std::string path = peft ? given : model_file(given);
  folder = folder && path == given;
  if (folder && !in_folder(path, "config.json") && peft)
    return compare_peft(certifier, subject, path);
  if (!folder) {
    const Gguf file(path);
    if (is_adapter(file)) return compare_adapter_gguf(certifier, subject, path, file);
  }
  ModelFiles files = open_model(path);
  certificate.form = files.gguf ? "gguf" : "hf";
  // What is known by its types was written here, by quantisers that weigh nothing.
  compare_weights(certifier, files, types ? Scales::nearest : Scales::any);
  certifier.rounded(types        ? *types
                    : files.gguf ? types_in(*files.gguf, certifier.trained())
                                 : types_in(Safetensors(files.path), certifier.trained()));
  auto written = load_model(files, "", Dtype::f32);
  const bool has_tokenizer = files.gguf || in_folder(files.path, "tokenizer.json");
  certifier.stranger(*written, has_tokenizer ? &files : nullptr);
  written.reset();
  if (files.gguf) certifier.form(files.gguf);
}

}  // namespace afina

// Writing models in each form.
#include "tools/runs/export_forms.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "data/tokenizer/template_files.h"
#include "data/tokenizer/to_gguf.h"
#include "data/tokenizer/utf8.h"
#include "engine/files/atomic_file.h"
#include "engine/files/dequantize.h"
#include "engine/files/folder_file.h"
#include "model/files/carry.h"
#include "model/files/end_tokens.h"
#include "model/files/gguf_adapter.h"
#include "model/files/save.h"
#include "tools/runs/modelfile.h"

namespace afina {

namespace fs = std::filesystem;

namespace {

std::string last_part(const std::string& path) {
  fs::path p = fs::absolute(path).lexically_normal();
  if (p.filename().empty()) p = p.parent_path();
  return p.extension() == ".gguf" ? p.stem().string() : p.filename().string();
}

// "1.4M", "135M": as the converter labels sizes.
std::string size_label(const Model& model) {
  double count = 0.;
  for (const Parameter& p : model.parameters->all)
    if (!p.added) count += double(p.shape.size());
  const char* unit = "K";
  double scaled = count * 1e-3;
  for (auto [size, name] : {std::pair(1e6, "M"), std::pair(1e9, "B"), std::pair(1e12, "T")})
    if (count > size) {
      scaled = count / size;
      unit = name;
    }
  char text[40];
  std::snprintf(text, sizeof text, "%.*f%s", scaled < 9.5 ? 1 : 0, scaled, unit);
  return text;
}

// The type in which the model's own files have their matrices; F16 where they are F32 or something
// was trained, as BF16 would swallow small changes.
StoredType type_of_source(const Subject& subject) {
  if (!subject.adapter.empty() || subject.files.gguf) return StoredType::f16;
  const Safetensors source(subject.files.path);
  for (const StoredTensor& t : source.tensors())
    if (t.shape.size() >= 2) return t.type == StoredType::bf16 ? StoredType::bf16 : StoredType::f16;
  return StoredType::f16;
}

bool of_model(const GgufPair& pair) {
  return !pair.key.starts_with("tokenizer.") && !pair.key.starts_with("split.") &&
         pair.key != "general.file_type" && pair.key != "general.quantization_version" &&
         pair.key != "general.alignment";
}

GgufTokenizerOptions tokenizer_options(const Subject& subject, const Tokenizer& tokenizer,
                                       const ModelConfig& config) {
  GgufTokenizerOptions options;
  options.rows = config.vocabulary;
  const ChatTemplate chat = subject.chat(tokenizer);
  if (chat.chosen()) options.chat_template = chat.source();
  options.end_of_turn = chat.end_of_turn();
  // Tokens that other programs know by their names need no key.
  return options;
}

// llama.cpp takes a file whose name says Phi-3 for one with that model's tokens: it ends loading
// where they are missing, and drops blanks after special tokens where they are not. Empty: another
// name is to be given.
std::string name_for(const std::string& name, const Tokenizer& tokenizer) {
  std::string lower = name;
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  if (lower.find("phi-3") == lower.npos && lower.find("phi3") == lower.npos) return name;
  for (const char* token : {"</s>", "<unk>", "<s>", "<|endoftext|>"})
    if (tokenizer.id_of(token) < 0) return "";
  return name;
}

Written write_gguf(GgufType type, Subject& subject, Model& model, const std::string& path,
                   const std::string& name) {
  require(subject.has_tokenizer, subject.model,
          ": has no tokenizer, without which llama.cpp reads ",
          "no GGUF file; put its tokenizer.json into the folder, or export --to hf");
  ModelConfig config = model.config;
  config.tied = config.tied && model.ends().tied();
  const Tokenizer tokenizer = subject.tokenizer();
  const std::string called = name_for(name, tokenizer);
  const Gguf* source = subject.files.gguf.get();
  GgufKeys keys = gguf_keys(config);
  GgufPairs pairs;
  if (source) {
    for (const GgufPair& pair : source->pairs())
      if (of_model(pair)) pairs.copy(pair);
    for (GgufKeys::Factors& one : keys.factors)
      if (const StoredTensor* same = source->find(one.name)) {
        one.values.resize(size_t(same->count()));
        to_f32(*same, 0, same->count(), one.values.data());
      }
  } else {
    pairs = keys.pairs;
    GgufPairs general;
    general.set("general.architecture", keys.prefix.substr(0, keys.prefix.size() - 1));
    general.set("general.type", "model");
    if (!called.empty()) general.set("general.name", called);
    general.set("general.size_label", size_label(model));
    general.append(pairs);
    pairs = general;
  }
  const StoredType otherwise =
      type == GgufType::automatic ? type_of_source(subject) : StoredType::f32;
  const std::vector<GgufTensorPlan> plan = gguf_plan(model, type, otherwise, source);
  const bool copied = std::any_of(plan.begin(), plan.end(), [](auto& t) { return t.copied; });
  const std::string label = "general.file_type";
  if (copied && find_member(source->metadata(), label, source->path()))
    pairs.set(label, get<uint32_t>(source->metadata(), label, source->path()));
  else pairs.set(label, gguf_file_type(type, otherwise));
  pairs.set("general.quantization_version", 2u);
  Written out;
  out.notes = keys.notes;
  if (!source && called != name)
    out.notes.push_back(
        "the file has no name, as llama.cpp looks for Phi-3's tokens where the name "
        "is " +
        name + "; --name gives another");
  const GgufTokenizerOptions options = tokenizer_options(subject, tokenizer, config);
  if (source) copy_tokenizer(*source, options, pairs);
  else
    for (std::string& note : put_tokenizer(tokenizer, options, pairs))
      out.notes.push_back(std::move(note));
  save_gguf(path, model, plan, pairs, keys.factors, source);
  for (const GgufTensorPlan& tensor : plan)
    for (const Parameter* p : tensor.parts)
      out.types[p->name] = tensor.copied ? StoredType::f32 : tensor.type;
  return out;
}

Dtype dtype_of(GgufType type) {
  if (type == GgufType::automatic || type == GgufType::f32) return Dtype::f32;
  if (type != GgufType::bf16)
    throw UsageError("--type " + std::string(word_of(type)) +
                     ": a Hugging Face folder is written as f32 or bf16");
  return Dtype::bf16;
}

Written write_hf(GgufType type, Subject& subject, Model& model, const std::string& folder) {
  const Dtype dtype = dtype_of(type);
  save_model(folder, model, dtype, true);
  carry_small_files(subject.files.path, folder);
  settle_end_tokens(folder, -1);
  Written out;
  out.file = "model.safetensors";
  if (dtype == Dtype::bf16)
    for (const Parameter& p : model.parameters->all)
      if (!p.added) out.types[p.name] = StoredType::bf16;
  if (!subject.has_tokenizer) return out;
  const Tokenizer tokenizer = subject.tokenizer();
  const ChatTemplate chat = subject.chat(tokenizer);
  tokenizer.save(folder, chat.chosen() ? chat.source() : "");
  if (chat.end_of_turn() >= 0 && !tokenizer.chat_templates().empty())
    add_end_token(folder, chat.end_of_turn());
  else if (chat.chosen() && chat.end_of_turn() >= 0) add_end_token(folder, chat.end_of_turn());
  else settle_end_tokens(folder, tokenizer.eos());
  return out;
}

Written write_peft(GgufType type, Subject& subject, Model& model, const std::string& folder) {
  if (type != GgufType::automatic && type != GgufType::f32)
    throw UsageError("--type " + std::string(word_of(type)) +
                     ": adapters are written to PEFT's form as f32");
  require(!subject.adapter.empty(), subject.described,
          ": is a whole model and no adapter; export it ", "--to hf or --to gguf");
  const std::string base = load_adapter(subject.adapter).base;
  const std::string name = base.empty() ? subject.model : base;
  const AdapterConfig config = adapter_config(model, name);
  require(config.file == "adapter_config.json", subject.adapter,
          ": PEFT does not know the method '", model.method->in_force.text,
          "'; export the merged model (--to hf, --to gguf)");
  save_adapter(folder, model, name);
  write_templates(folder, templates_of_folder(subject.adapter));
  Written out;
  out.file = "adapter_model.safetensors";
  return out;
}

StoredType adapter_type(GgufType type) {
  switch (type) {
    case GgufType::automatic:
    case GgufType::f32: return StoredType::f32;
    case GgufType::f16: return StoredType::f16;
    case GgufType::bf16: return StoredType::bf16;
    case GgufType::q8_0: return StoredType::q8_0;
    default: break;
  }
  throw UsageError("--type " + std::string(word_of(type)) +
                   ": an adapter is written as f32, f16, bf16 or q8_0");
}

void write_modelfile(Subject& subject, const std::string& folder, const std::string& file,
                     std::vector<std::string>& notes) {
  const Tokenizer tokenizer = subject.tokenizer();
  const ChatTemplate chat = subject.chat(tokenizer);
  ModelfileOptions options;
  options.file = file;
  for (int32_t id : subject.stops(tokenizer, chat))
    options.stops.push_back(tokenizer.token_bytes(id));
  if (tokenizer.before_text().size() == 1)
    options.bos = tokenizer.token_bytes(tokenizer.before_text()[0]);
  if (!subject.files.gguf && in_folder(subject.files.path, "generation_config.json"))
    options.generation =
        parse_json_file(file_of_folder(subject.files.path, "generation_config.json"));
  const bool has_template = chat.chosen() || !tokenizer.chat_template().empty();
  write_text_file(folder + "/Modelfile", modelfile(has_template ? &chat : nullptr, options));
  if (has_template && trims_turns(chat))
    notes.push_back(
        "the chat template takes blanks and line ends off the ends of every turn, and Ollama "
        "leaves "
        "them: what is typed with them is read with them");
}

}  // namespace

Written write_form(ExportForm form, GgufType type, Subject& subject, Model& model,
                   const std::string& folder, const std::string& file, const std::string& name) {
  std::string called = name.empty() ? last_part(subject.model) : name;
  if (!is_utf8(called)) called.clear();
  Written out;
  switch (form) {
    case ExportForm::hf: return write_hf(type, subject, model, folder);
    case ExportForm::peft: return write_peft(type, subject, model, folder);
    case ExportForm::gguf_lora: {
      require(!subject.adapter.empty(), subject.described, ": is a whole model and no adapter; ",
              "export it --to gguf");
      save_gguf_adapter(folder + "/" + file, model, adapter_type(type), called);
      const StoredType stored = adapter_type(type);
      if (stored != StoredType::f32) out.notes.push_back("rows that are no whole blocks are F32");
      break;
    }
    case ExportForm::gguf:
    case ExportForm::ollama: out = write_gguf(type, subject, model, folder + "/" + file, called);
  }
  out.file = file;
  if (form == ExportForm::ollama) write_modelfile(subject, folder, file, out.notes);
  return out;
}

}  // namespace afina

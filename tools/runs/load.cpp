// Opening models and data for the smaller commands.
#include "tools/runs/load.h"

#include <algorithm>

#include "model/files/end_tokens.h"

namespace afina {

Tokenizer tokenizer_of(const ModelFiles& files) {
  return files.gguf ? Tokenizer::from_gguf(files.gguf->metadata(), files.path)
                    : Tokenizer::from_file(files.path);
}

std::vector<int32_t> stop_tokens(const ModelFiles& files, const Tokenizer& tokenizer) {
  if (!files.gguf) return end_tokens(files.path);
  std::vector<int32_t> all = stop_tokens(files.config);
  auto add = [&](int32_t id) {
    if (id >= 0 && std::find(all.begin(), all.end(), id) == all.end()) all.push_back(id);
  };
  for (const char* role : {"eot", "eom"})
    add(get_or<int32_t>(files.gguf->metadata(), std::string("tokenizer.ggml.") + role + "_token_id",
                        files.path, -1));
  // As llama.cpp of 2026 has them, for any token that no text is made of. Where <|return|> and
  // <|call|> end an answer (gpt-oss), <|end|> ends a part of it.
  auto has = [&](const char* name) {
    return std::any_of(tokenizer.added_tokens().begin(), tokenizer.added_tokens().end(),
                       [&](const AddedToken& token) { return token.content == name; });
  };
  const bool parts = has("<|return|>") && has("<|call|>");
  for (const char* name : {"<|eot_id|>",
                           "<|im_end|>",
                           "<|end|>",
                           "<|return|>",
                           "<|call|>",
                           "<|flush|>",
                           "<|calls|>",
                           "<end_of_turn>",
                           "<|endoftext|>",
                           "</s>",
                           "<|eom_id|>",
                           "<EOT>",
                           "_<EOT>",
                           "[EOT]",
                           "[EOS]",
                           "<|end_of_text|>",
                           "<end_of_utterance>",
                           "<eos>",
                           "<turn|>",
                           "<|tool_response>"})
    if (has(name) && !(parts && std::string(name) == "<|end|>")) add(tokenizer.id_of(name));
  return all;
}

std::unique_ptr<Model> load_model(ModelFiles& files, const std::string& adapter, Dtype dtype,
                                  Device device, const BaseStorage& base) {
  BuildOptions build;
  build.base = base;
  build.dtype = dtype;
  build.device = device;
  if (adapter.empty())
    return build_model(files.config, *files.source, std::make_unique<Untouched>(), build);
  AdapterFiles files_of_adapter = load_adapter(adapter);
  auto model =
      build_model(files.config, *files.source, make_method(files_of_adapter.method), build);
  files_of_adapter.apply(*model);
  return model;
}

std::unique_ptr<Model> load_model(ModelFiles& files, const LoadOptions& options) {
  return load_model(files, options.adapter, matrix_dtype(options.dtype),
                    usable_device(options.device), options.storage());
}

std::string words_of(const BaseStorage& base) {
  return std::string("--base ") + word_of(base.form) + (base.ends ? " --base-ends on" : "");
}

std::string over_another_base(const AdapterFiles& adapter, const BaseStorage& now) {
  if (!adapter.over || same_numbers(*adapter.over, now)) return "";
  return adapter.path + " was trained over " + words_of(*adapter.over) + ", and the base is " +
         words_of(now) + " here: that is another model than the one that was trained, which " +
         words_of(*adapter.over) + " gives";
}
std::string over_another_base(const std::string& adapter, const BaseStorage& now) {
  return adapter.empty() ? "" : over_another_base(load_adapter(adapter), now);
}

int64_t ReadOptions::row_length(const ModelConfig& config) const {
  if (length == 0) return std::min(RecordOptions().length, config.context);
  require(length >= 2 && length <= config.context, "--length ", length, ": expected 2 to ",
          config.context, ", the model's context");
  return length;
}

Samples ReadOptions::read(const Tokenizer& tokenizer, const ModelConfig& config,
                          const std::string& adapter, std::vector<Example>* whole) const {
  RecordOptions here = *this;
  here.length = row_length(config);
  check_field_files(fields, {path});
  std::vector<Example> examples = read_examples(path, here.examples(path));
  Samples samples =
      make_samples(examples, tokenizer,
                   ChatTemplate::choose(here.template_choice(adapter), tokenizer), here.samples());
  if (whole) *whole = std::move(examples);
  return samples;
}

}  // namespace afina

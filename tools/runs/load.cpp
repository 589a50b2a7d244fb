// Opening models and data for the smaller commands.
#include "tools/runs/load.h"

#include "model/files/save.h"

namespace afina {

namespace po = boost::program_options;

void LoadOptions::add_to(Options& options) {
  auto in_model = options.group("Model").add_options();
  in_model("model,m", po::value(&model)->required(), "Hugging Face folder or .gguf file");
  in_model("adapter", po::value(&adapter),
           "folder of an adapter: adapter_config.json and adapter_model.safetensors, as 'afina "
           "train' and PEFT write them");
  in_model("dtype", po::value(&dtype)->default_value(dtype),
           "to compute in: f32, bf16 or bf16-tiles (see 'afina train --help')");
  in_model("device", po::value(&device)->default_value(device), device_help);
}
Dtype LoadOptions::parsed_dtype() const {
  ModelOptions same;
  same.dtype = dtype;
  same.device = device;
  return same.parsed_dtype();
}

Tokenizer tokenizer_of(const ModelFiles& files) {
  return files.gguf ? Tokenizer::from_gguf(files.gguf->metadata(), files.path)
                    : Tokenizer::from_file(files.path);
}

std::unique_ptr<Model> load_model(ModelFiles& files, const std::string& adapter, Dtype dtype,
                                  Device device) {
  BuildOptions build;
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

void ReadOptions::add_to(Options& options) {
  auto in_data = options.group("Data").add_options();
  in_data("data", po::value(&path), "records: .jsonl, .json or .txt");
  in_data(
      "format", po::value(&data.format),
      "prompt, alpaca, messages, sharegpt or text; found out from the first record when not given");
  in_data("fields", po::value(&data.fields),
          "what the fields are called in the file: prompt=question,completion=answer");
  in_data("template", po::value(&data.chat_template),
          "chat template by name; the model's own when not given");
  in_data("train-on", po::value(&data.train_on)->default_value(data.train_on),
          "answers (all assistant turns), last (the last one) or all (prompts too)");
  in_data("length", po::value(&length)->default_value(length, "256, or the model's context"),
          "longest row, in tokens");
  in_data("on-too-long", po::value(&data.on_too_long)->default_value(data.on_too_long),
          "error, cut or skip: what to do with records longer than --length");
  in_data("on-problem", po::value(&data.on_problem)->default_value(data.on_problem),
          "error or skip: what to do with records that have nothing to train on");
  in_data("limit", po::value(&data.limit)->default_value(data.limit, "all"),
          "read at most so many records");
}

int64_t ReadOptions::row_length(const ModelConfig& config) const {
  if (length == 0) return std::min(data.length, config.context);
  require(length >= 2 && length <= config.context, "--length ", length, ": expected 2 to ",
          config.context, ", the model's context");
  return length;
}

Samples ReadOptions::read(const Tokenizer& tokenizer, const ModelConfig& config,
                          std::vector<Example>* whole) const {
  DataOptions here = data;
  here.length = row_length(config);
  std::vector<Example> examples = read_examples(path, here.examples());
  Samples samples = make_samples(
      examples, tokenizer, ChatTemplate::choose(here.chat_template, tokenizer), here.samples());
  if (whole) *whole = std::move(examples);
  return samples;
}

}  // namespace afina

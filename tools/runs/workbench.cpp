// Opening model and data.
#include "tools/runs/workbench.h"

#include <filesystem>

#include "engine/bf16_sums.h"
#include "engine/files/sha256.h"
#include "model/files/end_tokens.h"
#include "tools/runs/load.h"
#include "tools/text/format.h"

namespace afina {

namespace {

DataDescription described(const std::string& role, const std::string& path,
                          const Samples& samples) {
  DataDescription d;
  d.role = role;
  d.path = path;
  d.hash = samples.sha256;
  d.rows = int64_t(samples.rows.size());
  d.tokens = samples.tokens;
  d.target_tokens = samples.targets;
  d.truncated = samples.cut;
  return d;
}
// The first samples that hold `tokens` tokens together.
void keep_tokens(Samples& samples, int64_t tokens) {
  size_t rows = 0;
  for (int64_t held = 0; rows < samples.rows.size() && held < tokens; ++rows)
    held += int64_t(samples.rows[rows].tokens.size());
  samples.rows.resize(rows);
  samples.tokens = samples.targets = 0;
  for (auto& row : samples.rows) {
    samples.tokens += int64_t(row.tokens.size());
    samples.targets += row.target_count();
  }
}

void read_rows(Workbench& bench) {
  const DataOptions& data = bench.data;
  std::vector<Example> train, held_out;
  std::string sources;
  for (const std::string& path : data.data) {
    std::vector<Example> more = read_examples(path, data.examples());
    train.insert(train.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
    sources += (sources.empty() ? "" : " + ") + path;
  }
  if (!data.eval.empty()) {
    ExampleOptions options = data.examples();
    options.limit = -1;  // it is --data's
    held_out = read_examples(data.eval, options);
  } else {
    require(data.held_out == -1 || data.held_out >= 2, "--held-out ", data.held_out,
            ": expected at least 2, one record to choose by and one to judge by; leave it out for "
            "a tenth of ",
            sources, ", or name other records with --eval");
    int64_t count = data.held_out > 0
                        ? data.held_out
                        : std::max<int64_t>(2, std::min<int64_t>(200, int64_t(train.size()) / 10));
    require(count < int64_t(train.size()), sources, ": ", train.size(), " records cannot spare ",
            count, " held-out ones; give --eval, a smaller --held-out, or more data");
    Split split = split_examples(std::move(train), count, bench.run.seed);
    train = std::move(split.train);
    held_out = std::move(split.held_out);
  }
  SampleOptions options = data.samples();
  held_out =
      first_usable(std::move(held_out), 2 * data.eval_rows, bench.tokenizer, bench.chat, options);
  require(held_out.size() >= 2, data.eval.empty() ? sources : data.eval, ": ", held_out.size(),
          " held-out records can be used, and at least 2 are needed, one to choose by and one to "
          "judge by; ",
          data.eval.empty() ? "give a larger --held-out, or other records with --eval"
                            : "give a file with more records");
  Split halves =
      split_examples(std::move(held_out), int64_t(held_out.size()) / 2, bench.run.seed + 1);
  bench.train = make_samples(train, bench.tokenizer, bench.chat, options);
  bench.choice = make_samples(halves.train, bench.tokenizer, bench.chat, options);
  bench.final = make_samples(halves.held_out, bench.tokenizer, bench.chat, options);
  require_disjoint(bench.train, bench.choice);
  require_disjoint(bench.train, bench.final);
  const std::string& from = data.eval.empty() ? sources : data.eval;
  bench.files = {described("train", sources, bench.train), described("choice", from, bench.choice),
                 described("final", from, bench.final)};
  for (const Example& e : halves.held_out)
    if (int64_t(bench.prompts.size()) < bench.run.samples && !e.is_text() &&
        e.messages.back().role == "assistant")
      bench.prompts.push_back(e);
  if (data.retain.empty()) return;
  SampleOptions general = options;
  general.train_on = TrainOn::everything;
  bench.retain = make_samples(read_examples(data.retain), bench.tokenizer, bench.chat, general);
  keep_tokens(bench.retain, data.retain_tokens);
  bench.files.push_back(described("retain", data.retain, bench.retain));
}

// The files of the model, or with --init random weights in the shape of its config.json.
std::shared_ptr<ModelFiles> open_files(const ModelOptions& model, uint64_t seed) {
  if (!model.init) return std::make_shared<ModelFiles>(open_model(model.path));
  auto fresh = std::make_shared<ModelFiles>(open_config(model.path));
  fresh->source = std::make_unique<RandomWeights>(seed);
  return fresh;
}
std::string hash_of(const ModelFiles& files, uint64_t seed) {
  Sha256 hash;
  hash.update(to_text(files.config.json, -1));
  if (files.files.empty()) hash.update("random " + std::to_string(seed));
  for (auto& [name, one] : files.hashes()) hash.update(name + " " + one + "\n");
  return hash.hex();
}

// Do the model's files name this token as one that ends a text?
bool has_end(const std::string& folder, int32_t id) {
  const std::vector<int32_t> all = end_tokens(folder);
  return std::find(all.begin(), all.end(), id) != all.end();
}

}  // namespace

Workbench open_workbench(const ModelOptions& model, const DataOptions& data,
                         const RunOptions& run) {
  model.check();  // wrong options are refused before anything is read
  run.check();
  const ComputeScope scope = model.scope();
  auto files = open_files(model, run.seed);
  Tokenizer tokenizer = tokenizer_of(*files);
  ChatTemplate chat = ChatTemplate::choose(data.template_choice(), tokenizer);
  Workbench bench{model, data, run, files, tokenizer, chat, {}, {}, {},
                  {},    {},   {},  {},    {},        {},   0,  {}};
  const ModelConfig& c = files->config;
  require(tokenizer.size() <= c.vocabulary, model.path, ": the tokenizer has ", tokenizer.size(),
          " tokens, the model's vocabulary ", c.vocabulary);
  bench.notes = c.notes;
  bench.data.length = std::min(data.samples().length, c.context);
  if (bench.data.length < data.length)
    bench.notes.push_back("--length was brought down to the model's context of " +
                          std::to_string(c.context));
  if (const int64_t together = rows_summed_as_one(); bf16_sums() == Bf16Sums::tiles)
    require(bench.data.length % together == 0, "--length ", bench.data.length,
            ": with --dtype bf16-tiles expected a multiple of ", together,
            ", as so many positions are summed as one; use --length ",
            std::max(together, bench.data.length / together * together));
  bench.described = {std::filesystem::path(model.path).filename().string(),
                     model.path,
                     hash_of(*files, run.seed),
                     c.architecture,
                     0,
                     c.layers,
                     c.dim,
                     c.heads,
                     c.kv_heads,
                     c.ffn_dim,
                     c.vocabulary};
  if (bench.described.name.empty())
    bench.described.name = std::filesystem::path(model.path).parent_path().filename().string();
  read_rows(bench);
  if (const int32_t end = chat.end_of_turn();
      bench.train.conversations > 0 && end >= 0 && !files->gguf && !has_end(files->path, end))
    bench.notes.push_back(
        "answers end with " + tokenizer.token_text(end) + " (" + std::to_string(end) +
        "), which is not among the model's end tokens (eos_token_id): a whole model that is "
        "written names it; with an adapter other programs must be told to stop there");
  for (const std::string& note : bench.train.notes) bench.notes.push_back(harmless(note));
  if (bench.train.cut)
    bench.notes.push_back(std::to_string(bench.train.cut) + " training records were cut to " +
                          std::to_string(bench.data.length) + " tokens");
  if (bench.train.skipped)
    bench.notes.push_back(std::to_string(bench.train.skipped) + " training records were skipped");
  if (model.dtype == Precision::bf16 && sums_by_amx() && model.usable_device() == Device::cpu)
    bench.notes.push_back(
        "this processor has AMX: --dtype bf16-tiles trains several times faster here, with bits of "
        "its own");
  if (model.dtype == Precision::bf16_tiles && !sums_by_amx())
    bench.notes.push_back(
        "this processor has no AMX (or is not to use it): --dtype bf16-tiles gives its bits here "
        "too, but slower than bf16");
  return bench;
}

std::unique_ptr<Model> build(const Workbench& bench, std::unique_ptr<Method> method,
                             uint64_t seed) {
  return build_model(bench.opened->config, *bench.opened->source, std::move(method),
                     bench.model.build(seed, bench.model.usable_device()));
}

}  // namespace afina

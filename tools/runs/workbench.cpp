// Opening model and data.
#include "tools/runs/workbench.h"

#include <cmath>
#include <filesystem>

#include "engine/bf16_sums.h"
#include "engine/counted.h"
#include "engine/files/atomic_file.h"
#include "engine/files/sha256.h"
#include "model/files/end_tokens.h"
#include "model/files/save.h"
#include "tools/runs/judging.h"
#include "tools/runs/load.h"
#include "tools/runs/measuring.h"
#include "tools/runs/rates.h"
#include "tools/runs/replay.h"
#include "tools/runs/step.h"
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

// Too few records to measure on: how many of all, held out or not, were left out, and why.
[[noreturn]] void fail_for_two(const Workbench& bench, size_t found,
                               const std::vector<Example>& train, Samples left_out,
                               const std::string& from) {
  const SampleOptions options = bench.data.samples();
  int64_t all = left_out.examples + int64_t(found);
  if (bench.data.eval.empty()) {
    first_usable(train, INT64_MAX, bench.tokenizer, bench.chat, options, &left_out);
    all += int64_t(train.size());
  }
  const int64_t out = left_out.examples;
  left_out.examples = all;
  fail(from, ": ", found == 0 ? "no record" : "one record", " to measure on",
       out > 0 ? ", as " + std::to_string(out) + " of " + std::to_string(all) +
                     (out == 1 ? " was left out" : " were left out")
               : "",
       why_left_out(left_out, options),
       ". At least 2 are needed: one to choose a learning rate by and one to judge by. Give more ",
       "records with --eval, or a larger --held-out to take some of --data");
}

// Epochs as steps, which everything else counts in.
void resolve_epochs(Workbench& bench) {
  RunOptions& run = bench.run;
  if (run.epochs == 0) return;
  require(run.epochs > 0 && run.epochs <= 1e6, "--epochs ", run.epochs,
          ": expected more than 0, at most a million");
  const BatchSource rows(bench.train, batch_options(run, bench.data, run.seed));
  const int64_t each = rows.steps_per_epoch();
  run.steps = std::max<int64_t>(1, int64_t(std::ceil(run.epochs * double(each))));
  bench.notes.push_back("--epochs " + text_of(run.epochs) + " are --steps " +
                        std::to_string(run.steps) + ": one has " + std::to_string(each) +
                        (each == 1 ? " step, as " : " steps, as ") +
                        counted(int64_t(bench.train.rows.size()), "sample") +
                        (bench.train.rows.size() == 1 ? " takes rows of " : " share rows of ") +
                        std::to_string(bench.data.length) + " tokens, " +
                        std::to_string(run.rows_per_step()) + " in a step");
  run.epochs = 0;
}

// Splits held-out records into those to choose by and those for the final figures. problems: takes
// what is wrong with them; may be nullptr.
Split halve(Workbench& bench, std::vector<Example> held_out, Samples* problems) {
  Split halves =
      split_examples(std::move(held_out), int64_t(held_out.size()) / 2, bench.run.seed + 1);
  const SampleOptions options = bench.data.samples();
  bench.choice = make_samples(halves.train, bench.tokenizer, bench.chat, options, problems);
  bench.final = make_samples(halves.held_out, bench.tokenizer, bench.chat, options, problems);
  return halves;
}

// --eval-rows where it is not given: all that may be, unless they would cost too much of the run.
// Judged answers cost far more than losses, and who asks for them asks for the rows.
int64_t rows_within_share(const Workbench& bench, int64_t records) {
  const int64_t most = std::min(DataOptions::most_eval_rows, (records + 1) / 2);
  if (!bench.run.rule.empty() || !bench.run.rules.empty()) return DataOptions::most_eval_rows;
  const double tokens = double(bench.choice.tokens + bench.final.tokens) / 2;
  const int64_t rows =
      rows_to_measure(tokens_to_measure(bench), most, tokens, !bench.data.retain.empty());
  return rows < most ? rows : DataOptions::most_eval_rows;
}

void read_rows(Workbench& bench, Measured measured) {
  DataOptions& data = bench.data;
  std::vector<Example> train, held_out;
  std::string sources;
  data.check();
  for (const std::string& path : data.data) {
    std::vector<Example> more = read_examples(path, data.examples(path));
    train.insert(train.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
    sources += (sources.empty() ? "" : " + ") + path;
  }
  // Records that could not be read take no part in the choice of held-out rows; make_samples counts
  // them among those of the file.
  std::vector<Example> unread = take_unread(train);
  if (!data.eval.empty()) {
    ExampleOptions options = data.examples(data.eval);
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
    require(count < int64_t(train.size()), sources, ": ", counted(int64_t(train.size()), "record"),
            " cannot spare ", count,
            " held-out ones; give --eval, a smaller --held-out, or more data",
            unread.empty() ? ""
                           : ". The first of " + std::to_string(unread.size()) +
                                 " that could not be read: " + unread[0].problem);
    Split split = split_examples(std::move(train), count, bench.run.seed);
    train = std::move(split.train);
    held_out = std::move(split.held_out);
  }
  train.insert(train.end(), std::make_move_iterator(unread.begin()),
               std::make_move_iterator(unread.end()));
  for (const Example& e : train) bench.train_places.push_back(e.place);
  SampleOptions options = data.samples();
  const std::string& from = data.eval.empty() ? sources : data.eval;
  const bool share = measured == Measured::share;
  const int64_t most_rows = data.eval_rows > 0 ? data.eval_rows : DataOptions::most_eval_rows;
  bench.held_out_records = int64_t(held_out.size());
  Samples left_out;
  held_out = first_usable(std::move(held_out), 2 * most_rows, bench.tokenizer, bench.chat, options,
                          &left_out);
  if (held_out.size() < 2) fail_for_two(bench, held_out.size(), train, left_out, from);
  for (const std::string& note : left_out.problems.notes())
    bench.notes.push_back("of the held-out records " + note);
  Samples all;  // what is wrong with any of them is said at once
  bench.train = make_samples(train, bench.tokenizer, bench.chat, options, &all);
  Split halves = halve(bench, held_out, &all);
  check_problems(all, options);
  resolve_epochs(bench);
  if (data.eval_rows < 0) {
    const auto records = int64_t(held_out.size());
    data.eval_rows = share ? rows_within_share(bench, records) : most_rows;
    if (2 * data.eval_rows < records) {
      held_out.resize(size_t(2 * data.eval_rows));
      halves = halve(bench, std::move(held_out), nullptr);
      const std::string rows = std::to_string(data.eval_rows);
      bench.notes.push_back(rows + " + " + rows + " of the " +
                            std::to_string(bench.held_out_records) +
                            " held-out records are measured on, so that measuring costs little "
                            "beside so short a run; --eval-rows " +
                            std::to_string((bench.held_out_records + 1) / 2) + " takes all");
    }
  }
  require_disjoint(bench.train, bench.choice);
  require_disjoint(bench.train, bench.final);
  bench.files = {described("train", sources, bench.train), described("choice", from, bench.choice),
                 described("final", from, bench.final)};
  for (const Example& e : halves.held_out)
    if (int64_t(bench.prompts.size()) < bench.run.samples && !e.is_text() &&
        e.messages.back().role == "assistant")
      bench.prompts.push_back(e);
  bench.judging = open_judging(bench.run, halves.held_out, bench.final);
  if (data.retain.empty()) return;
  SampleOptions general = options;
  general.train_on = TrainOn::everything;
  ExampleOptions of_retain{"", fields_for(data.fields, data.retain, true)};
  of_retain.encoding = data.encoding;
  of_retain.keep_problems = true;
  bench.retain =
      make_samples(read_examples(data.retain, of_retain), bench.tokenizer, bench.chat, general);
  if (data.retain_tokens < 0)
    data.retain_tokens = share ? retention_to_measure(tokens_to_measure(bench), bench.choice.tokens)
                               : DataOptions::most_retain_tokens;
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
// Do the model's files name this token as one that ends a text?
bool has_end(const std::string& folder, int32_t id) {
  const std::vector<int32_t> all = end_tokens(folder);
  return std::find(all.begin(), all.end(), id) != all.end();
}

}  // namespace

std::string hash_of_model(const ModelFiles& files, uint64_t seed, const std::string& adapter) {
  Sha256 hash;
  hash.update(to_text(files.config.json, -1));
  if (!adapter.empty()) {
    const AdapterFiles from = load_adapter(adapter);
    hash.update("adapter " + key_of(from.method) + "\n");
    hash.update(read_text_file(from.values->path()));
  }
  if (files.files.empty()) hash.update("random " + std::to_string(seed));
  for (auto& [name, one] : files.hashes()) hash.update(name + " " + one + "\n");
  return hash.hex();
}

Workbench open_workbench(const ModelOptions& model, const DataOptions& data, const RunOptions& run,
                         Measured measured) {
  require_replayable(model, data, run);
  model.check();  // wrong options are refused before anything is read
  run.check();
  const ComputeScope scope = model.scope();
  auto files = open_files(model, run.seed);
  Tokenizer tokenizer = tokenizer_of(*files);
  ChatTemplate chat = ChatTemplate::choose(data.template_choice(model.adapter), tokenizer);
  Workbench bench{model, data, run, files, tokenizer, chat, {}, {}, {}, {},
                  {},    {},   {},  {},    {},        {},   {}, {}, {}, {}};
  const ModelConfig& c = files->config;
  require(tokenizer.size() <= c.vocabulary, model.path, ": the tokenizer has ", tokenizer.size(),
          " tokens, the model's vocabulary ", c.vocabulary);
  bench.notes = c.notes;
  if (const std::string other = over_another_base(model.adapter, model.storage()); !other.empty())
    bench.notes.push_back(harmless(other));
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
                     hash_of_model(*files, run.seed, model.adapter),
                     c.architecture,
                     0,
                     c.layers,
                     c.dim,
                     c.heads,
                     c.kv_heads,
                     c.ffn_dim,
                     c.vocabulary};
  // "models/pocket/", and "models/smollm2/model.gguf", which says nothing.
  if (bench.described.name.empty() || bench.described.name == "model.gguf")
    if (const std::filesystem::path folder = std::filesystem::path(model.path).parent_path();
        folder.has_filename())
      bench.described.name = folder.filename().string();
  read_rows(bench, measured);
  if (measured == Measured::share && bench.run.eval_every == 0)
    bench.run.eval_every =
        steps_between_looks(tokens_to_measure(bench), bench.run.steps,
                            {double(bench.choice.tokens), double(bench.retain.tokens)});
  if (const int32_t end = chat.end_of_turn();
      bench.train.conversations > 0 && end >= 0 && !files->gguf && !has_end(files->path, end))
    bench.notes.push_back(
        "answers end with " + tokenizer.token_text(end) + " (" + std::to_string(end) +
        "), which is not among the model's end tokens (eos_token_id): a whole model that is "
        "written names it; with an adapter other programs must be told to stop there");
  for (const std::string& note : bench.train.notes) bench.notes.push_back(harmless(note));
  if (bench.train.cut)
    bench.notes.push_back(counted(bench.train.cut, "training record") +
                          (bench.train.cut == 1 ? " was cut to " : " were cut to ") +
                          std::to_string(bench.data.length) + " tokens");
  if (bench.train.skipped)
    bench.notes.push_back(counted(bench.train.skipped, "training record") +
                          (bench.train.skipped == 1 ? " was skipped" : " were skipped"));
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
  auto model = build_model(bench.opened->config, *bench.opened->source, std::move(method),
                           bench.model.build(seed, bench.model.usable_device()));
  if (!bench.model.adapter.empty()) load_adapter(bench.model.adapter).apply(*model);
  return model;
}

std::unique_ptr<Model> build_start(const Workbench& bench) {
  if (bench.model.adapter.empty())
    return build(bench, std::make_unique<Untouched>(), bench.run.seed);
  return build(bench, make_method(load_adapter(bench.model.adapter).method), bench.run.seed);
}

MethodSpec method_of_adapter(const std::string& folder, const std::string& method) {
  MethodSpec spec = load_adapter(folder).method;
  if (method.empty()) return spec;
  const MethodSpec asked = parse_method(method), held = make_method(spec)->in_force;
  require(asked.name == spec.name, "--method ", method, ": the adapter in ", folder, " is ",
          label_of(spec), "; give --method ", spec.name, ", or leave it out");
  for (auto& [key, value] : asked.options) {
    // What only training knows is in no adapter's file.
    auto has = held.options.find(key);
    const bool free = key == "lr" || key == "dropout" || has == held.options.end();
    require(free || has->second == value, "--method ", method, ": the adapter in ", folder, " has ",
            key, "=", free ? "" : has->second, "; leave ", key, " out");
    spec.options[key] = value;
  }
  spec.text = asked.text;
  spec.label = asked.label;
  return spec;
}

}  // namespace afina

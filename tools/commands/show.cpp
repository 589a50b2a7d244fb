// show: records as the model sees them: every token, its number, whether it is learned, and what it
// costs.
#include "data/show.h"

#include <filesystem>
#include <iostream>

#include "tools/options/command.h"
#include "tools/options/options.h"
#include "tools/runs/load.h"
#include "tools/text/colour.h"
#include "tools/text/format.h"

namespace afina {

namespace {

constexpr const char* intro =
    R"(Shows records as the model sees them, after chat template and tokenizer. Targets (the tokens
that training learns) are highlighted, or in [brackets] without colour; the rest is context only.
--tokens prints one token per line, --loss adds its loss.

  afina show --model data/pocket --data data/samples/support.jsonl --records 3
  afina show --model data/pocket --data data/samples/support.jsonl --record 12 --loss)";

struct ShowCommandOptions {
  int64_t record = 1, records = 1;
  bool tokens = false, loss = false;

  template <class Self, class Visitor>
  static void each(Self& o, Visitor& v) {
    v("record", o.record, Bits::keep, "number of the first record to show; the file's first is 1");
    v("records", o.records, Bits::keep, "number of records to show");
    v("tokens", o.tokens, Bits::keep, "a line a token: position, id, text, target or not");
    v("loss", o.loss, Bits::keep,
      "the same with the loss of every token, by the model (and adapter)");
  }
};

struct Show : ShowCommandOptions {
  LoadOptions load;
  ReadOptions read;

  // The loss of each token of a sample: 0 for the first, which nothing predicts.
  static std::vector<float> losses_of(Model& model, const Sample& sample) {
    std::vector<int32_t> targets(sample.tokens.begin() + 1, sample.tokens.end());
    std::vector<int32_t> tokens(sample.tokens.begin(), sample.tokens.end() - 1),
        starts(tokens.size(), 0);
    if (tokens.empty()) return {0.f};
    Inputs inputs = make_inputs(1, int64_t(tokens.size()), tokens, targets, starts, {},
                                model.parameters->device);
    std::vector<float> losses{0.f};
    for (float l : model.loss(inputs, 1.).losses.values()) losses.push_back(l);
    return losses;
  }

  void go() const {
    require(record >= 1, "--record ", record, ": records count from 1");
    require(records >= 1, "--records ", records, ": expected at least 1");
    require(load.adapter.empty() || std::filesystem::is_directory(load.adapter), "--adapter ",
            load.adapter, ": there is no such folder");
    ModelFiles files = open_model(load.model);
    Tokenizer tokenizer = tokenizer_of(files);
    ReadOptions part = read;
    int64_t last = record - 1 + records;
    if (part.limit < 0 || part.limit > last) part.limit = last;  // no need to read on
    std::vector<Example> examples;
    Samples samples = part.read(tokenizer, files.config, load.adapter, &examples);
    for (const std::string& note : samples.notes) std::cerr << "note: " << harmless(note) << "\n";
    require(record <= int64_t(examples.size()), read.path, ": there is no record ", record, "; ",
            examples.size(), " were read");
    std::unique_ptr<Model> model;
    if (loss) model = load_model(files, load);
    if (const std::string other = over_another_base(model ? load.adapter : "", load.storage());
        !other.empty())
      std::cerr << "note: " << harmless(other) << "\n";
    for (const Sample& sample : samples.rows) {
      if (sample.example < record - 1) continue;
      ShowOptions options;
      options.colour = stdout_has_colour();
      options.ids = tokens || loss;
      if (model) options.losses = losses_of(*model, sample);
      std::cout << examples[size_t(sample.example)].place << ": " << sample.tokens.size()
                << " tokens, " << sample.target_count() << " learned\n"
                << show_sample(sample, tokenizer, options) << "\n";
      if (!model) continue;
      double sum = 0;
      for (size_t i = 0; i < sample.tokens.size(); ++i)
        sum += sample.trained[i] ? double(options.losses[i]) : 0.;
      if (sample.target_count())
        std::cout << "loss per learned token: " << format_loss(sum / double(sample.target_count()))
                  << "\n\n";
    }
    if (samples.skipped)
      std::cout << samples.skipped
                << " left out: too long, or with a problem (the notes name it)\n";
  }
};

int show(const std::vector<std::string>& words) {
  Show command;
  Options options("show", intro);
  options.add("Model", command.load);
  options.add("Show", command);
  options.add("Data", command.read);
  options.at("length").shown = ReadOptions::length_shown;
  if (!begin(options, words)) return 0;
  if (command.read.path.empty())
    throw UsageError("afina show: --data names no file; see 'afina show --help'");
  if (!command.loss && options.given("dtype"))
    throw UsageError("afina show: --dtype matters with --loss only");
  const ComputeScope scope = command.load.scope();
  command.go();
  return 0;
}

REGISTER_COMMAND("show", "records as the model sees them", show);

}  // namespace

}  // namespace afina

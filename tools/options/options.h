// Options of commands: from the command line and from an INI file, with unknown ones refused, and
// all that are in force kept for the record.
#pragma once
#include <boost/program_options.hpp>
#include <map>
#include <string>
#include <vector>

#include "data/batches.h"
#include "engine/train/trainer.h"
#include "model/model.h"

namespace afina {

struct UsageError : Error {
  using Error::Error;
};

// The device of --device: auto is cuda where this build and this machine have it, else cpu. A
// UsageError for one that cannot be used.
Device parse_device(const std::string& text);
// "f32", "bf16" or "bf16-tiles". For the two of bf16 the order of its sums (engine/bf16_sums.h) is
// that of the process from then on.
Dtype parse_dtype(const std::string& text);
// The word for computing in this dtype under the order of sums in force.
const char* word_of(Dtype dtype);
inline constexpr const char* device_help =
    "auto (cuda where there is a GPU, else cpu), cpu, cuda, or emulated (a GPU's kernels, slowly, "
    "on the CPU)";

using OptionGroup = boost::program_options::options_description;

// The options every command has (--help, --config, --threads, --memory-limit, --kernel, --repeat)
// with the command's own groups.
class Options {
 public:
  // intro: what the command does, for --help.
  Options(std::string command, std::string intro);
  OptionGroup& group(const std::string& title);
  // Reads words, then the file named by --config for what the words do not say. False when --help
  // was asked and printed. A wrong line is a UsageError that names the option, the nearest known
  // one and, in a file, the file.
  bool parse(const std::vector<std::string>& words);
  // The options of all groups together.
  void add_all_to(OptionGroup& all) const;
  bool given(const std::string& name) const;  // said by the words or the file, not a default
  const std::string& memory_limit() const {
    return memory_limit_;
  }  // --memory-limit as given, "" when not
  // Every option that has a value, as text.
  std::map<std::string, std::string> in_force() const;

 private:
  std::string command_, intro_, config_;
  std::vector<std::unique_ptr<OptionGroup>> groups_;
  boost::program_options::variables_map values_;
  int threads_ = 0;
  std::string memory_limit_;
};

// The lines of an INI file, for what is not said already. A wrong one is a UsageError that names
// the file and the nearest option of `command`.
void store_ini(boost::program_options::variables_map& values, const OptionGroup& known,
               const std::string& text, const std::string& path, const std::string& command);

// --model, --dtype, --checkpoint, --device, --init
struct ModelOptions {
  std::string path, dtype = "f32", checkpoint = "none", device = "auto";
  std::string pack_frozen = "off";
  bool init = false;  // begin with random weights: of the folder only config.json and the tokenizer
                      // are read
  void add_to(Options& options);
  Dtype parsed_dtype() const;
  Device parsed_device() const;
  // The same for what is only foreseen: a GPU need not be there.
  Device foreseen_device() const;
  Checkpointing parsed_checkpoint() const;
};

// Where the rows come from and how they become tokens.
struct DataOptions {
  std::vector<std::string> data;  // several are read one after the other
  std::string eval, retain, format, fields, chat_template,
      train_on = "answers", on_too_long = "error", on_problem = "error", packing = "on";
  int64_t length = 256, held_out = 0, limit = -1, eval_rows = 64, retain_tokens = 16384;
  // needed: may --data not be left out?
  void add_to(Options& options, bool needed = true);
  SampleOptions samples() const;
  ExampleOptions examples() const;
};

// How a run goes.
struct RunOptions {
  int64_t steps = 100, batch = 8, accumulate = 1, warmup = -1, eval_every = 0, save_every = 0,
          samples = 3;
  uint64_t seed = 1;
  std::string schedule = "cosine", optimizer = "adamw", store, graph = "auto";
  bool apply_as_you_go = false;
  double weight_decay = 0.01, clip = 1., beta1 = 0.9, beta2 = 0.999, eps = 1e-8, floor = 0.1;
  void add_to(Options& options);
  TrainOptions train(double lr) const;
};

// What is compared with what: shared by compare, and plan, which foresees what compare would do.
struct ComparisonOptions {
  std::vector<std::string> methods;
  double lr = 0;
  int64_t seeds = 1;
  bool resume = false, keep_models = true;
  std::string out, title;
  // out_needed: may --out not be left out? out_help: what is written there.
  void add_to(Options& options, bool out_needed, const std::string& out_help);
};

}  // namespace afina

// Fuzz target: the INI file of --config, with all options of a training run.
#include "test/fuzz/fuzz.h"
#include "tools/options/options.h"

namespace afina {
namespace {

struct Known {
  Options options{"train", "all options of a run"};
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  OptionGroup all;
  Known() {
    model.add_to(options);
    data.add_to(options);
    run.add_to(options);
    options.add_all_to(all);
  }
};

void run(std::string_view input) {
  static const Known known;
  boost::program_options::variables_map values;
  store_ini(values, known.all, std::string(input), "run.ini", "train");
}

std::vector<std::string> seeds() {
  return {"model = data/pocket\ndata = a.jsonl\ndata = b.jsonl\nsteps = 100\n# a comment\n",
          "steps=4\nbatch = 2\nweight-decay = 0.1\ndtype = bf16\nclip = 0\n",
          "length = 128 \n\n  pack = off\nseed = 18446744073709551615"};
}

const FuzzTarget registered("ini", run, seeds,
                            {"=", "\n", "[section]\n", "#", "-1", "1e999", "nan", "--",
                             "config = a", "init = true", "threads", "\r\n", "yes", "model.",
                             "\xff"});

}  // namespace
}  // namespace afina

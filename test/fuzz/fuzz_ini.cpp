// Fuzz target: the INI file of --config, with all options of a training run.
#include "test/fuzz/fuzz.h"
#include "tools/options/groups.h"
#include "tools/options/options.h"

namespace afina {
namespace {

void run(std::string_view input) {
  ModelOptions model;
  DataOptions data;
  RunOptions run;
  Options options("train", "all options of a run");
  options.add("Model", model);
  options.add("Data", data);
  options.add("Training", run);
  options.parse_ini(std::string(input), "run.ini");
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

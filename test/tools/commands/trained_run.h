// A small run of LoRA that export and certify are tested with.
#pragma once
#include "engine/files/json.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace afina {

inline const std::string pocket = source + "/data/pocket";

// Trains the pocket model on a few records, with held-out rows, into a folder of a run.
inline Said train_small(const std::string& folder, const Words& more) {
  Words words = {"train",
                 "--model",
                 pocket,
                 "--data",
                 source + "/data/samples/support.jsonl",
                 "--limit",
                 "40",
                 "--held-out",
                 "4",
                 "--length",
                 "96",
                 "--on-too-long",
                 "cut",
                 "--on-problem",
                 "skip",
                 "--steps",
                 "3",
                 "--batch",
                 "2",
                 "--eval-every",
                 "3",
                 "--watch",
                 "off",
                 "--lr",
                 "0.0005",
                 "--out",
                 folder};
  words.insert(words.end(), more.begin(), more.end());
  const Said said = run(words);
  BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  return said;
}
// A run of LoRA, trained once for all cases.
struct Trained {
  ScratchFolder folder;
  std::string run_folder = folder / "run", adapter = run_folder + "/adapter";
  Trained() {
    train_small(run_folder, {"--generations", "1", "--method", "lora:rank=4,rslora=true"});
  }
};
inline Trained& trained() {
  static Trained one;
  return one;
}

inline Json certificate_in(const std::string& path) { return parse_json_file(path); }

}  // namespace afina

// A small run of LoRA that export and certify are tested with.
#pragma once
#include "engine/files/json.h"
#include "test/scratch.h"
#include "test/tools/runs/runs.h"

namespace afina {

inline const std::string pocket = source + "/data/pocket";

// A run of LoRA with held-out rows, trained once for all cases.
struct Trained {
  ScratchFolder folder;
  std::string run_folder = folder / "run", adapter = run_folder + "/adapter";
  Trained() {
    const Said said = run({"train",
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
                           "--generations",
                           "1",
                           "--eval-every",
                           "3",
                           "--watch",
                           "off",
                           "--method",
                           "lora:rank=4,rslora=true",
                           "--lr",
                           "0.0005",
                           "--out",
                           run_folder});
    BOOST_REQUIRE_MESSAGE(said.status == 0, said.err);
  }
};
inline Trained& trained() {
  static Trained one;
  return one;
}

inline Json certificate_in(const std::string& path) { return parse_json_file(path); }

}  // namespace afina

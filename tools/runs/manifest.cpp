// The manifest of a run: what is needed to know what was run, and to run it again.
#include "data/tokenizer/regex.h"
#include "engine/choices.h"
#include "tools/results/machine.h"
#include "tools/results/results.h"
#include "tools/runs/identity.h"
#include "tools/runs/replay.h"

namespace afina {

Json manifest_of(const RunPlan& plan, const Workbench& bench, const RunOutcome& outcome) {
  Json data = Json::array();
  for (const DataDescription& d : bench.files)
    data.push_back({{"role", d.role},
                    {"path", d.path},
                    {"sha256", d.hash},
                    {"rows", d.rows},
                    {"tokens", d.tokens},
                    {"target_tokens", d.target_tokens},
                    {"truncated", d.truncated}});
  return {{"afina", {{"version", version()}, {"commit", commit()}}},
          {"created", utc_now()},
          {"run", identity_of(plan, bench)},
          {"method_options", outcome.method_options},
          {"batch", bench.run.batch},
          {"accumulate", bench.run.accumulate},
          {"checkpoint", word_of(bench.model.checkpoint)},
          {"apply_as_you_go", bench.run.apply_as_you_go},
          {"model",
           {{"path", bench.model.path},
            {"sha256", bench.described.hash},
            {"architecture", bench.described.architecture},
            {"parameters", bench.described.parameters}}},
          {"tokenizer_template", bench.chat.name()},
          {"regular_expressions", regex_library()},
          {"data", data},
          {"device", name(bench.model.usable_device())},
          {"machine", Json::parse(to_json(this_machine()).dump())},
          {"replay", replay_of(plan, bench)},
          {"choices", choices()},  // --repeat takes them up
          {"digest", outcome.result.digest}};
}

}  // namespace afina

// What an earlier run left in a folder, and whether a run may begin there: a finished or foreign
// folder is never overwritten or mixed.
#pragma once
#include <optional>
#include <string>

#include "tools/runs/run.h"

namespace afina {

struct Earlier {
  enum Kind : uint8_t {
    nothing,   // nothing of worth: no folder, or what a run left that saved no step
    stopped,   // checkpoints, or trained weights without their figures
    finished,  // run.json
    diverged,  // run.json of a run that diverged
  } is = nothing;
  int64_t step = 0;       // done by the newest checkpoint, by all steps, or before it diverged
  bool weights = false;   // the adapter or the model is stored
  Json identity, replay;  // as the run was; null where no file says so
  std::string file;       // that says so
};
// What is in a folder of runs. An Error when it holds something else: a comparison, a model, an
// adapter that no run of afina made.
Earlier look_into(const std::string& folder);

// An Error for a folder that lies in the folder of another run, or among the runs of a comparison:
// those would take what is written there for their own, or remove it.
void refuse_within(const std::string& folder);

// An Error for a folder with runs or comparisons of their own in it: once a run lay there, too,
// they would lie in its folder.
void refuse_around(const std::string& folder);

// How a plan begins in its folder.
struct Beginning {
  enum : uint8_t {
    anew,     // at step 1; what is there is of no worth
    resumed,  // from the newest checkpoint, if there is one
    done,     // it is finished: its figures are read back
  } is = anew;
  std::string note;  // for the reader; may be empty
};
// An Error when the folder holds another run, or this one and the plan does not resume it: it names
// what differs, with both values, and says what to do.
Beginning look_for_beginning(const RunPlan& plan, const Workbench& bench);

// Why a run of these identities cannot go on from the earlier one's last step as the same
// experiment with more steps, in words; empty when it can: nothing but --steps differs, it is more,
// the rate does not decay and the method does not plan by the number of steps.
std::string why_not_longer(const MethodSpec& method, const Json& now, const Json& then);

// The same of what lies in a folder: a finished run must have kept the checkpoint of its last step.
std::string why_not_longer(const MethodSpec& method, const Json& now, const Earlier& earlier,
                           const std::string& folder);

}  // namespace afina

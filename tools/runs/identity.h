// What a run is: everything that its bits follow from, so that it is resumed, or read back, only as
// the same run.
#pragma once
#include <map>

#include "tools/runs/run.h"

namespace afina {

// Every option that is marked Bits::follow, those marked Bits::special as special_options() has
// them, and the hashes of model and rows, through which options marked Bits::content show.
Json identity_of(const RunPlan& plan, const Workbench& bench);

// What differs between two runs, as "steps was 4 and is 8, seed was 1 and is 2": options first,
// and for hashes the options through which they differ, where the replays (tools/runs/replay.h) say
// so. Empty when nothing does. A replay may be null.
std::string differences(const Json& now, const Json& then, const Json& replay_now,
                        const Json& replay_then);

// Each option marked Bits::special, with the key of the identity that it decides; "" for those that
// are no part of the identity, for reasons that identity.cpp gives.
const std::map<std::string, std::string>& special_options();

// Are these identities of the same run? An Error that begins with `where` when `then` was written
// by a version of afina that has other options, as it says too little.
bool is_same_run(const Json& now, const Json& then, const std::string& where);
// An Error that begins with `where` and names the first difference when they are not: an option if
// there is one, else the model or the rows.
void require_same_run(const Json& now, const Json& then, const std::string& where);

// What a tokenizer's tokens follow from besides its files: said where a manifest or a checkpoint
// (`written`, its key regular_expressions) was written with another version of PCRE2 than the one
// in force. Empty where it is the same, or not said.
std::string other_regex_library(const Json& written);

}  // namespace afina

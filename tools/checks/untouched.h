// What the untouched model says of a file's answers.
#pragma once
#include "tools/checks/findings.h"
#include "tools/checks/reader.h"

namespace afina {

// Adds what fits-any-question, unexpected and unseen-tokens find (with_model.h), for those of them
// that are chosen, and the measures of each record. done: called with the share of the four
// readings that is done; may be empty.
void read_untouched(const Corpus& corpus, Reader& reader, const std::vector<const Check*>& chosen,
                    std::vector<Finding>& findings, RecordLosses& losses,
                    const std::function<void(double share)>& done);

// The check of this name among those chosen; nullptr: it is not.
const Check* chosen_check(const std::vector<const Check*>& chosen, const std::string& name);

}  // namespace afina

// What a model of a run can do: its losses on the final and the retention rows, its answers to the
// prompts, and the same of the untouched model.
#pragma once
#include "tools/runs/workbench.h"

namespace afina {

// Does a run evaluate after this step, counted from 1?
bool evaluates_after(const RunOptions& run, int64_t step);
// Held-out loss on the final rows and loss on the retention text, in nats per target token; row by
// row into `rows` and `retain`.
Scores score(Model& model, const Workbench& bench, ExampleLosses& rows, ExampleLosses& retain);
// Greedy answers to the bench's prompts, of at most 96 tokens. One that cannot be made is empty,
// and a note says why: a sample for the report never costs a run.
std::vector<std::string> answers(Model& model, const Workbench& bench,
                                 std::vector<std::string>& notes);
// Scores and answers of the untouched model, into the bench. Counts its parameters as well.
void measure_base(Workbench& bench);

}  // namespace afina

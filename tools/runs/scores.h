// What a model of a run can do: its losses on the final and the retention rows, its answers to the
// prompts, and the same of the untouched model.
#pragma once
#include <functional>

#include "model/generate.h"
#include "tools/runs/workbench.h"

namespace afina {

// Does a run evaluate after this step, counted from 1?
bool evaluates_after(const RunOptions& run, int64_t step);
// Held-out loss on the final rows and loss on the retention text, in nats per target token; row by
// row into `rows` and `retain`. retention: of this very model, where it was evaluated already.
Scores score(Model& model, const Workbench& bench, ExampleLosses& rows, ExampleLosses& retain,
             const Evaluation* retention = nullptr);
// Greedy answers to the bench's prompts, of at most 96 tokens. One that cannot be made is empty,
// and a note says why: a sample for the report never costs a run.
std::vector<std::string> answers(Model& model, const Workbench& bench,
                                 std::vector<std::string>& notes);
// How a run's models answer: greedily, with the tokens at which others stop.
GenerateOptions answering(const Workbench& bench);
// Called with a number of judged answers, of how many, as they are made.
using Answered = std::function<void(int64_t done, int64_t of)>;
// Scores and answers of the untouched model, into the bench; with rules, its judged answers as
// well. Counts its parameters. answered: may be empty.
void measure_base(Workbench& bench, const Answered& answered = {});

}  // namespace afina

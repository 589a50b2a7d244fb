// How much a run measures on held-out rows where nobody says: so much that it costs at most 15 % of
// the training, or seconds. Looks are given up before rows, as rows decide what a figure is worth.
#pragma once
#include <cstdint>
#include <string>

#include "engine/files/json.h"
#include "tools/options/groups.h"

namespace afina {

struct Workbench;

// Tokens that one look reads: those of the rows to choose by (the rows for the final figures have
// about as many), and those of the retention text.
struct LookTokens {
  double held_out = 0, retain = 0;
};

// Tokens that may be read for measuring where `trained` tokens are trained on. Reading a token is a
// third of the work of training on it in full, and half of it with a frozen base, which counts.
// token: FLOPs of reading one; 1 TFLOP in all, which take some seconds, are always affordable.
double tokens_to_measure(double trained, double token);
// How many of `rows` rows for choosing, which have `tokens` tokens, where --eval-rows is not given:
// at least 8 if there are as many. affordable: tokens_to_measure. retain: is there such a text?
int64_t rows_to_measure(double affordable, int64_t rows, double tokens, bool retain);
// Tokens of the retention text where --retain-tokens is not given: 512 to 16,384. held_out: tokens
// of the rows for choosing.
int64_t retention_to_measure(double affordable, double held_out);
// Steps from one look to the next where --eval-every is not given: a tenth of the steps or more.
// The last step is measured in any case.
int64_t steps_between_looks(double affordable, int64_t steps, const LookTokens& look);

// tokens_to_measure of a run.
double tokens_to_measure(const Workbench& bench);
// Takes --eval-rows and --retain-tokens, where they are not given, from the replay of a run that
// lies in the folder: one that goes on to more steps is measured on the rows it began with.
void measure_as_before(DataOptions& data, const Json& replay);
// What is measured and how often, and what that costs beside training.
std::string measuring_sentence(const Workbench& bench);

}  // namespace afina

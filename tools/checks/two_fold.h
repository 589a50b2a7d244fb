// A model that knows what a file says, without having seen the answer it reads: warmed up on one
// half of the records, it reads the other half, and the reverse.
#pragma once
#include "tools/checks/reader.h"

namespace afina {

// The warm-up.
struct WarmUpOptions {
  std::string method;  // as --method has it; empty: by the model's size
  double epochs = 0;   // times that each row of a half is seen; 0: by the method
  int64_t batch = 4;   // rows of a step
  uint64_t seed = 1;   // of the halves, the order of the rows and what a method adds
};

// Each record of a Reader below its own question, with the model's best tokens.
struct FoldReadings {
  std::vector<ReadAnswer> own;
};
// Models of up to so many parameters are warmed up in full.
inline constexpr int64_t small_model = 32000000;
// Fewer records cannot be halved in earnest.
inline constexpr size_t least_for_halves = 40;
// The model's parameters, counted without reading them.
int64_t parameters_of(Reader& reader);
// The method, and its learning rate within it, that a warm-up takes when none is asked for: all
// weights of a small model (up to 32 million), else LoRA.
std::string usual_warm_up(int64_t parameters);

// Warms the model up on `rows` by the options and returns it. progress: steps done of all.
std::unique_ptr<Model> warmed_up(Reader& reader, const Samples& rows, const WarmUpOptions& options,
                                 const std::function<void(int64_t done, int64_t all)>& progress);

// Two warm-ups, each on half of the records, and a reading of the other half by the model that has
// not seen it. Records with equal last answers and questions share a half. work: called with the
// share of all work that is done.
FoldReadings read_two_fold(Reader& reader, const WarmUpOptions& options,
                           const std::function<void(double share)>& work);

}  // namespace afina

// What holding a model's matrices in few bits costs in precision: the distance of each from the
// numbers of its file.
#pragma once
#include <string>
#include <vector>

#include "model/model.h"

namespace afina {

struct BaseError {
  std::string name;      // of the weight
  double relative = 0.;  // root of the sum of squares of the differences, over that of the numbers
  double worst = 0.;     // the same of the worst 64 numbers that follow each other
};
// Of every matrix that `model` (on any device, its bytes are not read) would hold in the form:
// those of linear layers, with base.ends embedding and head too. Read from `files` one after the
// other. Matrices that BaseForm::file holds in no blocks are left out.
std::vector<BaseError> base_errors(const Model& model, WeightSource& files,
                                   const BaseStorage& base);

}  // namespace afina

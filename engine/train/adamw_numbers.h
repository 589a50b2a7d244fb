// The numbers of an AdamW step that follow from options and step alone.
#pragma once
#include "engine/ops/adamw.h"
#include "engine/train/optimizer.h"

namespace afina {

// 1 - beta1^t and sqrt(1 - beta2^t), t = step + 1, computed in f64.
float bias1_of(const OptimizerOptions& options, int64_t step);
float bias2_root_of(const OptimizerOptions& options, int64_t step);
// Of one parameter in one step; step counts from 0.
AdamWStep adamw_step(const OptimizerOptions& options, const Parameter& parameter, double lr,
                     double gradient_scale, int64_t step);
// options.weight_decay where the parameter decays, else 0.
float decay_of(const OptimizerOptions& options, const Parameter& parameter);

}  // namespace afina

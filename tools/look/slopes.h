// Is the gradient the slope of the loss? Central differences in f64, element by element.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tools/runs/workbench.h"

namespace afina {

struct SlopeOptions {
  int64_t elements = 3;     // to check of each parameter; all of one with as few
  double tolerance = 1e-6;  // relative; see ParameterSlope::allowed
  double move = 0.02;       // standard deviation of the noise that trained weights begin with
  uint64_t seed = 1;        // of the noise and of the choice of elements
};

// What was found for one parameter: the element whose difference is the greatest share of what is
// allowed.
struct ParameterSlope {
  std::string name, shape;
  bool added = false;
  int64_t size = 0, checked = 0;
  int64_t at = 0;  // the element's position
  double gradient = 0, slope = 0;
  double allowed = 0;  // difference
  double share() const;
};

// The allowed difference of a slope D(h) = (L(w + h) - L(w - h)) / 2h from the gradient g is the
// sum of three parts:
//   tolerance · max(|D|, |g|), for everything in which the two may differ;
//   what rounding of the loss does to the slope: 64 · 2^-53 · max(1, |L|) / h;
//   what the curvature does to it, where the first two do not suffice: D(h) is compared with D(2h)
//   (which differs by three times the error of order h²), and the better estimate
//   (4 D(h) - D(2h)) / 3 is taken, uncertain by a tenth of their difference.
// h is 1e-3 of the parameter's root mean square, at least 1e-5.
class SlopeCheck {
 public:
  // Builds the model in f64, with the values of --adapter where one is named, and moves what is
  // trained. Errors are those of building; an operation without a form in f64 is named.
  SlopeCheck(const Workbench& bench, const MethodSpec& method, const SlopeOptions& options);
  ~SlopeCheck();
  // All trained parameters, the one with the greatest share first. progress(done, all) is called
  // after each.
  std::vector<ParameterSlope> go(const std::function<void(int64_t, int64_t)>& progress);
  double loss() const { return loss_; }  // where the slopes were taken
  int64_t tokens() const { return tokens_; }

 private:
  double loss_now();
  void take_gradients();
  double slope(Parameter& parameter, int64_t element, double h);
  ParameterSlope check(Parameter& parameter);
  void move_weights();

  const SlopeOptions options_;
  std::unique_ptr<Model> model_;
  std::vector<Inputs> inputs_;  // one for each micro-batch
  double scale_ = 1., loss_ = 0.;
  int64_t tokens_ = 0;
};

}  // namespace afina

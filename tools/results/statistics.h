// The few statistics a comparison needs: a mean with its 95 % interval, and Student's t.
#pragma once
#include <vector>

namespace afina {

// A mean over `count` independent values. The interval is mean ± half. One value has no interval,
// and whoever prints it says so.
struct Estimate {
  double mean = 0;
  double half = 0;  // Student t (count - 1 degrees of freedom, two-sided 95 %) times the standard
                    // error; 0 where there is no interval
  int count = 0;
  bool known() const { return count > 0; }
  bool has_interval() const { return count >= 2 && half >= 0; }  // half is NaN where a value was
  double low() const { return mean - half; }
  double high() const { return mean + half; }
  // The interval exists and does not contain zero: for differences, "more than chance".
  bool excludes_zero() const { return has_interval() && (low() > 0 || high() < 0); }
};

// Of the finite values; if any is not finite (a run that diverged) the mean is NaN and there is no
// interval.
Estimate estimate(const std::vector<double>& values);
// The point that Student's t with `degrees` >= 1 degrees of freedom exceeds in absolute value with
// probability 0.05.
double student_t_95(int degrees);

}  // namespace afina

// The statistics of a comparison: means with 95 % intervals, over runs (Student's t), and over the
// rows and the runs that losses were measured on at once (a bootstrap of both).
#pragma once
#include <vector>

namespace afina {

// A mean over `count` independent values. The interval is mean ± half. One value has no interval,
// and whoever prints it says so.
struct Estimate {
  double mean = 0;
  double half = 0;  // half of the two-sided 95 % interval; 0 where there is none
  int count = 0;    // runs
  int rows = 0;     // rows that the interval is over as well; 0: it is over runs alone
  bool known() const { return count > 0; }
  bool has_interval() const {
    return (count >= 2 || rows >= 2) && half >= 0;  // half is NaN where a value was
  }
  double low() const { return mean - half; }
  double high() const { return mean + half; }
  // The interval exists and does not contain zero: for differences, "more than chance".
  bool excludes_zero() const { return has_interval() && (low() > 0 || high() < 0); }
};

// Of the finite values; if any is not finite (a run that diverged) the mean is NaN and there is no
// interval. half: Student's t (count - 1 degrees of freedom) times the standard error.
Estimate estimate(const std::vector<double>& values);

// The mean of `a` less that of `b`, two independent lists that may differ in their variance, with
// Welch's interval: Student's t with the degrees of freedom of Satterthwaite (1946). count: the
// shorter list's, 0 where one is empty; no interval where one has a single value. NaN as above.
Estimate difference_of_means(const std::vector<double>& a, const std::vector<double>& b);

// What was measured on the same rows after each of several runs: losses, or differences of losses.
struct RowsAndRuns {
  std::vector<double> weights;            // one a row, not negative: its target tokens
  std::vector<std::vector<double>> runs;  // [run][row], as long as weights
};
// The weighted mean over rows and its interval over rows and runs at once: what would other rows
// of this kind and other seeds give? The standard error is that of a two-way bootstrap (the
// pigeonhole bootstrap of Owen, 2007; Owen and Eckles, "Bootstrapping data arrays of arbitrary
// order", Annals of Applied Statistics 6(3), 2012): a replicate draws rows and, independently,
// runs, with replacement. As in the rescaled bootstrap of McCarthy and Snowden (1985; see Davison
// and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.7), one fewer is drawn
// than there are: three seeds would otherwise show two thirds of their variance. It is multiplied
// by Student's t with the degrees of freedom that Satterthwaite (1946) gives for the sum of the
// variances over rows alone and over runs alone. Where each row answers each run in its own way
// the interval errs on the wide side. With one run it is over rows only.
// The draws are counter-based random numbers, the same for all tables of one size, everywhere.
// An Error where the lists have different lengths. count is 0 without runs or rows of weight; the
// mean is NaN, without an interval, where a value is not finite.
Estimate over_rows_and_runs(const RowsAndRuns& table);

// The point that Student's t with `degrees` >= 1 degrees of freedom exceeds in absolute value with
// probability 0.05, to nine digits after the point. Between whole numbers it is interpolated in
// 1/degrees, which is never too low.
double student_t_95(double degrees);

}  // namespace afina

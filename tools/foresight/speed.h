// How fast this machine computes, measured once and kept: what turns the kernels that a run would
// call into seconds.
#pragma once
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "engine/dtype.h"
#include "engine/files/json_value.h"
#include "engine/shapes.h"

namespace afina {

class Speed {
 public:
  // With the threads and the instruction set in force: from the cache
  // ($XDG_CACHE_HOME/afina/profile.json, else ~/.cache/afina), or measured now and put there, which
  // takes some seconds and is said to `out`. nullptr with AFINA_PROFILE=off, and where measuring
  // fails; nullptr as well for devices other than the CPU, for which no times are predicted.
  static const Speed* here(std::ostream& out, Device device = Device::cpu);
  // Measures anew, in at most about ten seconds on an idle machine, however slow its instruction
  // set: products and steps are made smaller where a first small product says that they would take
  // longer. Times are wall time: what else runs on the machine shows in them.
  static Speed measure();
  // "the speed of this machine as measured 3 days ago"; with a word on what else was running then.
  std::string described() const;

  // Seconds of one call in a run that computes in `dtype`.
  double seconds(const KernelCall& call, Dtype dtype) const;
  // Seconds that the system takes to provide bytes of memory when they are first written to, beside
  // the writing itself: a run's first step has to wait for all that it needs.
  double seconds_of_new(int64_t bytes) const { return new_byte_ * double(bytes); }

  OrderedJson json() const;
  static Speed from_json(const OrderedJson& json);  // an Error when something is missing

  // Matrix products c (m, n) of m n k multiply-adds, for each form and dtype.
  struct Product {
    double m, n, k, seconds;
  };
  // seconds = call + flop 2 m n k + a m k + b k n + c m n, no part below zero, the squares of
  // relative errors least.
  struct ProductCost {
    double call = 0, flop = 0, a = 0, b = 0, c = 0;
    double seconds(double m, double n, double k) const {
      return call + flop * 2 * m * n * k + a * m * k + b * k * n + c * m * n;
    }
  };
  static ProductCost fit(const std::vector<Product>& measured);
  // Of a call: FLOPs where it counts some, else bytes.
  static double work(const KernelCall& call);

 private:
  // Work of a call and seconds for each unit of it, at two sizes, between which the logarithm is
  // interpolated.
  struct Point {
    double work = 0, seconds_each = 0;
  };
  void measure_products(Dtype dtype, double seconds_each_flop);
  // Gives the sum of what it adds to between_, and of calls.
  struct Between {
    double seconds = 0, calls = 0;
  };
  Between measure_steps(Dtype dtype, double seconds_each_flop);
  std::map<std::string, ProductCost> products_;      // "bf16 NT"
  std::map<std::string, std::vector<Point>> slots_;  // "rmsnorm bf16"
  double new_byte_ = 0;  // seconds for a byte of memory that is written to for the first time
  double between_ = 0;   // seconds from one call to the next, beside kernels
  double measured_ = 0;  // when, in seconds since 1970
  double load_ = 0;      // of the system, in the minute before, for each thread of ours
};

}  // namespace afina

// A share of rows with its interval.
#pragma once
#include <cstdint>

namespace afina {

// `passed` of `of` rows. The two-sided 95 % interval is Wilson's (1927, "Probable Inference, the
// Law of Succession, and Statistical Inference"): it is right for few rows too, and for shares of 0
// and 1, where the usual one has no width. It says what other rows of this kind would give.
struct Share {
  int64_t passed = 0, of = 0;
  bool known() const { return of > 0; }
  double share() const { return of ? double(passed) / double(of) : 0.; }
  double low() const;   // 0 where of is 0
  double high() const;  // 1 where of is 0
};

}  // namespace afina

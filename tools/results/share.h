// Shares of rows with their intervals.
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

// Two shares of the same rows, before and after: how many rows passed both times, only before, only
// after, neither time.
struct PairedShares {
  int64_t both = 0, before = 0, after = 0, neither = 0;
  int64_t rows() const { return both + before + after + neither; }
  bool known() const { return rows() > 0; }
  // The share after less that before, and its two-sided 95 % interval: method 10 of Newcombe (1998,
  // "Improved confidence intervals for the difference between binomial proportions based on paired
  // data", Statistics in Medicine 17), made of the two Wilson intervals and the correlation between
  // before and after. It stays within -1 and 1, and has a width where no row has changed.
  double change() const;
  double low() const;
  double high() const;
};

}  // namespace afina

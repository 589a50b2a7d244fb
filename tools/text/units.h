// Figures with a unit or an interval, as people read them.
#pragma once
#include <string>

#include "tools/results/figures.h"
#include "tools/text/format.h"

namespace afina {

using Format = std::string (*)(double);
// How values of this unit are written.
Format format_of(Unit unit);

// "2.3456 ± 0.0123", without the second part where there is no interval, "–" where nothing was
// measured.
std::string format_estimate(const Estimate& estimate, Format one = format_loss);
// "−0.0412 [−0.0535, −0.0290]"
std::string format_interval(const Estimate& estimate);

// With a capital letter, to begin a row.
std::string capital(std::string text);
// A figure's name where its group is not a heading above it: "Memory, peak in training". A rate
// stands for itself: "Tokens per second".
std::string full_name(const Shown& figure);

}  // namespace afina

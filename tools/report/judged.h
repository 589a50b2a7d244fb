// Judged answers in a report: shares of rows that pass each rule, and the rows one by one.
#pragma once
#include <string>

#include "tools/report/facts.h"
#include "tools/report/tables.h"
#include "tools/results/judgement.h"

namespace afina {

// "62.5 % [45.3, 77.1]"; a dash where nothing is known. with_sign: of a difference, in points.
std::string share_text(const ShareEstimate& share, bool with_sign = false);

// A line for each rule, the heads first: rows, before, and each method's share; of the others the
// difference to the reference as well. Empty where nothing was judged.
TextRows judged_table(const Facts& facts);
// How the shares were made.
extern const char* const judged_words;

}  // namespace afina
